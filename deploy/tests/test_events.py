"""The calendar's floors."""
import copy
import importlib.machinery
import importlib.util
import re
from datetime import datetime, timezone

import pytest
import yaml

from conftest import DEPLOY, get, objects_of, run

CALENDAR = yaml.safe_load((DEPLOY / "events/calendar.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def windows():
    loader = importlib.machinery.SourceFileLoader("windows", str(DEPLOY / "events/windows"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("windows", loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def calendar():
    return {"headroom": 1.5, "environments": {"prod": {"share": 0.5, "hits_per_second_per_pod": 100}},
            "events": [{"name": "sale", "timezone": "Europe/Berlin", "from": "2026-11-27T08:00", "until": "2026-11-27T20:30",
                        "lead": "45m", "hits_per_second": 1000}]}


def metadata(windows, calendar):
    return windows.windows(calendar, "prod")[0]["value"]["metadata"]


def test_files_say_what_the_calendar_says():
    run(DEPLOY / "events/windows", "--check")


def test_stale_file_is_noticed(tmp_path):
    copy_of = tmp_path / "deploy"
    run("cp", "-rL", DEPLOY, copy_of)
    with open(copy_of / "events/calendar.yaml", "a", encoding="utf-8") as file:
        file.write("  - {name: x, timezone: UTC, from: 2027-01-05T00:00, until: 2027-01-06T00:00, lead: 5m, hits_per_second: 9}\n")
    assert run(copy_of / "events/windows", "--check", check=False).returncode == 1
    run(copy_of / "events/windows")
    run(copy_of / "events/windows", "--check")
    triggers = get(list(yaml.safe_load_all(run("kubectl", "kustomize", copy_of / "overlays/prod").stdout)), "ScaledObject")["spec"]["triggers"]
    assert "x" in [t["name"] for t in triggers]


def test_floor_begins_a_lead_before_the_event(windows, calendar):
    assert metadata(windows, calendar) == {"timezone": "Europe/Berlin", "start": "15 7 27 11 *", "end": "30 20 27 11 *", "desiredReplicas": "8"}


def test_floor_crosses_midnight_and_year(windows, calendar):
    calendar["events"][0].update({"from": "2027-01-01T00:15", "until": "2027-01-01T02:00", "lead": "1h"})
    assert metadata(windows, calendar)["start"] == "15 23 31 12 *"


def test_lead_is_true_time_across_the_change_of_clocks(windows, calendar):
    """At 03:00 on 28 March 2027 it is one hour after 01:00 in Berlin, not two."""
    calendar["events"][0].update({"from": "2027-03-28T03:30", "until": "2027-03-28T09:00", "lead": "1h"})
    assert metadata(windows, calendar)["start"] == "30 1 28 3 *"


@pytest.mark.parametrize("hits, pods", [(1, "1"), (1000, "8"), (1066, "8"), (1067, "9"), (4000, "30")])
def test_floor_is_rounded_up(windows, calendar, hits, pods):
    calendar["events"][0]["hits_per_second"] = hits
    assert metadata(windows, calendar)["desiredReplicas"] == pods


@pytest.mark.parametrize("change, says", [
    ({"timezone": "Mars/Olympus"}, "unknown time zone"),
    ({"until": "2026-11-27T07:00"}, "ends before"),
    ({"until": "2027-04-27T07:00"}, "longer than"),
    ({"lead": "soon"}, "lead"),
    ({"name": "Black Friday"}, "no trigger name"),
    ({"hits_per_second": 0}, "not positive"),
    ({"from": "2026-11-27T08:00+01:00"}, "local times only"),
    ({"note": "x"}, "wants exactly"),
])
def test_calendar_is_refused(windows, calendar, change, says):
    calendar["events"][0].update(change)
    with pytest.raises(windows.CalendarError, match=says):
        windows.windows(calendar, "prod")


def test_event_twice_is_refused(windows, calendar):
    calendar["events"] *= 2
    with pytest.raises(windows.CalendarError, match="twice"):
        windows.windows(calendar, "prod")


def test_events_that_are_over_are_named(windows):
    ends = datetime(2026, 12, 15, tzinfo=timezone.utc)
    assert windows.over(copy.deepcopy(CALENDAR), ends) == ["black-friday"]


@pytest.mark.parametrize("environment", CALENDAR["environments"])
def test_calendar_and_scaling_agree_on_a_pods_capacity(environment):
    spec = get(objects_of(environment), "ScaledObject")["spec"]
    threshold = next(t for t in spec["triggers"] if t["type"] == "prometheus")["metadata"]["threshold"]
    assert int(threshold) == CALENDAR["environments"][environment]["hits_per_second_per_pod"]


@pytest.mark.parametrize("environment", CALENDAR["environments"])
def test_each_event_is_a_floor_of_the_overlay(environment):
    triggers = get(objects_of(environment), "ScaledObject")["spec"]["triggers"]
    assert [t["name"] for t in triggers if t["type"] == "cron"] == [e["name"] for e in CALENDAR["events"]]


def karpenter_budgets():
    pool = next(yaml.safe_load_all(run("kubectl", "kustomize", DEPLOY / "cluster").stdout))
    return [b for b in pool["spec"]["disruption"]["budgets"] if b["nodes"] == "0"]


def test_karpenter_takes_no_node_away_during_an_event(windows):
    """Each event lies, with its lead, within a budget of 0 nodes; a day with no event has none."""
    spans = []
    for event in CALENDAR["events"]:
        _, _, start, end, _ = windows.parse_event(event)
        spans.append((windows.cron(start.astimezone(timezone.utc)), (end - start).total_seconds()))
    have = [(b["schedule"], sum(int(n) * {"h": 3600, "m": 60}[u] for n, u in re.findall(r"(\d+)([hm])", b["duration"]))) for b in karpenter_budgets()]
    assert sorted(have) == sorted(spans) and len(have) == len(CALENDAR["events"])
    # What Karpenter's own definition lets a duration be: minutes are its smallest part.
    assert all(re.fullmatch(r"([0-9]+(h|m))|([0-9]+h[0-9]+m)", b["duration"]) for b in karpenter_budgets())

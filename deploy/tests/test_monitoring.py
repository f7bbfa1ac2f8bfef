"""Rules, routes, dashboards, runbooks; each judged by Prometheus's and Alertmanager's own tools."""
import json
import os
import re
from pathlib import Path

import pytest
import yaml

from conftest import CACHE, DEPLOY, run, tool

MONITORING = DEPLOY / "monitoring"
RULES = yaml.safe_load((MONITORING / "rules.yaml").read_text(encoding="utf-8"))
ALERTS = {r["alert"]: r for g in RULES["groups"] for r in g["rules"] if "alert" in r}
RECORDS = {r["record"]: r for g in RULES["groups"] for r in g["rules"] if "record" in r}
CASE_FILES = sorted((MONITORING / "tests").glob("*.yaml"))
CASES = [case for path in CASE_FILES for case in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]]
METRICS = yaml.safe_load((MONITORING / "metrics.yaml").read_text(encoding="utf-8"))
OTHERS = METRICS.pop("others")
# A histogram is asked for by its buckets.
CONTRACT = {f"tallyd_{name}{'_bucket' if 'le' in labels else ''}": labels for kind in METRICS.values() for name, labels in kind.items()}
RUNBOOKS, GRAFANA = "https://runbooks.example/tallyd", "https://grafana.example"
TARGET_LABELS = {"namespace", "instance", "job", "pod", "container", "service", "endpoint"}
DASHBOARDS = sorted((MONITORING / "dashboards").glob("*.json"))
# A variable of Grafana stands for this when a query is judged.
VARIABLES = {"$__rate_interval": "1m", "$namespace": "tallyd", "$instance": ".*"}


def queries(path):
    dashboard = json.loads(path.read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            yield panel["title"], expression


def expressions():
    for name, rule in {**ALERTS, **RECORDS}.items():
        yield name, rule["expr"]
    for path in DASHBOARDS:
        yield from queries(path)
    for file, document in (("keda", "components/keda/scaledobject.yaml"), ("blue-green", "components/blue-green/analysistemplate.yaml")):
        for query in re.findall(r"query: (?:>-\n +)?(.*(?:\n +\+ .*)?)", (DEPLOY / document).read_text(encoding="utf-8")):
            yield file, query


def promtool_test(tmp_path, rules):
    """The cases against other rules than the real ones."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules))
    copies = [tmp_path / "tests" / path.name for path in CASE_FILES]
    for path, copy in zip(CASE_FILES, copies):
        copy.write_text(path.read_text(encoding="utf-8"))
    return run(tool("promtool"), "test", "rules", *copies, check=False)


def test_rules_are_valid():
    run(tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", MONITORING / "rules.yaml")


def test_alerts_fire_and_stay_silent_as_their_cases_say():
    run(tool("promtool"), "test", "rules", *CASE_FILES)


@pytest.mark.parametrize("alert", ALERTS)
def test_alert_has_a_case_for_both(alert):
    outcomes = [bool(test["exp_alerts"]) for case in CASES for test in case.get("alert_rule_test", []) if test["alertname"] == alert]
    assert True in outcomes and False in outcomes


@pytest.mark.parametrize("expression, outcome", [("vector(1)", False), ("vector(1) > 2", True)], ids=["always fires", "never fires"])
def test_cases_notice_an_alert_that(expression, outcome, tmp_path):
    rules = json.loads(json.dumps(RULES))
    for rule in (r for g in rules["groups"] for r in g["rules"] if "alert" in r):
        rule.update(expr=expression)
        rule.pop("for", None)
    done = promtool_test(tmp_path, rules)
    failed = set(re.findall(r"alertname: (\w+)", done.stdout + done.stderr))
    assert done.returncode == 1 and failed == set(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_alert_says_who_is_called_and_what_to_do(alert):
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("page", "ticket", "info")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook_url"] == f"{RUNBOOKS}/{alert}.md"
    uid = re.match(rf"{GRAFANA}/d/([\w-]+)", rule["annotations"]["dashboard_url"])[1]
    assert uid in [json.loads(path.read_text(encoding="utf-8"))["uid"] for path in DASHBOARDS]
    runbook = MONITORING / "runbooks" / f"{alert}.md"
    text = runbook.read_text(encoding="utf-8")
    assert text.startswith(f"# {alert}\n\nSeverity: `{rule['labels']['severity']}`\n")
    for part in ("What it says", "What is safe, what is not", "Look", "Do", "Over when"):
        assert f"\n## {part}\n" in text


def test_no_runbook_without_alert_and_no_broken_link():
    runbooks = list((MONITORING / "runbooks").glob("*.md"))
    assert {path.stem for path in runbooks} == set(ALERTS)
    for path in runbooks:
        for link in re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).is_file(), f"{path.name}: {link}"


@pytest.fixture(scope="module")
def binary():
    path = Path(os.environ.get("TALLYD", DEPLOY.parent / "build/release/tallyd"))
    if not path.is_file():
        pytest.skip("tallyd is not built (make)")
    return path


def test_contract_is_what_tallyd_exports(binary):
    table = re.findall(r"^\| `(tallyd_\w+)` \| (\w+) \|(?: `(\w+)`)? ", run(binary, "--help=metrics").stdout, re.M)
    says = {name: (kind, [label] if label else []) for name, kind, label in table}
    wants = {f"tallyd_{name}": (kind, labels) for kind, metrics in METRICS.items() if kind != "planned" for name, labels in metrics.items()}
    planned = {f"tallyd_{name}" for name in METRICS["planned"]}
    assert len(says) > 30 and {n: v for n, v in says.items() if n not in planned} == wants


def test_log_lines_that_runbooks_search_for_exist():
    """A runbook says `grep NAME`: NAME must be an event in the source."""
    source = "".join(path.read_text(encoding="utf-8") for path in (DEPLOY.parent / "src").glob("*/*.c"))
    for path in (MONITORING / "runbooks").glob("*.md"):
        for command in re.findall(r"grep (?:-E \")?([a-z_|]+)", path.read_text(encoding="utf-8")):
            for event in command.split("|"):
                assert f'"{event}"' in source, f"{path.name}: {event}"


def test_runbooks_name_only_metrics_of_the_contract():
    for path in (MONITORING / "runbooks").glob("*.md"):
        for name in re.findall(r"\btallyd_[a-z0-9_]+", path.read_text(encoding="utf-8")):
            assert name in CONTRACT, f"{path.name}: {name}"


@pytest.mark.parametrize("where, expression", [pytest.param(w, e, id=f"{w}-{i}") for i, (w, e) in enumerate(expressions())])
def test_query_asks_for_metrics_and_labels_that_exist(where, expression):
    used = set(re.findall(r"\btallyd[_:][a-z0-9_:]+\w", expression))
    foreign = set(re.findall(r"\b(?:kube|container|externalsecret|rollout|process)_[a-z_]+(?=\{)", expression))
    assert used or foreign or "up{" in expression
    assert foreign <= set(OTHERS), f"{where}: {foreign - set(OTHERS)}"
    for metric, selector in re.findall(r"\b((?:kube|container|externalsecret|rollout|process)_\w+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)\s*[=!]~?", selector)) <= TARGET_LABELS | set(OTHERS[metric]), f"{where}: {metric}{{{selector}}}"
    for metric in used:
        assert metric in CONTRACT or metric in RECORDS, f"{where}: {metric}"
    for metric, selector in re.findall(r"\b(tallyd_\w+)\{([^}]*)\}", expression):
        for label in re.findall(r"(\w+)\s*[=!]~?", selector):
            assert label in TARGET_LABELS | set(CONTRACT[metric]), f"{where}: {metric} has no label {label}"
    counters = [m for m in used if m.endswith("_total")]
    for counter in counters:
        bare = re.sub(rf"(rate|increase)\({counter}(\{{[^}}]*\}})?\[[^\]]+\](\s+offset \w+)?\)", "", expression)
        allowed = counter in ("tallyd_hits_lost_total", "tallyd_alarms_total")
        assert counter not in bare or allowed, f"{where}: {counter} without rate or increase"


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda p: p.stem)
def test_prometheus_understands_every_query_of_the_dashboard(path, tmp_path):
    rules = [{"record": f"q:q:q{i}", "expr": expression} for i, (_, expression) in enumerate(queries(path))]
    (tmp_path / "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    run(tool("promtool"), "check", "rules", tmp_path / "queries.yaml")
    assert len(rules) > 10


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda p: p.stem)
def test_dashboard_is_laid_out_without_overlap(path):
    dashboard = json.loads(path.read_text(encoding="utf-8"))
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def test_every_metric_of_the_contract_is_looked_at():
    seen = " ".join(expression for _, expression in expressions())
    unseen = [name for name in CONTRACT if not re.search(rf"\b{name}\b", seen)]
    # Behind others: what they say is in a ratio's inverse, or only of use in a console.
    assert sorted(unseen) == ["tallyd_flushes_total", "tallyd_seeds_total", "tallyd_workers"]


@pytest.mark.parametrize("command", ["monitoring/dashboards/build", "monitoring/prometheusrule"])
def test_generated_file_is_what_its_source_says(command):
    run(DEPLOY / command, "--check")


def test_links_are_set_by_one_command_and_kept_in_step(tmp_path):
    copy = tmp_path / "deploy"
    run("cp", "-r", DEPLOY, copy)
    run(copy / "monitoring/links", "https://wiki.example/books", "https://g.example")
    text = (copy / "monitoring/rules.yaml").read_text(encoding="utf-8")
    assert RUNBOOKS not in text and GRAFANA not in text and text.count("https://wiki.example/books/Tallyd") == len(ALERTS)
    run(tool("promtool"), "test", "rules", copy / "monitoring/tests/budget.yaml")
    run(copy / "monitoring/prometheusrule", "--check")
    run(copy / "helm/generate", "--check")
    assert run(copy / "monitoring/links", "https://wiki.example/books/", "g", check=False).returncode == 64


def test_a_drain_that_takes_its_whole_time_is_no_alert():
    settings = dict(line.split("=", 1) for line in (DEPLOY / "base/settings.env").read_text().splitlines() if line and line[0] != "#")
    grace = int(re.search(r"terminationGracePeriodSeconds: (\d+)", (DEPLOY / "base/deployment.yaml").read_text())[1])
    assert int(settings["TALLYD_DRAIN_TIMEOUT"].rstrip("s")) < int(ALERTS["TallydDrainStuck"]["for"].rstrip("s")) < grace


def test_an_alert_of_one_process_names_its_pod():
    for name, rule in ALERTS.items():
        summary = rule["annotations"]["summary"]
        assert "$labels.instance" not in summary or "{{ or $labels.pod $labels.instance }}" in summary, name
        assert "by (namespace, instance" not in rule["expr"], f"{name} loses the pod"


def test_every_burn_rate_has_its_two_windows():
    """Fast enough to wake someone, slow enough for a ticket; each with a short window, so that it ends when the burn ends."""
    pairs = {name: set(re.findall(r"bad_ratio_rate(\w+) > (?:([\d.]+) \* )?0\.0005 and tallyd:responses:bad_ratio_rate(\w+) > (?:[\d.]+ \* )?0\.0005", ALERTS[name]["expr"]))
             for name in ("TallydErrorBudgetBurnFast", "TallydErrorBudgetBurnSlow")}
    assert pairs == {"TallydErrorBudgetBurnFast": {("1h", "14.4", "5m"), ("6h", "6", "30m")}, "TallydErrorBudgetBurnSlow": {("1d", "3", "2h"), ("3d", "", "6h")}}


def test_prometheus_stack_takes_what_lies_in_our_namespace():
    values = yaml.safe_load((MONITORING / "kube-prometheus-stack.yaml").read_text(encoding="utf-8"))
    spec = values["prometheus"]["prometheusSpec"]
    assert all(spec[f"{kind}SelectorNilUsesHelmValues"] is False for kind in ("serviceMonitor", "podMonitor", "rule"))
    label = values["grafana"]["sidecar"]["dashboards"]["label"]
    assert label in yaml.safe_load((MONITORING / "kustomization.yaml").read_text(encoding="utf-8"))["configMapGenerator"][0]["options"]["labels"]


def test_operators_object_holds_the_same_rules():
    assert yaml.safe_load((MONITORING / "prometheusrule.yaml").read_text(encoding="utf-8"))["spec"] == RULES


def test_alertmanager_reads_its_configuration():
    run(tool("amtool"), "check-config", MONITORING / "alertmanager.yaml")


@pytest.mark.parametrize("alert", ALERTS)
def test_alert_reaches_whom_its_severity_names(alert):
    severity = ALERTS[alert]["labels"]["severity"]
    receivers = run(tool("amtool"), "config", "routes", "test", "--config.file", MONITORING / "alertmanager.yaml",
                    f"alertname={alert}", f"severity={severity}", "namespace=tallyd").stdout.strip()
    assert receivers == {"page": "on-call,channel", "ticket": "tickets", "info": "channel"}[severity]


def test_alertmanager_names_only_alerts_that_exist():
    config = yaml.safe_load((MONITORING / "alertmanager.yaml").read_text(encoding="utf-8"))
    named = set(re.findall(r"Tallyd\w+", json.dumps(config["inhibit_rules"])))
    assert named and named <= set(ALERTS)


def test_inhibition_never_silences_a_loss():
    config = yaml.safe_load((MONITORING / "alertmanager.yaml").read_text(encoding="utf-8"))
    targets = json.dumps([rule["target_matchers"] for rule in config["inhibit_rules"]])
    for alert in ("TallydHitsLost", "TallydBooksOutOfBalance", "TallydLedgerAlarm", "TallydKeyCapReached"):
        assert alert not in targets


def test_pages_are_never_muted():
    config = yaml.safe_load((MONITORING / "alertmanager.yaml").read_text(encoding="utf-8"))
    page = next(r for r in config["route"]["routes"] if 'severity="page"' in r["matchers"])
    assert "mute_time_intervals" not in page and CACHE

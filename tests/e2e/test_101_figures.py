"""bench/ and perf/ give no figure for a round whose books do not balance, and judge a target by the median of rounds."""

import os
import random
import sys

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

pytestmark = pytest.mark.harness


@pytest.fixture
def module(monkeypatch):
    """Imports of bench/harness under its own name, which is this folder's harness's, too."""
    ours = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] == "harness"}
    monkeypatch.syspath_prepend(os.path.join(ROOT, "bench"))
    monkeypatch.syspath_prepend(os.path.join(ROOT, "perf"))
    yield lambda name: __import__(name, fromlist=["_"])
    for name in [name for name in sys.modules if name.split(".")[0] == "harness"]:
        del sys.modules[name]
    sys.modules.update(ours)


def row_of(targets, rounds, peer_rounds, what="keep-alive 64: CPU ÷ nginx `return 200`"):
    run = {"http": {"keep-64": {targets.OURS: rounds, targets.NGINX: peer_rounds}}}
    return next(row for row in targets.targets(run) if row.what == what)


def cost(value):
    return {"cpu_us": value, "latency_us": {"p99": 1.0}}


def test_a_round_whose_books_do_not_balance_gives_no_figure(module):
    targets = module("harness.targets")
    row = row_of(targets, [cost(1.0), {"void": "books"}], [{"void": "books"}, cost(2.0)])
    assert (row.measured, row.met) == ("not measured", "–")


def test_a_target_is_judged_by_the_median_of_the_rounds_own_ratios(module):
    targets = module("harness.targets")
    ours = [cost(1.0), cost(9.0), cost(3.0)]  # ratios 0.5, 0.9, 0.6: the ratio of the medians would be 0.6 only by chance
    assert row_of(targets, ours, [cost(2.0), cost(10.0), cost(5.0)]).measured == "0.60 (0.50–0.90)"
    assert row_of(targets, ours, [cost(2.0), cost(10.0), cost(5.0)]).met == "yes"
    assert row_of(targets, ours, [cost(2.0), cost(10.0), cost(4.0)]).met == "**no**"


def test_voided_rounds_are_counted_among_the_targets(module):
    targets = module("harness.targets")
    run = {"burst": [{"void": "the flush ended"}], "scale": {"key_bytes": [{"value": 100}]}}
    assert targets.targets(run)[-1].measured == "1 of 2"


def test_with_a_budget_rounds_stop_when_no_other_fits_but_never_before_the_third(module, monkeypatch):
    pace = module("harness.pace")
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr(pace.time, "monotonic", lambda: next(clock))
    assert len(list(pace.Pace(rounds=9, minutes=0, parts=["http"]).rounds("http"))) == 9
    assert len(list(pace.Pace(rounds=9, minutes=0.1, parts=["http"]).rounds("http"))) == 3
    assert len(list(pace.Pace(rounds=1, minutes=2, parts=["http"]).rounds("http"))) == 4


def test_a_flame_graph_has_a_box_for_each_frame_as_wide_as_its_share(module):
    svg = module("flame_svg").render("t", {("worker-0", "run", "send<"): 3, ("worker-0", "run"): 1})
    assert "<title>send&lt;: 75.00%</title>" in svg and 'width="900.0"' in svg


def test_the_interval_of_a_median_holds_it_as_often_as_it_says(module):
    median_interval = module("spread").median_interval
    assert median_interval([3.0]) == (3.0, 3.0) and median_interval([3, 1, 2, 5]) == (1, 5)
    assert median_interval(range(6)) == (0, 5) and median_interval(range(20)) == (5, 14)
    draw = random.Random(7)
    for count in (6, 11, 20, 47):
        held = sum(low <= 0.5 <= high for low, high in (median_interval([draw.random() for _ in range(count)]) for _ in range(2000)))
        assert 0.93 < held / 2000 < 0.999, count

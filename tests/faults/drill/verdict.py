"""What a schedule ended with: hit by hit what was answered, what the store holds, what the books say."""

import collections
import re

from harness import checker

from .scene import ACKED_BEFORE_MIN


_CALLED = re.compile(r" hits_(lost|lost_at_least|lost_at_most|unproved)=(\d+)")  # unproved: all of them may be lost, or none


class Void(Exception):
    """Nothing was tried: fewer than ACKED_BEFORE_MIN hits were acknowledged before the first fault."""


def wait_loaded(load):
    """The load is under way; else the schedule proves nothing."""
    try:
        checker.wait.until(lambda: load.acked_hits() >= ACKED_BEFORE_MIN, "the load is under way", 5)
    except AssertionError as failure:
        raise Void(str(failure)) from failure


def count(store, load, prefix):
    """{acked, unsure, lost, doubled}: hits; lost and doubled are summed over the keys that differ."""
    acked, unsure = checker.sums([load], "acked"), checker.sums([load], "indeterminate")
    held = checker.redis_counts(store, prefix)
    keys = set(acked) | set(held)
    return {"acked": sum(acked.values()), "unsure": sum(unsure.values()),
            "lost": sum(max(0, acked[key] - held.get(key, 0)) for key in keys),
            "doubled": sum(max(0, held.get(key, 0) - acked[key] - unsure[key]) for key in keys)}


def judge(server, counts, restarted, may_lose):
    """Raises unless nothing is lost that is not called lost, nothing is doubled, and the books agree; what was called lost."""
    metrics = checker.checked_metrics(server)
    called = collections.Counter()
    for kind, hits in _CALLED.findall(server.log()):  # metrics die with a process, its log is kept
        called[kind] += int(hits)
    called_lost, unproved = called.total(), called["unproved"]
    exact = unproved == 0 and not {"lost_at_least", "lost_at_most"} & called.keys()
    assert counts["doubled"] == 0, f"{counts['doubled']} hits doubled: {counts}"
    assert may_lose or (counts["lost"] == 0 and called_lost == 0), f"{counts['lost']} hits lost, {called_lost} called lost: {counts}"
    assert counts["lost"] <= called_lost or "lost_at_least" in called, \
        f"{counts['lost']} hits lost, {called_lost} called lost: {counts}"
    if not restarted:
        assert metrics["hits_lost_total"] + unproved == called_lost, f"{metrics['hits_lost_total']} lost, {called_lost} in the log"
        assert metrics["hits_unproved_total"] == unproved
    if counts["unsure"] == 0 and not restarted:
        assert not exact or counts["lost"] == called_lost, f"{called_lost} hits called lost, {counts['lost']} are: {counts}"
        assert metrics["hits_accepted_total"] == counts["acked"], f"accepted {metrics['hits_accepted_total']}: {counts}"
    return called_lost

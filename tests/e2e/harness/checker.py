"""The claim: conservation. Every comparison between what clients were told, what Redis holds and what tallyd's books say.

acked <= value <= acked + indeterminate, key by key; equal when no hit is indeterminate.
accepted = stored - rolled back + in_flight + pending + poisoned + lost, in every scrape.
"""

import collections
import json
import re

from . import names, wait
from .http_client import fetch

INTERNAL = re.compile(rb"(\{[^}]*\})?!")


def without_internal(counts):
    return {key: value for key, value in counts.items() if not INTERNAL.match(key)}


def redis_counts(redis, prefix=names.PREFIX):
    """What Redis holds, without internal keys."""
    return without_internal(redis.read_all(prefix))


def check_totals(counts):
    """The total of each namespace is the sum of its keys, in what read_all() says of a store that no one else writes to."""
    totals, keys = collections.Counter(), collections.Counter()
    for key, value in counts.items():
        if key.startswith(b"!total:"):
            totals[key.split(b":", 2)[2]] += value
        elif not INTERNAL.match(key) and isinstance(value, int):
            keys[key.partition(b":")[0]] += value
    assert totals == keys, f"totals {dict(totals)}, keys {dict(keys)}"


def sums(loads, which):
    total = collections.Counter()
    for load in loads:
        total.update(load.by_key(getattr(load, which)))
    return total


def check_exact(redis, loads, before=(), prefix=names.PREFIX, totals=True):
    """After the drain: Redis holds what was answered 2xx; a hit whose answer was lost may be there or not, once.

    `before`: counts that were there already. `totals`: only hits were stored, so totals of namespaces are their sums. Returns (sum in Redis, sum of indeterminate hits).
    """
    acked, unsure = sums(loads, "acked"), sums(loads, "indeterminate")
    acked.update(dict(before))
    everything = redis.read_all(prefix)
    counts = without_internal(everything)
    if totals and not before:
        check_totals(everything)
    wrong = []
    for key in set(acked) | set(unsure) | set(counts):
        value = counts.get(key, 0)
        if not isinstance(value, int) or not acked[key] <= value <= acked[key] + unsure[key]:
            wrong.append(f"{key!r}: {value} in Redis, answered {acked[key]}, unsure {unsure[key]}")
    assert not wrong, f"{len(wrong)} keys differ: " + "; ".join(sorted(wrong)[:8])
    return sum(counts.values()), sum(unsure.values())


def check_books(metrics):
    """The equation of promise P6 in one scrape."""
    accepted = metrics["hits_accepted_total"]
    parts = {name: metrics[name] for name in ("hits_stored_total", "hits_in_flight", "hits_pending", "hits_poisoned")}
    parts["lost"] = metrics["hits_lost_total"]
    parts["rolled back"] = -metrics["hits_rolled_back_total"]  # hits_stored_total never goes down: what was forgotten is taken off
    assert accepted == sum(parts.values()), f"accepted {accepted} is not the sum of {parts}"
    assert metrics["books_imbalance"] == 0, f"books_imbalance {metrics['books_imbalance']}"


def drained(metrics):
    return metrics["hits_pending"] == 0 and metrics["hits_in_flight"] == 0


def wait_drained(*servers, seconds=10.0):
    """After the last fault: nothing pending within ten seconds; the books balance all the while."""
    for server in servers:
        wait.until(lambda server=server: drained(checked_metrics(server)), f"{server.name} is drained", seconds, 0.05)


def checked_metrics(server):
    metrics = server.metrics()
    check_books(metrics)
    return metrics


def check_stored_is_in_redis(redis, servers, before=0, prefix=names.PREFIX):
    """An equality even when clients are unsure: what the processes accepted is what Redis holds."""
    accepted = sum(checked_metrics(server)["hits_accepted_total"] for server in servers)
    held = sum(redis_counts(redis, prefix).values())
    assert held == accepted + before, f"Redis holds {held}, accepted {accepted}, there before {before}"


class LiveReader:
    """Reads counters over HTTP during a load: acked before the read <= value <= sent by then; never backwards."""

    def __init__(self, server, loads, ns, keys):
        self.reads = 0
        self._server = server
        self._loads = loads
        self._ns = ns
        self._keys = keys
        self._last = {}

    def read(self):
        low = sums(self._loads, "acked")
        answer = {key: self._value(key) for key in self._keys}
        high = sums(self._loads, "sent")
        for key, value in answer.items():
            name = names.stored(self._ns, key)
            assert low[name] <= value <= high[name], f"{key!r}: read {value}, answered {low[name]}, sent {high[name]}"
            last = self._last.get(key, 0)
            assert value >= last, f"{key!r} went backwards: {last}, then {value}"
            self._last[key] = value
            self.reads += 1

    def _value(self, key):
        answer = fetch(self._server.port, f"/v1/counters/{self._ns}/{names.quoted(key)}")
        if answer.status == 404:
            return 0
        assert answer.status == 200, f"{answer.status} {answer.body!r}"
        return json.loads(answer.body)["value"]

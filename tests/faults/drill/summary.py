"""Progress while schedules run, and what they came to."""

import collections
import json
import os
import sys
import time

from harness import tallyd

RESULTS = "build/faults"
_SUMS = ("acked", "unsure", "lost", "doubled", "called_lost")
_EVERY_S = 10.0  # without a terminal: one line so often


class Progress:
    def __init__(self, total):
        self._total = total
        self._begun = self._said = time.monotonic()
        self._done = collections.Counter()

    def add(self, result):
        self._done[result["outcome"]] += 1
        if result["outcome"] != "exact":
            self._clear()
            print(f"{result['outcome']}: {result['kind']} seed {result['seed']}: {result['why'][:600]}")
        if result["outcome"] == "failed":
            print(f"  faults: {'; '.join(result['played'])}\n  again: {again(result)}\n  files: {result['kept']}", flush=True)
        now, done = time.monotonic(), sum(self._done.values())
        if sys.stdout.isatty() or now - self._said > _EVERY_S or done == self._total:
            self._said = now
            self._say(done, now - self._begun)

    def _say(self, done, seconds):
        left = (self._total - done) * seconds / done
        line = (f"{done}/{self._total} schedules, {done / seconds * 60:.0f} a minute, {left:.0f} s left: "
                f"{self._done['exact']} exact, {self._done['failed']} failed, {self._done['void']} void")
        self._clear()
        print(line, end="" if sys.stdout.isatty() and done < self._total else "\n", flush=True)

    def _clear(self):
        if sys.stdout.isatty():
            print("\r\x1b[K", end="")


def again(result):
    counts = "SCHEDULES=1 CLUSTER=0" if result["kind"] == "standalone" else "SCHEDULES=0 CLUSTER=1"
    return f"make faults SEED={result['seed']} {counts}"


def write(name, summary):
    """Into build/faults, for tests/faults/table, with what was tested and when."""
    os.makedirs(RESULTS, exist_ok=True)
    summary = {**summary, "version": tallyd.version(), "date": time.strftime("%Y-%m-%d", time.gmtime())}
    path = os.path.join(RESULTS, f"{name}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(summary, file, indent=1)
    return path


def sum_up(kind, seed, results):
    """One run of one kind; void schedules are counted and nothing else of them."""
    tried = [result for result in results if result["outcome"] != "void"]
    faults = collections.Counter()
    for result in tried:
        faults.update(result["faults"])
    summary = {"kind": kind, "seed": seed, "schedules": len(tried), "void": len(results) - len(tried),
               "failed": [{key: result[key] for key in ("seed", "why", "played")}
                          for result in tried if result["outcome"] == "failed"],
               "faults": dict(sorted(faults.items())), "seconds": round(sum(result["seconds"] for result in results)),
               "drain_s_max": max((result.get("drain_s", 0) for result in tried), default=0)}
    summary.update({key: sum(result[key] for result in tried) for key in _SUMS})
    return summary


def say(summary):
    faults = ", ".join(f"{name} {times}" for name, times in summary["faults"].items())
    print(f"{summary['kind']}: {summary['schedules']} schedules ({summary['void']} void), {len(summary['failed'])} failed; "
          f"{summary['acked']} hits acknowledged, {summary['lost']} lost ({summary['called_lost']} called lost by the "
          f"books), {summary['doubled']} doubled, {summary['unsure']} without an answer; "
          f"drained within {summary['drain_s_max']} s\n  faults: {faults}")

"""What a flush of a million keys does to the hits that arrive meanwhile: their latency with and without it, in turn.

The worker has a CPU for itself. The flusher and Redis have the load's, at SCHED_IDLE (sched(7)), and as root worker and
load are real-time tasks, so that the load's own punctuality is not what is measured; what is left is what they share with
the worker: cells, caches, memory, barriers.
"""

import os
import shutil
import tempfile
import time

from .http import LOAD_CPU, SERVER_CPU, Load, tried
from .processes import Failed, Folder, put_ahead
from .profiles import Profile
from .redis import Redis

TOUCH = Profile("touch", "every key once", pipeline=16, keys="new")
HOT = Profile("burst", "open loop, 64 connections, one hot page")
SHARE_OF_FLUSH = 0.4  # of the first, slower one: the window must end before the flush does
WAIT_S = 90


def _aside(threads):
    for thread in threads:
        os.sched_setaffinity(thread, {LOAD_CPU})
        os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))


class Bench:
    """One tallyd with its Redis, and what it has answered so far."""

    def __init__(self, peer, settings, folder):
        self.peer, self.settings, self.answered, self.began = peer, settings, 0, 0
        self.redis = Redis(folder, LOAD_CPU)
        self.server = peer.launch(folder, self.redis, SERVER_CPU, "--workers", "1", "--max-keys", "2000000",
                                  "--flush-interval", f"{settings.burst_interval}s")
        _aside(self.redis.server.threads().values())
        _aside([self.server.threads()["flusher"]])
        put_ahead([self.server.threads()["worker-0"]])

    def load(self, profile, seconds, **more):
        return Load(self.settings.load, self.server.port, self.peer.path, profile, seconds, **more)

    def go(self, load, seconds):
        result = load.go(seconds)
        self.answered += result["ok"]
        return result

    def flushes(self):
        return self.peer.metrics()["tallyd_flushes_total"]

    def touch(self):
        """All keys between two flushes; returns when the flush that takes them begins."""
        before, until = self.flushes(), time.monotonic() + WAIT_S
        self.go(self.load(TOUCH, WAIT_S, requests=self.settings.keys_many), WAIT_S)
        if self.flushes() != before:
            raise Failed("a flush began while keys were still coming: more time is needed between flushes")
        while self.flushes() == before:
            if time.monotonic() > until:
                raise Failed("no flush began")
            time.sleep(0.01)
        self.began = time.monotonic()

    def stored(self):
        return self.peer.metrics()["tallyd_hits_stored_total"]

    def flushed(self, expected):
        """Seconds that the flush which touch() saw begin took."""
        while self.stored() < expected:
            if time.monotonic() > self.began + WAIT_S:
                raise Failed("the flush did not end")
            time.sleep(0.02)
        return time.monotonic() - self.began

    def stop(self):
        self.server.stop()
        self.redis.stop()


def _cycle(bench, rate, seconds):
    bench.peer.settle(bench.answered)  # a flush has just ended, so the next is a whole interval away
    without, during = (bench.load(HOT, seconds, rate=rate).put_ahead() for _ in range(2))  # connected beforehand
    without = bench.go(without, seconds)["corrected_us"]
    bench.touch()
    expected = bench.answered
    during = bench.go(during, seconds)["corrected_us"]
    if bench.stored() >= expected:
        raise Failed("the flush ended before the window did")
    return {"without_us": without, "during_us": during, "flush_seconds": bench.flushed(expected)}


def _cycles(bench, settings, say):
    rate = bench.go(bench.load(HOT, settings.seconds), settings.seconds)
    rate = rate["ok"] / rate["seconds"] / 2
    bench.peer.settle(bench.answered)
    bench.touch()
    seconds = min(settings.seconds, SHARE_OF_FLUSH * bench.flushed(bench.answered))
    for number in settings.pace.rounds("burst"):
        one = tried(_cycle, bench, rate, seconds) | {"rate": rate}
        say(f"burst      {number + 1}  " + (f"VOID: {one['void']}" if "void" in one else
            f"p99.9 {one['without_us']['p99.9']:.0f} µs without, {one['during_us']['p99.9']:.0f} µs during a flush of "
            f"{one['flush_seconds']:.1f} s at {rate:.0f} hits/s"))
        yield one


def _run(peer, settings, folder, say):
    bench = Bench(peer, settings, folder)
    try:
        cycles = list(_cycles(bench, settings, say))
        bench.server.stop(expect_clean=True)
        found = bench.redis.counted()[0]
        if found != bench.answered:
            raise Failed(f"the books do not balance: answered 2xx {bench.answered}, in Redis {found}")
        return {"cycles": cycles}
    finally:
        bench.stop()


def burst_run(peer, settings, say):
    """[cycle or {"void": why}]; the books of all cycles are those of one process, so they stand or fall together."""
    path = tempfile.mkdtemp(prefix="tallyd-bench-")
    one = tried(_run, peer, settings, Folder(path), say)
    shutil.rmtree(path, ignore_errors=True)
    if "void" in one:
        say(f"burst      VOID: {one['void']}")
    return one.get("cycles", [one])

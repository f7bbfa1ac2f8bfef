"""Keys a second into one Redis: tallyd's flush, bare pipelined INCRBY, and one INCR per hit, in turn.

Each round has a fresh Redis; the keys are written three times: new, there already, and there with two hits each, as
tallyd writes a single hit as INCR, which is the cheaper command. tallyd's time is that of its own flush
(tallyd_flush_duration_seconds), with all keys touched in it.
"""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time

from .http import LOAD_CPU, SERVER_CPU, Load, tried, turned
from .processes import Failed, Folder, pinned
from .profiles import Profile
from .redis import Redis

NEW = Profile("flush", "every key once", keys="new")
PIPELINE_WINDOW = 512
BARE = f"bare INCRBY, {PIPELINE_WINDOW} under way"
STAGES = {"new": 1, "known": 1, "twice": 2}  # hits a key
TRIES = 5  # of a round in which a flush came too early
ONE_BY_ONE_KEYS = 20_000  # a round trip each: more would only take longer


class Early(Failed):
    """A flush began before all keys had come, so its duration says nothing. That is the machine's doing."""


def _bare(settings, redis, keys, window):
    command = pinned(LOAD_CPU, [settings.incr, str(redis.port), str(keys), str(window)])
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout)
    return answer["keys"] / answer["seconds"]


def bare_run(settings, redis, window):
    keys = settings.flush_keys if window > 1 else min(settings.flush_keys, ONE_BY_ONE_KEYS)
    speeds = [_bare(settings, redis, keys, window) for _ in STAGES]
    if redis.counted() != (len(STAGES) * keys, keys):
        raise Failed(f"the books do not balance: sent {len(STAGES) * keys}, in Redis {redis.counted()[0]}")
    return speeds


def _flush_timed(settings, peer, loads, expected):
    """(hits, seconds). All hits must fall between two flushes, or the duration is not that of all keys."""
    before = peer.metrics()["tallyd_flushes_total"]
    answered = sum(load.go(60)["ok"] for load in loads)
    if peer.metrics()["tallyd_flushes_total"] != before:
        raise Early("a flush began while keys were still coming: more time is needed between flushes")
    until = time.monotonic() + 4 * settings.flush_interval
    # The last hits are stored a moment before the flush's end is noted; the lag is 0 only after that.
    while (seen := peer.metrics())["tallyd_hits_stored_total"] != expected + answered or seen["tallyd_flush_lag_seconds"]:
        if time.monotonic() > until:
            raise Failed("the flush did not end")
        time.sleep(0.05)
    return answered, seen["tallyd_flush_duration_seconds"]


def tallyd_run(settings, redis, folder, peer):
    # On the load's CPU, as bare INCRBY is: Redis has the other for itself.
    server = peer.launch(folder, redis, LOAD_CPU, "--workers", "1", "--max-keys", "8000000", "--flush-interval",
                         f"{settings.flush_interval}s")
    try:
        speeds, stored = [], 0
        for hits in STAGES.values():
            loads = [Load(settings.load, server.port, peer.path, NEW, 60, requests=settings.flush_keys) for _ in range(hits)]
            time.sleep(0.5)  # a flush that was due has begun
            answered, seconds = _flush_timed(settings, peer, loads, stored)
            stored += answered
            speeds.append(settings.flush_keys / seconds)
        server.stop(expect_clean=True)
        if redis.counted() != (stored, settings.flush_keys):
            raise Failed(f"the books do not balance: answered 2xx {stored}, in Redis {redis.counted()[0]}")
        return speeds
    finally:
        server.stop()


def round_run(run):
    path = tempfile.mkdtemp(prefix="tallyd-bench-")
    redis = Redis(Folder(path), SERVER_CPU)
    try:
        return dict(zip(STAGES, run(redis, Folder(path)))) | {"load_average": os.getloadavg()[0]}
    finally:
        redis.stop()
        shutil.rmtree(path, ignore_errors=True)


def patient_run(run):
    for _ in range(TRIES - 1):
        with contextlib.suppress(Early):
            return round_run(run)
    return round_run(run)


def flush_run(peer, settings, say):
    """{way: [{stage: keys/s} or {"void": why}]}."""
    ways = {
        "tallyd flush": lambda redis, folder: tallyd_run(settings, redis, folder, peer),
        BARE: lambda redis, _: bare_run(settings, redis, PIPELINE_WINDOW),
        "one INCR per hit": lambda redis, _: bare_run(settings, redis, 1),
    }
    results = {way: [] for way in ways}
    for number in settings.pace.rounds("flush"):
        for way in turned(list(ways), number):
            one = tried(patient_run, ways[way])
            results[way].append(one)
            say(f"flush      {number + 1}  {way:28} " + (
                f"VOID: {one['void']}" if "void" in one else
                ", ".join(f"{stage} {one[stage]:9.0f}" for stage in STAGES) + " keys/s"))
    return results

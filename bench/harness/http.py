"""HTTP peers: rounds, interleaved, each with fresh servers; what a round gives, or why it gives nothing."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile

from .processes import Failed, Folder, first_served, pinned, put_ahead
from .redis import Redis

SERVER_CPU, LOAD_CPU = 0, 1
NEW_KEYS_APART = 1_000_000_000


class Load:
    """One run of bench/load.c: connects, waits for go(), then accounts for every request."""

    def __init__(self, binary, port, path, profile, seconds, first=0, requests=0, rate=0):
        keys = f"new:{first}" if profile.keys == "new" else profile.keys
        self._process = first_served(subprocess.Popen(pinned(LOAD_CPU, [
            binary, "--port", str(port), "--path", path, "--connections", str(profile.connections), "--pipeline",
            str(profile.pipeline), "--per-connection", str(profile.per_connection), "--keys", keys, "--head", profile.head, "--seconds",
            str(seconds), "--requests", str(requests), "--rate", str(rate or profile.rate)]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True))
        if self._process.stdout.readline() != "ready\n":
            raise Failed(f"the load: {self._process.communicate()[1].strip()}")

    def put_ahead(self):
        put_ahead([self._process.pid])
        return self

    def go(self, seconds):
        out, err = self._process.communicate("\n", seconds + 60)
        if self._process.returncode != 0:
            raise Failed(f"the load: {err.strip()}")
        result = json.loads(out)
        if result["ok"] != result["sent"]:
            raise Failed(f"sent {result['sent']}, answered 2xx {result['ok']}, otherwise {result['other']}, "
                         f"not at all {result['unanswered']}")
        return result


@contextlib.contextmanager
def fresh(peer, profile):
    """The peer's server, and its Redis or None, in a folder of their own; all gone afterwards."""
    path = tempfile.mkdtemp(prefix="tallyd-bench-")
    folder, redis, server = Folder(path), None, None
    try:
        redis = Redis(folder, SERVER_CPU) if peer.stores else None
        server = peer.start(folder, redis, SERVER_CPU, profile)
        yield server, redis
    finally:
        for one in (server, redis):
            if one:
                one.stop()
        shutil.rmtree(path, ignore_errors=True)


def books_check(peer, server, redis, answered):
    """2xx seen by the load = accepted = stored, after the drain; anything else voids the round."""
    entries = peer.books(answered)
    server.stop(expect_clean=peer.name.startswith("tallyd"))
    if peer.stores:
        entries.append(("in Redis", redis.counted()[0]))
    wrong = [f"{name} {number}" for name, number in entries if number != answered]
    if wrong:
        raise Failed(f"the books do not balance: answered 2xx {answered}, but {', '.join(wrong)}")
    return dict([("answered 2xx", answered), *entries])


def _measure(peer, profile, server, redis, settings):
    warm = Load(settings.load, server.port, peer.path, profile, settings.warm_up).go(settings.warm_up)
    load = Load(settings.load, server.port, peer.path, profile, settings.seconds, first=NEW_KEYS_APART)
    server.settle()
    peer.settle(warm["ok"])
    counted = [server] + ([redis.server] if peer.stores else [])
    before = [one.cpu_ns() for one in counted]
    result = load.go(settings.seconds)
    answered = warm["ok"] + result["ok"]
    peer.settle(answered)  # the CPU time of the last flush belongs to these hits
    spent = [one.cpu_ns() - start for one, start in zip(counted, before)]
    return result, spent, answered


def round_run(peer, profile, settings):
    load_average = os.getloadavg()[0]
    with fresh(peer, profile) as (server, redis):
        result, spent, answered = _measure(peer, profile, server, redis, settings)
        books = books_check(peer, server, redis, answered)
    return {
        "cpu_us": sum(spent) / result["ok"] / 1e3, "redis_cpu_us": sum(spent[1:]) / result["ok"] / 1e3,
        "requests_per_second": result["ok"] / result["seconds"], "requests": result["ok"],
        "latency_us": result["latency_us"], "load_cpu_us": result["load_cpu_seconds"] / result["ok"] * 1e6,
        "server_busy": sum(spent) / 1e9 / result["seconds"],
        "load_busy": result["load_cpu_seconds"] / result["seconds"], "load_average": load_average, "books": books,
    }


def tried(run, *arguments):
    """What `run` gives, or {"void": why}: such a round has no figure."""
    try:
        return run(*arguments)
    except (Failed, OSError, subprocess.SubprocessError) as error:
        return {"void": str(error)}


def turned(things, number):
    """The order turns with every round, so that none always comes first."""
    turn = number % len(things)
    return things[turn:] + things[:turn]


def http_run(peers, profiles, settings, say):
    """{profile: {peer: [round or {"void": why}]}}; a round is all peers on all profiles."""
    suited = {profile: [peer for peer in peers if peer.suits(profile)] for profile in profiles}
    results = {profile.name: {peer.name: [] for peer in suited[profile]} for profile in profiles}
    for number in settings.pace.rounds("http"):
        for profile in profiles:
            for peer in turned(suited[profile], number):
                one = tried(round_run, peer, profile, settings)
                results[profile.name][peer.name].append(one)
                say(f"{profile.name:10} {number + 1}  {peer.name:21} " + (
                    f"VOID: {one['void']}" if "void" in one else
                    f"{one['cpu_us']:8.3f} µs/request  {one['requests_per_second']:9.0f} requests/s  "
                    f"p99 {one['latency_us']['p99'] / 1e3:.2f} ms  books balance"))
    return results

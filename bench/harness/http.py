"""HTTP peers: rounds, interleaved, each with fresh servers; what a round gives, or why it gives nothing."""

import json
import os
import shutil
import subprocess
import tempfile

from .processes import Failed, Folder, pinned
from .redis import Redis

SERVER_CPU, LOAD_CPU = 0, 1
NEW_KEYS_APART = 1_000_000_000


class Load:
    """One run of bench/load.c: connects, waits for go(), then accounts for every request."""

    def __init__(self, binary, port, path, profile, seconds, first=0, requests=0):
        keys = f"new:{first}" if profile.keys == "new" else profile.keys
        self._process = subprocess.Popen(pinned(LOAD_CPU, [
            binary, "--port", str(port), "--path", path, "--connections", str(profile.connections), "--pipeline",
            str(profile.pipeline), "--per-connection", str(profile.per_connection), "--keys", keys, "--seconds",
            str(seconds), "--requests", str(requests)]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self._process.stdout.readline() != "ready\n":
            raise Failed(f"the load: {self._process.communicate()[1].strip()}")

    def go(self, seconds):
        out, err = self._process.communicate("\n", seconds + 60)
        if self._process.returncode != 0:
            raise Failed(f"the load: {err.strip()}")
        result = json.loads(out)
        if result["ok"] != result["sent"]:
            raise Failed(f"sent {result['sent']}, answered 2xx {result['ok']}, otherwise {result['other']}, "
                         f"not at all {result['unanswered']}")
        return result


def _check_books(peer, server, redis, answered):
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
    path = tempfile.mkdtemp(prefix="tallyd-bench-")
    folder, redis, server = Folder(path), None, None
    try:
        load_average = os.getloadavg()[0]
        redis = Redis(folder, SERVER_CPU) if peer.stores else None
        server = peer.start(folder, redis, SERVER_CPU, profile)
        result, spent, answered = _measure(peer, profile, server, redis, settings)
        books = _check_books(peer, server, redis, answered)
        return {
            "cpu_us": sum(spent) / result["ok"] / 1e3, "redis_cpu_us": sum(spent[1:]) / result["ok"] / 1e3,
            "requests_per_second": result["ok"] / result["seconds"], "requests": result["ok"],
            "latency_us": result["latency_us"], "load_cpu_us": result["load_cpu_seconds"] / result["ok"] * 1e6,
            "server_busy": sum(spent) / 1e9 / result["seconds"],
            "load_busy": result["load_cpu_seconds"] / result["seconds"], "load_average": load_average, "books": books,
        }
    finally:
        for one in (server, redis):
            if one:
                one.stop()
        shutil.rmtree(path, ignore_errors=True)


def http_run(peers, profiles, settings, say):
    """{profile: {peer: [round or {"void": why}]}}; the order of the peers turns with every round."""
    results = {}
    for profile in profiles:
        suited = [peer for peer in peers if peer.suits(profile)]
        rounds = results[profile.name] = {peer.name: [] for peer in suited}
        for number in range(settings.rounds):
            turn = number % len(suited)
            for peer in suited[turn:] + suited[:turn]:
                try:
                    outcome = round_run(peer, profile, settings)
                    text = (f"{outcome['cpu_us']:8.3f} µs/request  {outcome['requests_per_second']:9.0f} requests/s  "
                            f"p99 {outcome['latency_us']['p99'] / 1e3:.2f} ms  books balance")
                except (Failed, OSError, subprocess.TimeoutExpired) as error:
                    outcome, text = {"void": str(error)}, f"VOID: {error}"
                rounds[peer.name].append(outcome)
                say(f"{profile.name:10} {number + 1}/{settings.rounds}  {peer.name:21} {text}")
    return results

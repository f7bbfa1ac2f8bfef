"""After kill -9 before any single store into the state file, the next start has every answered hit once.

Each case begins with the same directory, left by a process that was killed with hits pending, and the same Redis. In
`make test` some of the stores, starting at one that the seed chooses; with TALLYD_LONG=1 all of them. How many there are
differs from run to run, with what comes into one batch, so some cases end in order.
"""

import collections
import concurrent.futures
import os
import platform
import shutil
import signal

import pytest
from harness import checker, preload, wait
from harness.http_client import fetch
from harness.wait import LONG

pytestmark = [pytest.mark.stores, pytest.mark.skipif(platform.machine() != "x86_64", reason="single steps by EFLAGS")]

OPTIONS = {"workers": 1, "max_keys": 100, "flush_interval": "20ms"}
CASES = 16  # in `make test`
LANES = 3


class Start:
    """What every case begins with."""

    def __init__(self, lab):
        self.library = preload.build("crash_at", lab.folder)
        self.folder = os.path.join(lab.folder, "start")
        os.mkdir(self.folder)
        redis = lab.redis(appendonly=True)
        server = lab.tallyd(redis, state_dir=self.folder, **OPTIONS)
        self.counted = collections.Counter(stored=7, both=5)
        for key, n in self.counted.items():
            server.hit("n", key, n)
        checker.wait_drained(server)
        redis.kill()
        for key, n in {"both": 20, "pending": 300}.items():
            server.hit("n", key, n)
            self.counted[key] += n
        server.kill()
        redis.start()
        self.held = {key: redis.command("GET", key) for key in redis.command("KEYS", "*")}


class Lane:
    """Plays one case after the other on a Redis of its own."""

    def __init__(self, lab, start):
        self.lab, self.start = lab, start
        self.redis = lab.redis()
        self.acked, self.unsure = collections.Counter(), collections.Counter()

    def play(self, crash_at):
        """How many stores there were when it came to its end first; else None."""
        folder = os.path.join(self.lab.folder, f"crash-{crash_at}")
        shutil.copytree(self.start.folder, folder)
        with self.redis.client() as client:
            client.command("FLUSHALL")
            client.pipeline([("SET", key, value) for key, value in self.start.held.items()])
        self.acked, self.unsure = self.start.counted.copy(), collections.Counter()
        count = os.path.join(folder, "count")
        code = self._run_into(folder, {"LD_PRELOAD": self.start.library, "CRASH_AT": str(crash_at), "CRASH_COUNT": count})
        assert code in (0, -signal.SIGKILL), f"ended with {code}"
        self._check(folder, crash_at)
        stores = None
        if code == 0:
            with open(count, encoding="ascii") as file:
                stores = int(file.read())
        shutil.rmtree(folder)
        return stores

    def _run_into(self, folder, env):
        """Hits and batches until it is dead, or to its orderly end; the exit code."""
        server = self.lab.tallyd(self.redis, start=False, state_dir=folder, env=env, **OPTIONS).spawn()
        wait.until(lambda: server.code is not None or _is_ready(server), "ready or dead")
        for turn, key in enumerate(("new", "both", "both", "newer")):
            if server.code is None:
                self._hit(server, key, 1000 * 10 ** turn)
                wait.until(lambda: server.code is not None or _is_drained(server), "drained or dead")
        server.terminate()
        code = server.join()
        server.close()
        return code

    def _hit(self, server, key, n):
        try:
            answer = fetch(server.port, f"/v1/hit/n/{key}?n={n}")
        except OSError:
            self.unsure[key] = n
            return
        assert answer.status == 204
        self.acked[key] += n

    def _check(self, folder, crash_at):
        server = self.lab.tallyd(self.redis, state_dir=folder, **OPTIONS)
        checker.wait_drained(server)
        assert server.stop() == 0
        server.close()
        held = checker.redis_counts(self.redis, b"tally:n:")
        for key in {*self.acked, *self.unsure}:
            value = held.get(key.encode(), 0)
            assert value in (self.acked[key], self.acked[key] + self.unsure[key]), \
                f"killed before store {crash_at}: {key} is {value}, answered {self.acked[key]}, unsure {self.unsure[key]}"
        assert not server.log_lines("state_damaged"), server.log()


def _is_ready(server):
    try:
        return fetch(server.admin_port, "/readyz", timeout=2).status == 200
    except OSError:
        return False


def _is_drained(server):
    try:
        return checker.drained(server.metrics())
    except OSError:
        return False


def test_killed_before_any_store_into_the_state_file_nothing_is_lost_or_doubled(lab, tried):
    start = Start(lab)
    stores = Lane(lab, start).play(0)
    assert stores > 100, "the stores are seen"
    step = 1 if LONG else stores // CASES
    cases = range(1 + lab.seed % step, stores + 1, step)

    def play_every(first):
        lane = Lane(lab, start)
        return sum(lane.play(crash_at) is None for crash_at in cases[first::LANES])

    with concurrent.futures.ThreadPoolExecutor(LANES) as pool:
        killed = sum(pool.map(play_every, range(LANES)))
    assert killed > len(cases) * 0.5, f"only {killed} of {len(cases)} were killed"
    tried(killed)

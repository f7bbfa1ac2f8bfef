"""A kill -9 while tallyd goes from one past of its store to another loses and doubles nothing, before any store (F2).

In `make test` some of the stores, starting at one that the seed chooses; with TALLYD_LONG=1 all of them.
"""

import os
import platform

import pytest
from harness import checker, crash, preload, wait
from harness.http_client import fetch
from harness.wait import LONG

pytestmark = [pytest.mark.stores, pytest.mark.skipif(platform.machine() != "x86_64", reason="single steps by EFLAGS")]

OPTIONS = {"workers": 1, "max_keys": 100, "flush_interval": "20ms"}
CASES = 6  # in `make test`


class Story:
    """Some batches, then the store is as it was after the first of them, and then perhaps as it was after the last."""

    def __init__(self, lab, library):
        self.lab, self.library = lab, library
        self.redis = lab.redis()
        self.acked = 0

    def _hit(self, server, key, n):
        try:
            assert fetch(server.port, f"/v1/hit/n/{key}?n={n}").status == 204
        except OSError:  # it died, and has not counted it: nobody else hits
            wait.until(lambda: server.code is not None, "dead")
            return
        self.acked += n

    def _count(self, server, *hits):
        for key, n in hits:
            self._hit(server, key, n)
            wait.until(lambda: server.code is not None or _is_drained(server), "drained or dead")

    def _is_now(self, held):
        """In one step, as a restart on another file is."""
        with self.redis.client() as client:
            client.command("MULTI")
            client.command("FLUSHDB")
            for key, value in held.items():
                client.command("SET", key, value)
            client.command("EXEC")

    def _held(self):
        return {key: self.redis.command("GET", key) for key in self.redis.command("KEYS", "*")}

    def play(self, store, forward):
        """Killed before that store of the move; 0: not at all. How many there were, or None when it died."""
        self.acked = 0
        self.redis.command("FLUSHALL")
        folder = os.path.join(self.lab.folder, f"move-{forward}-{store}")
        os.mkdir(folder)
        control = crash.Control(os.path.join(self.lab.folder, "control"))
        env = {"LD_PRELOAD": self.library, "CRASH_AT": "0", "CRASH_CONTROL": control.path}
        server = self.lab.tallyd(self.redis, state_dir=folder, env=env, **OPTIONS)
        self._count(server, ("a", 1))
        before = self._held()
        self._count(server, ("a", 10), ("b", 100), ("a", 1000))
        after = self._held()
        if forward:  # there and back again
            self._is_now(before)
            self._count(server, ("c", 10000))
        first = control.stores
        control.kill_before(first + store if store else 0)
        self._is_now(after if forward else before)
        self._count(server, ("d", 100000))
        stores = control.stores - first
        died = server.code is not None
        server.kill()
        control.close()
        self._check(folder, store, forward)
        return None if died else stores

    def _check(self, folder, store, forward):
        """Of what the new process finds on the way forward it cannot tell what is in what is pending: that it gives up,
        and then more is called lost than is."""
        server = self.lab.tallyd(self.redis, state_dir=folder, **OPTIONS)
        checker.wait_drained(server)
        metrics = checker.checked_metrics(server)
        value = sum(checker.redis_counts(self.redis).values())
        lost = metrics["hits_lost_total"]
        said = f"killed before store {store}: {value} and {lost} lost of {self.acked}"
        assert value <= self.acked <= value + lost, said
        assert forward or value + lost == self.acked, said
        assert metrics.get("alarms_total", kind="identity_taken") == 0
        assert server.stop() == 0
        server.close()


def _is_drained(server):
    try:
        return checker.drained(server.metrics())
    except OSError:
        return False


@pytest.mark.parametrize("forward", (False, True), ids=("back", "forward"))
def test_killed_before_any_store_of_a_move_nothing_is_lost_in_silence_or_doubled(lab, tried, forward):
    story = Story(lab, preload.build("crash_at", lab.folder))
    stores = story.play(0, forward)
    assert stores > 50, "the stores are seen"
    step = 1 if LONG else max(1, stores // CASES)
    cases = range(1 + lab.seed % step, stores + 1, step)
    killed = sum(story.play(store, forward) is None for store in cases)
    assert killed > len(cases) * 0.5, f"only {killed} of {len(cases)} were killed"
    tried(killed)

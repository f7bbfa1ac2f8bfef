"""A flush cut at its every byte, both ways, by every ending, plain and with the rest delivered late: counted once.

In `make test` every 7th byte, starting at one that the seed chooses; with TALLYD_LONG=1 all of them. Each case has a proxy
and a tallyd of its own, because a link that keeps breaking is tried again ever more slowly; several cases go on side by
side, because a case is mostly waiting.
"""

import collections
import concurrent.futures
import itertools
import time

import pytest
from harness import checker, wait
from harness.http_client import HttpConnection, request_bytes
from harness.proxy import FIN, REPLY, REQUEST, RST, SILENCE
from harness.scenarios import settle
from harness.wait import LONG

KEYS = ("a", "b", "c")
STEP = 1 if LONG else 7
LATES = (None, "soon", "after")  # held bytes are lost; go when the new link is there; go when all is stored

Case = collections.namedtuple("Case", "act way at ending late")


class Lane:
    """One tallyd behind one proxy, counting in a namespace of its own."""

    def __init__(self, lab, redis, number):
        self.ns = f"lane{number:04}"
        self.redis = redis
        self.proxy = lab.proxy(redis)
        self.server = lab.tallyd(redis, via=self.proxy, workers=1, flush_interval="20ms")
        self.expected = dict.fromkeys(KEYS, 0)
        self.flush()
        settle(self.server)

    def flush(self):
        """Three keys in one write, so in one flush."""
        with HttpConnection(self.server.port) as connection:
            connection.send(b"".join(request_bytes("GET", f"/v1/hit/{self.ns}/{key}?n={n}")
                                     for n, key in enumerate(KEYS, 1)))
            for n, key in enumerate(KEYS, 1):
                assert connection.answer().status == 204
                self.expected[key] += n

    def handshake(self):
        """A new link with hits waiting: AUTH, ARM, the flush."""
        self.proxy.end_links(RST)
        self.flush()

    def check(self, what):
        checker.wait_drained(self.server, seconds=20)
        with self.redis.client() as client:
            values = client.pipeline([("GET", f"tally:{self.ns}:{key}") for key in KEYS])
        got = {key: int(value or 0) for key, value in zip(KEYS, values)}
        assert got == self.expected, f"{what}: {got} in Redis, answered {self.expected}"

    def play(self, case):
        """True when the cut struck, False when the bytes did not reach so far."""
        links = self.proxy.links_made
        self.proxy.cut(case.way, case.at, case.ending, zombie=case.late is not None)
        getattr(self, case.act)()
        wait.until(lambda: self.proxy.triggered.is_set() or checker.drained(self.server.metrics()), case)
        struck = self.proxy.triggered.wait(0.1)
        if case.late == "soon":
            wait.until(lambda: self.proxy.links_made > links or checker.drained(self.server.metrics()), case, 20)
            self.proxy.deliver()
        self.check(case)
        if case.late == "after" and self.proxy.deliver():
            time.sleep(0.02)
            self.check(f"{case}, delivered")
        assert self.server.stop() == 0, case
        self.proxy.close()
        return struck


def play_all(lab, cases, side_by_side):
    """Every case; the first failure is raised. Returns how many cuts struck."""
    redis = lab.redis()
    with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
        played = [pool.submit(lambda number=number, case=case: Lane(lab, redis, number).play(case))
                  for number, case in enumerate(cases)]
        try:
            return sum(future.result() for future in played)
        finally:
            pool.shutdown(cancel_futures=True)


def lengths(lab, act):
    """How many bytes an uncut act moves each way."""
    lane = Lane(lab, lab.redis(), 0)
    lane.proxy.mark()
    getattr(lane, act)()
    settle(lane.server)
    lane.check("uncut")
    length = {way: len(lane.proxy.seen[way]) for way in (REQUEST, REPLY)}
    assert length[REQUEST] > 100 and length[REPLY] > 20, length
    return length


def cuts(lab, act, endings, lates, step, points=1_000_000):
    """A cut at every `step`th byte, further apart when that would be more than `points` each way."""
    cases = []
    for way, length in lengths(lab, act).items():
        step = max(step, length // points)
        for at in range(lab.seed % step, length, step):
            cases += [Case(act, way, at, ending, late) for ending, late in itertools.product(endings, lates)]
    return cases


def play_enough(lab, cases, side_by_side):
    struck = play_all(lab, cases, side_by_side)
    assert struck > len(cases) * 0.9, f"only {struck} of {len(cases)} cuts struck"


@pytest.mark.parametrize("late", LATES, ids=["plain", "late-soon", "late-after"])
def test_a_flush_cut_at_any_byte_counts_once(lab, late):
    play_enough(lab, cuts(lab, "flush", (RST, FIN), (late,), STEP), 8)


@pytest.mark.parametrize("late", LATES, ids=["plain", "late-soon", "late-after"])
def test_a_handshake_cut_at_any_byte_counts_once(lab, late):
    """Fewer cuts: most of its bytes are the server's answer to INFO."""
    play_enough(lab, cuts(lab, "handshake", (RST, FIN), (late,), STEP, 150 if LONG else 20), 8)


def test_a_flush_that_falls_silent_at_any_byte_counts_once(lab):
    play_enough(lab, cuts(lab, "flush", (SILENCE,), LATES, 1 if LONG else 97), 40 if LONG else 24)

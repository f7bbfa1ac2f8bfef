"""A flush cut at its every byte, both ways, by every ending, plain and with the rest delivered late: counted once.

In `make test` every 7th byte, starting at one that the seed chooses; with TALLYD_LONG=1 all of them. Several lanes (a
proxy and a tallyd each, one Redis) work side by side, because a case is mostly waiting.
"""

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
LANES = 6
STEP = 1 if LONG else 7


class Lane:
    """One tallyd behind one proxy, counting in a namespace of its own."""

    def __init__(self, lab, redis, number):
        self.ns = f"lane{number}"
        self.redis = redis
        self.proxy = lab.proxy(redis)
        self.server = lab.tallyd(redis, via=self.proxy, workers=1, flush_interval="20ms")
        self.expected = dict.fromkeys(KEYS, 0)

    def hit_all(self):
        """Three keys in one write, so in one flush."""
        with HttpConnection(self.server.port) as connection:
            connection.send(b"".join(request_bytes("GET", f"/v1/hit/{self.ns}/{key}?n={n}")
                                     for n, key in enumerate(KEYS, 1)))
            for n, key in enumerate(KEYS, 1):
                assert connection.answer().status == 204
                self.expected[key] += n

    def check(self, what):
        checker.wait_drained(self.server, seconds=20)
        counts = checker.redis_counts(self.redis)
        got = {key: counts.get(f"{self.ns}:{key}".encode(), 0) for key in KEYS}
        assert got == self.expected, f"{what}: {got} in Redis, answered {self.expected}"

    def measure(self, act):
        """How many bytes act() moves each way."""
        settle(self.server)
        self.proxy.mark()
        act()
        settle(self.server)
        return {way: len(self.proxy.seen[way]) for way in (REQUEST, REPLY)}

    def flush(self):
        self.hit_all()

    def handshake(self):
        """A new link with hits waiting: AUTH, ARM, the flush."""
        self.proxy.end_links(RST)
        self.hit_all()

    def wait_for_strike(self, what):
        """Until the cut was made, or it is clear that the bytes do not reach so far."""
        wait.until(lambda: self.proxy.triggered.is_set() or checker.drained(self.server.metrics()), what)
        self.proxy.triggered.wait(0.1)

    def play(self, act, way, at, ending, late):
        """late: None is a plain cut; "soon": held bytes go when the new link is there; "after": when all is stored."""
        what = f"{act} cut at {way} byte {at} by {ending}, late bytes {late}"
        settle(self.server)
        links = self.proxy.links_made
        self.proxy.cut(way, at, ending, zombie=late is not None)
        getattr(self, act)()
        self.wait_for_strike(what)
        if late == "soon":
            wait.until(lambda: self.proxy.links_made > links or checker.drained(self.server.metrics()), what, 20)
            self.proxy.deliver()
        self.check(what)
        if late == "after" and self.proxy.deliver():
            time.sleep(0.02)
            self.check(what + ", delivered")
        return self.proxy.triggered.is_set()


def play_all(lab, cases, lanes):
    """Every case on some lane; the first failure ends it. Returns how many cases struck."""
    redis = lab.redis()
    free = [Lane(lab, redis, number) for number in range(lanes)]
    shares = [cases[number::lanes] for number in range(lanes)]
    with concurrent.futures.ThreadPoolExecutor(lanes) as pool:
        struck = list(pool.map(lambda lane, share: sum(lane.play(*case) for case in share), free, shares))
    assert all(lane.server.stop() == 0 for lane in free)
    return sum(struck)


def lengths(lab, act):
    redis = lab.redis()
    lane = Lane(lab, redis, 9)
    lane.hit_all()
    length = lane.measure(getattr(lane, act))
    lane.check("uncut")
    assert length[REQUEST] > 100 and length[REPLY] > 20, length
    return length


def cuts(lab, act, endings, lates, step):
    length = lengths(lab, act)
    return [(act, way, at, ending, late) for way in (REQUEST, REPLY)
            for at in range(lab.seed % step, length[way], step) for ending, late in itertools.product(endings, lates)]


@pytest.mark.parametrize("act", ["flush", "handshake"])
@pytest.mark.parametrize("late", [None, "soon", "after"], ids=["plain", "late-soon", "late-after"])
def test_a_link_cut_at_any_byte_counts_once(lab, act, late):
    cases = cuts(lab, act, (RST, FIN), (late,), STEP)
    struck = play_all(lab, cases, LANES)
    assert struck > len(cases) * 0.9, f"only {struck} of {len(cases)} cuts struck"


@pytest.mark.parametrize("late", [None, "soon", "after"], ids=["plain", "late-soon", "late-after"])
def test_a_link_that_falls_silent_at_any_byte_counts_once(lab, late):
    cases = cuts(lab, "flush", (SILENCE,), (late,), 1 if LONG else 61)
    play_all(lab, cases, 24 if LONG else LANES)

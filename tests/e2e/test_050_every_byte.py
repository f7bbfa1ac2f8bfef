"""A hit is counted once wherever its flush is cut: at any byte, in either direction, by any ending, with the rest late or never.

In `make test` every 7th byte, starting at one that the seed chooses; with TALLYD_LONG=1 all of them; fewer over TLS and in
cluster mode. Each case has a proxy and a tallyd of its own, because a link that keeps breaking is tried again ever more
slowly; several cases go on side by side, because a case is mostly waiting.
"""

import collections
import concurrent.futures
import itertools
import time

import pytest
from harness import checker, wait
from harness.certificates import Authority
from harness.cluster import LoneNode
from harness.http_client import HttpConnection, request_bytes
from harness.ports import HOST
from harness.proxy import ENDINGS, FIN, REPLY, REQUEST, RST, SILENCE
from harness.scenarios import settle
from harness.tls_redis import At, TlsRedis
from harness.wait import LONG

pytestmark = pytest.mark.cuts

KEYS = ("a", "b", "c")
STEP = 1 if LONG else 7
OPTIONS = {"workers": 1, "flush_interval": "20ms"}
LATES = (None, "soon", "after")  # held bytes are lost; go when the new link is there; go when all is stored
WAYS = [pytest.param(None, id="plain"), pytest.param("soon", id="late-soon", marks=pytest.mark.ci),
        pytest.param("after", id="late-after", marks=pytest.mark.ci)]

Case = collections.namedtuple("Case", "act way at ending late")


class Plain:
    """One Redis for all lanes."""

    def __init__(self, lab):
        self.lab, self.redis = lab, lab.redis()

    def connect(self):
        """A proxy of one's own, and a tallyd behind it."""
        proxy = self.lab.proxy(self.redis)
        return proxy, self.lab.tallyd(self.redis, via=proxy, **OPTIONS)

    def values(self, ns):
        with self.redis.client() as client:
            return [int(value or 0) for value in client.pipeline([("GET", f"tally:{ns}:{key}") for key in KEYS])]

    def end(self):
        """What one lane had for itself."""


class OverTls(Plain):
    def __init__(self, lab):
        self.lab, self.authority = lab, Authority(lab.folder, lab.new_name("authority"))
        self.tls = TlsRedis(lab, self.authority)
        self.redis = self.tls.plain

    def connect(self):
        proxy = self.lab.proxy(self.tls)
        return proxy, self.lab.tallyd(At(self.tls, f"rediss://{HOST}:{proxy.port}"), redis_ca=self.authority.cert, **OPTIONS)


class InCluster(Plain):
    """A node for each lane, which says that its address is the proxy's."""

    def __init__(self, lab):
        self.lab = lab
        self.redis = lab.keep(LoneNode(lab))

    def connect(self):
        proxy = self.lab.proxy(self.redis)
        self.redis.announce(proxy.port)
        return proxy, self.lab.tallyd(self.redis, via=proxy, redis_mode="cluster", partitions=4, **OPTIONS)

    def values(self, ns):
        held = self.redis.read_all(b"tally:")
        return [held.get(f"{ns}:{key}".encode(), 0) for key in KEYS]

    def end(self):
        self.redis.kill()


class Lane:
    """One tallyd behind one proxy, counting in a namespace of its own."""

    def __init__(self, store, number):
        self.ns = f"lane{number:04}"
        self.store = store
        self.proxy, self.server = store.connect()
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
        got = dict(zip(KEYS, self.store.values(self.ns)))
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
        self.store.end()
        return struck


def play_all(lab, cases, side_by_side, store):
    """Every case; the first failure is raised. Returns how many cuts struck."""
    shared = None if store is InCluster else store(lab)
    with concurrent.futures.ThreadPoolExecutor(side_by_side) as pool:
        played = [pool.submit(lambda number=number, case=case: Lane(shared or store(lab), number).play(case))
                  for number, case in enumerate(cases)]
        try:
            return sum(future.result() for future in played)
        finally:
            pool.shutdown(cancel_futures=True)


def uncut(lane, act):
    """How many bytes an uncut act moves each way."""
    lane.proxy.mark()
    getattr(lane, act)()
    settle(lane.server)
    lane.check("uncut")
    return {way: len(lane.proxy.seen[way]) for way in (REQUEST, REPLY)}


def lengths(lab, act, store):
    """The shortest of a few: on a busy machine the hits of one write may come to lie in two flushes."""
    lane = Lane(store(lab), 0)
    tries = [uncut(lane, act) for _ in range(4)]
    length = {way: min(moved[way] for moved in tries) for way in (REQUEST, REPLY)}
    assert length[REQUEST] > 100 and length[REPLY] > 20, tries
    return length


def cuts(lab, act, endings, lates, step, points=1_000_000, store=Plain):
    """A cut at every `step`th byte, further apart when that would be more than `points` each way."""
    cases = []
    for way, length in lengths(lab, act, store).items():
        apart = max(step, length // points)
        for at in range(lab.seed % apart, length, apart):
            cases += [Case(act, way, at, ending, late) for ending, late in itertools.product(endings, lates)]
    return cases


@pytest.fixture
def play_enough(lab, tried):
    def play(cases, side_by_side, store=Plain, share=0.9):
        struck = play_all(lab, cases, side_by_side, store)
        assert struck > len(cases) * share, f"only {struck} of {len(cases)} cuts struck"
        tried(struck)

    return play


@pytest.mark.parametrize("late", WAYS)
def test_a_flush_cut_at_any_byte_counts_once(lab, play_enough, late):
    play_enough(cuts(lab, "flush", (RST, FIN), (late,), STEP), 8)


@pytest.mark.parametrize("late", WAYS)
def test_a_handshake_cut_at_any_byte_counts_once(lab, play_enough, late):
    """Fewer cuts: most of its bytes are the server's answer to INFO."""
    play_enough(cuts(lab, "handshake", (RST, FIN), (late,), STEP, 150 if LONG else 20), 8)


def test_a_flush_that_falls_silent_at_any_byte_counts_once(lab, play_enough):
    play_enough(cuts(lab, "flush", (SILENCE,), LATES, 1 if LONG else 97), 40 if LONG else 24)


@pytest.mark.ci
@pytest.mark.parametrize("store", [OverTls, InCluster])
def test_the_same_over_tls_and_in_cluster_mode(lab, play_enough, store):
    """At some bytes; silence, which takes long to notice, only with TALLYD_LONG=1. How long a flush is differs here."""
    cases = cuts(lab, "flush", ENDINGS, LATES, 1, 30, store) if LONG else cuts(lab, "flush", (RST, FIN), LATES, 1, 2, store)
    play_enough(cases, 16, store, share=0.6 if LONG else 0.2)  # of few points, some may lie beyond a short flush

"""A store that lies, alone or as a cluster, cannot end tallyd or make it grow. Sums are exact once it is honest.

`make hostile MINUTES=10` runs this for longer, on the sanitizer build.
"""

import os
import time

import pytest
from harness import checker, wait
from harness.cluster import LoneNode
from harness.hostile import HostileStore

SECONDS = float(os.environ.get("HOSTILE_SECONDS", "4"))
LANES = 4  # each with a back-off of its own: so that much more is tried
PARTITIONS = 4
RESIDENT_KIB_MAX = 65536 * (8 if wait.INSTRUMENTED else 1)  # beyond what it has at the start


class Lane:
    """One tallyd, its hostile store, and the honest one behind it."""

    def __init__(self, lab, mode, seed):
        if mode == "cluster":
            self.honest = lab.keep(LoneNode(lab))
            self.stores = [lab.keep(HostileStore(self.honest, f"{seed}/{i}", partitions=PARTITIONS)) for i in range(3)]
            for store in self.stores:
                store.peers.extend(other.port for other in self.stores)
            options = {"redis_mode": "cluster", "partitions": PARTITIONS}
        else:
            self.honest = lab.redis()
            self.stores = [lab.keep(HostileStore(self.honest, seed))]
            options = {}
        self.server = lab.tallyd(self.stores[0], workers=1, start=False, env={"TALLYD_ALLOW_CORE": "true"}, **options)  # else only root sees its descriptors
        self.start()
        self.resident = self.server.resident_kib()
        self.load = lab.load(self.server, seed=seed, connections=2, rate=100)

    def start(self):
        """A store that says at the start that its data set is cut otherwise is believed, and ends it: then once more."""
        try:
            self.server.start()
        except AssertionError:
            if "event=partitions_differ" not in self.server.log():
                raise
            self.start()

    def look(self):
        assert self.server.ready(), "it answers"
        checker.checked_metrics(self.server)
        assert self.server.resident_kib() - self.resident < RESIDENT_KIB_MAX, "its memory is bounded"
        assert self.server.descriptors_open() < 100

    def tried(self):
        return sum(store.connections for store in self.stores)

    def heal(self):
        for store in self.stores:
            store.be_honest()

    def judge(self):
        self.load.stop()
        checker.wait_drained(self.server, seconds=60)
        assert self.server.metrics()["hits_lost_total"] == 0
        checker.check_exact(self.honest, [self.load])
        lines = self.server.log().splitlines()
        assert len(lines) < 200 + 2 * self.tried(), "the log is no flood"
        assert not any(line.startswith("level=error") for line in lines), "nobody else writes lines"
        assert self.server.stop() == 0


@pytest.mark.ci
@pytest.mark.parametrize("mode", ["standalone", "cluster"])
def test_a_hostile_store_costs_neither_life_nor_memory_nor_a_hit(lab, seed, tried, mode):
    lanes = [Lane(lab, mode, f"{seed}/{i}") for i in range(LANES)]
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for lane in lanes:
            lane.look()
        time.sleep(0.2)
    for lane in lanes:
        wait.until(lambda lane=lane: lane.tried(), "the store was tried", 30)
        lane.heal()
    for lane in lanes:
        lane.judge()
    tried(sum(lane.tried() for lane in lanes), sum(lane.load.acked_hits() for lane in lanes))

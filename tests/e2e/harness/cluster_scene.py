"""A tallyd on a cluster under load, with the conservation check at its end."""

import time

from . import checker, wait

RATE = 5000


class Scene:
    """tallyd on the cluster under load; finish() checks conservation."""

    def __init__(self, lab, cluster, store=None, pool=None, **options):
        """`store`: the cluster as tallyd is to reach it, when that is not the usual way."""
        self.prefix = f"t{lab.seed}:"
        self.cluster = cluster
        options.setdefault("redis_mode", "cluster")
        self.server = lab.tallyd(store or cluster, prefix=self.prefix, **options)
        self.load = lab.load(self.server, pool, rate=RATE)

    def run(self, seconds=0.4):
        time.sleep(seconds)

    def stored(self):
        return self.server.metrics()["hits_stored_total"]

    def errors(self, kind):
        return self.server.metrics().get("redis_errors_total", **{"class": kind})

    def wait_stores(self, seconds=15):
        """More is stored than is now: the flush works again."""
        before = self.stored()
        wait.until(lambda: self.stored() > before + RATE // 10, "the flush goes on", seconds, 0.05)

    def slots(self):
        """Hash slots of the partitions that have stored something."""
        slots = set()
        for node in self.cluster.masters():
            with node.client() as client:
                for key in client.command("KEYS", self.prefix + "{*!ledger:*"):
                    slots.add(client.command("CLUSTER", "KEYSLOT", key))
        return sorted(slots)

    def finish(self, lost=False):
        """Everything that was answered is in Redis, key by key; with `lost`, what the books call lost is missing."""
        self.load.stop()
        assert not self.load.refused and not self.load.breaks
        with self.cluster.explained():
            checker.wait_drained(self.server)
        metrics = checker.checked_metrics(self.server)
        gone = metrics["hits_lost_total"]
        held = sum(checker.redis_counts(self.cluster, self.prefix.encode()).values())
        assert held == metrics["hits_accepted_total"] - gone
        if not lost or gone == 0:
            assert gone == 0, f"{gone} hits lost"
            checker.check_exact(self.cluster, [self.load], prefix=self.prefix.encode())
        assert self.server.stop() == 0
        return gone

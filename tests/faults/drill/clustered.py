"""Faults of a real cluster of six nodes: masters die, step down and are taken over, slots move, links break."""

import os
import time

from harness import secrets, wait
from harness.cluster import NODE_TIMEOUT_MS, Cluster

from . import scene


class Clustered(scene.Scene):
    FAULTS = {"kill_master": 3, "kill_replica": 1, "freeze_master": 2, "failover": 2, "takeover": 2, "lagging_takeover": 3,
              "migrate_slot": 3, "client_kill": 2, "client_pause": 1, "oom": 1, "tallyd_freeze": 1,
              "tallyd_sigterm": 1}
    if scene.keeps_state():
        FAULTS["tallyd_kill"] = 2

    def may_lose(self):
        """A replica that takes over may lack a young partition's ledger: what was stored under it is unproved."""
        return True

    def __init__(self, lab, draw):
        self.store = lab.keep(Cluster(os.path.join(lab.folder, "cluster"), secrets.PASSWORD))
        # A replica that has never heard of a ledger has nothing of its partition: no other fault here makes one missing.
        # Without a replay what it had is called unproved.
        policy = draw.choice(("replay", "resume"))
        super().__init__(lab, draw, lab.tallyd(self.store, redis_mode="cluster", on_ledger_loss=policy, **scene.options(lab)))

    def _master(self):
        return self.draw.choice(sorted(self.store.masters(), key=lambda node: node.port))

    def _pair(self):
        """A master and a replica that has what it has; right after a takeover it takes a moment until there is one."""
        def found():
            master = self._master()
            try:
                return master, self.store.replica_of(master)
            except StopIteration:
                return None
        return wait.until(found, "a master with a replica", 15)

    def _well(self):
        """Many faults need the others to be over: a cluster with two masters gone has no vote."""
        self.store.heal()

    def _away(self):
        """Shorter or longer than what makes the others elect a replica."""
        seconds = self.draw.uniform(0.2, 3) * NODE_TIMEOUT_MS / 1000
        time.sleep(seconds)
        return f"{seconds:.2f} s"

    def kill_master(self):
        self._well()
        node = self._master()
        node.kill()
        away = self._away()
        node.start()
        return away

    def kill_replica(self):
        self._well()
        _, node = self._pair()
        node.kill()
        away = self._away()
        node.start()
        return away

    def freeze_master(self):
        self._well()
        node = self._master()
        node.pause()
        away = self._away()
        node.resume()
        return away

    def failover(self):
        self._well()
        _, replica = self._pair()
        replica.command("CLUSTER", "FAILOVER")
        wait.until(lambda: replica.role() == "master", "the replica is master", 15)

    def takeover(self):
        self._well()
        _, replica = self._pair()
        replica.command("CLUSTER", "FAILOVER", "TAKEOVER")

    def lagging_takeover(self):
        """The replica misses what came last: it must be replayed, or be called lost."""
        self._well()
        master, replica = self._pair()
        replica.command("CONFIG", "SET", "masterauth", "wrong")
        master.command("CLIENT", "KILL", "TYPE", "replica")
        time.sleep(self.draw.uniform(0.05, 0.4))
        replica.command("CLUSTER", "FAILOVER", "TAKEOVER")
        replica.command("CONFIG", "SET", "masterauth", self.store.password)

    def migrate_slot(self):
        self._well()
        slot = self.draw.choice(self._slots())
        source = self.store.owner(slot)
        target = self.draw.choice([node for node in self.store.masters() if node is not source])
        self.store.open_slot(slot, source, target)
        time.sleep(self.draw.uniform(0, 0.2))
        moved = self.store.move_keys(slot, source, target, self.draw.randrange(8))
        time.sleep(self.draw.uniform(0, 0.3))
        moved += self.store.move_keys(slot, source, target)
        self.store.close_slot(slot, target)
        return f"{slot}, {moved} keys"

    def _slots(self):
        """Of the partitions that have stored something."""
        def found():
            slots = set()
            for node in self.store.masters():
                with node.client() as client:
                    for key in client.command("KEYS", self.prefix + b"{*!ledger:*"):
                        slots.add(client.command("CLUSTER", "KEYSLOT", key))
            return sorted(slots)
        return wait.until(found, "a partition has stored something")

    def client_kill(self):
        return self._master().command("CLIENT", "KILL", "TYPE", "normal")

    def client_pause(self):
        self._master().command("CLIENT", "PAUSE", 400, "WRITE")

    def oom(self):
        node = self._master()
        node.command("CONFIG", "SET", "maxmemory", 1)
        time.sleep(self.draw.uniform(0.1, 0.4))
        node.command("CONFIG", "SET", "maxmemory", 0)

    def tallyd_kill(self):
        """Also before it has noticed that a node forgot: the replay window dies with it, so that is lost, and counted."""
        self._well()
        super().tallyd_kill()

    def heal(self):
        self._well()

    def late(self):
        return 0

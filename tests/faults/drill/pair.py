"""Faults of two Redis behind one name, as Sentinel and a Service or haproxy make them: the name leads to a master that was demoted,
to a replica, to one that lags, and back; connections that are up stay where they are or are cut."""

import os
import shutil
import socket
import tempfile
import time

from harness import wait
from harness.ports import HOST, Port
from harness.process import Process
from harness.tls_redis import At

from . import scene

_HAPROXY = """global
    stats socket {control} level admin
defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h
listen name
    bind {host}:{port}
    server s0 {host}:{first}
    server s1 {host}:{second} disabled
"""


class Name:
    """A name for two servers, which haproxy keeps."""

    def __init__(self, lab, servers):
        program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
        assert program, "haproxy is not installed: deploy/scripts/deps check"
        self._port = Port()
        self.port = self._port.number
        self._folder = tempfile.mkdtemp(prefix="name-")  # a socket among the files of a test would be searched for secrets
        self._control = os.path.join(self._folder, "control")
        config = os.path.join(lab.folder, "haproxy.cfg")
        with open(config, "w", encoding="ascii") as file:
            file.write(_HAPROXY.format(control=self._control, host=HOST, port=self.port, first=servers[0].port, second=servers[1].port))
        self._process = Process([program, "-db", "-f", config], lab.folder, "haproxy")
        wait.until(self._serves, "haproxy serves")

    def _serves(self):
        assert self._process.code is None, f"haproxy ended: {self._process.err()[-1000:]}"
        try:
            return "s0" in self._tell("show servers state name")
        except OSError:  # not there yet, or not listening yet
            return False

    def _tell(self, words):
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(10)
            control.connect(self._control)
            control.sendall(words.encode() + b"\n")
            return control.makefile().read()

    def lead_to(self, index, cut):
        self._tell(f"set server name/s{index} state ready")
        self._tell(f"set server name/s{1 - index} state maint")
        if cut:
            self._tell(f"shutdown sessions server name/s{1 - index}")

    def close(self):
        self._process.kill()
        self._port.release()
        shutil.rmtree(self._folder, ignore_errors=True)


class Pair(scene.Scene):
    FAULTS = {"failover": 3, "takeover": 4, "lagging_takeover": 3, "flap": 6, "split": 2, "kill_master": 2, "freeze_master": 1,
              "client_kill": 2, "oom": 1, "tallyd_freeze": 1, "tallyd_sigterm": 1}
    if scene.keeps_state():
        FAULTS["tallyd_kill"] = 1

    def __init__(self, lab, draw):
        settings = ["min-replicas-to-write 1", "repl-diskless-sync-delay 0", "repl-ping-replica-period 1"]
        self.servers = [lab.redis(appendonly=True, appendfsync="always", settings=settings) for _ in range(2)]
        for server in self.servers:
            server.command("CONFIG", "SET", "masterauth", server.password)
        self.master = 0
        self._demote()
        self.name = lab.keep(Name(lab, self.servers))
        super().__init__(lab, draw, lab.tallyd(At(self.store, f"redis://{HOST}:{self.name.port}"), **scene.options(lab)))
        self.played.append("a pair behind a name")

    def may_lose(self):
        """A process that ends takes the replay window with it."""
        return self.restarts > 0

    @property
    def store(self):
        return self.servers[self.master]

    @property
    def _other(self):
        return self.servers[1 - self.master]

    def _demote(self):
        """The one that is not the master follows it, and has what it has."""
        self._other.command("REPLICAOF", HOST, self.store.port)
        wait.until(lambda: b"master_link_status:up" in self._other.command("INFO", "replication"), "the replica is in sync", 30)

    def _settle(self):
        self.name.lead_to(self.master, True)
        self.store.command("REPLICAOF", "NO", "ONE")
        self._demote()

    def _lead(self, index):
        cut = self.draw.random() < 0.7
        self.name.lead_to(index, cut)
        return "" if cut else ", links stay"

    def _pause(self):
        time.sleep(self.draw.uniform(0, 0.3))

    def _promote(self):
        """The replica becomes the master; the old one does not know, for a while."""
        self._other.command("REPLICAOF", "NO", "ONE")
        self.master = 1 - self.master
        self._pause()
        note = self._lead(self.master)
        self._pause()
        return note

    def failover(self):
        """As it should be: nothing is forgotten, the name follows a moment later."""
        self._settle()
        self.store.command("FAILOVER")
        wait.until(lambda: b"role:master" in self._other.command("INFO", "replication"), "the replica is master", 20)
        self.master = 1 - self.master
        self._pause()
        return self._lead(self.master)

    def takeover(self):
        self._settle()
        note = self._promote()
        self._demote()
        return note

    def lagging_takeover(self):
        """What the replica misses must be stored again."""
        self._settle()
        self._other.command("CONFIG", "SET", "masterauth", "wrong")
        self.store.command("CLIENT", "KILL", "TYPE", "replica")
        self._pause()
        note = self._promote()
        for server in self.servers:
            server.command("CONFIG", "SET", "masterauth", server.password)
        self._demote()
        return note

    def flap(self):
        """To the new master, to the old one (still a master, which waits for its replica), and back; then that is demoted."""
        self._settle()
        note = self._promote()
        for _ in range(self.draw.randint(1, 3)):
            note += self._lead(1 - self.master)
            self._pause()
            note += self._lead(self.master)
            self._pause()
        self._demote()
        return note

    def split(self):
        """Both take writes, and the name leads to the one and to the other; one of them is settled on."""
        self._settle()
        for server in self.servers:
            server.command("CONFIG", "SET", "min-replicas-to-write", 0)
        note = self._promote()
        for _ in range(self.draw.randint(1, 3)):
            note += self._lead(self.draw.randrange(2))
            self._pause()
        self.master = self.draw.randrange(2)
        for server in self.servers:
            server.command("CONFIG", "SET", "min-replicas-to-write", 1)
        self._settle()
        return note

    def kill_master(self):
        self._settle()
        old = self.store
        old.kill()
        note = self._promote()
        old.start()
        for _ in range(self.draw.randint(0, 1)):
            note += self._lead(1 - self.master)
            self._pause()
            note += self._lead(self.master)
        old.command("CONFIG", "SET", "masterauth", old.password)
        self._demote()
        return note

    def freeze_master(self):
        self.store.pause()
        self._pause()
        self.store.resume()

    def client_kill(self):
        return self.store.command("CLIENT", "KILL", "TYPE", "normal")

    def oom(self):
        self.store.command("CONFIG", "SET", "maxmemory", 1)
        self._pause()
        self.store.command("CONFIG", "SET", "maxmemory", 0)

    def heal(self):
        self._settle()

    def late(self):
        return 0

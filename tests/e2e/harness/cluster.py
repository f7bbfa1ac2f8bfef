"""A real Redis cluster: six redis-server processes, three masters with a replica each, made by redis-cli."""

import contextlib
import os
import socket
import subprocess

from . import secrets, wait
from .ports import HOST, Port
from .redis_server import BINARY, RedisServer
from .resp import RespError

NODES = 6
NODE_TIMEOUT_MS = 1000
BUS = 10000  # the cluster bus listens on the port plus this
CLI = BINARY.replace("-server", "-cli")


class BusPort(Port):
    """A port of which the bus port is free as well, and stays ours too."""

    def __init__(self):
        while True:
            super().__init__()
            with contextlib.suppress(OSError, OverflowError):
                with socket.socket() as alone:  # who shares a port would also get one that another test is on
                    alone.bind((HOST, self.number + BUS))
                self._bus = socket.socket()
                self._bus.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                self._bus.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                self._bus.bind((HOST, self.number + BUS))
                return
            super().release()

    def release(self):
        self._bus.close()
        super().release()


class Node(RedisServer):
    """With an authority its cluster speaks TLS: clients, bus and replication; the plain port is for the test."""

    def __init__(self, folder, password, authority=None):
        self._cluster_port = BusPort()
        settings = ["cluster-enabled yes", f"cluster-node-timeout {NODE_TIMEOUT_MS}", "cluster-config-file nodes.conf",
                    "repl-diskless-sync yes", "repl-diskless-sync-delay 0", f"masterauth {password}"]
        if authority:
            cert, key = authority.leaf(os.path.basename(folder), f"IP:{HOST}")
            settings += [f"tls-port {self._cluster_port.number}", f'tls-cert-file "{cert}"', f'tls-key-file "{key}"',
                         f'tls-ca-cert-file "{authority.cert}"', "tls-auth-clients no", "tls-cluster yes", "tls-replication yes"]
        super().__init__(folder, appendonly=True, appendfsync="everysec", password=password, settings=settings,
                         port=Port() if authority else self._cluster_port)

    @property
    def cluster_port(self):
        """Where the other nodes, and clients of the cluster, reach it."""
        return self._cluster_port.number

    def close(self):
        super().close()
        self._cluster_port.release()

    def id(self):
        return self.command("CLUSTER", "MYID").decode()

    def role(self):
        return self.command("ROLE")[0].decode()

    def view(self):
        """CLUSTER NODES as {id: (port, flags, master's id, slot words)}."""
        rows = {}
        for line in self.command("CLUSTER", "NODES").decode().splitlines():
            words = line.split()
            rows[words[0]] = (int(words[1].split("@")[0].rsplit(":", 1)[1]), set(words[2].split(",")), words[3], words[8:])
        return rows


class LoneNode(Node):
    """A cluster of one node that has all slots."""

    def __init__(self, lab):
        super().__init__(os.path.join(lab.folder, lab.new_name("lone")), secrets.PASSWORD)
        self.start()
        self.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait.until(lambda: b"cluster_state:ok" in self.command("CLUSTER", "INFO"), "all slots are served", 15)

    def announce(self, port):
        """Where clients are told that it is."""
        self.command("CONFIG", "SET", "cluster-announce-port", port)
        self.command("CONFIG", "SET", "cluster-announce-ip", HOST)

    def read_all(self, prefix=b""):
        return _read_prefix(self, prefix)


class Cluster:
    def __init__(self, folder, password, authority=None):
        self.password = password
        self._authority = authority
        self._turn = 0
        self.nodes = [Node(os.path.join(str(folder), f"node-{i}"), password, authority) for i in range(NODES)]
        try:
            for node in self.nodes:
                node.start()
            addresses = [f"{HOST}:{node.cluster_port}" for node in self.nodes]
            self.cli("--cluster", "create", *addresses, "--cluster-replicas", "1", "--cluster-yes")
            self.wait_well()
        except BaseException:
            self.close()
            raise

    def cli(self, *words):
        tls = ["--tls", "--cacert", self._authority.cert] if self._authority else []
        done = subprocess.run([CLI, *tls, *words], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "REDISCLI_AUTH": self.password})
        assert done.returncode == 0, f"redis-cli {words[:2]}: {done.stdout[-2000:]} {done.stderr[-500:]}"
        return done.stdout

    def close(self):
        for node in self.nodes:
            node.close()

    # ---- what a Lab and a checker want of a store ----
    @property
    def url(self):
        """Of another node each time: any of them is a good seed."""
        self._turn += 1
        return f"{'rediss' if self._authority else 'redis'}://{HOST}:{self.nodes[self._turn % NODES].cluster_port}"

    def read_all(self, prefix=b""):
        """{key without prefix and tag: value}, of all masters; a key that is on two of them is a failure."""
        counts = {}
        for node in self.masters():
            for key, value in _read_prefix(node, prefix).items():
                assert key not in counts, f"{key!r} is on two nodes"
                counts[key] = value
        return counts

    # ---- the state of the cluster ----
    def masters(self):
        """The nodes that own slots, as a node that runs sees it."""
        node = next(node for node in self.nodes if node.running)
        ports = [port for port, flags, _, slots in node.view().values() if "master" in flags and slots]
        return [self.at(port) for port in ports]

    def at(self, port):
        return next(node for node in self.nodes if node.port == port)

    def owner(self, slot):
        with self.nodes[0].client() as client:
            for first, last, master, *_ in client.command("CLUSTER", "SLOTS"):
                if first <= slot <= last:
                    return self.at(master[1])
        raise AssertionError(f"slot {slot} has no owner")

    def replica_of(self, master):
        """A replica that is linked to its master, and has what it has."""
        mine = master.id()
        port = next(port for port, flags, of, _ in master.view().values() if of == mine and "fail" not in flags)
        replica = self.at(port)
        wait.until(lambda: b"master_link_status:up" in replica.command("INFO", "replication"), "the replica is linked")
        return replica

    def wait_well(self):
        """All nodes run and agree: every slot served, three masters, each with a linked replica."""
        with self.explained():
            wait.until(self._is_well, "the cluster is well", 30, 0.05)

    @contextlib.contextmanager
    def explained(self):
        """What fails in here says what each node says of itself and of the others."""
        try:
            yield
        except AssertionError as failure:
            views = "\n".join(f"-- {node.cluster_port}:\n{self._view_text(node)}" for node in self.nodes)
            raise AssertionError(f"{failure}\n{views}") from None

    @staticmethod
    def _view_text(node):
        try:
            state = node.command("CLUSTER", "INFO").decode().split("\r\n", 1)[0]
            link = b"master_link_status:down" in node.command("INFO", "replication")
            return f"{state}{' master_link_status:down' if link else ''}\n{node.command('CLUSTER', 'NODES').decode().rstrip()}"
        except (OSError, RespError) as error:
            return str(error)

    def _is_well(self):
        try:
            views = [node.view() for node in self.nodes]
            maps = {self._slot_map(view) for view in views}  # a replica that lags here would claim slots that moved
            return len(maps) == 1 and all(map(self._sees_all_well, self.nodes, views))
        except (OSError, RespError):
            return False

    @staticmethod
    def _slot_map(view):
        """Who owns what; slots that are on the move are not shown to others."""
        return frozenset((id, word) for id, (_, _, _, slots) in view.items() for word in slots if "[" not in word)

    @staticmethod
    def _sees_all_well(node, view):
        rows = view.values()
        if any(flags & {"fail", "fail?", "handshake", "noaddr"} for _, flags, _, _ in rows):
            return False
        masters = [slots for _, flags, _, slots in rows if "master" in flags and slots]
        linked = node.role() == "master" or b"master_link_status:up" in node.command("INFO", "replication")
        return (len(rows) == NODES and len(masters) == NODES // 2 and linked and
                b"cluster_state:ok" in node.command("CLUSTER", "INFO"))

    def heal(self):
        for node in self.nodes:
            node.resume()
            if not node.running:
                node.start()
        self.wait_well()

    # ---- moving a slot by hand ----
    def open_slot(self, slot, source, target):
        """Half way: some keys may be here, some there; new ones go to the target."""
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id())
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id())

    def move_keys(self, slot, source, target, keys_max=1 << 20):
        """Takes up to keys_max keys along; how many it were."""
        moved = 0
        while moved < keys_max:
            keys = source.command("CLUSTER", "GETKEYSINSLOT", slot, min(50, keys_max - moved))
            if not keys:
                break
            source.command("MIGRATE", HOST, target.cluster_port, "", 0, 5000, "AUTH", self.password, "KEYS", *keys)
            moved += len(keys)
        return moved

    def close_slot(self, slot, target):
        for node in [target, *(node for node in self.masters() if node is not target)]:
            node.command("CLUSTER", "SETSLOT", slot, "NODE", target.id())


def _read_prefix(node, prefix):
    with node.client() as client:
        keys = [key for key in client.command("KEYS", "*") if key.startswith(prefix)]
        values = client.pipeline([("GET", key) for key in keys]) if keys else []
    return {_untagged(key[len(prefix):]): _number(value) for key, value in zip(keys, values)}


def _untagged(key):
    return key[key.index(b"}") + 1:] if key.startswith(b"{") else key


def _number(value):
    try:
        return int(value)
    except (TypeError, ValueError):
        return value

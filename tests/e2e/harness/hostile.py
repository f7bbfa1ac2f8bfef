"""A store that lies, stalls and floods, until it is told to be honest: then each connection leads to a real server.

What it says is drawn: it plays a plain server (or a node of a cluster) for a few commands and then misbehaves. It never claims
that a batch is stored and never shows a ledger, as tallyd could but believe that.
"""

import contextlib
import random
import select
import socket
import struct
import threading

from .ports import HOST, Port

FLOOD_BYTES = 32 << 20
_INFO = b"role:master\r\nmaxmemory_policy:noeviction\r\n"
_HUGE = [b"$2147483647\r\n", b"$9223372036854775807\r\n", b"$-2\r\n", b"$536870912\r\nabc", b"*2147483647\r\n", b"*-5\r\n",
         b"*4294967297\r\n", b"*1\r\n" * 500, b"*9\r\n" * 9, b"*100000\r\n:1\r\n", b":99999999999999999999\r\n", b":\r\n", b"$\r\n",
         b"*\r\n", b"$3\r\nabcd\r\n", b"*2\r\n:1\r\n"]
_OTHER_TYPES = [b"%1\r\n+a\r\n:1\r\n", b"_\r\n", b"#t\r\n", b",1.5\r\n", b"(123456789012345678901234567890\r\n", b"=7\r\ntxt:abc\r\n",
                b"~1\r\n:1\r\n", b"|1\r\n+a\r\n:1\r\n", b">2\r\n+message\r\n+x\r\n", b"+QUEUED\r\n", b"+OK\r\n", b":1\r\n", b"$-1\r\n", b"*0\r\n",
                b"*-1\r\n", b"*3\r\n:1\r\n+OK\r\n:x\r\n", b"$0\r\n\r\n"]
_ERRORS = [b"-MOVED 1 127.0.0.1:1\r\n", b"-MOVED\r\n", b"-MOVED x y z\r\n", b"-ASK 5 :0\r\n", b"-ASK 70000 [::]:99999\r\n", b"-TRYAGAIN \r\n",
           b"-\r\n", b"-ERR \x1b[31m\x00\x07 \xff\xfe level=error event=forged\r\n", b"-" + b"E" * 65536 + b"\r\n", b"-LOADING\r\n",
           b"-NOAUTH Authentication required.\r\n", b"-OOM command not allowed\r\n", b"-CLUSTERDOWN The cluster is down\r\n",
           b"-READONLY You can't write against a read only replica.\r\n", b"-EXECABORT because of: because of: \r\n",
           b"-NOPERM this user has no permissions to run the '%s%n' command\r\n", b"-ERR max number of clients reached\r\n"]


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text)


def _node(host, port, *more):
    return b"*%d\r\n" % (2 + len(more)) + (b"$-1\r\n" if host is None else bulk(host)) + b":%d\r\n" % port + b"".join(more)


def _range(first, last, *nodes):
    return b"*%d\r\n:%d\r\n:%d\r\n" % (2 + len(nodes), first, last) + b"".join(nodes)


class HostileStore:
    """peers: the ports of all hostile nodes of its cluster, itself among them; partitions: as tallyd is told."""

    def __init__(self, honest, seed, peers=(), partitions=4):
        self._honest, self._chance = honest, random.Random(seed)
        self._port = Port()
        self.port, self.password = self._port.number, honest.password
        self.url = f"redis://{HOST}:{self.port}"
        self.peers, self._partitions = list(peers), partitions
        self.connections = 0
        self._lying, self._open, self._lock = True, set(), threading.Lock()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._listener.bind((HOST, self.port))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def be_honest(self):
        with self._lock:
            self._lying = False
            self._end_all()

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            self._end_all()
        self._port.release()

    def _end_all(self):
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(sock)
                lying, seed = self._lying, self._chance.random()
            threading.Thread(target=self._serve, args=(sock, lying, random.Random(seed)), daemon=True).start()

    def _serve(self, sock, lying, chance):
        with sock, contextlib.suppress(OSError, EOFError):
            if lying:
                _Liar(sock, chance, self.peers, self.port, self._partitions).run()
            else:
                self._relay(sock)
        with self._lock:
            self._open.discard(sock)

    def _relay(self, sock):
        with socket.create_connection((HOST, self._honest.port)) as there:
            ways = {sock: there, there: sock}
            while True:
                for source in select.select(list(ways), [], [])[0]:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    ways[source].sendall(data)


class _Liar:
    def __init__(self, sock, chance, peers, port, partitions):
        self._sock, self._chance, self._peers, self._port = sock, chance, peers, port
        self._file = sock.makefile("rb")
        self._partitions = partitions
        self._multi = 0
        self._said = b""  # the arguments of AUTH, for an echo
        sock.settimeout(60)

    def run(self):
        if self._chance.random() < 0.1:  # before a word is asked
            self._misbehave([])
            return
        for _ in range(self._chance.choice((0, 1, 2, 3, 5, 8, 9, 10, 12, 20, 60))):
            words = self._command()
            answer = self._answer(words)
            if answer is None:
                break
            self._sock.sendall(answer)
        self._misbehave(self._command())

    def _command(self):
        line = self._file.readline(1 << 16)
        if not line.startswith(b"*"):
            raise EOFError
        words = []
        for _ in range(int(line[1:])):
            length = int(self._file.readline(64)[1:])
            words.append(self._file.read(length + 2)[:-2])
        if words[0] == b"AUTH":
            self._said = b" ".join(words)
        return words

    def _answer(self, words):
        """What an honest server says that holds nothing; None: to say so would be a lie that is believed."""
        command = words[0].upper()
        if command == b"EXEC":
            queued, self._multi = self._multi, 0
            return b"*0\r\n" if queued == 1 else None
        if command == b"MULTI":
            self._multi = 1
            return b"+OK\r\n"
        if command == b"DISCARD":
            self._multi = 0
            return b"+OK\r\n"
        if self._multi:
            self._multi += 1
            return b"+QUEUED\r\n"
        if command == b"INFO":
            return bulk(_INFO)
        if command == b"CLUSTER":
            return self._map()
        if command == b"GET":
            return bulk(b"tallyd format=1 partitions=%d" % self._partitions) if words[1].endswith(b"!meta") else b"$-1\r\n"
        return b"$-1\r\n" if command in (b"SET", b"GETRANGE") else b"+OK\r\n"

    # ---- maps ----
    def _map(self):
        if not self._peers:
            return b"-ERR This instance has cluster support disabled\r\n"
        peers, chance = self._peers, self._chance
        own, other = b"127.0.0.1", chance.choice(peers)
        spread = [_range(16384 * i // len(peers), 16384 * (i + 1) // len(peers) - 1, _node(own, peer)) for i, peer in enumerate(peers)]
        maps = [
            spread, spread, spread,
            [_range(0, 16383, _node(own, self._port))],
            [_range(0, 16383, _node(None, other))], [_range(0, 16383, _node(b"", other))],
            [_range(0, 16383, _node(b"?", other, bulk(b"id"), b"*0\r\n"))],
            [_range(0, 16383, _node(own, port)) for port in (0, -1, 65536, 1 << 40)],
            [_range(0, 16383, _node(b'h"\n{}=', other))], [_range(0, 16383, _node(b"h" * 300, other))],
            [_range(0, 16383, _node(b"no.such.host.invalid", other))],
            [_range(100, 50, _node(own, other))], [_range(-5, 16383, _node(own, other))], [_range(0, 1 << 33, _node(own, other))],
            [_range(0, 16383, _node(own, peer)) for peer in peers], [_range(slot, slot, _node(own, other)) for slot in range(5000)],
            [_range(0, 16383, *[_node(own, other)] * 500)], [_range(0, 16383)], [], [b":1\r\n"], [b"*3\r\n:0\r\n:16383\r\n+x\r\n"],
        ]
        ranges = chance.choice(maps)
        return b"*%d\r\n" % len(ranges) + b"".join(ranges)

    # ---- misbehaviour ----
    def _misbehave(self, words):
        self._chance.choice((self._cut, self._huge, self._other_type, self._error, self._storm, self._echo, self._flood, self._push,
                             self._drip, self._noise, self._reset, self._mute, self._odd_info))(words)

    def _honest_bytes(self, words):
        return (self._answer(words) if words else None) or b"*2\r\n+OK\r\n:1\r\n"

    def _cut(self, words):
        answer = self._honest_bytes(words)
        self._sock.sendall(answer[:self._chance.randrange(len(answer))])

    def _huge(self, _):
        self._sock.sendall(self._chance.choice(_HUGE))
        self._mute(_)

    def _other_type(self, _):
        self._sock.sendall(self._chance.choice(_OTHER_TYPES))
        self._mute(_)

    def _error(self, _):
        self._sock.sendall(self._chance.choice(_ERRORS))
        self._mute(_)

    def _storm(self, words):
        """Every command of the connection is refused: sent to another node, say."""
        error = self._chance.choice(_ERRORS + [b"-MOVED 1 127.0.0.1:%d\r\n" % peer for peer in self._peers] * 4)
        while words is not None:
            self._sock.sendall(error)
            words = self._command()

    def _echo(self, _):
        self._sock.sendall(b"-ERR unknown command '" + self._said + b"'\r\n-WRONGPASS " + self._said + b"\r\n")
        self._mute(_)

    def _flood(self, _):
        unit = self._chance.choice((b"+OK\r\n", b"*1\r\n", b"-ERR no\r\n", b"\r\n", b"$1\r\na\r\n")) * 4096
        for _ in range(FLOOD_BYTES // len(unit)):
            self._sock.sendall(unit)

    def _push(self, _):
        start = self._chance.choice((b">3\r\n+message\r\n+a\r\n+b\r\n", b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n"))
        for _ in range(FLOOD_BYTES // (len(start) * 1024)):
            self._sock.sendall(start * 1024)

    def _drip(self, words):
        answer = self._honest_bytes(words)
        for at in range(len(answer)):
            self._sock.sendall(answer[at:at + 1])
            if select.select([self._sock], [], [], 0.5)[0] and not self._sock.recv(1 << 16):
                return

    def _noise(self, _):
        self._sock.sendall(self._chance.randbytes(self._chance.randrange(1, 5000)))
        self._mute(_)

    def _reset(self, _):
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _mute(self, _):
        """Says nothing more, and reads what comes until the other end has had enough."""
        while self._sock.recv(1 << 16):
            pass

    def _odd_info(self, _):
        text = self._chance.choice((b"role:slave\r\n", b"role:\r\n", b"role:", b"maxmemory_policy:" + b"x" * 5000, b"\x00" * 64,
                                    b"maxmemory_policy:volatile-lru\nlevel=error\r\n", b"r" * (2 << 20)))
        self._sock.sendall(bulk(text))
        self._mute(_)

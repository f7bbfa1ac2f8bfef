"""A byte-exact TCP proxy for the way between tallyd and Redis.

It passes bytes on until a fault is armed. Faults (one at a time, each counts bytes from the moment it is armed):

  cut(way, at, ending, zombie)   pass `at` bytes of one way, then end the link towards tallyd by RST, FIN or silence.
                                 Plain: the server's side is closed, what was held back is lost. Zombie: the server's side
                                 stays open and what was held back goes to the server when deliver() is called.
                                 `at` a command: from the first byte of the piece that holds it. tallyd sends a batch in
                                 one piece, when its question for the ledger has been answered.
  hold(way) / release()          keep bytes back, in order, while both sides believe all is well
  hold_replies_to(command)       hold(REPLY) from the moment the command passes
  delay(seconds)                 every byte, both ways, comes later
  rate(bytes_per_second)         a thin line: each way of each link carries no more than that
  corrupt(way, at)               one byte is flipped
  replace(data)                  the next reply bytes become `data`, and nothing follows on that link
  refuse() / accept()            new links are reset at once
  lead_to(server)                it is the name of another server from now on; the links to the one before are reset

Thread: its own loop does all socket work; methods hand it a closure and wait until it ran.
"""

import queue
import selectors
import socket
import struct
import threading
import time

from .ports import HOST

REQUEST, REPLY = "request", "reply"
RST, FIN, SILENCE = "rst", "fin", "silence"
ENDINGS = (RST, FIN, SILENCE)
_PIECE = 1000  # bytes that a thin line carries at once
_GATHER_S = 0.02  # a sender's one write may arrive in pieces: so long the cut waits to hold back all of it


class Proxy:
    def __init__(self, target_port):
        self.links = []
        self.links_made = 0
        self.seen = {REQUEST: bytearray(), REPLY: bytearray()}  # what came in since mark()
        self.triggered = threading.Event()
        self._target = target_port
        self._cut = None
        self._corrupt = None
        self._replacement = None
        self._held_ways = set()
        self._hold_at = None
        self._delay = 0.0
        self._rate = None
        self._refusing = False
        self._calls = queue.SimpleQueue()
        self._timers = []
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._selector.register(self._wake_in, selectors.EVENT_READ, self._woken)
        self._listener = socket.create_server((HOST, 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._running = True
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"redis://{HOST}:{self.port}"

    # ---- the test's thread ----
    def cut(self, way, at, ending, zombie=False):
        self._call(lambda: self._arm(_Cut(way, at, ending, zombie)))

    def corrupt(self, way, at):
        self._call(lambda: self._arm(None, _Corruption(way, at)))

    def replace(self, data):
        self._call(lambda: self._arm(None, replacement=data))

    def disarm(self):
        """A fault that still waits for its byte is forgotten."""
        self._call(lambda: self._arm(None))

    def mark(self):
        """Counts and records bytes from here."""
        self._call(self._clear)

    def hold(self, way):
        self._call(lambda: self._held_ways.add(way))

    def hold_replies_to(self, command):
        self._call(lambda: setattr(self, "_hold_at", b"\r\n" + command + b"\r\n"))

    @property
    def holding(self):
        return bool(self._held_ways)

    def release(self):
        self._call(self._release)

    def delay(self, seconds):
        self._call(lambda: setattr(self, "_delay", seconds))

    def rate(self, bytes_per_second):
        self._call(lambda: setattr(self, "_rate", bytes_per_second))

    def refuse(self):
        self._call(lambda: setattr(self, "_refusing", True))

    def accept(self):
        self._call(lambda: setattr(self, "_refusing", False))

    def lead_to(self, server):
        self._call(lambda: self._retarget(server.port))

    def end_links(self, ending, zombie=False):
        """Ends every link towards tallyd now; zombie: their held bytes stay deliverable."""
        self._call(lambda: [link.end(ending, zombie) for link in list(self.links)])

    def deliver(self):
        """Late delivery: what was held back on zombie links goes to the server now. The number of bytes."""
        return self._call(lambda: sum(link.deliver() for link in self.links if link.zombie))

    def close(self):
        if self._thread.is_alive():
            self._call(lambda: setattr(self, "_running", False))
            self._thread.join(5)

    def _call(self, action):
        box = queue.SimpleQueue()
        self._calls.put((action, box))
        self._wake_out.send(b"x")
        result = box.get(timeout=10)
        if isinstance(result, Exception):
            raise result
        return result

    # ---- the proxy's thread ----
    def _run(self):
        while self._running:
            timeout = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
            for key, events in self._selector.select(timeout):
                key.data(events)
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                self._timers.pop(0)[1]()
        for link in list(self.links):
            link.drop()
        for sock in (self._listener, self._wake_in, self._wake_out):
            sock.close()
        self._selector.close()

    def _woken(self, _events):
        self._wake_in.recv(4096)
        while not self._calls.empty():
            action, box = self._calls.get()
            try:
                box.put(action())
            except Exception as failure:  # raised again in the thread that called
                box.put(failure)

    def after(self, seconds, action):
        self._timers.append((time.monotonic() + seconds, action))
        self._timers.sort(key=lambda timer: timer[0])

    def _accept(self, _events):
        client, _ = self._listener.accept()
        if self._refusing:
            _reset(client)
            return
        try:
            server = socket.create_connection((HOST, self._target), 2)
        except OSError:
            _reset(client)
            return
        self.links_made += 1
        self.links.append(_Link(self, client, server))

    def _retarget(self, port):
        self._target = port
        for link in list(self.links):
            link.end(RST, False)

    def _clear(self):
        for seen in self.seen.values():
            seen.clear()
        self.triggered.clear()

    def _arm(self, cut, corruption=None, replacement=None):
        self._clear()
        self._cut, self._corrupt, self._replacement = cut, corruption, replacement

    def _release(self):
        self._held_ways.clear()
        self._hold_at = None
        for link in list(self.links):
            if not link.zombie:
                link.release()

    def carry(self, link, way, data):
        """Bytes have come in on one way: pass on, hold, or let the armed fault strike."""
        before = len(self.seen[way])
        self.seen[way] += data
        if self._hold_at and way == REQUEST and self._hold_at in data:
            self._held_ways.add(REPLY)
        if self._corrupt and self._corrupt.way == way and before <= self._corrupt.at < before + len(data):
            data = _flipped(data, self._corrupt.at - before)
            self._corrupt = None
            self.triggered.set()
        if self._replacement is not None and way == REPLY:
            self._substitute(link)
            return
        cut = self._cut
        if cut and cut.way == way and (at := cut.place(before, data)) is not None:
            self._cut = None
            self._strike(link, cut, data, at)
        elif link.frozen or way in self._held_ways:
            link.keep(way, data)
        elif self._rate:
            self._carry_thinly(link, way, data)
        elif self._delay:
            self.after(self._delay, lambda: link.pass_on(way, data))
        else:
            link.pass_on(way, data)

    def _carry_thinly(self, link, way, data):
        for at in range(0, len(data), _PIECE):
            piece = data[at:at + _PIECE]
            link.free_at[way] = max(link.free_at[way], time.monotonic()) + len(piece) / self._rate
            self.after(link.free_at[way] - time.monotonic(), lambda piece=piece: link.pass_on(way, piece))

    def _substitute(self, link):
        link.pass_on(REPLY, self._replacement)
        link.frozen = True
        self._replacement = None
        self.triggered.set()

    def _strike(self, link, cut, data, passes):
        if passes:
            link.pass_on(cut.way, data[:passes])
        link.frozen = True
        link.keep(cut.way, data[passes:])
        self.after(_GATHER_S, lambda: self._finish(link, cut))

    def _finish(self, link, cut):
        link.end(cut.ending, cut.zombie)
        self.triggered.set()


class _Cut:
    def __init__(self, way, at, ending, zombie):
        self.way, self.at, self.ending, self.zombie = way, at, ending, zombie

    def place(self, before, data):
        """Where in `data`, of which `before` bytes came earlier; None: not yet."""
        if isinstance(self.at, bytes):
            return 0 if self.at in data else None
        return self.at - before if before + len(data) > self.at else None


class _Corruption:
    def __init__(self, way, at):
        self.way, self.at = way, at


class _Link:
    """One connection of tallyd (client) and its connection to Redis (server)."""

    def __init__(self, proxy, client, server):
        self.zombie = False
        self.frozen = False
        self.free_at = {REQUEST: 0.0, REPLY: 0.0}
        self._proxy = proxy
        self._held = {REQUEST: b"", REPLY: b""}
        self._unsent = {REQUEST: b"", REPLY: b""}
        self._from = {REQUEST: client, REPLY: server}
        self._to = {REQUEST: server, REPLY: client}
        for way, sock in self._from.items():
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            proxy._selector.register(sock, selectors.EVENT_READ, lambda events, way=way: self._ready(way, events))

    def _ready(self, way, events):
        back = REPLY if way == REQUEST else REQUEST
        if events & selectors.EVENT_WRITE:
            self._flush(back)
        if events & selectors.EVENT_READ and self._from[way] is not None:
            self._read(way)

    def _read(self, way):
        try:
            data = self._from[way].recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._proxy.carry(self, way, data)
        elif not self.frozen:
            self.drop()
        else:
            self._forget(self._from[way])

    def keep(self, way, data):
        self._held[way] += data

    def release(self):
        for way, data in self._held.items():
            self._held[way] = b""
            if data:
                self.pass_on(way, data)

    def pass_on(self, way, data):
        if self._to[way] is not None:
            self._unsent[way] += data
            self._flush(way)

    def _flush(self, way):
        sock = self._to[way]
        if sock is None:
            return
        try:
            while self._unsent[way]:
                self._unsent[way] = self._unsent[way][sock.send(self._unsent[way]):]
        except BlockingIOError:
            pass
        except OSError:
            self.drop()
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._unsent[way] else 0)
        key = self._proxy._selector.get_key(sock)
        self._proxy._selector.modify(sock, events, key.data)

    def end(self, ending, zombie):
        """Ends the side of tallyd; the server's side only when the link is not to be a zombie."""
        self.frozen, self.zombie = True, zombie
        client = self._from[REQUEST]
        if client is not None and ending == RST:
            self._proxy._selector.unregister(client)
            _reset(client)
            self._from[REQUEST] = self._to[REPLY] = None
        elif client is not None and ending == FIN:
            client.shutdown(socket.SHUT_WR)
        if not zombie:
            self._held = {REQUEST: b"", REPLY: b""}
            self._forget(self._to[REQUEST])

    def deliver(self):
        late, self._held[REQUEST] = self._held[REQUEST], b""
        if late:
            self.pass_on(REQUEST, late)
        return len(late)

    def drop(self):
        self._forget(self._from[REQUEST])
        self._forget(self._to[REQUEST])
        if self in self._proxy.links:
            self._proxy.links.remove(self)

    def _forget(self, sock):
        if sock is None:
            return
        self._proxy._selector.unregister(sock)
        sock.close()
        for way in (REQUEST, REPLY):
            if self._from[way] is sock:
                self._from[way] = None
            if self._to[way] is sock:
                self._to[way] = None


def _reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def _flipped(data, at):
    return data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1:]

"""A load generator that keeps the accounts: what was answered 2xx (acked), what was sent but never answered
(indeterminate), key by key, with every answer checked.

One thread drives all connections. The requests are drawn, by the seed, from a pool made beforehand, so that a request
costs the generator a few microseconds and the accounts are two lists of integers. A snapshot of such a list is one
step under the interpreter's lock, so a reader in another thread sees a consistent past.

After an answer with Connection: close the requests behind it are not processed (RFC 9112 section 9.6): they count
as refused. Only a connection that breaks without saying so leaves indeterminate hits.
"""

import collections
import errno
import random
import selectors
import socket
import threading
import time

from . import names, wait
from .http_client import BadAnswer, parse_head, request_bytes
from .ports import HOST

Entry = collections.namedtuple("Entry", "data key n status")
POOL = 4096
REFUSED_SHARE = 0.02


def make_pool(seed, keys=200, ns="load", n_max=9, values=True):
    """Requests over `keys` names, a few of them awkward: GET and POST, with and without n, in several spellings; some are
    to be refused, and count nothing."""
    draw = random.Random(seed)
    pool_keys = [f"page-{i}".encode() for i in range(keys)] + names.AWKWARD
    return [_entry(draw, ns, draw.choice(pool_keys), n_max, values) for _ in range(POOL)]


def _entry(draw, ns, key, n_max, values):
    n = draw.randint(1, n_max) if draw.random() >= REFUSED_SHARE else 0
    target = names.path(ns, key, draw.choice((names.quoted, names.quoted, names.quoted_fully)))
    query = [f"n={n}"] if n != 1 or draw.random() < 0.2 else []
    value = values and draw.random() < 0.1
    if value:
        query.insert(draw.randint(0, len(query)), "value=1")
    if query:
        target += "?" + "&".join(query)
    body = draw.choice((None, None, None, b"", b"beacon body"))
    data = request_bytes("GET" if body is None else "POST", target, (), body)
    return Entry(data, names.stored(ns, key), n, 400 if n == 0 else 200 if value else 204)


class Load:
    """Starts at once in a thread of its own; finish() waits for the budget, stop() ends it early."""

    def __init__(self, port, pool, seed=0, connections=64, depths=(1, 16), hits=None, rate=None, allowed=None):
        self.port = port
        self.pool = pool
        self.acked = [0] * len(pool)
        self.sent = [0] * len(pool)
        self.indeterminate = [0] * len(pool)
        self.refused = collections.Counter()  # status, or "close": what was certainly not counted
        self.violations = []
        self.breaks = 0
        self.answers = 0
        self.started = 0
        self._budget = hits
        self._rate = rate
        self._allowed = allowed
        self._heads = {}
        self._selector = selectors.DefaultSelector()
        self._lanes = [_Lane(self, depths[i % len(depths)], random.Random(f"{seed}/{i}")) for i in range(connections)]
        self._stop_at = None
        self._begin, self._before = time.monotonic(), 0
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()

    # ---- the test's thread ----
    def finish(self, seconds=60.0):
        """Waits until every hit of the budget is answered."""
        self._join(seconds)
        return self

    def limit(self, rate):
        """From now on so many requests a second."""
        self._begin, self._before, self._rate = time.monotonic(), self.started, rate

    def allow(self, hits):
        """From now on so many of the budget may be sent in all; None: the whole of it."""
        self._allowed = hits

    def stop(self, grace=5.0):
        """Sends nothing more, waits up to `grace` seconds for answers; what is then open is indeterminate."""
        self._stop_at = time.monotonic() + grace * wait.PATIENCE
        self._join(grace + 10)
        return self

    def _join(self, seconds):
        self._thread.join(seconds * wait.PATIENCE)
        assert not self._thread.is_alive(), f"load did not end: {self.answers} answers of {self._budget}"
        assert not self.violations, f"bad answers: {self.violations[:3]}"

    def close(self):
        self._stop_at = 0
        self._thread.join(10)

    @property
    def running(self):
        return self._thread.is_alive()

    def acked_hits(self):
        return sum(count * entry.n for count, entry in zip(list(self.acked), self.pool))

    def by_key(self, counts):
        """Sum of n per key of a list such as acked or sent."""
        sums = collections.Counter()
        for count, entry in zip(list(counts), self.pool):
            if count:
                sums[entry.key] += count * entry.n
        return sums

    # ---- the load's thread ----
    def _run(self):
        try:
            while not self._done():
                self._turn()
        except Exception as failure:  # into the accounts: the test's thread raises it
            self.violations.append(f"generator: {failure!r}")
        finally:
            for lane in self._lanes:
                lane.abandon()
            self._selector.close()

    def _done(self):
        if self.violations:
            return True
        idle = not any(lane.waiting for lane in self._lanes)
        if self._stop_at is not None:
            return idle or time.monotonic() > self._stop_at
        return idle and self._budget is not None and self.started >= self._budget

    def _turn(self):
        now = time.monotonic()
        for lane in self._lanes:
            lane.feed(now)
        timeout = 0.002 if self._rate else 0.02
        for key, events in self._selector.select(timeout):
            if events & selectors.EVENT_READ:
                key.data.readable()
            if key.data.sock is not None and events & selectors.EVENT_WRITE:
                key.data.flush()

    def may_start(self, wanted, now):
        """How many of `wanted` requests may begin now, by budget, allow(), rate and stop()."""
        if self._stop_at is not None:
            return 0
        if self._budget is not None:
            wanted = min(wanted, self._budget - self.started)
        if self._allowed is not None:
            wanted = min(wanted, self._allowed - self.started)
        if self._rate is not None:
            wanted = min(wanted, int((now - self._begin) * self._rate) + self._before - self.started)
        return max(0, wanted)

    def head(self, text):
        """The checked head; equal heads (they change once a second) are checked once."""
        head = self._heads.get(text)
        if head is None:
            if len(self._heads) > 1000:
                self._heads.clear()
            head = self._heads[text] = parse_head(text)
        return head


class _Lane:
    """One keep-alive connection after the other, with up to `depth` requests on their way."""

    def __init__(self, load, depth, draw):
        self.load = load
        self.depth = depth
        self.sock = None
        self.waiting = collections.deque()
        self._position = draw.randrange(len(load.pool))
        self._stride = draw.randrange(1, POOL, 2)
        self._out = b""
        self._in = b""
        self._retry_at = 0.0

    def feed(self, now):
        room = self.depth - len(self.waiting)
        if room == 0 or (self.depth > 1 and room < self.depth // 2):
            return
        if self.sock is None and (now < self._retry_at or not self.load.may_start(1, now) or not self._connect(now)):
            return
        count = self.load.may_start(room, now)
        if count:
            self._begin(count)

    def _connect(self, now):
        self.sock = socket.socket()
        self.sock.settimeout(2)
        try:
            self.sock.connect((HOST, self.load.port))
        except OSError:
            self.sock.close()
            self.sock = None
            self._retry_at = now + 0.05
            return False
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.load._selector.register(self.sock, selectors.EVENT_READ, self)
        return True

    def _begin(self, count):
        load, pool = self.load, self.load.pool
        batch = []
        for _ in range(count):
            self._position = (self._position + self._stride) % len(pool)
            batch.append(pool[self._position].data)
            load.sent[self._position] += 1
            self.waiting.append(self._position)
        load.started += count
        self._out += b"".join(batch)
        self.flush()

    def flush(self):
        try:
            while self._out:
                self._out = self._out[self.sock.send(self._out):]
        except BlockingIOError:
            pass
        except OSError:
            return  # the reading side says how it ended, after the answers that are still there
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._out else 0)
        self.load._selector.modify(self.sock, events, self)

    def readable(self):
        try:
            data = self.sock.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError as failure:
            self._end(f"broken ({errno.errorcode.get(failure.errno)})")
            return
        if not data:
            self._end("closed")
            return
        self._in += data
        try:
            self._take_answers()
        except BadAnswer as failure:
            self.load.violations.append(str(failure))

    def _take_answers(self):
        at, data, load = 0, self._in, self.load
        while (end := data.find(b"\r\n\r\n", at)) >= 0:
            head = load.head(data[at:end])
            behind = end + 4 + head.body_bytes("GET")
            if behind > len(data):
                break
            at = behind
            self._account(head)
            if head.close:
                self._end_behind_close(data[at:])
                return
        self._in = data[at:]

    def _account(self, head):
        load = self.load
        if not self.waiting:
            raise BadAnswer(f"an answer to no request: {head.text!r}")
        index = self.waiting.popleft()
        load.answers += 1
        if head.status == load.pool[index].status:
            load.acked[index] += 1
        elif head.status == 503:
            load.refused[503] += 1
        else:
            raise BadAnswer(f"{load.pool[index].data!r} answered {head.text!r}")

    def _end_behind_close(self, rest):
        if rest:
            raise BadAnswer(f"bytes behind Connection: close: {rest[:100]!r}")
        self.load.refused["close"] += len(self.waiting)
        self.waiting.clear()
        self._drop()

    def _end(self, how):
        if self._in:
            self.load.violations.append(f"{how} in the middle of an answer: {self._in[:100]!r}")
        if self.waiting:
            self.load.breaks += 1
        self.abandon()

    def abandon(self):
        """What has no answer now is indeterminate."""
        for index in self.waiting:
            self.load.indeterminate[index] += 1
        self.waiting.clear()
        self._drop()

    def _drop(self):
        if self.sock is not None:
            self.load._selector.unregister(self.sock)
            self.sock.close()
        self.sock, self._in, self._out = None, b"", b""
        self._retry_at = time.monotonic() + 0.02

"""A strict HTTP/1.1 client over one raw socket: it refuses any answer that RFC 9112 does not allow.

parse_head() is shared with the load generator, so that every answer under load is held to the same rules.
"""

import email.utils
import json
import re
import socket
import struct

from . import wait
from .ports import HOST

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\x20-\x7e]*)")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?")
_DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT")
_SINGLE = {"content-length", "content-type", "date", "connection", "x-hit-status", "access-control-allow-origin"}


class BadAnswer(AssertionError):
    """The server sent something that is not an HTTP answer."""


class Head:
    def __init__(self, status, reason, fields, text):
        self.status = status
        self.reason = reason
        self.fields = fields
        self.text = text

    def __getitem__(self, name):
        return self.fields.get(name.lower())

    @property
    def close(self):
        return "close" in (self["connection"] or "").lower()

    @property
    def streams(self):
        """It goes on until the connection ends: harness/event_stream.py reads it."""
        return self["content-type"] == "text/event-stream"

    def body_bytes(self, method):
        """How many bytes follow the head in answer to `method`."""
        _need(method == "HEAD" or not self.streams, "a stream has no end to be waited for")
        if method == "HEAD" or self.status in (204, 304) or self.status < 200:
            return 0
        return int(self["content-length"])


def parse_head(text):
    """Checks a whole head (without its empty line) strictly."""
    lines = text.split(b"\r\n")
    match = _STATUS_LINE.fullmatch(lines[0])
    _need(match, f"status line {lines[0]!r}")
    fields = {}
    for line in lines[1:]:
        field = _FIELD.fullmatch(line)
        _need(field, f"header line {line!r}")
        name = field[1].decode().lower()
        _need(not (name in fields and name in _SINGLE), f"{name} twice in {text!r}")
        fields[name] = (field[2] or b"").decode()
    head = Head(int(match[1]), match[2].decode(), fields, text)
    _check_framing(head)
    return head


def _check_framing(head):
    if head["transfer-encoding"] is not None:  # an answer of unknown length, which is none of the short ones
        _need(head["transfer-encoding"] == "chunked" and head["content-length"] is None and head.status == 200, f"framing of {head.text!r}")
    elif head.status == 204 or head.status < 200:
        _need(head["content-length"] is None, f"Content-Length in a {head.status} (RFC 9110 section 8.6)")
    elif head.streams:
        _need(head["content-length"] is None and head.close, f"a stream ends with its connection: {head.text!r}")
    elif head.status != 304:
        _need((head["content-length"] or "").isdigit(), f"no Content-Length in {head.text!r}")
    if head.status >= 200:
        date = head["date"] or ""
        _need(_DATE.fullmatch(date) and email.utils.parsedate_to_datetime(date), f"Date {date!r} in {head.text!r}")


def _need(condition, what):
    if not condition:
        raise BadAnswer(what)


class Answer:
    def __init__(self, head, body):
        self.head = head
        self.status = head.status
        self.body = body

    def __getitem__(self, name):
        return self.head[name]

    def json(self):
        _need((self["content-type"] or "").startswith("application/json"), f"content type {self['content-type']}")
        return json.loads(self.body)


class HttpConnection:
    def __init__(self, port, timeout=10.0, receive_buffer=None, source=None):
        self.sock = socket.socket()
        if source:
            self.sock.bind((source, 0))
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout * wait.PATIENCE)
        self.sock.connect((HOST, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._data = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """End it with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def finish(self):
        """FIN: nothing more will be sent, answers are still read."""
        self.sock.shutdown(socket.SHUT_WR)

    def answer(self, method="GET"):
        """The next whole answer; interim (1xx) answers count as answers."""
        while b"\r\n\r\n" not in self._data:
            self._more("a head")
        text, _, self._data = self._data.partition(b"\r\n\r\n")
        head = parse_head(text)
        if head["transfer-encoding"] and method != "HEAD":
            return Answer(head, b"".join(self._chunks()))
        wanted = head.body_bytes(method)
        while len(self._data) < wanted:
            self._more("a body")
        body, self._data = self._data[:wanted], self._data[wanted:]
        return Answer(head, body)

    def _take(self, count):
        while len(self._data) < count:
            self._more("a chunk")
        data, self._data = self._data[:count], self._data[count:]
        return data

    def _chunks(self):
        """RFC 9112 section 7.1, without extensions and trailers."""
        while True:
            while b"\r\n" not in self._data:
                self._more("a chunk's size")
            size, _, self._data = self._data.partition(b"\r\n")
            _need(re.fullmatch(rb"[1-9a-f][0-9a-f]*|0", size), f"chunk size {size!r}")
            data = self._take(int(size, 16) + 2)
            _need(data.endswith(b"\r\n"), "a chunk ends in CRLF")
            if size == b"0":
                return
            yield data[:-2]

    def _more(self, what):
        data = self.sock.recv(1 << 16)
        if not data:
            raise ConnectionError(f"closed in the middle of {what}: {self._data[-200:]!r}")
        self._data += data

    def request(self, method, target, fields=(), body=None):
        self.send(request_bytes(method, target, fields, body))
        return self.answer(method)

    def rest(self):
        """What comes until the server closes; a reset ends it like FIN."""
        try:
            while data := self.sock.recv(1 << 16):
                self._data += data
        except ConnectionResetError:
            pass
        rest, self._data = self._data, b""
        return rest

    def expect_closed(self):
        rest = self.rest()
        assert rest == b"", f"bytes after the last answer: {rest[:200]!r}"


def request_bytes(method, target, fields=(), body=None, version="1.1"):
    lines = [f"{method} {target} HTTP/{version}", "Host: localhost", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


def fetch(port, target, method="GET", fields=(), body=None, timeout=10.0):
    """One request over its own connection."""
    with HttpConnection(port, timeout) as connection:
        return connection.request(method, target, fields, body)

"""A second reader of HTTP/1.1 requests, made another way than the server's: from grammars of whole lines.

A line that is complete must match its grammar. One that is not may go on only if some ending makes it match. What the
fields of a head say together is decided once all of them are there, in the order that src/http/parser.h documents.
"""

import ipaddress
import re
from collections import namedtuple

LINE_MAX, HEAD_MAX, FIELDS_MAX, BODY_MAX, OVERHEAD_MAX, EMPTY_LINES_MAX = 8192, 16384, 100, 65536, 4096, 4

Request = namedtuple("Request", "method path query keep_alive body")
Refusal = namedtuple("Refusal", "status")

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PATH = rb"[!$-;=@-\[\]-~]"  # no controls, blanks, " # < > ? and backslash
_QUERY = rb"[!$-;=?-~]"
_TEXT = rb"[\t -~\x80-\xff]"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") (" + _PATH + rb"+|" + _PATH + rb"*\?" + _QUERY +
                           rb"*) HTTP/(\d)\.(\d)\r\n")
_FIELD = re.compile(rb"(?:(" + _TOKEN + rb"):(" + _TEXT + rb"*))?\r\n")
_QUOTED = rb'"(?:\\' + _TEXT + rb'|[\t !#-\[\]-~\x80-\xff])*"'
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})((?:[ \t]*;[ \t]*" + _TOKEN + rb"(?:[ \t]*=[ \t]*(?:" + _TOKEN + rb"|" +
                   _QUOTED + rb"))?)*)\r\n")
_DATA_END = re.compile(rb"\r\n")
_ENDINGS = {
    _REQUEST_LINE: [b"M /x HTTP/1.1\r\n"[i:] for i in range(15)],
    _FIELD: [b"\n", b"\r\n", b":\r\n", b"x:\r\n"],
    _SIZE: [b"\n", b"\r\n", b"0\r\n", b";x\r\n", b"x\r\n", b'"\r\n', b'x"\r\n'],
    _DATA_END: [b"\n", b"\r\n"],
}
_REG_NAME = re.compile(rb"(?:[0-9A-Za-z\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_ABSOLUTE = re.compile(rb"https?://([^/?]*)(/[^?]*)?", re.I)


class _More(Exception):
    """The bytes end before the request does."""


class _Bad(Exception):
    def __init__(self, status):
        super().__init__(status)
        self.status = status


def read(data):
    """What a connection that carries just these bytes holds: Requests, at most one Refusal behind them."""
    events, at = [], 0
    while at < len(data):
        try:
            request, at = _request(data, at)
        except _More:
            break
        except _Bad as bad:
            events.append(Refusal(bad.status))
            break
        events.append(request)
        if not request.keep_alive:
            break
    return events


def _line(grammar, data, at, end):
    """The match of the line at `at` and where the next begins; data[end:] cannot be seen."""
    feed = data.find(b"\n", at, end)
    line = data[at:feed + 1] if feed >= 0 else data[at:end]
    match = grammar.fullmatch(line)
    if match:
        return match, feed + 1
    if feed >= 0 or not any(grammar.fullmatch(line + ending) for ending in _ENDINGS[grammar]):
        raise _Bad(400)
    raise _More


def _request(data, start):
    end = min(len(data), start + HEAD_MAX)
    at = _skip_empty_lines(data, start, end)
    line_end = min(end, at + LINE_MAX)
    try:
        match, next_at = _line(_REQUEST_LINE, data, at, line_end)
    except _More:
        if line_end - at >= LINE_MAX:
            raise _Bad(414) from None
        if end - start >= HEAD_MAX:
            raise _Bad(431) from None
        raise
    method, minor, path, query = _request_line(match)
    try:
        fields, at = _fields(data, next_at, end)
    except _More:
        if end - start >= HEAD_MAX:
            raise _Bad(431) from None
        raise
    keep_alive, chunked, length = fields.finish(minor)
    body, at = _chunked(data, at) if chunked else _plain(data, at, length)
    return Request(method, path, query, keep_alive and method != b"CONNECT", body), at


def _skip_empty_lines(data, start, end):
    at = start
    while data[at:at + 1] == b"\r" and at < end:
        if at + 1 == end:
            raise _More
        if data[at + 1:at + 2] != b"\n":
            raise _Bad(400)
        at += 2
        if at - start > 2 * EMPTY_LINES_MAX:
            raise _Bad(400)
    if at == end:
        raise _More
    return at


def _request_line(match):
    method, target, major, minor = match[1], match[2], int(match[3]), int(match[4])
    if major != 1:
        raise _Bad(505 if major > 1 else 400)
    path, mark, query = target.partition(b"?")
    query = query if mark else None
    if method == b"CONNECT":
        if query is not None or not re.search(rb":[0-9]+$", path) or not _is_host(path):
            raise _Bad(400)
        path = b""
    elif path == b"*":
        if method != b"OPTIONS" or query is not None:
            raise _Bad(400)
    elif not path.startswith(b"/"):
        absolute = _ABSOLUTE.fullmatch(path)
        if not absolute or not _is_host(absolute[1]):
            raise _Bad(400)
        path = absolute[2] or b"/"
    return method, min(minor, 1), path, query


def _is_host(text):
    if text.startswith(b"["):
        address, bracket, port = text[1:].partition(b"]")
        try:
            ipaddress.IPv6Address(address.decode("ascii"))
        except (ValueError, UnicodeDecodeError):
            return False
        if not bracket or b"%" in address:
            return False
    else:
        name = _REG_NAME.match(text)
        if not name:
            return False
        port = text[name.end():]
    return port == b"" or (re.fullmatch(rb":[0-9]*", port) is not None and int(port[1:] or b"0") <= 65535)


def _elements(value):
    return [element.strip(b" \t").lower() for element in value.split(b",") if element.strip(b" \t")]


class _Fields:
    """What the lines of a head have said so far."""

    def __init__(self):
        self.host = None
        self.length = None
        self.codings = None
        self.options = []

    def take(self, name, value):
        value = value.strip(b" \t")
        if name == b"host":
            if self.host is not None or (value and not _is_host(value)):
                raise _Bad(400)
            self.host = value
        elif name == b"content-length":
            if self.length is not None or not re.fullmatch(rb"[0-9]+", value):
                raise _Bad(400)
            self.length = int(value)
        elif name == b"transfer-encoding":
            self._codings(value)
        elif name == b"connection":
            self.options += _elements(value)
        elif name == b"expect" and any(element != b"100-continue" for element in _elements(value)):
            raise _Bad(417)

    def _codings(self, value):
        self.codings = self.codings or []
        for coding in _elements(value):
            if b"chunked" in self.codings:
                raise _Bad(400)
            self.codings.append(coding)

    def finish(self, minor):
        """(keep alive, chunked, length)"""
        keep_alive = (minor == 1 or b"keep-alive" in self.options) and b"close" not in self.options
        if minor == 1 and self.host is None:
            raise _Bad(400)
        if self.codings is not None:
            if self.length is not None or minor == 0 or self.codings[-1:] != [b"chunked"]:
                raise _Bad(400)
            if len(self.codings) > 1:
                raise _Bad(501)
            return keep_alive, True, 0
        if (self.length or 0) > BODY_MAX:
            raise _Bad(413)
        return keep_alive, False, self.length or 0


def _fields(data, at, end):
    fields, count = _Fields(), 0
    while True:
        if count == FIELDS_MAX and at < end and data[at:at + 1] != b"\r":
            raise _Bad(431)
        match, at = _line(_FIELD, data, at, end)
        if match[1] is None:
            return fields, at
        count += 1
        fields.take(match[1].lower(), match[2])


def _plain(data, at, length):
    if len(data) - at < length:
        raise _More
    return data[at:at + length], at + length


def _chunked(data, at):
    body, overhead = b"", 0
    while True:
        size, at, overhead = _size(data, at, overhead)
        if size == 0:
            return body, _trailers(data, at, overhead)
        if size > BODY_MAX - len(body):
            raise _Bad(413)
        body += data[at:at + size]
        at = min(at + size, len(data))
        _, at = _line(_DATA_END, data, at, min(at + 2, len(data)))


def _size(data, at, overhead):
    """(size, where the data begin, bytes of extensions so far)"""
    try:
        match, next_at = _line(_SIZE, data, at, len(data))
    except _More:
        extension = re.match(rb"[0-9A-Fa-f]*([^\r]*)", data[at:], re.S)[1]
        _bound(overhead + len(extension))
        raise
    overhead += len(match[2])
    _bound(overhead)
    return int(match[1], 16), next_at, overhead


def _trailers(data, at, overhead):
    while True:
        try:
            match, next_at = _line(_FIELD, data, at, len(data))
        except _More:
            _bound(overhead + len(data) - at - (data[at:] == b"\r"))
            raise
        if match[1] is None:
            return next_at
        overhead += next_at - at - 1
        _bound(overhead)
        at = next_at


def _bound(overhead):
    if overhead > OVERHEAD_MAX:
        raise _Bad(400)

"""A small RESP2 client: blocking, pipelining, errors as values inside replies and as exceptions at the top."""

import socket


class RespError(Exception):
    """An error reply of the server."""


class RespClient:
    def __init__(self, host, port, password=None, timeout=10.0):
        self._sock = socket.create_connection((host, port), timeout)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._sock.makefile("rb")
        if password:
            self.command("AUTH", password)

    def wait_at_most(self, seconds):
        self._sock.settimeout(seconds)

    def close(self):
        self._file.close()
        self._sock.close()

    def command(self, *words):
        """The reply to one command; raises RespError on an error reply."""
        reply = self.pipeline([words])[0]
        if isinstance(reply, RespError):
            raise reply
        return reply

    def pipeline(self, commands):
        """The replies to many commands, sent in one go; error replies are returned as RespError values."""
        self._sock.sendall(b"".join(encode(words) for words in commands))
        return [self._reply() for _ in commands]

    def _reply(self):
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return RespError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._bulk(int(rest))
        if kind == b"*":
            return None if int(rest) < 0 else [self._reply() for _ in range(int(rest))]
        raise ConnectionError(f"not a RESP reply: {line!r}")

    def _bulk(self, length):
        if length < 0:
            return None
        data = self._file.read(length + 2)
        if len(data) != length + 2:
            raise ConnectionError("the server closed the connection in the middle of a reply")
        return data[:-2]


def encode(words):
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)

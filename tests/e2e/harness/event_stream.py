"""A stream of events, read as the HTML standard has it read (section 9.2, server-sent events)."""

import json

from .http_client import Answer, HttpConnection, parse_head, request_bytes


class EventStream:
    """The head is read; `events` yields ("count", {"value": …, "rate": …}), comments and retry times are kept aside."""

    def __init__(self, port, target, fields=(), timeout=10.0, receive_buffer=None, source=None):
        self.connection = HttpConnection(port, timeout, receive_buffer, source)
        self.connection.send(request_bytes("GET", target, fields))
        self._data = b""
        text = self._until(b"\r\n\r\n")
        self.head = parse_head(text.removesuffix(b"\r\n\r\n"))
        self.retry_ms, self.comments, self.last_id = [], 0, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()

    def answer(self):
        """As an answer with the bytes that came first."""
        return Answer(self.head, self._until(b"\n\n") if self.head.streams else b"")

    def _until(self, end):
        while end not in self._data:
            data = self.connection.sock.recv(1 << 16)
            if not data:
                raise EOFError(f"the stream ended: {self._data!r}")
            self._data += data
        text, _, self._data = self._data.partition(end)
        return text + end

    def event(self):
        """The next one; EOFError when the stream ends before."""
        while True:
            kind, data = "message", []
            for line in self._until(b"\n\n").decode().splitlines():
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if not name and line:
                    self.comments += 1
                elif name == "retry":
                    self.retry_ms.append(int(value))
                elif name == "id":
                    self.last_id = value
                elif name == "event":
                    kind = value
                elif name == "data":
                    data.append(value)
            if data:
                return kind, json.loads("\n".join(data))

    def until_value(self, value):
        """All values up to this one."""
        values = []
        while not values or values[-1] != value:
            kind, data = self.event()
            assert kind == "count" and data.keys() == {"value", "rate"}, (kind, data)
            values.append(data["value"])
        return values

    def end(self):
        """Events until the server ends it."""
        events = []
        try:
            while True:
                events.append(self.event())
        except EOFError:
            return events

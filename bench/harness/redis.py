"""A redis-server of our own, and the few commands that the books need (RESP 2, no package)."""

import os
import shutil
import socket

from .processes import Server, free_port

SERVER = os.environ.get("REDIS_SERVER") or ("redis-server" if shutil.which("redis-server") or not shutil.which("valkey-server") else "valkey-server")

# One step of a scan, summed where the data is: (next cursor, sum of the counters, how many).
SUM_STEP = """
local page = redis.call('SCAN', ARGV[1], 'COUNT', 5000, 'TYPE', 'string')
local sum, n = 0, 0
for _, key in ipairs(page[2]) do
    if not string.find(key, '!', 1, true) then sum = sum + tonumber(redis.call('GET', key)); n = n + 1 end
end
return {page[1], tostring(sum), n}"""


class Redis:
    def __init__(self, folder, cpu):
        self.port = free_port()
        self.server = Server("redis-server", [
            SERVER, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
            "--dir", folder.path, "--maxclients", "10000", "--tcp-backlog", "4096"], self.port, cpu,
            folder.file("redis.log"))
        self.connect()

    def connect(self):
        self._socket = socket.create_connection(("127.0.0.1", self.port), 30)
        self._file = self._socket.makefile("rb")

    def call(self, *words):
        words = [str(word).encode() for word in words]
        self._socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self._reply()

    def _reply(self):
        line = self._file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        return rest

    def counted(self):
        """(sum of all counters, how many counters there are)."""
        cursor, total, keys = "0", 0, 0
        while True:
            cursor, part, n = self.call("EVAL", SUM_STEP, 0, cursor if isinstance(cursor, str) else cursor.decode())
            total, keys = total + int(float(part)), keys + n
            if cursor == b"0":
                return total, keys

    def stop(self):
        self._socket.close()
        self.server.stop()

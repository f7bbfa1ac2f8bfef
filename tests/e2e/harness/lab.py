"""One test's laboratory: it makes servers, loads and proxies, and takes all of them down again, whatever happened."""

import contextlib
import itertools
import os

from . import http_load, secrets
from .proxy import Proxy
from .redis_server import RedisServer
from .tallyd import BINARY, Tallyd


class Lab:
    def __init__(self, folder, seed, program=BINARY):
        self.folder = str(folder)
        self.seed = seed
        self._program = program
        self.tallyds = []
        self._things = []
        self._numbers = itertools.count()  # next() is one step: lanes of a test make servers side by side

    def keep(self, thing):
        """Closed with the laboratory."""
        self._things.append(thing)
        return thing

    def new_name(self, kind):
        """That nothing else here has."""
        return f"{kind}-{next(self._numbers)}"

    def write(self, name, text):
        """A file in its folder; its path."""
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return path

    def redis(self, start=True, **options):
        """A redis-server; with a password unless the test says otherwise, so that every test searches for leaks."""
        options.setdefault("password", secrets.PASSWORD)
        server = self.keep(RedisServer(os.path.join(self.folder, self.new_name("redis")), **options))
        return server.start() if start else server

    def tallyd(self, redis=None, start=True, via=None, **options):
        """A tallyd on that redis (by way of a proxy when given); embedded without one."""
        name = self.new_name("tallyd")
        url = (via or redis).url if redis else None
        password = redis.password if redis else None
        server = self.keep(Tallyd(self.folder, url, name, password=password, program=self._program, **options))
        self.tallyds.append(server)
        return server.start() if start else server

    def proxy(self, server):
        return self.keep(Proxy(server.port))

    def load(self, server, pool=None, seed=None, **options):
        seed = self.seed if seed is None else seed
        return self.keep(http_load.Load(server.port, pool or http_load.make_pool(seed), seed, **options))

    def close(self):
        """Everything down, the youngest first; then what no test tolerates."""
        for server in self.tallyds:
            server.show_all()
        with contextlib.ExitStack() as stack:
            while self._things:
                stack.callback(self._things.pop(0).close)
        complaints = [complaint for server in self.tallyds if (complaint := server.complaint())]
        complaints += [f"a secret shows in {path}" for path in secrets.leaks(self.folder)]
        assert not complaints, "; ".join(complaints)

    def tails(self):
        """The last words of the youngest tallyds, for the report of a failure."""
        return "\n".join(f"--- {server.name}, code {server.code}\n{server.log()[-3000:]}" for server in self.tallyds[-6:])

"""Faults between tallyd and one Redis with appendfsync always, behind the byte-exact proxy, plain or over TLS."""

import contextlib
import socket
import time

from harness import secrets, wait
from harness.certificates import Authority
from harness.ports import HOST
from harness.proxy import ENDINGS, FIN, REPLY, REQUEST, RST
from harness.resp import RespClient, RespError, encode
from harness.tls_redis import At, TlsRedis

from . import scene

_GARBAGE = (b"!\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"$999999999999\r\n", b"*-7\r\n", b"$5\r\nab", b"\x00" * 64)
# A log of Redis that is slow to load, so that LOADING shows; kept small otherwise.
_SETTINGS = ("key-load-delay 3000", "loading-process-events-interval-bytes 1024", "busy-reply-threshold 20",
             "auto-aof-rewrite-min-size 1mb")


class Standalone(scene.Scene):
    FAULTS = {"cut": 8, "hold": 2, "release": 2, "end_links": 2, "deliver": 4, "delay": 2, "refuse": 1, "accept": 1,
              "garbage": 2, "redis_kill": 3, "redis_freeze": 2, "redis_thaw": 1, "redis_loading": 1, "client_kill": 2,
              "client_pause": 1, "oom": 1, "readonly": 1, "masterdown": 1, "noreplicas": 1, "noperm": 1, "busy": 1,
              "wrongpass": 1, "config_maxclients": 1, "config_timeout": 1, "undo": 3, "tallyd_freeze": 1,
              "tallyd_sigterm": 1}
    if scene.keeps_state():
        FAULTS["tallyd_kill"] = 3

    def __init__(self, lab, draw, tls_share=0.25):
        self.tls = draw.random() < tls_share
        options = scene.options(lab)
        log = {"appendonly": True, "appendfsync": "always", "settings": _SETTINGS}
        if self.tls:
            authority = Authority(lab.folder, "authority")
            store = TlsRedis(lab, authority, **log)
            self.redis, options["redis_ca"] = store.plain, authority.cert
            self.FAULTS = {**self.FAULTS, "corrupt": 6}
        else:
            store = self.redis = lab.redis(**log)
        self.proxy = lab.proxy(store)
        self._frozen = False
        self._undo = []
        self._connect()
        url = f"{'rediss' if self.tls else 'redis'}://{HOST}:{self.proxy.port}"
        super().__init__(lab, draw, lab.tallyd(At(store, url), **options))
        if self.tls:
            self.played.append("over TLS")

    @property
    def store(self):
        return self.redis

    # ---- our own way to Redis: one connection that stays, because some faults let no other in ----
    def _connect(self):
        self._control = RespClient(HOST, self.redis.port, self.redis.password)

    def _tell(self, *words):
        self.redis_thaw()
        try:
            return self._control.command(*words)
        except OSError:  # config_timeout ends idle connections, ours too
            self._connect()
            return self._control.command(*words)

    def _window(self, begin, end):
        for words in begin:
            self._tell(*words)
        self._undo.append(end)

    def _config(self, name, value, usual):
        self._window([("CONFIG", "SET", name, value)], [("CONFIG", "SET", name, usual)])

    def undo(self):
        """The oldest window is over."""
        if self._undo:
            for words in self._undo.pop(0):
                self._tell(*words)

    def _undo_all(self):
        while self._undo:
            self.undo()

    # ---- on the wire ----
    _armed = None

    def _arm(self, what, *where):
        """A fault that waits for bytes; the one before it, if it still waits, is forgotten."""
        self._count_struck()
        getattr(self.proxy, what)(*where)
        self._armed = what
        return where

    def _count_struck(self):
        if self._armed and self.proxy.triggered.is_set():
            self.injected[f"{self._armed}_struck"] += 1
        self._armed = None

    def cut(self):
        return self._arm("cut", self.draw.choice((REQUEST, REPLY)), self.draw.randrange(600), self.draw.choice(ENDINGS),
                         self.draw.random() < 0.5)

    def corrupt(self):
        """TLS only: a flipped bit that TCP does not notice can make another number, and no one could tell."""
        return self._arm("corrupt", self.draw.choice((REQUEST, REPLY)), self.draw.randrange(600))

    def garbage(self):
        return self._arm("replace", self.draw.choice(_GARBAGE))

    def hold(self):
        way = self.draw.choice((REQUEST, REPLY))
        self.proxy.hold(way)
        return way

    def release(self):
        self.proxy.release()

    def end_links(self):
        drawn = self.draw.choice((RST, FIN)), self.draw.random() < 0.5
        self.proxy.end_links(*drawn)
        return drawn

    def deliver(self):
        return f"{self.proxy.deliver()} bytes"

    def delay(self):
        seconds = self.draw.choice((0.005, 0.05, 0))
        self.proxy.delay(seconds)
        return f"{seconds} s"

    def refuse(self):
        self.proxy.refuse()

    def accept(self):
        self.proxy.accept()

    # ---- Redis ----
    def redis_kill(self):
        """kill -9, and a start on what its log holds; settings are as at first."""
        self.redis_thaw()
        self._undo.clear()
        self.redis.restart()
        self._connect()

    def redis_loading(self):
        """Its log becomes one file of keys, which takes a second to load; some open faults would refuse that."""
        self._undo_all()
        self._tell("BGREWRITEAOF")
        wait.until(lambda: b"aof_rewrite_in_progress:0" in self._tell("INFO", "persistence"), "the log is rewritten")
        self.redis_kill()

    def redis_freeze(self):
        self.redis.pause()
        self._frozen = True

    def redis_thaw(self):
        if self._frozen:
            self.redis.resume()
            self._frozen = False

    def client_kill(self):
        return self._tell("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def client_pause(self):
        self._window([("CLIENT", "PAUSE", 400, "WRITE")], [("CLIENT", "UNPAUSE")])

    def oom(self):
        self._config("maxmemory", 1, 0)

    def noreplicas(self):
        self._config("min-replicas-to-write", 1, 0)

    def readonly(self):
        self._window([("REPLICAOF", HOST, 1)], [("REPLICAOF", "NO", "ONE")])

    def masterdown(self):
        self._config("replica-serve-stale-data", "no", "yes")
        self.readonly()

    def noperm(self):
        """MULTI is refused, INCRBY is not: nothing may be counted outside a transaction."""
        self._window([("ACL", "SETUSER", "default", "-multi")], [("ACL", "SETUSER", "default", "+multi")])

    # Alone: with two of these three open, we could not come in ourselves.
    def wrongpass(self):
        self._undo_all()
        self._config("requirepass", secrets.ROTATED, self.redis.password)
        self.client_kill()

    def config_maxclients(self):
        self._undo_all()
        self._config("maxclients", 1, 10000)
        self.client_kill()

    def config_timeout(self):
        self._undo_all()
        self._config("timeout", 1, 0)

    def busy(self):
        """A script that does not end, so that everyone else is told BUSY; killed soon."""
        self.redis_thaw()
        seconds = self.draw.uniform(0.1, 0.4)
        with socket.create_connection((HOST, self.redis.port), 5) as script:
            script.sendall(encode(("AUTH", self.redis.password)) + encode(("EVAL", "while true do end", 0)))
            time.sleep(seconds)
            script.settimeout(0.01)
            answers = bytearray()
            wait.until(lambda: self._script_ended(script, answers), "the script is killed, or was refused")
        return f"{seconds:.2f} s"

    def _script_ended(self, script, answers):
        """Both answers are there, or it was turned away; a script that has not begun yet cannot be killed yet."""
        with contextlib.suppress(RespError):
            self._tell("SCRIPT", "KILL")
        try:
            more = script.recv(4096)
        except TimeoutError:
            return False
        except OSError:
            return True
        answers += more
        return not more or answers.count(b"\r\n") == 2

    def heal(self):
        self.redis_thaw()
        self._undo_all()
        self._count_struck()
        self.proxy.delay(0)
        self.proxy.accept()
        self.proxy.release()
        self.proxy.deliver()
        self.proxy.disarm()

    def late(self):
        """What was held back on dead links comes after all is stored."""
        return self.proxy.deliver()

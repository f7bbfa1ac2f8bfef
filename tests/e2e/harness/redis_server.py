"""A real redis-server in a folder of its own: start, stop, kill -9, pause, and start again with its data."""

import contextlib
import glob
import os
import shutil
import signal
import subprocess

from . import wait
from .ports import HOST, Port
from .process import Process
from .resp import RespClient, RespError

BINARY = os.environ.get("REDIS_SERVER") or ("redis-server" if shutil.which("redis-server") else "valkey-server")
CHECK_AOF = BINARY.replace("-server", "-check-aof")


class RedisServer:
    def __init__(self, folder, appendonly=False, appendfsync="always", password=None, settings=(), port=None):
        self.folder = str(folder)
        self.password = password
        self._port = port or Port()
        self.port = self._port.number
        self._process = None
        os.makedirs(self.folder, exist_ok=True)
        self._write_config(appendonly, appendfsync, settings)

    def _write_config(self, appendonly, appendfsync, settings):
        lines = [f"bind {HOST}", f"port {self.port}", "dir .", "daemonize no", 'save ""',
                 f"appendonly {'yes' if appendonly else 'no'}", f"appendfsync {appendfsync}", *settings]
        if self.password:
            lines.append(f"requirepass {self.password}")
        self._config = os.path.join(self.folder, "redis.conf")
        with open(self._config, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def start(self):
        """Start it, or start it again on the data it left; returns when it answers."""
        self._mend_log()
        self._process = Process([BINARY, self._config], self.folder, "redis")
        wait.until(self._answers, f"redis-server on port {self.port} answers", 20)
        return self

    def _mend_log(self):
        """kill -9 can tear the last transaction of the append-only file. Redis 7.0 then drops the torn command but not its
        MULTI (Valkey: pull request 4342), so that the start after the next applies half of it. The tool cuts before MULTI."""
        for path in glob.glob(os.path.join(self.folder, "appendonlydir", "*.incr.aof")):
            subprocess.run([CHECK_AOF, "--fix", path], input=b"y\n", capture_output=True, check=True, timeout=60)

    def _answers(self):
        assert self._process.code is None, f"redis-server ended: {self._process.out()[-2000:]}"
        try:
            return self.command("PING") == b"PONG"
        except (OSError, RespError):
            return False

    @property
    def url(self):
        return f"redis://{HOST}:{self.port}"

    @property
    def running(self):
        return self._process is not None and self._process.code is None

    def kill(self):
        """kill -9"""
        if self._process:
            self._process.kill()

    def restart(self):
        self.kill()
        self.start()

    def log_bytes(self):
        return os.path.getsize(self._log())

    def lose(self, count):
        """While it is down: the append-only file loses its last bytes, as in a power cut with appendfsync everysec."""
        os.truncate(self._log(), self.log_bytes() - count)

    def _log(self):
        path, = glob.glob(os.path.join(self.folder, "appendonlydir", "*.incr.aof"))
        return path

    def pause(self):
        self._process.signal(signal.SIGSTOP)

    def resume(self):
        self._process.signal(signal.SIGCONT)

    def close(self):
        self.kill()
        self._port.release()

    @contextlib.contextmanager
    def client(self):
        client = RespClient(HOST, self.port, self.password)
        try:
            yield client
        finally:
            client.close()

    def command(self, *words):
        with self.client() as client:
            return client.command(*words)

    def read_all(self, prefix=b""):
        """{key without prefix: value} of every key below the prefix; integers as int, other types as their name."""
        with self.client() as client:
            keys = [key for key in client.command("KEYS", "*") if key.startswith(prefix)]
            values = client.pipeline([("GET", key) for key in keys]) if keys else []
        return {key[len(prefix):]: _value(value) for key, value in zip(keys, values)}

    def stat(self, section, name):
        """One integer of INFO, such as stat("clients", "connected_clients"); 0 when it is not there."""
        for line in self.command("INFO", section).decode().splitlines():
            field, _, value = line.partition(":")
            if field == name:
                return int(value)
        return 0

    def calls(self, command):
        """How often a command was executed, from INFO commandstats."""
        for line in self.command("INFO", "commandstats").decode().splitlines():
            if line.startswith(f"cmdstat_{command.lower()}:calls="):
                return int(line.split("=")[1].split(",")[0])
        return 0


def _value(reply):
    if isinstance(reply, RespError):
        return str(reply)
    try:
        return int(reply)
    except (TypeError, ValueError):
        return reply

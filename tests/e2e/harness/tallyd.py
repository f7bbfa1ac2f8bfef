"""The program under test: $TALLYD with options, on ports of its own, with everything it says kept in files."""

import contextlib
import os
import re
import signal
import subprocess
import time

import pytest

from . import wait
from .http_client import fetch
from .metrics import Metrics
from .ports import HOST, Port
from .process import Process

BINARY = os.path.abspath(os.environ.get("TALLYD", "build/release/tallyd"))
ENGINES = [pytest.param("uring", marks=pytest.mark.uring), "epoll"]
READ_TRIES = 10
OPTIONS = {"io": "auto", "workers": 2, "flush-interval": "50ms"}  # io: as --io of pytest says
# Tests may run as root; sanitizers need calls, files and ptrace that the sandbox takes away.
_HERE = {"TALLYD_ALLOW_ROOT": "true"} if os.geteuid() == 0 else {}
_HERE |= {"TALLYD_SANDBOX": "off", "TALLYD_ALLOW_CORE": "true"} if wait.INSTRUMENTED else {}
_SANITIZER = re.compile(r"(ERROR: AddressSanitizer|ERROR: LeakSanitizer|WARNING: ThreadSanitizer|runtime error:).*")


class Tallyd:
    """options: without the dashes, underscores for hyphens: Tallyd(folder, max_keys=10). None leaves one out."""

    def __init__(self, folder, redis_url=None, name="tallyd", env=(), descriptors=None, wrapper=(), password=None,
                 program=BINARY, **options):
        self.folder = str(folder)
        self.name = name
        self._ports = Port(), Port()
        self.port, self.admin_port = (port.number for port in self._ports)
        self._env = {**os.environ, **_HERE, **dict(env)}
        self._descriptors = descriptors
        self._command = [*wrapper, program]
        self._process = None
        os.makedirs(self.folder, exist_ok=True)
        given = {"listen": f"{HOST}:{self.port}", "admin": f"{HOST}:{self.admin_port}", "redis": redis_url, **OPTIONS}
        given.update({key.replace("_", "-"): value for key, value in options.items()})
        if password:
            given["redis-password-file"] = self.write_password(password)
        self.options = {key: value for key, value in given.items() if value is not None}

    def write_password(self, password):
        """Into the file that it reads; its path."""
        path = os.path.join(self.folder, f"{self.name}.password")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(password + "\n")
        return path

    def argv(self):
        flags = [word for name, value in self.options.items() for word in (f"--{name}", str(value))]
        return [*self._command, *flags]

    def spawn(self):
        """Starts it without waiting for anything."""
        self._process = Process(self.argv(), self.folder, self.name, self._env, self._descriptors)
        return self

    def start(self):
        self.spawn()
        wait.until(self.ready, f"{self.name} is ready", 30)
        return self

    def ready(self):
        if self.code is not None and self._lacks_locked_memory():
            self.spawn()
        assert self.code is None, f"{self.name} ended with {self.code}: {self.log()[-3000:]}"
        try:
            return fetch(self.admin_port, "/readyz", timeout=2).status == 200
        except OSError:
            return False

    def _lacks_locked_memory(self):
        """Whether an ordinary user's other rings, those of tests beside this one, fill the limit: they end (Linux 6.14, io_uring_setup(2))."""
        return os.geteuid() != 0 and self.options["io"] == "uring" and "not enough locked memory" in self.log()

    # ---- what it is doing ----
    @property
    def pid(self):
        return self._process.pid

    @property
    def code(self):
        """The exit code so far; None while it runs, and before its first start."""
        return self._process.code if self._process else None

    def log(self):
        return self._process.err() if self._process else ""

    def log_lines(self, needle):
        return [line for line in self.log().splitlines() if needle in line]

    def metrics(self):
        return Metrics(self.admin("/metrics").decode())

    def admin(self, target):
        """The body of an admin page; kept, because no page may ever show a secret."""
        answer = fetch(self.admin_port, target)
        assert answer.status == 200, f"{target}: {answer.status} {answer.body!r}"
        with open(os.path.join(self.folder, f"{self.name}.admin"), "ab") as file:
            file.write(answer.body)
        return answer.body

    def show_all(self):
        """All that others can see of it while it runs, into files."""
        if self._process is None or self.code is not None:
            return
        self.resume()
        with open(f"/proc/{self.pid}/cmdline", "rb") as shown, open(os.path.join(self.folder, f"{self.name}.argv"), "wb") as file:
            file.write(shown.read())
        with contextlib.suppress(OSError, AssertionError):  # it may just be on its way down
            for page in ("/metrics", "/statusz", "/configz"):
                self.admin(page)

    def resident_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))

    def descriptors_open(self):
        try:
            return len(os.listdir(f"/proc/{self.pid}/fd"))
        except PermissionError:  # it is not dumpable, and we are not root; with the connection that asks
            return int(re.search(rb"^process_open_fds (\d+)$", self.admin("/metrics"), re.M)[1])

    # ---- hits, one at a time ----
    def fetch(self, target, method="GET", fields=(), body=None):
        return fetch(self.port, target, method, fields, body)

    def hit(self, ns, key, n=1):
        """Counts, or fails."""
        answer = self.fetch(f"/v1/hit/{ns}/{key}?n={n}")
        assert answer.status == 204, f"{answer.status} {answer.head.text!r} {answer.body!r}"

    def value(self, ns, key):
        """The value as clients read it; None when it is unknown."""
        answer = self.read(f"/v1/counters/{ns}/{key}")
        return answer.json()["value"] if answer.status == 200 else None

    def read(self, target, method="GET"):
        """Fetches what the store must be asked for. It has 400 ms for that, which a busy machine takes: then it is asked again."""
        for _ in range(READ_TRIES):
            answer = self.fetch(target, method)
            if answer.status != 503:
                break
        return answer

    def pause(self):
        self._process.signal(signal.SIGSTOP)

    def resume(self):
        self._process.signal(signal.SIGCONT)

    # ---- endings ----
    def terminate(self):
        self._process.signal(signal.SIGTERM)

    def join(self, seconds=30.0):
        return self._process.join(seconds)

    def stop(self, seconds=30.0):
        """SIGTERM; the exit code."""
        self.terminate()
        return self.join(seconds)

    def kill(self):
        if self._process:
            self._process.kill()

    def close(self):
        self.kill()
        for port in self._ports:
            port.release()

    def complaint(self):
        """What no test tolerates: a sanitizer's report or a crash. None when all is well."""
        if self._process is None:
            return None
        report = _SANITIZER.search(self.log())
        if report:
            return f"{self.name}: {report[0]}"
        if self.code is not None and self.code in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGILL):
            return f"{self.name} died of signal {-self.code}: {self.log()[-2000:]}"
        return None


def version():
    return subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]


def run(folder, arguments, env=(), descriptors=None, wrapper=(), seconds=10.0):
    """Runs the program to its end with just these arguments: (exit code, standard output, standard error)."""
    name = f"run-{time.monotonic_ns()}"
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TALLYD_")}
    process = Process([*wrapper, BINARY, *arguments], str(folder), name, {**clean, **_HERE, **dict(env)}, descriptors)
    try:
        return process.join(seconds), process.out(), process.err()
    finally:
        process.kill()

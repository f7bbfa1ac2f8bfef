"""Servers as child processes: pinned, awaited, their CPU time read to the nanosecond, ended."""

import contextlib
import glob
import os
import signal
import socket
import subprocess
import time

START_S = 20
STOP_S = 60


class Failed(Exception):
    """A server or the load did not do what the measurement needs; the text says which and why."""


_held = []


def free_port():
    """Ours until this process ends: its holder is bound and never listens, so nobody else is given the port."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    _held.append(holder)
    return holder.getsockname()[1]


def _parents():
    found = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            continue  # it has ended meanwhile
        found[int(path.split("/")[2])] = int(text.rpartition(")")[2].split()[1])
    return found


def tree(pid):
    """`pid` and everything below it."""
    parents, members = _parents(), {pid}
    while True:
        below = {child for child, parent in parents.items() if parent in members} - members
        if not below:
            return sorted(members)
        members |= below


def cpu_ns(pids):
    """CPU time of all threads. schedstat counts ns; the ticks of stat mislead about who often sleeps."""
    total = 0
    for pid in pids:
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as file:
                total += int(file.read().split()[0])
    return total


def pinned(cpu, command):
    """The command on one CPU; the kernel ends it should we be killed (prctl(2), PR_SET_PDEATHSIG)."""
    return ["setpriv", "--pdeathsig", "TERM", "taskset", "-c", str(cpu), *command]


def first_served(process):
    """CPU time is shared out among sessions first (sched(7), autogroups), so those of neighbours take little from one of nice −20.
    For root; `process` has a session of its own."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{process.pid}/autogroup", "w", encoding="ascii") as file:
            file.write("-20")
    return process


def put_ahead(threads):
    """Real-time tasks, when we are root: what else this machine does is not to be seen in their latencies. Not for who is
    busy for more than nine tenths of the time: the kernel then stops them for a moment each second (sched(7)). A cgroup may
    have no time for such tasks; then all stays as it is."""
    with contextlib.suppress(PermissionError):
        for thread in threads if os.geteuid() == 0 else ():
            os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(1))


class Server:
    """One server process (with children) that listens on `port`."""

    def __init__(self, name, command, port, cpu, log):
        self.name, self.port = name, port
        self._log = log
        with open(log, "ab") as out:
            self._process = first_served(subprocess.Popen(
                pinned(cpu, command), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True))
        try:
            self._await()
        except Failed:
            self.stop()
            raise
        self.pid = self._process.pid
        self._pids = tree(self.pid)

    def _tail(self):
        with open(self._log, encoding="utf-8", errors="replace") as file:
            return " / ".join(file.read().splitlines()[-3:])

    def _await(self):
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise Failed(f"{self.name} did not start: {self._tail()}")

    def settle(self):
        """Its children have been started by now: gunicorn's and nginx's workers come after the listener."""
        self._pids = tree(self._process.pid)

    def cpu_ns(self):
        return cpu_ns(self._pids)

    def rss_bytes(self):
        """Of a process that is not dumpable only root may read the exact figure; VmRSS may be some pages behind it (proc(5))."""
        try:
            return self._bytes_of("smaps_rollup", "Rss:")
        except PermissionError:
            return self._bytes_of("status", "VmRSS:")

    def _bytes_of(self, name, begins_with):
        with open(f"/proc/{self.pid}/{name}", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith(begins_with))

    def threads(self):
        """{name: thread}; of those with one name, one."""
        found = {}
        for path in glob.glob(f"/proc/{self.pid}/task/*/comm"):
            with open(path, encoding="utf-8") as file:
                found[file.read().strip()] = int(path.split("/")[4])
        return found

    def stop(self, expect_clean=False, kill=False):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            code = self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if expect_clean and code != 0:
            raise Failed(f"{self.name} ended with {code}: {self._tail()}")


class Folder:
    """Configuration and logs of one round."""

    def __init__(self, path):
        self.path = path
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o755)  # h2o, started by root, reads its pages as nobody

    def file(self, name, text=None):
        path = os.path.join(self.path, name)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

"""A child process of a test: output to files, dead when the test process is, reaped whatever happens."""

import contextlib
import ctypes
import glob
import os
import resource
import signal
import subprocess

from . import wait

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def family(pid):
    """`pid` and all that it has started."""
    found = [pid]
    for one in found:
        for path in glob.glob(f"/proc/{one}/task/*/children"):
            with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
                found.extend(map(int, file.read().split()))
    return found


class Process:
    """Start it from the test's main thread: the parent-death signal belongs to the thread that forked."""

    def __init__(self, argv, folder, name, env=None, descriptors=None):
        self.argv = [str(word) for word in argv]
        self.out_path = os.path.join(folder, f"{name}.out")
        self.err_path = os.path.join(folder, f"{name}.err")
        self._descriptors = descriptors
        with open(self.out_path, "ab") as out, open(self.err_path, "ab") as err:
            self._popen = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                           env=env, cwd=folder, preexec_fn=self._before_exec)
        self.pid = self._popen.pid

    def _before_exec(self):
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if self._descriptors is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self._descriptors, self._descriptors))

    @property
    def code(self):
        """The exit code so far: None while it runs, negative after a signal."""
        return self._popen.poll()

    def signal(self, number):
        if self.code is None:
            self._popen.send_signal(number)

    def join(self, seconds=10.0):
        """The exit code; an AssertionError when it does not end in time."""
        try:
            return self._popen.wait(seconds * wait.PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.argv[0]} (pid {self.pid}) did not end within {seconds} s") from None

    def kill(self):
        """Ends it with all that it has started: what strace traces would go on without it."""
        for pid in family(self.pid) if self.code is None else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGKILL)
        self._popen.wait()

    def out(self):
        return _read(self.out_path)

    def err(self):
        return _read(self.err_path)


def _read(path):
    with open(path, "r", encoding="utf-8", errors="surrogateescape") as file:
        return file.read()

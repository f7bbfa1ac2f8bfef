"""A memory cgroup for a program under test: what it may use at most, as a container's limit is."""

import os

import pytest

from . import wait

_V1, _V2 = "/sys/fs/cgroup/memory", "/sys/fs/cgroup"


class MemoryGroup:
    """Made under the group that the test runs in; skips the test, and says why, where none can be made."""

    def __init__(self, name, limit_bytes):
        v1 = os.path.exists(f"{_V1}/memory.limit_in_bytes")
        self._peak = "memory.max_usage_in_bytes" if v1 else "memory.peak"  # the latter from Linux 5.19 on
        self.path = os.path.join(_V1 if v1 else _V2 + _own_group(), f"{name}-{os.getpid()}")
        limit = "memory.limit_in_bytes" if v1 else "memory.max"
        try:
            os.mkdir(self.path)
            self._write(limit, limit_bytes)
            self._write("memory.swappiness" if v1 else "memory.swap.max", 0)
        except OSError as error:
            self._remove()
            pytest.skip(f"no memory cgroup can be made here ({error}): what a container's limit does is not shown")

    def _write(self, name, value):
        with open(os.path.join(self.path, name), "w", encoding="ascii") as file:
            file.write(str(value))

    @property
    def peak_bytes(self):
        """The most that its members used at once, the kernel's memory for their sockets among it."""
        with open(os.path.join(self.path, self._peak), encoding="ascii") as file:
            return int(file.read())

    @property
    def wrapper(self):
        """Put before a command, it makes the command a member."""
        return ("sh", "-c", f'echo $$ >"{self.path}/cgroup.procs" && exec "$@"', "sh")

    def close(self):
        wait.until(self._remove, "the group is empty and can be removed")

    def _remove(self):
        try:
            os.rmdir(self.path)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True


def _own_group():
    with open("/proc/self/cgroup", encoding="ascii") as file:
        return next((line.rstrip().split(":", 2)[2] for line in file if line.startswith("0::")), "").rstrip("/")

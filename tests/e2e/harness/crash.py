"""kill -9 of a tallyd before one store of its own choosing into the state file (crash_at.c)."""

import mmap
import struct


class Control:
    """Counts the stores of a process that runs, and says at which one it dies."""

    def __init__(self, path):
        with open(path, "wb+") as file:
            file.write(bytes(16))
            file.flush()
            self._map = mmap.mmap(file.fileno(), 16)
        self.path = path

    @property
    def stores(self):
        return struct.unpack_from("<q", self._map, 0)[0]

    def kill_before(self, store):
        struct.pack_into("<q", self._map, 8, store)

    def close(self):
        self._map.close()

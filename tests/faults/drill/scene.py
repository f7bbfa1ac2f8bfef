"""What the schedules have in common: a tallyd under load, faults that a seed draws, and a note of each."""

import collections
import functools
import os
import subprocess
import time

from harness import names
from harness.http_load import make_pool
from harness.tallyd import BINARY

ACKED_BEFORE_MIN = 200
RATE = 2000


@functools.cache
def keeps_state():
    """Whether this tallyd has a state directory, so that it may be killed."""
    return "\n  --state-dir" in subprocess.run([BINARY, "--help"], capture_output=True, text=True, check=True).stdout


def options(lab):
    """Few keys, so that tables and the state file are small."""
    if not keeps_state():
        return {"max_keys": 1000}
    folder = os.path.join(lab.folder, "state")
    os.mkdir(folder)
    return {"max_keys": 1000, "state_dir": folder}


class Scene:
    """FAULTS: {name of a method: weight}. A method may return what it drew, for the note."""

    FAULTS = {}
    prefix = names.PREFIX

    def __init__(self, lab, draw, server):
        self.lab = lab
        self.draw = draw
        self.server = server
        self.played = []
        self.injected = collections.Counter()
        self.restarts = 0
        self.load = lab.load(server, make_pool(lab.seed, keys=20), connections=8, rate=RATE)

    def fault(self):
        name = self.draw.choices(list(self.FAULTS), list(self.FAULTS.values()))[0]
        drawn = getattr(self, name)()
        self.injected[name] += 1
        self.played.append(name if drawn is None else f"{name} {drawn}")

    # ---- tallyd itself ----
    def tallyd_freeze(self):
        seconds = self.draw.uniform(0.05, 0.4)
        self.server.pause()
        time.sleep(seconds)
        self.server.resume()
        return f"{seconds:.2f} s"

    def tallyd_kill(self):
        """kill -9, and on again from the state file."""
        self.server.kill()
        self._start_again()

    def tallyd_sigterm(self):
        """All is well around it, so that it must end with nothing left behind."""
        self.heal()
        code = self.server.stop()
        assert code == 0, f"SIGTERM ended it with {code}"
        self._start_again()

    def _start_again(self):
        self.restarts += 1
        self.server.start()

    def may_lose(self):
        """Has something been forgotten that nothing brings back? Else no hit is lost, with a word or without."""
        return False

    def check_clients(self):
        """Nobody was refused or cut off, unless tallyd went away on purpose."""
        if not self.restarts:
            assert not self.load.refused and not self.load.breaks, f"{self.load.refused}, {self.load.breaks} breaks"

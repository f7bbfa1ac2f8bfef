"""How often a part is repeated: as many rounds as were asked for, or as many as its share of the time allows."""

import time

ROUNDS_LEAST = 3

# Of the minutes; the parts that are left out leave theirs to the others.
SHARES = {"http": 64, "latency": 10, "burst": 8, "flush": 8, "commands": 3, "core": 3, "scale": 4}


class Pace:
    def __init__(self, rounds, minutes, parts):
        self._rounds, self._minutes = rounds, minutes
        self._whole = sum(SHARES[part] for part in parts)

    def rounds(self, part):
        """0, 1, 2 …; with a budget at least ROUNDS_LEAST, and then as long as one more like the others still fits."""
        began, number = time.monotonic(), 0
        while number < self._rounds if not self._minutes else self._another(part, number, time.monotonic() - began):
            yield number
            number += 1

    def _another(self, part, done, spent):
        if done < ROUNDS_LEAST:
            return True
        return spent + spent / done <= self._minutes * 60 * SHARES[part] / self._whole

"""Waiting for something to become true, with patience that fits the build under test."""

import os
import time

# Sanitizer builds run several times slower, and so does a machine that others use; every deadline stretches with them.
INSTRUMENTED = any(kind in os.environ.get("TALLYD", "") for kind in ("asan/", "tsan/", "cov/"))
PATIENCE = 4.0 if INSTRUMENTED else 2.0
LONG = os.environ.get("TALLYD_LONG") == "1"


def until(predicate, what, seconds=10.0, pause=0.01):
    """The first true value of predicate(); an AssertionError that says `what` was awaited when none comes."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds * PATIENCE:.0f} s: {what} (last: {value!r})")
        time.sleep(pause)

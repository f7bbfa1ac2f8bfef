"""When an allocation fails, the start is refused in one line or the server serves on. No hit is lost or stored twice."""

import contextlib
import json
import mmap
import os
import random
import struct

import pytest
from harness import preload, wait
from harness.scenarios import state_dir
from harness.tallyd import ENGINES
from harness.wait import LONG

pytestmark = pytest.mark.skipif(wait.INSTRUMENTED, reason="a sanitizer has an allocator of its own")

EVER = (1 << 64) - 1
STARTS = 2000 if LONG else 12  # at most; of each way to fail
ROUNDS = 600 if LONG else 60
REFUSED = 78


class Memory:
    """The plan of fail_memory.c: which allocations fail, counted from the start of the process."""

    _PLAN = struct.Struct("=QQQ")

    def __init__(self, folder):
        path = os.path.join(folder, "fail_memory.plan")
        with open(path, "w+b") as file:
            file.write(bytes(mmap.PAGESIZE))
            file.flush()
            self._words = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self.env = {"LD_PRELOAD": preload.build("fail_memory", folder), "FAIL_MEMORY": path}

    def calls(self):
        return self._PLAN.unpack_from(self._words)[0]

    def begin(self, first, last):
        """Of a process that is yet to start."""
        self._PLAN.pack_into(self._words, 0, 0, first, last)

    def fail(self, first, last):
        """Of one that runs; the last goes first to 0, so that no other fails meanwhile."""
        for at, number in ((16, 0), (8, first), (16, last)):
            struct.pack_into("=Q", self._words, at, number)

    def heal(self):
        self.fail(0, 0)


def sample(count, most):
    """At most about so many of 1..count, the first and the last among them."""
    return sorted({*range(1, count + 1, max(1, count // most)), count})


@pytest.fixture(name="memory")
def make_memory(lab):
    return Memory(lab.folder)


def assert_refused(server):
    """One line says what is the matter, and it is no signal that ends it."""
    assert server.code == REFUSED, f"ended with {server.code}: {server.log()[-2000:]}"
    lines = [line for line in server.log().splitlines() if "event=cannot_run" in line or line.startswith("tallyd:")]
    assert len(lines) == 1, server.log()[-2000:]


@pytest.mark.parametrize("ever", [False, True], ids=["once", "ever"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_start_without_memory_is_refused_in_one_line_or_serves(lab, memory, engine, ever):
    redis = lab.redis()
    options = {"env": memory.env, "io": engine, "workers": 1, "max_keys": 1000}
    first = lab.tallyd(redis, state_dir=state_dir(lab), **options)
    count = memory.calls()
    assert first.stop() == 0
    refused = served = 0
    for number in sample(count, STARTS):
        memory.begin(number, EVER if ever else number)
        server = lab.tallyd(redis, start=False, state_dir=state_dir(lab, f"state-{number}"), **options)
        server.spawn()
        wait.until(lambda server=server: server.code is not None or server.log_lines("event=ready"),
                   f"a start without allocation {number}", 20)
        memory.heal()
        if server.code is None:
            wait.until(server.ready, f"ready after a start without allocation {number}")
            server.hit("start", "a")
            assert server.stop() == 0, f"without allocation {number}: {server.log()[-2000:]}"
            served += 1
        else:
            assert_refused(server)
            refused += 1
    print(f"{engine}: {count} allocations; {refused} starts refused, {served} served")
    assert refused > 0 and int(redis.command("GET", "tally:start:a") or 0) == served


def ask(server, target, **how):
    """None: there was no answer."""
    with contextlib.suppress(OSError):
        return server.fetch(target, **how)
    return None


def hit(server, name):
    """How many are acknowledged."""
    answer = ask(server, f"/v1/hit/{name}")
    return int(answer is not None and answer.status == 204)


def hits(server, names):
    body = json.dumps({"hits": [{"ns": ns, "key": key} for ns, key in names]}).encode()
    answer = ask(server, "/v1/hits", method="POST", fields=["Content-Type: application/json"], body=body)
    if answer is None:
        return 0
    # 503: not even the text could be read, and nothing is counted.
    assert answer.status in (202, 503), answer.head.text
    # All are counted, and the answer has no body, when there was no memory for one: nothing is said of how many.
    return answer.json()["accepted"] if answer.status == 202 and answer.body else 0


@pytest.mark.parametrize("engine", ENGINES)
def test_memory_that_fails_while_serving_costs_answers_and_never_the_count(lab, memory, engine):
    """New names, a batch, a read, flushes: some allocation of each round fails, in every fifth all of them do."""
    redis = lab.redis()
    server = lab.tallyd(redis, env=memory.env, io=engine, workers=1, flush_interval="10ms")
    draws = random.Random(lab.seed)
    acked, batch = 0, 30
    for number in range(ROUNDS):
        at = memory.calls() + draws.randrange(1, 500)
        memory.fail(at, at if number % 5 else EVER)
        acked += hit(server, f"a/{number}")
        acked += hits(server, [("b", f"{number}-{i}") for i in range(batch)])
        ask(server, f"/v1/counters/a/{number}")
        memory.heal()
    server.hit("end", "a")
    assert server.stop() == 0, server.log()[-2000:]
    sent = ROUNDS * (1 + batch)
    stored = sum(value for ns in (b"tally:a:", b"tally:b:") for value in redis.read_all(ns).values())
    print(f"{engine}: {acked} of {sent} hits acknowledged, {stored} stored")
    assert acked <= stored <= sent and 0 < acked < sent
    assert int(redis.command("GET", "tally:end:a")) == 1

"""Sums are exact after any series of faults between tallyd and Redis. A seed draws 3 to 12 of them, then all heals.

`--seed` replays the draws of a failure. SCHEDULES says how many are played.
"""

import os
import random
import time

import pytest
from harness import checker, scenarios, wait
from harness.proxy import ENDINGS, FIN, REPLY, REQUEST, RST

SCHEDULES = int(os.environ.get("SCHEDULES", "100" if wait.LONG else "8"))
ACKED_BEFORE_MIN = 200


class Schedule:
    """The faults that a seed draws, on one Redis behind one proxy."""

    def __init__(self, lab, draw):
        self.draw = draw
        self.redis = lab.redis(appendonly=True, appendfsync="always")
        self.proxy = lab.proxy(self.redis)
        self.server = lab.tallyd(self.redis, via=self.proxy)
        self.played = []
        self.paused = False

    def fault(self):
        kind = self.draw.choice((self.cut, self.cut, self.cut, self.hold, self.release, self.end_links, self.kill,
                                 self.pause, self.resume, self.refuse, self.delay, self.deliver, self.deliver))
        self.played.append(f"{kind.__name__}{kind() or ''}")

    def cut(self):
        what = (self.draw.choice((REQUEST, REPLY)), self.draw.randrange(600), self.draw.choice(ENDINGS),
                self.draw.random() < 0.5)
        self.proxy.cut(*what)
        return what

    def hold(self):
        way = self.draw.choice((REQUEST, REPLY))
        self.proxy.hold(way)
        return way,

    def release(self):
        self.proxy.release()

    def end_links(self):
        what = self.draw.choice((RST, FIN)), self.draw.random() < 0.5
        self.proxy.end_links(*what)
        return what

    def kill(self):
        self.resume()
        self.redis.restart()

    def pause(self):
        self.redis.pause()
        self.paused = True

    def resume(self):
        if self.paused:
            self.redis.resume()
            self.paused = False

    def refuse(self):
        self.draw.choice((self.proxy.refuse, self.proxy.accept))()

    def delay(self):
        seconds = self.draw.choice((0.005, 0.05, 0))
        self.proxy.delay(seconds)
        return seconds,

    def deliver(self):
        self.proxy.deliver()

    def heal(self):
        self.resume()
        self.proxy.delay(0)
        self.proxy.accept()
        self.proxy.release()
        self.proxy.deliver()
        self.proxy.mark()


@pytest.mark.parametrize("number", range(SCHEDULES))
def test_a_random_schedule_of_faults_counts_every_hit_once(lab, number):
    draw = random.Random(f"{lab.seed}/{number}")
    schedule = Schedule(lab, draw)
    load = scenarios.small_load(lab, schedule.server, rate=4000)
    wait.until(lambda: load.answers >= ACKED_BEFORE_MIN, "the load is under way")
    for _ in range(draw.randint(3, 12)):
        time.sleep(draw.uniform(0.02, 0.25))
        schedule.fault()
    time.sleep(draw.uniform(0, 0.5))
    schedule.heal()
    load.stop()
    schedule.proxy.deliver()
    try:
        assert not load.refused and not load.breaks
        checker.wait_drained(schedule.server, seconds=20)
        schedule.proxy.deliver()
        time.sleep(0.05)
        checker.check_exact(schedule.redis, [load])
        checker.check_stored_is_in_redis(schedule.redis, [schedule.server])
        assert schedule.server.stop() == 0
    except AssertionError as failure:
        raise AssertionError(f"{failure} after {schedule.played}") from failure

"""How many hits one Redis command carries, by interval and keys: measured, and by the formula.

    hits per command = hits a second ÷ (pods × active keys ÷ interval)

Active keys are those hit at least once in an interval: of K keys hit uniformly, K × (1 − (1 − 1/K)^(hits in it)).
What the formula leaves out is the fence: WATCH, GET, MULTI, SET and EXEC of each batch.
"""

import dataclasses

from .http import Load, books_check, fresh, tried
from .peers import Tallyd
from .profiles import Profile

KEYS, INTERVALS = (1, 100, 10_000), (0.25, 0.5, 1.0)
RATE, SECONDS = 20_000, 3


class Paced(Tallyd):
    """tallyd with an interval of its own."""
    interval = 1.0

    def launch(self, folder, redis, cpu, *options):
        return super().launch(folder, redis, cpu, *options, "--flush-interval", f"{self.interval * 1000:.0f}ms")


def formula(rate, keys, interval):
    in_interval = rate * interval
    return in_interval / (keys * (1 - (1 - 1 / keys) ** in_interval))


def _measure(peer, keys, interval, settings):
    peer.interval = interval
    profile = dataclasses.replace(Profile("commands", "uniform"), keys=f"uniform:{keys}")
    with fresh(peer, profile) as (server, redis):
        before = peer.metrics()
        seconds = settings.commands_seconds
        answered = Load(settings.load, server.port, peer.path, profile, seconds, rate=RATE).go(seconds)["ok"]
        peer.settle(answered)
        after = peer.metrics()
        books_check(peer, server, redis, answered)
    grown = lambda name: after[name] - before[name]
    return {"keys": keys, "interval": interval, "hits": answered, "rate": answered / seconds,
            "hits_per_command": answered / grown("tallyd_redis_commands_total"),
            "bytes_per_hit": grown("tallyd_redis_sent_bytes_total") / answered,
            "formula": formula(answered / seconds, keys, interval)}


def commands_run(ours, settings, say):
    """[{"keys", "interval", "hits_per_command", "bytes_per_hit", "formula", …} or {"void": why}], once each."""
    peer, results = Paced(ours.binary, ours.engine), []
    for keys in KEYS:
        for interval in INTERVALS:
            one = tried(_measure, peer, keys, interval, settings)
            results.append(one)
            say(f"commands   {keys:6} keys, {interval} s  " + (f"VOID: {one['void']}" if "void" in one else
                f"{one['hits_per_command']:.1f} hits a command, formula {one['formula']:.1f}; "
                f"{one['bytes_per_hit']:.2f} bytes a hit"))
    return results

"""Open loop: requests are due at fixed times, at fractions of what the same server reached in a closed loop just before.

"corrected" counts from the time a request was due, "uncorrected" from its write: when the load itself waits (for an idle
connection, or for its CPU) the second forgets what a visitor would have seen.
"""

from .http import Load, books_check, fresh, tried, turned
from .profiles import Profile

HOT = Profile("latency", "open loop, 64 connections, one hot page")
FRACTIONS = (0.5, 0.7, 0.8, 0.9)


def _load(peer, server, settings, rate=0):
    return Load(settings.load, server.port, peer.path, HOT, settings.seconds, rate=rate).go(settings.seconds)


def _rate_run(peer, server, settings, rate):
    result = _load(peer, server, settings, rate)
    return result["ok"], {
        "asked": rate, "got": result["ok"] / result["seconds"], "uncorrected_us": result["latency_us"],
        "corrected_us": result["corrected_us"], "load_busy": result["load_cpu_seconds"] / result["seconds"]}


def round_run(peer, settings):
    with fresh(peer, HOT) as (server, redis):
        closed = _load(peer, server, settings)
        answered, ceiling, rates = closed["ok"], closed["ok"] / closed["seconds"], {}
        for fraction in FRACTIONS:
            ok, rates[f"{fraction:.0%}"] = _rate_run(peer, server, settings, ceiling * fraction)
            answered += ok
        peer.settle(answered)
        return {"ceiling": ceiling, "rates": rates, "books": books_check(peer, server, redis, answered)}


def latency_run(peers, settings, say):
    """{peer: [round or {"void": why}]}."""
    results = {peer.name: [] for peer in peers}
    for number in settings.pace.rounds("latency"):
        for peer in turned(peers, number):
            one = tried(round_run, peer, settings)
            results[peer.name].append(one)
            say(f"latency    {number + 1}  {peer.name:21} " + (f"VOID: {one['void']}" if "void" in one else ", ".join(
                f"{fraction} p99.9 {rate['corrected_us']['p99.9'] / 1e3:.2f} ms"
                for fraction, rate in one["rates"].items())))
    return results

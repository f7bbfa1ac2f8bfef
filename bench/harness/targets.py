"""Target, measured, met: the list of issue 4 ("Must be shown") and DESIGN section 8, from one run's results.

A ratio is the median of the rounds' own ratios: what is compared ran within the same minute. Least and most beside it.
"""

import dataclasses
from statistics import median

from .flush import BARE

OURS, EPOLL, NGINX, H2O = "tallyd uring", "tallyd epoll", "nginx 200", "h2o"
DEFERRED = f"{OURS} deferred"
FLOORS = ("floor uring", "floor epoll")


@dataclasses.dataclass(frozen=True)
class Row:
    what: str
    target: str
    measured: str = "not measured"
    met: str = "–"


def spread(values, form="{:.2f}"):
    return f"{form.format(median(values))} ({form.format(min(values))}–{form.format(max(values))})"


def beside(what, values):
    """No target: what the line above is to be read with."""
    return Row(what, "–", spread(values)) if values else Row(what, "–")


def _judged(what, target, values, met, form):
    return Row(what, target, spread(values, form), "yes" if met(median(values)) else "**no**") if values else Row(
        what, target)


def at_most(what, limit, values, form="{:.2f}"):
    return _judged(what, "≤ " + form.format(limit), values, lambda middle: middle <= limit, form)


def at_least(what, limit, values, form="{:.2f}"):
    return _judged(what, "≥ " + form.format(limit), values, lambda middle: middle >= limit, form)


def ratios(over, under, key):
    """Round by round; none where one of both is void."""
    return [key(a) / key(b) for a, b in zip(over, under) if "void" not in a and "void" not in b]


def cpu(one):
    return one["cpu_us"]


def http_ratios(run, profile, over, under, key=cpu):
    peers = run.get("http", {}).get(profile, {})
    return ratios(peers.get(over, []), peers.get(under, []), key)


def _best_floor(run, profile):
    peers = run.get("http", {}).get(profile, {})
    best = [{"cpu_us": min(map(cpu, both))} for both in zip(*(peers.get(name, []) for name in FLOORS))
            if not any("void" in one for one in both)]
    return ratios(peers.get(OURS, []), best, cpu)


def _between_profiles(run, peer, over, under):
    profiles = run.get("http", {})
    return ratios(*(profiles.get(name, {}).get(peer, []) for name in (over, under)), cpu)


def _http(run):
    late = lambda one: one["latency_us"]["p99"]
    yield at_most("keep-alive 64: CPU ÷ nginx `return 200`", 0.70, http_ratios(run, "keep-64", OURS, NGINX))
    yield at_most("the goal beyond", 0.60, http_ratios(run, "keep-64", OURS, NGINX))
    yield beside("io_uring's floor, which does not parse, ÷ nginx", http_ratios(run, "keep-64", FLOORS[0], NGINX))
    yield at_most("keep-alive 64: CPU ÷ h2o", 1.0, http_ratios(run, "keep-64", OURS, H2O))
    yield at_most("keep-alive 64: p99 ÷ nginx", 1.0, http_ratios(run, "keep-64", OURS, NGINX, late))
    yield at_most("keep-alive 64: CPU ÷ the better floor", 1.08, _best_floor(run, "keep-64"))
    yield at_least("16 pipelined: nginx ÷ CPU", 12, http_ratios(run, "pipe-16", NGINX, OURS), "{:.1f}")
    yield at_most("16 pipelined: CPU ÷ io_uring's floor (0.45 µs where it is 0.37)", 0.45 / 0.37,
                  http_ratios(run, "pipe-16", OURS, FLOORS[0]))
    yield at_least("10 requests a connection: nginx ÷ CPU", 1.2, http_ratios(run, "ten", NGINX, OURS))
    for profile, which in (("one", "1 request"), ("ten", "10 requests")):
        yield at_most(f"{which} a connection: CPU, deferred, ÷ nginx `deferred`", 0.70, http_ratios(run, profile, DEFERRED, f"{NGINX} deferred"))
        yield at_most(f"{which} a connection: CPU ÷ nginx", 0.80, http_ratios(run, profile, OURS, NGINX))
    yield at_most("20 000 requests/s: CPU ÷ nginx", 0.90, http_ratios(run, "rate-20k", OURS, NGINX))
    yield at_most("16 pipelined, 1 M pages: CPU ÷ that of one page", 1.35, _between_profiles(run, OURS, "uniform-16", "pipe-16"))
    yield at_most("4 096 connections: CPU ÷ that of 512", 1.10, _between_profiles(run, OURS, "keep-4096", "keep-512"))
    for peer in (FLOORS[0], NGINX, H2O):
        yield beside(f"the same of {peer}", _between_profiles(run, peer, "keep-4096", "keep-512"))
    yield at_least("webdis + Redis ÷ CPU", 2.5, http_ratios(run, "keep-64", "webdis+Redis", OURS), "{:.1f}")
    yield at_least("gunicorn + Flask + Redis ÷ CPU", 50, http_ratios(run, "keep-64", "gunicorn+Flask+Redis", OURS),
                   "{:.0f}")


def _rivals(run):
    """The best of those that count, round by round, with Redis' CPU time as ours has it."""
    for profile, peers in run.get("http", {}).items():
        counting = [rounds for name, rounds in peers.items() if name.startswith("rival")]
        best = [{"cpu_us": min(cpu(one) for one in round_ if "void" not in one)} for round_ in zip(*counting) if not all("void" in one for one in round_)]
        if best:
            yield at_least(f"the best rival that counts ÷ CPU, {profile}", 1.35, ratios(best, peers.get(OURS, []), cpu))


def _engines(run):
    for profile, peers in run.get("http", {}).items():
        if EPOLL in peers:
            limit = 1.05 if profile == "keep-64" else 1.0
            yield at_least(f"own epoll ÷ io_uring, {profile}", limit, http_ratios(run, profile, EPOLL, OURS))


def _core(run):
    for name, limit in (("cell (shard_add)", 2), ("hash + cell, 10 k keys", 40)):
        found = [one for one in run.get("core", []) if one["name"] == name and one["threads"] == 1]
        yield at_most(f"{name}: ns", limit, [one[key] for one in found for key in ("ns", "min", "max")])


def _flush(run):
    ways = run.get("flush", {})
    for key, which in (("known", "that are there"), ("twice", "that are there, two hits each"), ("new", "that are new")):
        yield at_least(f"flush ÷ bare INCRBY, keys {which}", 0.9,
                       ratios(ways.get("tallyd flush", []), ways.get(BARE, []), lambda one, key=key: one[key]))
    cycles = [one for one in run.get("burst", []) if "void" not in one]
    # Of all cycles together: a single stall of the machine decides a window of half a second.
    during, without = (sum(one[when]["p99.9"] for one in cycles) for when in ("during_us", "without_us"))
    yield at_most("p99.9 of hits during a flush of 1 M keys ÷ without, means of all cycles", 1.10,
                  [during / without] if cycles else [])


def _memory(run):
    values = lambda name: [one["value"] for one in run.get("scale", {}).get(name, []) if "void" not in one]
    yield at_most("memory a worker: MiB", 8, [one / 2**20 for one in values("worker_bytes")])
    yield at_most("memory an idle connection: bytes", 1024, values("connection_bytes"), "{:.0f}")
    yield at_most("memory a key (24 bytes) and worker, out of the replay window: bytes", 128, values("key_bytes_stored"), "{:.0f}")
    yield beside("the same in the replay window", values("key_bytes"))


def books(run):
    """(rounds that stand, rounds without a figure, why)."""
    rounds = [one for peers in run.get("http", {}).values() for of_peer in peers.values() for one in of_peer]
    for part in ("flush", "latency", "scale"):
        rounds += [one for of_name in run.get(part, {}).values() for one in of_name]
    rounds += run.get("burst", []) + run.get("commands", [])
    void = [one["void"] for one in rounds if "void" in one]
    return len(rounds) - len(void), void


def targets(run):
    good, void = books(run)
    rows = [row for part in (_http, _rivals, _core, _flush, _memory, _engines) for row in part(run)]
    rows.append(Row("rounds without a figure: books that do not balance, failures", "0", f"{len(void)} of {good + len(void)}",
                    "**no**" if void else "yes"))
    return rows

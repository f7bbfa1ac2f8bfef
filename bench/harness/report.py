"""From rounds to tables: medians and spread; a figure whose books did not balance in every round is not printed."""

import json
import os
from statistics import median

from . import targets
from .flush import STAGES
from .targets import spread

CORE_NOTE = ("CPU time per increment, summed over the threads; threads are pinned to CPUs of their own. "
             "No flusher runs meanwhile.")
HTTP_HEAD = ("| server | CPU µs/request, median (least–most) | requests/s | p50 ms | p99 ms | p99.9 ms | server busy "
             "| load busy |\n|---|---|---|---|---|---|---|---|")


def voided(rounds):
    return [one["void"] for one in rounds if "void" in one]


def _http_line(name, rounds):
    if voided(rounds):
        return f"| {name} | **no result**: {voided(rounds)[0]} | | | | | | |"
    middle = lambda key: median(one[key] for one in rounds)
    late = lambda q: median(one["latency_us"][q] for one in rounds) / 1e3
    return (f"| {name} | {spread([one['cpu_us'] for one in rounds])} | {middle('requests_per_second'):.0f} | "
            f"{late('p50'):.2f} | {late('p99'):.2f} | {late('p99.9'):.2f} | {middle('server_busy'):.0%} | "
            f"{middle('load_busy'):.0%} |")


def _http(results, titles):
    for profile, peers in results.items():
        averages = [one["load_average"] for rounds in peers.values() for one in rounds if "void" not in one]
        yield f"\n### {titles[profile]}\n"
        yield f"Load average of the machine during these rounds: {spread(averages) if averages else 'unknown'}.\n"
        yield HTTP_HEAD
        for name, rounds in peers.items():
            yield _http_line(name, rounds)


def _targets(run):
    yield "\n## Targets\n\n| what | target | measured, median (least–most) | met |\n|---|---|---|---|"
    for row in targets.targets(run):
        yield f"| {row.what} | {row.target} | {row.measured} | {row.met} |"


def _beside(run, titles):
    """tallyd's CPU time as a part of each peer's, on every profile."""
    names = [name for name in run["tuning"] if name != targets.OURS]
    yield (f"\n## {targets.OURS}: its CPU time a request ÷ that of\n\n| | {' | '.join(names)} |\n"
           f"|---|{'---|' * len(names)}")
    for profile in run["http"]:
        found = [targets.http_ratios(run, profile, targets.OURS, name) for name in names]
        yield f"| {titles[profile]} | {' | '.join(f'{median(one):.3g}' if one else '' for one in found)} |"


def _latency(results):
    yield ("\n## Open loop, 64 connections, one hot page\n\nRequests are due at fixed times, at a part of what the same "
           "server reached in a closed loop just before. *corrected* counts from the time a request was due, "
           "*uncorrected* from its write. Milliseconds, medians of the rounds; *load busy* is the generator's own CPU.\n\n"
           "| server | rate | requests/s asked | got | p50 | p99 | p99.9 | p99.99 | uncorrected p50 | p99 | p99.9 | p99.99 "
           "| load busy |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for name, rounds in results.items():
        if voided(rounds):
            yield f"| {name} | **no result**: {voided(rounds)[0]} |{' |' * 11}"
            continue
        for fraction in rounds[0]["rates"]:
            rates = [one["rates"][fraction] for one in rounds]
            late = [f"{median(one[kind][q] for one in rates) / 1e3:.2f}" for kind in ("corrected_us", "uncorrected_us")
                    for q in ("p50", "p99", "p99.9", "p99.99")]
            middle = lambda key: median(one[key] for one in rates)
            yield (f"| {name} | {fraction} | {middle('asked'):.0f} | {middle('got'):.0f} | {' | '.join(late)} | "
                   f"{middle('load_busy'):.0%} |")


def _commands(cells):
    yield ("\n## Hits per Redis command\n\nOne pod, keys hit uniformly, open loop. Formula: hits a second ÷ (pods × active keys ÷ "
           "interval); the measurement has the fence of each batch (5 commands) in it.\n\n"
           "| keys | interval s | hits/s | hits a command | formula | bytes to Redis a hit |\n|---|---|---|---|---|---|")
    for one in cells:
        yield f"| **no result**: {one['void']} | | | | | |" if "void" in one else (
            f"| {one['keys']} | {one['interval']} | {one['rate']:.0f} | {one['hits_per_command']:.1f} | "
            f"{one['formula']:.1f} | {one['bytes_per_hit']:.3f} |")


def _burst(cycles, keys):
    yield (f"\n## Hits during a flush of {keys} keys\n\nOpen loop at half of the closed loop's rate, latencies from the "
           "time a request was due. The worker has CPU 0; the flusher and Redis share CPU 1 with the load, at SCHED_IDLE. "
           "As root, worker and load are real-time tasks.\n")
    if voided(cycles):
        yield f"**no result** in {len(voided(cycles))} of {len(cycles)}: {voided(cycles)[0]}\n"
    good = [one for one in cycles if "void" not in one]
    if good:
        yield "| µs, median (least–most) | p50 | p99 | p99.9 |\n|---|---|---|---|"
        for kind, name in (("without_us", "without"), ("during_us", "during a flush")):
            yield f"| {name} | " + " | ".join(
                spread([one[kind][q] for one in good], "{:.0f}") for q in ("p50", "p99", "p99.9")) + " |"
        yield f"\nThe flush took {spread([one['flush_seconds'] for one in good])} s."


def _scale(results, settings):
    values = lambda name: [one["value"] for one in results[name] if "void" not in one]
    yield ("\n## Memory, start, workers\n\nDifferences of resident memory: 4 workers beside 1, each under load; "
           f"{settings['idle_connections']} connections that were answered once; {settings['keys_many']} keys of 24 bytes on "
           "one worker, stored and still in the replay window. What the kernel holds for a socket is not in it.\n\n"
           "| | median (least–most) |\n|---|---|")
    for name, title, unit, form in (("worker_bytes", "a worker, MiB", 2**20, "{:.2f}"),
                                    ("connection_bytes", "an idle connection, bytes", 1, "{:.0f}"),
                                    ("key_bytes", "a key, bytes", 1, "{:.0f}"),
                                    ("key_bytes_stored", "a key that left the replay window, bytes", 1, "{:.0f}")):
        void, good = voided(results[name]), [one / unit for one in values(name)]
        yield f"| {title} | {spread(good, form) if good else '**no result**: ' + void[0]} |"
    starts = values("start_ms")
    for name in starts[0] if starts else ():
        yield f"| start until ready, ms: {name} | {spread([one[name] for one in starts], '{:.0f}')} |"
    for count in ("1", "2"):
        found = [one[count] for one in values("workers_cpu_us")]
        if found:
            yield f"| CPU µs a request, {count} worker{'s' if count != '1' else ''} | {spread(found)} |"


def _core(lines):
    yield f"\n## Counter core\n\n{CORE_NOTE}\n\n| increment | threads | ns, median (least–most) |\n|---|---|---|"
    for one in lines:
        yield f"| {one['name']} | {one['threads']} | {one['ns']:.2f} ({one['min']:.2f}–{one['max']:.2f}) |"


def _flush(results, keys):
    yield (f"\n## Flush: keys a second into one Redis\n\n{keys} keys; one INCR per hit fewer of them. tallyd writes a key's single "
           "hit as INCR, several as INCRBY; bare INCRBY is that for each.\n\n"
           "| way | keys that are new, median (least–most) | keys that are there | keys that are there, two hits each |\n"
           "|---|---|---|---|")
    for way, rounds in results.items():
        if voided(rounds):
            yield f"| {way} | **no result**: {voided(rounds)[0]} | | |"
        else:
            yield f"| {way} | " + " | ".join(spread([one[stage] for one in rounds], "{:.0f}") for stage in STAGES) + " |"


def markdown(run, titles):
    m = run["machine"]
    average = ", ".join(f"{one:.1f}" for one in m["load_average"])
    lines = [f"# tallyd beside its peers, {m['when']}\n",
             f"Commit {m['commit']}, kernel {m['kernel']}, {m['processor']}, {m['cpus']} CPUs ({m['hypervisor']}). "
             f"**Load average at the start: {average}.**",
             f"Rounds of {run['settings']['seconds']} s, interleaved, fresh servers each, "
             "server (with its Redis) on CPU 0, load on CPU 1. CPU time is the server's and its Redis'. "
             "How to read this: [bench/README.md](../../README.md).\n"]
    if m["load_average"][0] > 0.5:
        lines.append("The machine was not idle: these figures show that the harness works. "
                     "They are no ground for a claim.\n")
    lines += _targets(run)
    if "http" in run:
        lines += _beside(run, titles)
        lines += ["\n## HTTP\n", "| server | tuning |\n|---|---|"]
        lines += [f"| {name} | {tuning} |" for name, tuning in run["tuning"].items()]
        lines += _http(run["http"], titles)
    if "latency" in run:
        lines += _latency(run["latency"])
    if "core" in run:
        lines += _core(run["core"])
    if "flush" in run:
        lines += _flush(run["flush"], run["settings"]["flush_keys"])
    if "commands" in run:
        lines += _commands(run["commands"])
    if "burst" in run:
        lines += _burst(run["burst"], run["settings"]["keys_many"])
    if "scale" in run:
        lines += _scale(run["scale"], run["settings"])
    lines.append("\n## Versions\n\n" + ", ".join(f"{name} {version}" for name, version in m["packages"].items()))
    return "\n".join(lines) + "\n"


def write(folder, run, titles):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "results.json"), "w", encoding="utf-8") as file:
        json.dump(run, file, indent=1)
    with open(os.path.join(folder, "README.md"), "w", encoding="utf-8") as file:
        file.write(markdown(run, titles))

"""From rounds to tables: medians and spread; a figure whose books did not balance in every round is not printed."""

import json
import os
from statistics import median

CORE_NOTE = ("CPU time per increment, summed over the threads; threads are pinned to CPUs of their own. "
             "No flusher runs meanwhile.")
HTTP_HEAD = ("| server | CPU µs/request, median (least–most) | requests/s | p50 ms | p99 ms | p99.9 ms | server busy "
             "| load busy |\n|---|---|---|---|---|---|---|---|")


def voided(rounds):
    return [one["void"] for one in rounds if "void" in one]


def _spread(values, form="{:.2f}"):
    return f"{form.format(median(values))} ({form.format(min(values))}–{form.format(max(values))})"


def _http_line(name, rounds):
    if voided(rounds):
        return f"| {name} | **no result**: {voided(rounds)[0]} | | | | | | |"
    middle = lambda key: median(one[key] for one in rounds)
    late = lambda q: median(one["latency_us"][q] for one in rounds) / 1e3
    return (f"| {name} | {_spread([one['cpu_us'] for one in rounds])} | {middle('requests_per_second'):.0f} | "
            f"{late('p50'):.2f} | {late('p99'):.2f} | {late('p99.9'):.2f} | {middle('server_busy'):.0%} | "
            f"{middle('load_busy'):.0%} |")


def _http(results, titles):
    for profile, peers in results.items():
        averages = [one["load_average"] for rounds in peers.values() for one in rounds if "void" not in one]
        yield f"\n### {titles[profile]}\n"
        yield f"Load average of the machine during these rounds: {_spread(averages) if averages else 'unknown'}.\n"
        yield HTTP_HEAD
        for name, rounds in peers.items():
            yield _http_line(name, rounds)


def _core(lines):
    yield f"\n## Counter core\n\n{CORE_NOTE}\n\n| increment | threads | ns, median (least–most) |\n|---|---|---|"
    for one in lines:
        yield f"| {one['name']} | {one['threads']} | {one['ns']:.2f} ({one['min']:.2f}–{one['max']:.2f}) |"


def _flush(results, keys):
    yield (f"\n## Flush: keys a second into one Redis\n\n{keys} keys, each once; one INCR per hit fewer of them.\n\n"
           "| way | keys that are new, median (least–most) | keys that are there |\n|---|---|---|")
    for way, rounds in results.items():
        if voided(rounds):
            yield f"| {way} | **no result**: {voided(rounds)[0]} | |"
        else:
            yield (f"| {way} | {_spread([one['new'] for one in rounds], '{:.0f}')} | "
                   f"{_spread([one['known'] for one in rounds], '{:.0f}')} |")


def markdown(run, titles):
    m = run["machine"]
    average = ", ".join(f"{one:.1f}" for one in m["load_average"])
    lines = [f"# tallyd beside its peers, {m['when']}\n",
             f"Commit {m['commit']}, kernel {m['kernel']}, {m['processor']}, {m['cpus']} CPUs ({m['hypervisor']}). "
             f"**Load average at the start: {average}.**",
             f"{run['settings']['rounds']} rounds of {run['settings']['seconds']} s, interleaved, fresh servers each, "
             "server (with its Redis) on CPU 0, load on CPU 1. CPU time is the server's and its Redis'. "
             "How to read this: [bench/README.md](../../README.md).\n"]
    if m["load_average"][0] > 0.5:
        lines.append("The machine was not idle: these figures show that the harness works. "
                     "They are no ground for a claim.\n")
    if "http" in run:
        lines += ["## HTTP\n", "| server | tuning |\n|---|---|"]
        lines += [f"| {name} | {tuning} |" for name, tuning in run["tuning"].items()]
        lines += _http(run["http"], titles)
    if "core" in run:
        lines += _core(run["core"])
    if "flush" in run:
        lines += _flush(run["flush"], run["settings"]["flush_keys"])
    lines.append("\n## Versions\n\n" + ", ".join(f"{name} {version}" for name, version in m["packages"].items()))
    return "\n".join(lines) + "\n"


def write(folder, run, titles):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "results.json"), "w", encoding="utf-8") as file:
        json.dump(run, file, indent=1)
    with open(os.path.join(folder, "README.md"), "w", encoding="utf-8") as file:
        file.write(markdown(run, titles))

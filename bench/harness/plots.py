"""CPU time per request by profile, latencies, hits per command, as SVG and PNG; nothing without python3-matplotlib."""

import os
from statistics import median

from .report import voided
from .targets import OURS, http_ratios

QUANTILES = ("p50", "p90", "p99", "p99.9", "p99.99", "max")


def _profile(plt, folder, profile, title, peers):
    shown = {name: [one["cpu_us"] for one in rounds] for name, rounds in peers.items() if not voided(rounds)}
    if not shown:
        return
    names = list(shown)
    middles = [median(shown[name]) for name in names]
    errors = [[m - min(shown[n]) for n, m in zip(names, middles)], [max(shown[n]) - m for n, m in zip(names, middles)]]
    figure, axes = plt.subplots(figsize=(9, 0.42 * len(names) + 1.4))
    axes.barh(names, middles, xerr=errors, capsize=3,
              color=["#0b6e99" if name.startswith("tallyd") else "#9aa5ad" for name in names])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("server CPU µs per request, its Redis included (median, least to most; logarithmic)")
    axes.set_title(title, fontsize=10)
    _save(plt, figure, folder, profile)


def _rivals(plt, folder, run):
    """What a hit costs those that count as well, as a multiple of ours, on every profile."""
    profiles = list(run["http"])
    names = [name for name in run["tuning"] if name.startswith("rival")]
    found = {name: [http_ratios(run, profile, name, OURS) for profile in profiles] for name in names}
    if not any(any(ratios) for ratios in found.values()):
        return
    figure, axes = plt.subplots(figsize=(9, 4.5))
    for number, (name, ratios) in enumerate(found.items()):
        places = [at + (number - len(names) / 2 + 0.5) * 0.8 / len(names) for at in range(len(profiles))]
        axes.bar(places, [median(one) if one else 1 for one in ratios], 0.8 / len(names), label=name)
    axes.axhline(1, color="#0b6e99", label="tallyd")
    axes.set_xticks(range(len(profiles)), profiles)
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel("CPU of a hit, Redis' included ÷ tallyd's (logarithmic)")
    axes.set_title("counters that gather hits in memory: medians of the rounds' own ratios", fontsize=10)
    axes.legend(fontsize=8)
    _save(plt, figure, folder, "rivals")


def _save(plt, figure, folder, name):
    figure.tight_layout()
    for kind in ("svg", "png"):
        figure.savefig(os.path.join(folder, f"{name}.{kind}"), dpi=110)
    plt.close(figure)


def _latency(plt, folder, results):
    """Percentiles as HdrHistogram draws them: the distance to 100 % on a logarithmic axis."""
    for name, rounds in results.items():
        if voided(rounds):
            continue
        figure, axes = plt.subplots(figsize=(9, 4.5))
        for number, fraction in enumerate(rounds[0]["rates"]):
            for kind, style in (("corrected_us", "-"), ("uncorrected_us", ":")):
                late = [median(one["rates"][fraction][kind][q] for one in rounds) / 1e3 for q in QUANTILES]
                axes.plot(range(len(QUANTILES)), late, style, marker=".", color=f"C{number}",
                          label=f"{fraction} of the ceiling" if style == "-" else None)
        axes.set_xticks(range(len(QUANTILES)), QUANTILES)
        axes.set_yscale("log")
        axes.set_ylabel("ms (dotted: uncorrected)")
        axes.set_title(f"{name}: open loop, 64 connections, from the time a request was due", fontsize=10)
        axes.legend()
        _save(plt, figure, folder, f"latency-{name.replace(' ', '-')}")


def _commands(plt, folder, cells):
    figure, axes = plt.subplots(figsize=(9, 4.5))
    good = [one for one in cells if "void" not in one]
    for number, keys in enumerate(sorted({one["keys"] for one in good})):
        mine = [one for one in good if one["keys"] == keys]
        intervals = [one["interval"] for one in mine]
        axes.plot(intervals, [one["formula"] for one in mine], "-", color=f"C{number}", label=f"{keys} keys: formula")
        axes.plot(intervals, [one["hits_per_command"] for one in mine], "o", color=f"C{number}", label="measured")
    axes.set_yscale("log")
    axes.set_xlabel("--flush-interval, seconds")
    axes.set_title("hits a Redis command; the measurement has WATCH, GET, MULTI, SET, EXEC in it", fontsize=10)
    axes.legend(fontsize=8)
    _save(plt, figure, folder, "commands")


def draw(folder, run, titles):
    """False when there is no matplotlib."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    for profile, peers in run.get("http", {}).items():
        _profile(pyplot, folder, profile, titles[profile], peers)
    if "http" in run:
        _rivals(pyplot, folder, run)
    if "latency" in run:
        _latency(pyplot, folder, run["latency"])
    if "commands" in run:
        _commands(pyplot, folder, run["commands"])
    return True

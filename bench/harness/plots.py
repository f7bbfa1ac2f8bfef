"""Bars of CPU time per request, one picture a profile, as SVG and PNG; nothing without python3-matplotlib."""

import os
from statistics import median

from .report import voided


def _draw(plt, folder, profile, title, peers):
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
    figure.tight_layout()
    for kind in ("svg", "png"):
        figure.savefig(os.path.join(folder, f"{profile}.{kind}"), dpi=110)
    plt.close(figure)


def draw(folder, results, titles):
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    for profile, peers in results.items():
        _draw(pyplot, folder, profile, titles[profile], peers)
    return True

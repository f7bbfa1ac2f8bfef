"""One schedule: a seed draws 3 to 12 faults in 0.3 to 2 s, then all heals, drains within ten seconds, and is judged."""

import os
import random
import shutil
import tempfile
import time
import traceback

from harness import checker
from harness.lab import Lab
from harness.tallyd import BINARY

from . import verdict
from .clustered import Clustered
from .pair import Pair
from .standalone import Standalone

PAIR_SHARE = 0.25


def _alone_or_paired(lab, draw):
    return (Pair if draw.random() < PAIR_SHARE else Standalone)(lab, draw)


KINDS = {"standalone": (_alone_or_paired, (3, 12), (0.02, 0.25)), "cluster": (Clustered, (2, 5), (0.1, 0.5))}
DRAIN_S = 10
KEPT = "build/faults/failed"


def play(kind, seed):
    """{kind, seed, outcome: exact | void | failed, faults: {name: times}, acked, unsure, lost, doubled, …}."""
    begun = time.monotonic()
    folder = tempfile.mkdtemp(prefix=f"faults-{kind}-{seed}-")
    result = {"kind": kind, "seed": seed, "faults": {}, "played": [], "acked": 0, "unsure": 0, "lost": 0, "doubled": 0,
              "called_lost": 0}
    lab = Lab(folder, seed)
    try:
        try:
            _play(lab, kind, result)
        finally:
            tails = lab.tails()
            lab.close()
        result["outcome"] = "exact"
    except verdict.Void as why:
        result.update(outcome="void", why=str(why))
    except Exception as failure:  # whatever it was, it goes into the report with its seed
        result.update(outcome="failed", why=f"{type(failure).__name__}: {failure}",
                      kept=_keep(folder, kind, seed, result, traceback.format_exc() + tails))
    shutil.rmtree(folder, ignore_errors=True)
    result["seconds"] = round(time.monotonic() - begun, 2)
    return result


def _play(lab, kind, result):
    scene_of, faults, pauses = KINDS[kind]
    draw = random.Random(f"{kind}/{lab.seed}")
    scene = scene_of(lab, draw)
    try:
        verdict.wait_loaded(scene.load)
        for _ in range(draw.randint(*faults)):
            time.sleep(draw.uniform(*pauses))
            scene.fault()
        time.sleep(draw.uniform(0, 0.5))
        scene.heal()
    finally:
        result.update(played=scene.played, faults=dict(scene.injected))
    healed = time.monotonic()
    scene.load.stop()
    scene.check_clients()
    checker.wait_drained(scene.server, seconds=DRAIN_S)
    result["drain_s"] = round(time.monotonic() - healed, 2)
    # The harness has more patience, for machines that others use, and for sanitizers.
    assert result["drain_s"] <= DRAIN_S or "san/" in BINARY, f"drained after {result['drain_s']} s"
    if scene.late():
        time.sleep(0.05)
    counts = verdict.count(scene.store, scene.load, scene.prefix)
    result.update(counts)
    result["called_lost"] = verdict.judge(scene.server, counts, scene.restarts, scene.may_lose())
    assert scene.server.stop() == 0, "SIGTERM at the end: something was left behind"


def _keep(folder, kind, seed, result, report):
    """The files of a failure outlive it."""
    kept = os.path.abspath(os.path.join(KEPT, f"{kind}-{seed}"))
    shutil.rmtree(kept, ignore_errors=True)
    os.makedirs(KEPT, exist_ok=True)
    shutil.move(folder, kept)
    with open(os.path.join(kept, "report"), "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write("\n".join([*result["played"], "", report]) + "\n")
    return kept

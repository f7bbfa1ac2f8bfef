"""Each measurement of bench/ that is started by hand runs in small, and finds what it must find."""

import json
import os
import re
import subprocess
import sys

from harness import tallyd

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
HERE = {"TALLYD": tallyd.BINARY}


def bench(name, *words, **more):
    done = subprocess.run([sys.executable, os.path.join(ROOT, "bench", name), *words], capture_output=True, text=True, timeout=300,
                          check=False, env={**os.environ, **HERE, **more})
    return done.returncode, done.stdout + done.stderr


MONTHS = ["--minutes", "0.2", "--rate", "2000", "--distinct", "30000", "--regular", "50", "--replay-window", "0", "--key-idle", "2s"]


def test_pages_beyond_the_cap_are_counted_exactly(lab):
    out = os.path.join(lab.folder, "months.json")
    code, said = bench("months", *MONTHS, "--max-keys", "6000", "--out", out)
    assert os.path.exists(out), said
    with open(out, encoding="utf-8") as file:
        found = json.load(file)
    assert found["accepted"] == found["in_redis"] > 20000 and found["wrong"] == 0, said
    assert found["refused_regular"] == 0 and found["forgotten"] > 0 and found["keys_most"] <= 6000, said
    assert code == (0 if found["growth"] <= 1.05 else 1), said  # so short a run may still be growing


def test_a_frequent_page_that_is_refused_is_found(lab):
    code, said = bench("months", *MONTHS, "--max-keys", "20")
    assert code == 1 and not re.search(r"refused, 0 of them", said), said


def built(name):
    """A program of bench/, made where the program under test is."""
    folder = os.path.dirname(tallyd.BINARY)
    subprocess.run(["make", "-s", "-C", ROOT, f"MODE={os.path.basename(folder)}", f"build/{os.path.basename(folder)}/bench/{name}"], check=True,
                   timeout=300, capture_output=True)
    return os.path.join(folder, "bench", name)


def test_hits_are_measured_while_keys_are_forgotten(lab):
    out = os.path.join(lab.folder, "forgetting.json")
    code, said = bench("forgetting", "--rounds", "1", "--keys", "50000", "--seconds", "0.2", "--most", "1000", "--out", out,
                       BENCH_LOAD=built("load"))
    assert os.path.exists(out), said
    with open(out, encoding="utf-8") as file:
        found = json.load(file)
    assert found["exact"] and len(found["rounds"]) == 1, said
    assert code == (0 if found["ratios"] else 1), said


def test_a_simulated_day_forgets_and_refuses_no_frequent_page():
    done = subprocess.run([built("day"), "1", "20", "100000", "8000"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and done.stdout.split("\n")[-2].startswith("0 sums differ, 0 refused"), done.stdout


def test_a_simulated_day_without_room_is_found_out():
    done = subprocess.run([built("day"), "1", "20", "100000", "50"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1 and ", 0 of them" not in done.stdout, done.stdout


def test_many_pods_are_counted_exactly(lab):
    code, said = bench("pods", "--pods", "1,3", "--seconds", "1", "--intervals", "0.2", "--rate", "500", "--distinct", "500", "--out", lab.folder)
    assert code == 0, said
    with open(os.path.join(lab.folder, "results.json"), encoding="utf-8") as file:
        lines = json.load(file)
    assert [(line["pods"], line["routed"], line["exact"]) for line in lines] == [(1, False, True), (3, False, True), (3, True, True)]

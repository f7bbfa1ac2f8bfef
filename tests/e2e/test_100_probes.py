"""The program has every static probe that a bpftrace script of perf/bpf attaches to."""

import glob
import os
import re
import subprocess

import pytest
from harness.tallyd import BINARY

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")


def probes_of(binary):
    notes = subprocess.run(["readelf", "-n", binary], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"Provider: tallyd\s+Name: (\w+)", notes))


def test_every_probe_that_a_script_listens_to_is_in_the_program():
    if not os.path.exists("/usr/include/sys/sdt.h") and not glob.glob("/usr/include/*/sys/sdt.h"):
        pytest.skip("built without systemtap-sdt-dev: no probes")
    wanted = set()
    for path in glob.glob(os.path.join(ROOT, "perf", "bpf", "*.bt")):
        with open(path, encoding="utf-8") as file:
            wanted |= set(re.findall(r"usdt:\$1:tallyd:(\w+)", file.read()))
    assert wanted == {"accept", "batch", "exec", "flush_begin", "flush_end", "hit"}
    assert wanted <= probes_of(BINARY)

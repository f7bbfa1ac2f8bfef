"""The commands of bench/ and perf/ that lack something end in one line that says what to do, with no traceback."""

import json
import os
import stat
import subprocess
import sys

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

pytestmark = pytest.mark.harness

# A k6 that answers as the real one does: it writes what was measured, and nothing when the server is not there.
FAKE_K6 = """#!/usr/bin/python3
import json, sys
words = sys.argv[1:]
settings = dict(word.split("=", 1) for flag, word in zip(words, words[1:]) if flag == "-e")
with open({calls!r}, "a") as file:
    file.write(json.dumps([words[-1].rsplit("/", 1)[-1], settings]) + "\\n")
if settings["BASE"].endswith("nobody"):
    sys.exit(1)
late = {{"med": 1.0, "p(95)": 2.0, "max": 3.0}}
seen = {{"http_reqs": {{"rate": 7.0}}, "http_req_failed": {{"value": 0.0}}, "http_req_duration": late, "accepted": {{"count": 21}}}}
with open(words[words.index("--summary-export") + 1], "w") as file:
    json.dump({{"metrics": seen}}, file)
sys.exit(99 if settings.get("RATE") == "9999999" else 0)
"""


@pytest.fixture
def few_programs(tmp_path):
    """A PATH that has Python only, as on a machine without the packages of `deps bench perf`."""
    os.symlink(sys.executable, tmp_path / "python3")
    return {**os.environ, "PATH": str(tmp_path)}


def run(*words, env=None):
    done = subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("words, line", [
    (["perf/flame", "on"], "flame: missing here: perf, redis-server; deploy/scripts/deps bench perf installs it\n"),
    (["perf/instructions"], "instructions: missing here: valgrind, vgdb, callgrind_annotate; deploy/scripts/deps bench perf installs it\n"),
    (["perf/packets"], "packets: missing here: strace, unshare, ip; deploy/scripts/deps bench perf installs it\n"),
    (["bench/k6/run", "hit"], "k6/run: there is no k6 on the PATH or in build/bin; make k6 builds it, with Go\n"),
])
def test_a_tool_that_is_missing_is_named_with_what_installs_it(few_programs, words, line):
    if "k6" in words[0]:
        words = [*words, "--k6", "/nowhere/k6"]
    code, _, err = run(*words, env=few_programs)
    assert (code, err) == (1, line)


def test_a_binary_that_is_not_built_is_named(tmp_path):
    for name in ("perf", "redis-server"):
        os.symlink("/bin/true", tmp_path / name)
    code, _, err = run("perf/flame", "on", str(tmp_path / "older"), env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert code == 1 and "is not built; run: make bench-build" in err and "older" in err


def test_the_difference_of_one_binary_is_refused(few_programs):
    assert run("perf/flame", "diff", env=few_programs)[::2] == (1, "flame: diff needs the older binary: perf/flame diff OLD [NEW]\n")


@pytest.fixture
def k6(tmp_path):
    program, calls = tmp_path / "k6", tmp_path / "calls"
    program.write_text(FAKE_K6.format(calls=str(calls)), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    yield lambda *words: (*run("bench/k6/run", "--k6", str(program), *words),
                          [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else [])


@pytest.mark.executes
def test_scenarios_run_against_a_server_of_the_users_own(k6):
    code, out, err, calls = k6("--base", "https://counter.example/", "--seconds", "5")
    assert (code, err) == (0, "")
    assert [name for name, _ in calls] == ["hit.js", "batch.js", "read.js", "dashboard.js", "peak.js"], "what stops its server is left out"
    assert all(settings == {"BASE": "https://counter.example", "SECONDS": "5"} for _, settings in calls)
    assert out.endswith("5 passed, 0 failed, 0 skipped\n") and "accepted 21;" in out


@pytest.mark.executes
def test_a_threshold_that_is_missed_and_a_server_that_is_not_there_fail(k6):
    code, out, _, _ = k6("--base", "https://counter.example", "-e", "RATE=9999999", "hit")
    assert code == 1 and "THRESHOLDS MISSED" in out and "0 passed, 1 failed" in out
    code, _, err, _ = k6("--base", "https://nobody", "hit")
    assert code == 1 and "ended with 1 and without results" in err


@pytest.mark.executes
def test_what_stops_its_server_is_refused_for_a_server_of_the_users_own(k6):
    code, _, err, calls = k6("--base", "https://counter.example", "outage")
    assert code == 2 and "outage needs servers of its own" in err and not calls


@pytest.mark.executes
def test_apt_is_asked_in_english_whatever_the_users_language_is(tmp_path):
    for name, what in (("dpkg-query", "exit 1"), ("id", "echo 0"), ("apt-get", 'echo "asked in LC_ALL=$LC_ALL"; exit 100')):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{what}\n", encoding="ascii")
        program.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}
    done = subprocess.run(["deploy/scripts/install", "some-package"], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (69, "asked in LC_ALL=C\ninstall: apt-get could not install: some-package\n")

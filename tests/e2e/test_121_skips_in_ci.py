"""In CI a test may skip only for a reason that tests/skips foresees. Any other skip fails the run."""

import glob
import os
import re
import subprocess

import pytest

TESTS = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
FORESEEN = "echo 'skipped: only Chromium prerenders'; echo '5 passed, 1 skipped in 3 s'"
NEW = "echo 'skipped: build/test_x: the moon is full'; echo 'C: 5 passed, 0 failed, 2 skipped'"
SILENT = "echo '5 passed, 3 skipped in 3 s'"

pytestmark = pytest.mark.harness


def steps(*commands, ci="true"):
    """(exit code, closing line, all that was said)"""
    words = [word for number, command in enumerate(commands) for word in (f"step {number}", command)]
    env = {key: value for key, value in os.environ.items() if key not in ("CI", "SUITE_STEPS")} | ({"CI": ci} if ci else {})
    done = subprocess.run([os.path.join(TESTS, "steps"), *words], env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()[-1], done.stdout + done.stderr


@pytest.mark.parametrize("command, ci, code, closing", [
    (FORESEEN, "true", 0, "5 passed, 0 failed, 1 skipped"),
    (NEW, "true", 1, "5 passed, 1 failed, 1 skipped"),
    (NEW, "", 0, "5 passed, 0 failed, 2 skipped"),
    (SILENT, "true", 1, "5 passed, 1 failed, 2 skipped"),
    (SILENT, "", 0, "5 passed, 0 failed, 3 skipped"),
])
def test_a_skip_is_judged_in_ci_only(command, ci, code, closing):
    assert steps(command, ci=ci)[:2] == (code, closing)


def test_what_was_not_foreseen_is_named_with_its_step():
    _, _, said = steps(FORESEEN, NEW)
    assert "FAILED: skipped in CI, and tests/skips does not foresee it: build/test_x: the moon is full\n" in said
    assert "failed: step 1;" in said


def test_steps_within_steps_are_judged_once():
    inner = f'"{TESTS}/steps" inner "{NEW}" other "{FORESEEN}"'
    code, closing, said = steps(inner, FORESEEN)
    assert (code, closing) == (1, "15 passed, 1 failed, 3 skipped")
    assert said.count("does not foresee") == 1


def test_what_opens_a_browser_or_a_proxy_runs_in_ci_only():
    unmarked = []
    for path in glob.glob(os.path.join(TESTS, "e2e", "test_*.py")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if re.search(r"^(from|import) .*\b(browsers|chromium|front_proxies)\b", text, re.M) and "pytest.mark.ci" not in text:
            unmarked.append(os.path.basename(path))
    assert not unmarked, "the mark ci (conftest.py) is missing"


def test_each_line_of_the_list_is_an_expression_below_a_reason():
    reason = False
    with open(os.path.join(TESTS, "skips"), encoding="utf-8") as file:
        for line in file.read().splitlines():
            reason = line.startswith("#") or bool(line) and reason
            assert not line or line.startswith("#") or reason, f"no reason above {line!r}"
            re.compile(line)

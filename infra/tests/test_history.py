"""The commit in which the faults were found: each judge has something against it, so none of them is blind."""
import subprocess
import sys
from importlib.machinery import SourceFileLoader
import importlib.util

import pytest

import stack

COMMIT = "ff895a8"
# Case → the rules that must be against that commit's production.
CASES = {
    "B1": ["iam-accepts-every-policy"], "B2": ["the-kubelet-accepts-its-configuration"], "B3": ["nodes-pull-their-images"], "B4": ["operators-may-make-everything"],
    "B5": ["locks-are-on-both-sides"], "H2": ["images-come-through-the-endpoint", "services-answer-those-who-need-them"],
    "M1": ["machines-name-errors-as-the-sdk-does", "service-linked-roles-are-there", "policies-fit-those-who-carry-them", "budgets-filter-by-active-tags", "functions-reserve-nothing",
           "last-snapshots-have-names-of-their-own", "caa-binds-only-our-names", "the-firewall-lets-every-key-through"],
    "M2": ["memorydb-can-tell-its-events"],
}


def known():
    return subprocess.run(["git", "cat-file", "-e", COMMIT + "^{commit}"], cwd=stack.REPO, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def then():
    loader = SourceFileLoader("judge", str(stack.TESTS / "judge"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("judge", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module.judged(COMMIT, ["prod"])


@pytest.mark.long
@pytest.mark.skipif(not known(), reason="a shallow clone has no such commit")
@pytest.mark.parametrize("case", CASES)
def test_a_judge_is_against_the_commit_of_the_case(case, then, figure):
    silent = [r for r in CASES[case] if not then[r]]
    assert not silent, silent
    figure("note-then-" + case, "%s on %s: %s" % (case, COMMIT, "; ".join("`%s` %d findings" % (r, len(then[r])) for r in CASES[case])))

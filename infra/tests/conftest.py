"""Progress while it runs, figures and one closing line when it is done."""
import json
import os
import pathlib
import time

import pytest

import stack

STARTED = time.time()


LONG = os.environ.get("INFRA_LONG") == "1"


def pytest_configure(config):
    config.addinivalue_line("markers", "long: only in make check-infra-long")
    if not hasattr(config, "workerinput"):
        (stack.BUILD / "summary").unlink(missing_ok=True)
        for f in (stack.BUILD / "figures").glob("*.json"):
            f.unlink()


def pytest_collection_modifyitems(config, items):
    """An environment is planned once; whoever needs it runs on the same worker, one after the other. Long tests are for INFRA_LONG=1."""
    if not LONG:
        later = [i for i in items if i.get_closest_marker("long")]
        items[:] = [i for i in items if i not in later]
        config.hook.pytest_deselected(items=later)
    for item in items:
        params = getattr(item, "callspec", None)
        env = params.params.get("env") if params else None
        if env:
            item.add_marker(pytest.mark.xdist_group(env))


@pytest.fixture
def figure():
    """figure(name, rows): what a test measured, for the report."""
    def write(name, rows):
        folder = stack.BUILD / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / (name + ".json")).write_text(json.dumps(rows))
    return write


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    if hasattr(config, "workerinput"):
        return
    stats = terminalreporter.stats
    count = {k: len(stats.get(k, [])) for k in ("passed", "failed", "error", "skipped", "xfailed", "xpassed")}
    failed = count["failed"] + count["error"] + count["xpassed"]
    if not count["passed"] and not failed:
        failed = 1      # a run that tested nothing has failed
    for r in stats.get("skipped", []):
        reason = r.longrepr[2] if isinstance(r.longrepr, tuple) else str(r.longrepr)
        terminalreporter.write_line("skipped: %s: %s" % (r.nodeid, reason.replace("Skipped: ", "")))
    line = "%d passed, %d failed, %d skipped" % (count["passed"], failed, count["skipped"] + count["xfailed"])
    stack.BUILD.mkdir(parents=True, exist_ok=True)
    (stack.BUILD / "summary").write_text(line + "\n")
    report(line)


def report(line):
    """build/infra/report.md: resources per environment, the table of mistakes, the simulations."""
    figures = {f.stem: json.loads(f.read_text()) for f in sorted((stack.BUILD / "figures").glob("*.json"))}
    out = ["# What the tests of infra/ measured", "", "%s in %.0f s" % (line, time.time() - STARTED), ""]
    environments = {k[4:]: v for k, v in figures.items() if k.startswith("env-")}
    if environments:
        stacks = list(stack.STACKS)
        out += ["| environment | " + " | ".join(stacks) + " | resources |", "|---" * (len(stacks) + 2) + "|"]
        out += ["| %s | %s | %d |" % (e, " | ".join(str(c.get(s, "–")) for s in stacks), sum(c.values())) for e, c in sorted(environments.items())]
        out.append("")
    mistakes = [v for k, v in sorted(figures.items()) if k.startswith("mistake-")]
    if mistakes:
        out += ["| deliberate mistake | refused by |", "|---|---|"]
        out += ["| %s | %s |" % (m["what"], m["by"]) for m in mistakes] + [""]
    runs = [v for k, v in figures.items() if k.startswith("runs-")]
    if runs:
        out += ["- runs of terraform test: %d in %d folders" % (sum(runs), len(runs))]
    for k, v in figures.items():
        if k.startswith("note-"):
            out += ["- " + v]
    (stack.BUILD / "report.md").write_text("\n".join(out) + "\n")

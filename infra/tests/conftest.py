"""Progress while it runs, figures and one closing line when it is done."""
import json
import os
import re
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


# Who judges, by the rules that ask; every other rule is our own. The unit is what a rule looks at.
JUDGES = {
    "IAM's grammar: documents and keys": ("iam-accepts-every-policy", "policies-fit-those-who-carry-them"),
    "IAM's simulator: calls": ("nodes-pull-their-images", "the-boundary-leaves-managed-policies-their-use", "operators-may-make-everything"),
    "the SDK's models: resources": ("the-sdk-accepts-every-call",),
    "the SDK's errors: states": ("machines-name-errors-as-the-sdk-does",),
    "the kubelet: configurations": ("the-kubelet-accepts-its-configuration",),
    "reachability: open ways, needs of services": ("only-known-ways-are-open", "wanted-ways-are-open", "ways-are-the-same-from-every-zone", "services-answer-those-who-need-them"),
}
# Judges that are asked by tests of their own; the figure is [looked at, findings].
APART = {"reachability: pairs of subnets and ports tried": "ways-", "moto's server: calls replayed": "replayed-"}


def judge_table(figures):
    """Judges × environments: how many things each looked at, and its findings."""
    looked = [v for k, v in figures.items() if k.startswith("looked-")]
    environments = sorted({e for _, e, _, _ in looked})
    named = {rule: judge for judge, rules in JUDGES.items() for rule in rules}
    rows = {j: {e: [0, 0] for e in environments} for j in [*JUDGES, *APART, "our own rules: objects"]}
    for rule, env, seen, problems in looked:
        row = rows[named.get(rule, "our own rules: objects")][env]
        row[0], row[1] = row[0] + seen, row[1] + problems
    for judge, prefix in APART.items():
        for env in environments:
            rows[judge][env] = figures.get(prefix + env, [0, 0])
    out = ["| judge | " + " | ".join(environments) + " | findings |", "|---" + "|---:" * (len(environments) + 1) + "|"]
    out += ["| %s | %s | %d |" % (j, " | ".join(str(r[e][0]) for e in environments), sum(x[1] for x in r.values())) for j, r in rows.items()]
    return out if environments else []


def unproved(stats, config):
    """What the coverage page names and this run did not show. Only a whole run can tell."""
    if config.option.keyword or config.option.maxfail and stats.get("failed") or list(config.args) != [str(config.invocation_params.dir)]:
        return []
    passed = {r.nodeid for r in stats.get("passed", [])}
    files = {n.split("::")[0] for n in passed}
    page = (stack.INFRA / "COVERAGE.md").read_text()
    named = set(re.findall(r"`infra/tests/(test_\w+\.py)`", page))
    out = ["COVERAGE.md names %s, of which no test passed" % f for f in sorted(named - files)]
    rules = set(re.findall(r"rule `([\w-]+)`", page))
    return out + ["COVERAGE.md names the rule %s, which did not run" % r for r in sorted(rules) if not any("test_rule[%s-" % r in n or "test_rule[%s]" % r in n for n in passed)]


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    if hasattr(config, "workerinput"):
        return
    stats = terminalreporter.stats
    count = {k: len(stats.get(k, [])) for k in ("passed", "failed", "error", "skipped", "xfailed", "xpassed")}
    failed = count["failed"] + count["error"] + count["xpassed"]
    if not count["passed"] and not failed:
        failed = 1      # a run that tested nothing has failed
    for line in unproved(stats, config):
        terminalreporter.write_line(line)
        failed += 1
    for r in stats.get("skipped", []):
        reason = r.longrepr[2] if isinstance(r.longrepr, tuple) else str(r.longrepr)
        terminalreporter.write_line("skipped: %s: %s" % (r.nodeid, reason.replace("Skipped: ", "")))
    line = "%d passed, %d failed, %d skipped" % (count["passed"], failed, count["skipped"] + count["xfailed"])
    stack.BUILD.mkdir(parents=True, exist_ok=True)
    (stack.BUILD / "summary").write_text(line + "\n")
    for row in report(line):
        terminalreporter.write_line(row)


def report(line):
    """build/infra/report.md: resources per environment, judges, the table of mistakes, the simulations. Returns the table of judges."""
    figures = {f.stem: json.loads(f.read_text()) for f in sorted((stack.BUILD / "figures").glob("*.json"))}
    out = ["# What the tests of infra/ measured", "", "%s in %.0f s" % (line, time.time() - STARTED), ""]
    environments = {k[4:]: v for k, v in figures.items() if k.startswith("env-")}
    if environments:
        stacks = list(stack.STACKS)
        out += ["| environment | " + " | ".join(stacks) + " | resources |", "|---" * (len(stacks) + 2) + "|"]
        out += ["| %s | %s | %d |" % (e, " | ".join(str(c.get(s, "–")) for s in stacks), sum(c.values())) for e, c in sorted(environments.items())]
        out.append("")
    judges = judge_table(figures)
    out += judges + [""]
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
    return judges

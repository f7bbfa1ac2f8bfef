"""Deliberate mistakes in the configuration itself: each must be refused by Terraform (through the stub) or by a rule.

A mistake is a small edit of a copy of infra/. The stack it concerns is planned and applied anew, on top of what the
stacks before it created; the rest of the environment is as it was.
"""
import re
import shutil

import pytest

import rules
import stack
from mistakes import MISTAKES


def mutate(tree, edits):
    for path, pattern, replacement in edits:
        files = sorted((tree / "infra").glob(path))
        assert files, "no file %s" % path
        hits = 0
        for f in files:
            new, n = re.subn(pattern, replacement, f.read_text(), flags=re.M)
            hits += n
            if n:
                f.write_text(new)
        assert hits, "the mistake no longer applies: %s has no %s" % (path, pattern)


def stack_using(module):
    """The first stack that calls the module, itself or through another one."""
    users = {module}
    for other in stack.modules():
        text = "".join(f.read_text() for f in (stack.INFRA / "modules" / other).glob("*.tf"))
        if '"../%s"' % module in text:
            users.add(other)
    for s in stack.STACKS:
        text = "".join(f.read_text() for f in (stack.INFRA / "stacks" / s).glob("*.tf"))
        if any(re.search(r'source\s*=\s*"(\.\./)+modules/%s"' % u, text) for u in users):
            return s
    raise AssertionError("no stack uses the module %s" % module)


def judged(mistake, env):
    """What the named rule has against an environment."""
    assert mistake["rule"] in rules.RULES, mistake["rule"]
    return rules.RULES[mistake["rule"]].look(env)[1]


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_refused(name, tmp_path, figure):
    m = MISTAKES[name]
    env_name, where = m.get("env", "prod"), m.get("stack") or stack_using(m["module"])
    base = stack.load_environment(env_name)
    tree = stack.copy_tree(tmp_path / "tree")
    mutate(tree, m["edits"])
    before = stack.BUILD / "live" / env_name / ("cloud-before-" + where)
    cloud = tmp_path / "cloud"
    if before.is_dir():
        shutil.copytree(before, cloud)
    if where == "bootstrap":
        env = stack.Environment(env_name, base.applied, tree, mutated=True)
        env.bootstrap = stack.apply_bootstrap(tree, env_name, stack.account_of(env_name), tmp_path / "bootstrap")
        assert judged(m, env), "accepted"
        figure("mistake-%02d" % list(MISTAKES).index(name), {"what": name, "by": "rule `%s`" % m["rule"]})
        return
    try:
        applied = stack.apply_stack(tree, env_name, where, cloud, planned=False)
    except stack.Refused as e:
        said = stack.unwrap(str(e))
        assert "terraform" in m, "Terraform refused it, a rule was expected to:\n" + said[-1500:]
        assert re.search(m["terraform"], said), "Terraform refused it for another reason:\n" + said[-3000:]
        figure("mistake-%02d" % list(MISTAKES).index(name), {"what": name, "by": "Terraform: “%s”" % re.search(m["terraform"], said).group(0)})
        return
    assert "rule" in m, "Terraform accepted it"
    env = stack.Environment(env_name, [applied if a.stack == where else a for a in base.applied], tree, mutated=True)
    assert judged(m, env), "accepted"
    figure("mistake-%02d" % list(MISTAKES).index(name), {"what": name, "by": "rule `%s`" % m["rule"]})


def test_there_are_enough():
    assert len(MISTAKES) >= 20


@pytest.mark.parametrize("seed", sorted({r.seed for r in rules.RULES.values() if r.seed}))
def test_every_fault_of_the_seeds_is_made_once(seed):
    """The faults that the five systems really had are among the mistakes above."""
    names = {r.name for r in rules.RULES.values() if r.seed == seed}
    assert any(m.get("rule") in names or m.get("seed") == seed for m in MISTAKES.values()), seed

"""Deliberate mistakes in the configuration itself: each must be refused by Terraform (through the stub) or by a rule.

A mistake is a small edit of a copy of infra/. The stack it concerns is planned and applied anew, on top of what the
stacks before it created; the rest of the environment is as it was. Mistakes of one stack are made together, in as few
plans as there may be; `make check-infra-long` makes each by itself.
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


def place(m):
    """Where a mistake shows: the environment and the stack (or bootstrap)."""
    return m.get("env", "prod"), m.get("stack") or stack_using(m["module"])


def with_mistakes(where, names, folder):
    """The environment of a place with these mistakes in its configuration; raises Refused when Terraform does not plan it."""
    env_name, stack_name = where
    base = stack.load_environment(env_name)
    tree = stack.copy_tree(folder / "tree")
    for name in names:
        mutate(tree, MISTAKES[name]["edits"])
    if stack_name == "bootstrap":
        env = stack.Environment(env_name, base.applied, tree, mutated=True)
        env.bootstrap = stack.apply_bootstrap(tree, env_name, stack.account_of(env_name), folder / "bootstrap")
        return env
    before = stack.BUILD / "live" / env_name / ("cloud-before-" + stack_name)
    if before.is_dir():
        shutil.copytree(before, folder / "cloud")
    applied = stack.apply_stack(tree, env_name, stack_name, folder / "cloud", planned=False)
    return stack.Environment(env_name, [applied if a.stack == stack_name else a for a in base.applied], tree, mutated=True)


def batches():
    """(place, names) of the mistakes that rules see: one plan for all of a place, but never two for one rule, whose verdict would not say which."""
    out = []
    for name, m in MISTAKES.items():
        if "rule" not in m:
            continue
        fits = [b for b in out if b[0] == place(m) and m["rule"] not in {MISTAKES[n]["rule"] for n in b[1]}]
        if fits:
            fits[0][1].append(name)
        else:
            out.append((place(m), [name]))
    return out


def note(figure, name, by):
    figure("mistake-%02d" % list(MISTAKES).index(name), {"what": name, "by": by})


@pytest.mark.parametrize("where, names", batches(), ids=lambda v: "-".join(v) if isinstance(v, tuple) else str(len(v)))
def test_rules_notice(where, names, tmp_path, figure):
    """Every rule that is named has something against the configuration with the mistakes of its place in it, made together."""
    env = with_mistakes(where, names, tmp_path)
    accepted = [n for n in names if not judged(MISTAKES[n], env)]
    assert not accepted, "accepted: %s" % accepted
    for name in names:
        note(figure, name, "rule `%s`" % MISTAKES[name]["rule"])


@pytest.mark.long
@pytest.mark.parametrize("name", [n for n, m in MISTAKES.items() if "rule" in m])
def test_rule_notices_each_by_itself(name, tmp_path):
    """The same with one mistake at a time: no rule is helped by another's mistake."""
    m = MISTAKES[name]
    assert judged(m, with_mistakes(place(m), [name], tmp_path)), "accepted"


@pytest.mark.parametrize("name", [n for n, m in MISTAKES.items() if "terraform" in m])
def test_terraform_refuses(name, tmp_path, figure):
    m = MISTAKES[name]
    with pytest.raises(stack.Refused) as refusal:
        with_mistakes(place(m), [name], tmp_path)
    said = stack.unwrap(str(refusal.value))
    assert re.search(m["terraform"], said), "Terraform refused it for another reason:\n" + said[-3000:]
    note(figure, name, "Terraform: “%s”" % re.search(m["terraform"], said).group(0))


def test_there_are_enough():
    assert len(MISTAKES) >= 20


@pytest.mark.parametrize("seed", sorted({r.seed for r in rules.RULES.values() if r.seed}))
def test_every_fault_of_the_seeds_is_made_once(seed):
    """The faults that the five systems really had are among the mistakes above."""
    names = {r.name for r in rules.RULES.values() if r.seed == seed}
    assert any(m.get("rule") in names or m.get("seed") == seed for m in MISTAKES.values()), seed

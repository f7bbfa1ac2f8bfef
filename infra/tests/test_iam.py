"""Roles: an allow and a deny matrix, evaluated by an IAM simulator over the policies as they are applied.

Each role is simulated with its own policies, those of AWS that it carries, and its permissions boundary (from bootstrap/).
"""
import re

import pytest

import rules
import stack
from iam_matrix import MATRIX, OPTIONAL
from judges.accounts import Account, account, compare, simulation
from judges.iam import ask

ENVIRONMENTS = stack.environments()


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_roles_may_do_what_they_must_and_no_more(env, figure):
    a = account(env)
    cases = []
    for pattern, action, resource, expected, context in MATRIX:
        role = a.role(pattern)
        if role is None:
            assert pattern in OPTIONAL, "no role %s" % a.fill(pattern)
            continue
        if not a.has(resource, *context, *[v for v in context.values() if isinstance(v, str)]):
            continue
        cases.append(("%s %s %s" % (role["name"], action, a.fill(resource)), simulation(a, role, action, resource, context), expected))
    n = compare(a, cases)
    figure("note-iam-" + env, "IAM simulations in %s: %d, %d of them denials" % (env, n, sum(1 for c in cases if not c[2])))


def test_every_object_of_the_matrix_exists_somewhere():
    for name in sorted({n for m in MATRIX for n in re.findall(r"\{(\w+)\}", m[2])}):
        assert any(name in account(e).facts for e in ENVIRONMENTS), "no environment has a %s" % name


def test_every_role_of_the_matrix_exists_somewhere():
    for pattern in {m[0] for m in MATRIX} - {"{prefix}-tallyd"}:     # that one: test_the_daemon_connects_by_iam
        assert any(account(e).role(pattern) for e in ENVIRONMENTS), "no environment has %s" % pattern


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_role_of_ours_has_the_boundary(env):
    a = account(env)
    bare = [r["name"] for r in a.env.all("aws_iam_role") if not r["permissions_boundary"]]
    assert not bare, "without the boundary: %s" % bare
    assert all(a.boundary(r) for r in a.env.all("aws_iam_role"))


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_boundary_takes_nothing_that_a_policy_gives(env):
    """What a role's own policy allows on its own terms, the boundary allows too: a boundary that is too tight is an outage."""
    a = account(env)
    cases = []
    for role in a.env.all("aws_iam_role"):
        for doc in a.own(role):
            for st in rules.listed(doc["Statement"]):
                if st["Effect"] != "Allow":
                    continue
                for action in rules.listed(st["Action"]):
                    if "*" in action:
                        continue
                    for resource in rules.listed(st["Resource"])[:2]:
                        context = {}
                        for op, key, vals in rules.values_of(st):
                            context[key] = vals if op.startswith("For") else vals[0].replace("*", "x") if isinstance(vals[0], str) else str(vals[0])
                        concrete = resource if resource == "*" else resource.replace("*", "x")
                        s = {"principal": role["arn"], "action": action, "resource": concrete, "resourceAccount": a.account, "context": context, "identity": a.identity(role), "resourcePolicy": a.key_policy(action, concrete)}
                        cases.append((role["name"], s, dict(s, boundary=a.boundary(role))))
    free = ask({"simulations": [c[1] for c in cases]})["simulations"]
    bound = ask({"simulations": [c[2] for c in cases]})["simulations"]
    wrong = ["%s %s on %s" % (c[0], c[1]["action"], c[1]["resource"]) for c, f, b in zip(cases, free, bound) if f.get("result") == "Allowed" and b.get("result") != "Allowed"]
    allowed = sum(1 for f in free if f.get("result") == "Allowed")
    assert allowed > len(cases) / 3, "only %d of %d could be tried" % (allowed, len(cases))
    assert not wrong, "the boundary takes away: %s" % wrong


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_action_exists(env):
    """A misspelt action in an allow gives nothing, in a deny protects nothing; nobody else would say so."""
    a = account(env)
    where = {}
    for e in (a.env, a.bootstrap):
        for r, arg, st in rules.statements(e):
            for action in rules.listed(st.get("Action")) + rules.listed(st.get("NotAction")):
                where.setdefault(action, str(r))
    assert len(where) > 50
    unknown = {k: where[k] for k, n in ask({"actions": sorted(where)})["actions"].items() if n == 0}
    assert not unknown, unknown


def test_a_misspelt_action_is_noticed():
    answer = ask({"actions": ["memorydb:CopySnapshot", "memorydb:CopySnapshots", "nosuch:Thing", "s3:Get*"]})["actions"]
    assert answer["memorydb:CopySnapshot"] == 1 and answer["s3:Get*"] > 10 and answer["memorydb:CopySnapshots"] == answer["nosuch:Thing"] == 0


def test_the_daemon_connects_by_iam(tmp_path):
    """With memorydb_auth = "iam", which no environment has today, the daemon has a role that may connect as its own user and do nothing else."""
    tree = stack.copy_tree(tmp_path / "tree")
    variables = tree / "infra" / "live" / "prod" / "platform.tfvars"
    text = variables.read_text()
    assert "memorydb_auth" not in text
    variables.write_text(text + '\nmemorydb_auth = "iam"\n')
    applied = stack.apply_stack(tree, "prod", "platform", tmp_path / "cloud", planned=False)
    a = Account("prod")
    base = a.env
    a.env = stack.Environment("prod", [applied] + [x for x in base.applied if x.stack != "platform"], tree, mutated=True)
    rows = [m for m in MATRIX if m[0] == "{prefix}-tallyd"]
    role = a.role("{prefix}-tallyd")
    assert role and len(rows) >= 4
    compare(a, [("%s %s" % (m[1], a.fill(m[2])), simulation(a, role, m[1], m[2], m[4]), m[3]) for m in rows])

"""The rules of rules.py over every environment, planned and applied from nothing through the stub."""
import pytest

import rules
import stack

ENVIRONMENTS = stack.environments()
EXPECTED = {"dev", "staging", "prod", "prod-dr"}


def test_all_environments_are_there():
    assert EXPECTED <= set(ENVIRONMENTS), "missing: %s" % sorted(EXPECTED - set(ENVIRONMENTS))


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_environment_plans_and_applies_from_nothing(env, figure):
    """Platform, data and edge, one after the other, from an empty state."""
    e = stack.load_environment(env)
    counts = e.counts()
    figure("env-" + env, counts)
    assert list(counts) == [s for s in stack.STACKS if s in counts] and len(counts) == 3, "stacks: %s" % counts
    assert all(n > 0 for n in counts.values()), counts
    for a in e.applied:
        changes = {c["change"]["actions"][0] for c in a.plan["resource_changes"] if c["mode"] == "managed"}
        assert changes <= {"create"}, changes
        checks = [c for c in a.plan.get("checks", []) if c["status"] == "fail"]
        assert not checks, checks


@pytest.mark.parametrize("env", ENVIRONMENTS)
@pytest.mark.parametrize("name", rules.RULES)
def test_rule(name, env, figure):
    seen, problems = rules.RULES[name].look(stack.load_environment(env))
    figure("looked-%s-%s" % (name, env), [name, env, seen, len(problems)])
    assert not problems, "%s\n  %s" % (rules.RULES[name].text, "\n  ".join(problems))
    needs = rules.RULES[name].needs
    if needs == "every" or isinstance(needs, tuple) and env in needs:
        assert seen, "the rule found nothing to look at"


@pytest.mark.parametrize("name", [n for n, r in rules.RULES.items() if r.needs == "some"])
def test_rule_sees_something_somewhere(name):
    assert any(rules.RULES[name].look(stack.load_environment(e))[0] for e in ENVIRONMENTS), "no environment has anything this rule looks at"


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_rendered_user_data_is_clean(env, tmp_path):
    """shellcheck over the shell part as the nodes get it."""
    templates = rules.node_templates(stack.load_environment(env))
    assert templates
    for i, r in enumerate(templates):
        for kind, body in rules.user_data_parts(r["user_data"]):
            if kind == "text/x-shellscript":
                script = tmp_path / ("%d.sh" % i)
                script.write_bytes(body)
                p = stack.run(["shellcheck", script], check=False)
                assert p.returncode == 0, "%s\n%s" % (r, p.stdout)

"""The judge of calls: what it is told to leave alone really occurs, and each kind of fault is noticed (test_rules.py has one of each on production)."""
import pytest

import stack
from judges import models, shapes


def environments():
    for name in stack.environments():
        e = stack.load_environment(name)
        yield from (e, e.bootstrap)


def every():
    for e in environments():
        planned = {a.stack + ":" + c["address"]: c["change"]["after"] for a in e.applied for c in a.plan["resource_changes"]}
        yield from ((r, planned.get(r.address)) for r in e.resources if r.type.startswith("aws_"))


def test_what_is_explained_occurs(figure):
    """No type is mapped, and no argument excused, that no environment has."""
    kinds, excused, calls, members = set(), set(), 0, 0
    for r, planned in every():
        kinds.add(r.type)
        excused |= {(r.type, n) for n in models.given(models.schema(r.type), r.values, planned)}
        if r.type in shapes.SHAPES:
            made, size, _ = models.judge(r, planned)
            calls, members = calls + made, members + size
    stale = sorted((set(shapes.SHAPES) | set(shapes.UNMAPPED)) - kinds)
    assert not stale, stale
    stale = sorted((k, n) for k, names in shapes.ELSEWHERE.items() for n in names if (k, n) not in excused)
    assert not stale, stale
    figure("note-models", "calls composed and held against the SDK's models: %d, with %d values; types not mapped: %s" % (calls, members, ", ".join("%s (%s)" % p for p in sorted(shapes.UNMAPPED.items()))))


def test_arguments_that_are_excused_say_why():
    assert all(len(why) > 20 for names in shapes.ELSEWHERE.values() for why in names.values())
    assert all(len(why) > 20 for why in shapes.UNMAPPED.values())


# resource, what is changed, what the judge must say
FAULTS = [
    ("aws_wafv2_web_acl", {"description": "for ever (and ever)"}, "Description does not match"),
    ("aws_lb_target_group", {"port": 70000}, "Port is 70000, not 1 to 65535"),
    ("aws_sfn_state_machine", {"type": "QUICK"}, "type is none of STANDARD, EXPRESS"),
    ("aws_iam_role", {"description": "x" * 1001}, "Description has 1001 characters, not 0 to 1000"),
    ("aws_eks_cluster", {"role_arn": None}, "has no roleArn"),
    ("aws_memorydb_cluster", {"num_shards": "two"}, "NumShards is no integer"),
]


@pytest.mark.parametrize("kind, change, said", FAULTS, ids=[f[2] for f in FAULTS])
def test_the_judge_says_what_is_wrong(kind, change, said):
    original = stack.load_environment("prod").all(kind)[0]
    r = stack.Resource("test", {"address": "x", "mode": "managed", "type": kind, "name": "x", "values": dict(original.values, **change)})
    found = models.judge(r, r.values)[2]
    assert any(said in f for f in found), found


def test_an_argument_without_a_member_is_a_finding():
    values = dict(stack.load_environment("prod").all("aws_sns_topic_subscription")[0].values, delivery_policy="{}")
    r = stack.Resource("test", {"address": "x", "mode": "managed", "type": "aws_sns_topic_subscription", "name": "x", "values": values})
    assert "delivery_policy finds no member" in models.judge(r, values)[2]

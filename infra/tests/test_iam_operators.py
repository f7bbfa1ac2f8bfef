"""Those who apply: people and pipelines, by the policies that bootstrap/ makes."""
import json
import re

import pytest

import rules
import stack
from judges import iam
from judges.accounts import ALLOW, DENY, account, compare

ENVIRONMENTS = stack.environments()


def operator(a):
    return [json.loads(p["policy"]) for p in a.bootstrap.all("aws_iam_policy") if re.search(r"-operator(-\w+)?$", p["name"])]


@pytest.mark.parametrize("env", ENVIRONMENTS[:1])
def test_operators_cannot_escape(env):
    """An operator makes roles only with the boundary, cannot change the boundary, and cannot touch the state's bucket."""
    a = account(env)
    docs = operator(a)
    assert len(docs) == 4, "three parts and the guard"
    boundary = next(p["arn"] for p in a.bootstrap.all("aws_iam_policy") if p["name"].endswith("-boundary"))
    bucket = a.bootstrap.all("aws_s3_bucket")[0]["arn"]
    role = "arn:aws:iam::%s:role/tallyd/x" % a.account
    tries = [
        ("iam:CreateRole", role, {"iam:PermissionsBoundary": boundary}, ALLOW),
        ("iam:CreateRole", role, {}, DENY),
        ("iam:CreateRole", role, {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}, DENY),
        ("iam:CreateRole", "arn:aws:iam::%s:role/x" % a.account, {"iam:PermissionsBoundary": boundary}, DENY),
        ("iam:PutRolePolicy", role, {}, DENY),
        ("iam:DeleteRolePermissionsBoundary", role, {}, DENY),
        ("iam:CreatePolicyVersion", boundary, {}, DENY),
        ("iam:CreateUser", "arn:aws:iam::%s:user/x" % a.account, {}, DENY),
        ("iam:CreateAccessKey", "arn:aws:iam::%s:user/x" % a.account, {}, DENY),
        ("iam:PassRole", role, {"iam:PassedToService": "eks.amazonaws.com"}, ALLOW),
        ("iam:PassRole", "arn:aws:iam::%s:role/admin" % a.account, {"iam:PassedToService": "ec2.amazonaws.com"}, DENY),
        ("s3:DeleteBucket", bucket, {}, DENY),
        ("s3:PutBucketPolicy", bucket, {}, DENY),
        ("organizations:LeaveOrganization", "*", {}, DENY),
        ("memorydb:UpdateCluster", "arn:aws:memorydb:%s:%s:cluster/x" % (a.region, a.account), {"aws:RequestedRegion": a.region}, ALLOW),
        ("memorydb:UpdateCluster", "arn:aws:memorydb:ap-south-1:%s:cluster/x" % a.account, {"aws:RequestedRegion": "ap-south-1"}, DENY),
    ]
    cases = [("operator %s %s %s" % (action, res, ctx), {"principal": "arn:aws:iam::%s:role/operator" % a.account, "action": action, "resource": res, "resourceAccount": a.account,
                                                         "context": ctx, "identity": docs}, want) for action, res, ctx, want in tries]
    compare(a, cases)


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_pipelines_that_plan_change_nothing(env):
    """The pipeline of pull requests reads every planned resource, no secret, and writes nothing; the nightly one reads secrets as well; only the last one applies."""
    a = account(env)
    judge = rules.Account(a.env)
    roles = {r["name"].split("-ci-")[-1]: r for r in a.bootstrap.all("aws_iam_role")}
    assert set(roles) == {"apply", "plan", "compare"}
    attached = {name: [judge.policies[p["policy_arn"]] for p in a.bootstrap.all("aws_iam_role_policy_attachment") if p["role"] == r["name"]] for name, r in roles.items()}
    kinds = sorted({r.type for r in a.env.resources if r.type.startswith("aws_")})
    reads = sorted({x for k in kinds for x in rules.calls.CALLS[k]["read"]} - {"secretsmanager:GetSecretValue"})
    writes = sorted({x for k in kinds for part in ("create", "delete") for x in rules.calls.CALLS[k][part] if not re.search(r":(Describe|Get|List|Decrypt)", x)})
    iam.described(reads + writes)
    secret = "arn:aws:secretsmanager:%s:%s:secret:%s/redis/tallyd-AbCdEf" % (a.region, a.account, a.prefix)
    rows = [(name, x, t, True) for name in roles for x in reads for t in iam.targets(x, a.account, a.region)]
    rows += [(name, x, t, False) for name in ("plan", "compare") for x in writes for t in iam.targets(x, a.account, a.region)]
    rows += [("plan", "secretsmanager:GetSecretValue", secret, False), ("compare", "secretsmanager:GetSecretValue", secret, True)]
    state = "arn:aws:s3:::tallyd-state-%s-%s/%s/platform.tfstate" % (a.account, a.region, env)
    rows += [("plan", "s3:GetObject", state, True), ("plan", "s3:PutObject", state, False), ("compare", "s3:PutObject", state, False), ("apply", "s3:PutObject", state, True)]
    answers = judge.ask([(roles[name]["arn"], x, t, attached[name], None, {}) for name, x, t, _ in rows])
    wrong = ["%s %s on %s: %s" % (*row[:3], "allowed" if got else "refused") for row, got in zip(rows, answers) if got != row[3]]
    assert not wrong, "\n".join(wrong[:20])

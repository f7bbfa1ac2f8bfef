"""Buckets, secrets, keys, queues, endpoints and trust: what others may not do to them."""
import json

import pytest

import stack
from judges.accounts import ALLOW, DENY, account, compare

ENVIRONMENTS = stack.environments()
STRANGER = "arn:aws:iam::999999999999:role/stranger"


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_strangers_are_denied(env):
    """Another account with every right of its own gets at no bucket, secret, key, queue or topic of ours."""
    a = account(env)
    everything = [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]
    probes = {"aws_s3_bucket_policy": ("s3:GetObject", lambda r: "arn:aws:s3:::%s/key" % r["bucket"]),
              "aws_secretsmanager_secret_policy": ("secretsmanager:GetSecretValue", lambda r: r["secret_arn"]),
              "aws_kms_key": ("kms:Decrypt", lambda r: r["arn"]),
              "aws_sqs_queue_policy": ("sqs:SendMessage", lambda r: next(q["arn"] for q in a.env.all("aws_sqs_queue"))),
              "aws_sns_topic_policy": ("sns:Publish", lambda r: r["arn"])}
    cases = []
    for kind, (action, resource) in probes.items():
        found = a.env.all(kind)
        assert found or kind not in ("aws_s3_bucket_policy", "aws_kms_key"), "no %s" % kind
        for r in found:
            cases.append(("%s %s" % (r, action), {"principal": STRANGER, "action": action, "resource": resource(r), "resourceAccount": a.account, "identity": everything,
                                                  "resourcePolicy": json.loads(r["policy"]), "context": {"aws:PrincipalAccount": "999999999999", "aws:SecureTransport": "true"}}, DENY))
    compare(a, cases)


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_plain_http_is_denied(env):
    """Even one's own account reads no bucket over plain HTTP."""
    a = account(env)
    own = [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}]
    cases = []
    for r in a.env.all("aws_s3_bucket_policy"):
        for secure in ("true", "false"):
            cases.append(("%s over TLS: %s" % (r, secure), {"principal": "arn:aws:iam::%s:role/x" % a.account, "action": "s3:GetObject", "resource": "arn:aws:s3:::%s/key" % r["bucket"],
                                                            "resourceAccount": a.account, "identity": own, "resourcePolicy": json.loads(r["policy"]),
                                                            "context": {"aws:SecureTransport": secure, "aws:PrincipalAccount": a.account}}, secure == "true"))
    assert compare(a, cases) >= 2


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_pods_assume_only_their_own_roles(env):
    """Pod Identity's trust: the right cluster and account, and where the trust names it, the right service account."""
    a = account(env)
    cases = []
    for assoc in a.env.all("aws_eks_pod_identity_association"):
        role = a.env.by_id[assoc["role_arn"]]
        good = {"aws:SourceAccount": a.account, "aws:SourceArn": "arn:aws:eks:%s:%s:cluster/%s" % (a.region, a.account, assoc["cluster_name"]),
                "aws:RequestTag/kubernetes-namespace": assoc["namespace"], "aws:RequestTag/kubernetes-service-account": assoc["service_account"]}
        base = {"principal": "pods.eks.amazonaws.com", "action": "sts:AssumeRole", "resource": role["arn"], "resourceAccount": a.account, "identity": [], "resourcePolicy": json.loads(role["assume_role_policy"])}
        cases.append(("%s as itself" % assoc, dict(base, context=good), ALLOW))
        cases.append(("%s from another account" % assoc, dict(base, context=dict(good, **{"aws:SourceAccount": "999999999999"})), DENY))
        cases.append(("%s from another cluster" % assoc, dict(base, context=dict(good, **{"aws:SourceArn": good["aws:SourceArn"] + "-other"})), DENY))
        cases.append(("%s by ec2" % assoc, dict(base, principal="ec2.amazonaws.com", context=good), DENY))
    assert compare(a, cases) >= 4


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_endpoints_serve_only_our_account(env):
    """Credentials of somebody else's account do not get out through our endpoints (STS excepted)."""
    a = account(env)
    cases = []
    tries = {"secretsmanager": ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:%s:999999999999:secret:x-AbCdEf" % a.region),
             "logs": ("logs:PutLogEvents", "arn:aws:logs:%s:999999999999:log-group:x:log-stream:y" % a.region), "ecr.api": ("ecr:BatchGetImage", "arn:aws:ecr:%s:999999999999:repository/x" % a.region),
             "s3": ("s3:PutObject", "arn:aws:s3:::somebody-elses/key")}
    for e in a.env.all("aws_vpc_endpoint"):
        short = e["service_name"].split(".", 3)[3]
        if short not in tries:
            continue
        action, resource = tries[short]
        for who in ("999999999999", a.account):
            ours = who == a.account
            target = resource.replace("999999999999", who)
            cases.append(("%s for account %s" % (short, who), {"principal": "arn:aws:iam::%s:role/x" % who, "action": action, "resource": target, "resourceAccount": who,
                                                                "identity": [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}],
                                                                "endpoint": [json.loads(e["policy"])], "context": {"aws:PrincipalAccount": who, "aws:ResourceAccount": who, "aws:SourceVpce": e["id"]}}, ours))
    assert compare(a, cases) >= 8

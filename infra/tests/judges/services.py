"""Which of AWS's services answer which role, and on which way: through an interface or gateway endpoint of ours, or out through NAT.

A way to a service is open when the network leads there and IAM allows the call: the role's policies, its boundary and, where it goes through an
endpoint of ours, the endpoint's policy, asked together.
"""
import json

from . import iam, reach
from .accounts import simulation

REGISTRY = "arn:aws:ecr:{region}:602401143452:repository/eks/pause"
# role, party that it runs as, service as the endpoint is called, action, resource
NEEDS = [
    ("{prefix}-external-secrets", "pods", "secretsmanager", "secretsmanager:GetSecretValue", "{memorydb_secret}"),
    ("{prefix}-external-secrets", "pods", "sts", "sts:GetCallerIdentity", "*"),
    ("{prefix}-node", "pods", "eks-auth", "eks-auth:AssumeRoleForPodIdentity", "arn:aws:eks:{region}:{account}:cluster/{prefix}"),
    ("{prefix}-node", "pods", "eks", "eks:DescribeCluster", "arn:aws:eks:{region}:{account}:cluster/{prefix}"),
    ("{prefix}-node", "pods", "ecr.api", "ecr:GetAuthorizationToken", "*"),
    ("{prefix}-node", "pods", "ecr.dkr", "ecr:BatchGetImage", "{repository}"),
    ("{prefix}-node", "pods", "ecr.dkr", "ecr:BatchGetImage", REGISTRY),
    ("{prefix}-image-reflector", "pods", "ecr.api", "ecr:ListImages", "{repository}"),
    ("{prefix}-load-balancer-controller", "pods", "elasticloadbalancing", "elasticloadbalancing:RegisterTargets", "{blue}"),
    ("{prefix}-karpenter", "pods", "sqs", "sqs:ReceiveMessage", "{queue}"),
    ("{prefix}-prometheus", "pods", "aps-workspaces", "aps:RemoteWrite", "{workspace}"),
    ("{prefix}-thanos", "pods", "s3", "s3:PutObject", "{metrics_bucket}/block/meta.json"),
    ("{prefix}-addon-amazon-cloudwatch-observability", "pods", "logs", "logs:PutLogEvents", "arn:aws:logs:{region}:{account}:log-group:/aws/containerinsights/{prefix}/application:log-stream:x"),
    ("{prefix}-addon-amazon-cloudwatch-observability", "pods", "monitoring", "cloudwatch:PutMetricData", "*"),
    ("{prefix}-rotate-memorydb", "rotation", "memory-db", "memorydb:UpdateUser", "{memorydb_user}"),
    ("{prefix}-ops", "ops-host", "ssmmessages", "ssmmessages:CreateControlChannel", "*"),
]
# Objects in buckets of AWS that nodes fetch without credentials, or with presigned ones.
FETCHED = ("prod-{region}-starport-layer-bucket", "prod-registry-k8s-io-{region}", "prod-registry-k8s-io-us-east-1", "al2023-repos-{region}-de612dc2")
ANYBODY = [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]


def endpoint(env, service):
    """Our endpoint of a service, or None: then the way leads through NAT."""
    return next((e for e in env.all("aws_vpc_endpoint") if e["service_name"].split(".", 3)[3] == service), None)


def led(net, party, ours):
    """Whether the network leads from every subnet of a party to an endpoint of ours, or out where there is none."""
    group, subnets = net.parties()[party]
    if ours is None:
        return all(net.outside(s, group, 443) for s in subnets)
    if ours["vpc_endpoint_type"] == "Gateway":
        return all(net.table(s) in ours["route_table_ids"] and net.grouped(group, "egress", None, 443, reach.WORLD) and net.listed(s, "egress", reach.WORLD, 443) for s in subnets)
    places = [net.subnets[i] for i in ours["subnet_ids"]]
    return all(net.inside(a, group, b, net.group("endpoints"), 443) for a in subnets for b in places)


def question(a, role, action, resource, ours):
    """What IAM is asked for one way: with the endpoint's policy where there is one of ours."""
    about = {"aws:RequestedRegion": a.region, "aws:PrincipalAccount": a.account, "secretsmanager:resource/AllowRotationLambdaArn": a.facts.get("rotation", "")}
    if action.split(":")[0] in ("sqs", "s3", "secretsmanager"):
        about["aws:ResourceAccount"] = a.account
    asked = simulation(a, role, action, resource, {})
    asked["context"] = {k: v for k, v in about.items() if v and not (k.startswith("secretsmanager:") and action != "secretsmanager:PutSecretValue")}
    owner = asked["resource"].split(":")[4:5]
    if owner and owner[0] and owner[0] != a.account:
        # A registry of AWS's own lets everybody read.
        asked["resourceAccount"] = owner[0]
        asked["resourcePolicy"] = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": "*"}]}
    if ours is not None:
        asked["endpoint"] = [json.loads(ours["policy"])]
    return asked


def needed(a):
    """(text, service, whether through an endpoint of ours, what stands against it or None) of every need of an environment."""
    env, net, rows = a.env, reach.Net(a.env), []
    for pattern, party, service, action, resource in NEEDS:
        role = a.role(pattern)
        if role is not None and a.has(resource):
            rows.append((role, party, service, action, resource, endpoint(env, service)))
    answers = iam.ask({"simulations": [question(a, r, action, resource, e) for r, _, _, action, resource, e in rows]})["simulations"]
    for (role, party, service, action, resource, e), answer in zip(rows, answers):
        text = "%s %s" % (role["name"], action)
        yield text, party, service, e is not None, against(net, party, e, answer)
    s3 = endpoint(env, "s3")
    asked = [{"principal": "arn:aws:iam::999999999999:role/presigned", "action": "s3:GetObject", "resource": "arn:aws:s3:::%s/x" % a.fill(b), "resourceAccount": "999999999999", "identity": ANYBODY,
              "endpoint": [json.loads(s3["policy"])], "context": {"aws:PrincipalAccount": "999999999999", "aws:ResourceAccount": "999999999999"}} for b in FETCHED]
    for bucket, answer in zip(FETCHED, iam.ask({"simulations": asked})["simulations"]):
        yield "node fetches from %s" % a.fill(bucket), "pods", "s3", True, against(net, "pods", s3, answer)


def against(net, party, ours, answer):
    if not led(net, party, ours):
        return "the network does not lead there"
    if "error" in answer:
        return answer["error"][:300]
    return None if answer["result"] == "Allowed" else "IAM says %s" % answer["result"]

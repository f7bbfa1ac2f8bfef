"""Who may do what: allow and deny matrices, evaluated by an IAM simulator over the policies as they are applied.

Each role is simulated with its own policies, those of AWS that it carries, and its permissions boundary (from bootstrap/).
"""
import functools
import json
import re

import pytest

import rules
import stack
from judges import iam
from judges.iam import ask

ENVIRONMENTS = stack.environments()


class Account:
    """The roles of an environment with everything that decides for them."""

    def __init__(self, env):
        self.env = stack.load_environment(env)
        self.bootstrap = stack.load_bootstrap(env)
        cluster = self.env.all("aws_eks_cluster")[0]
        self.region, self.account = cluster["arn"].split(":")[3:5]
        self.prefix = cluster["name"]
        self.policies = {r["arn"]: json.loads(r["policy"]) for r in self.env.all("aws_iam_policy") + self.bootstrap.all("aws_iam_policy")}

    @functools.cached_property
    def facts(self):
        """What the matrix calls by name; an object that an environment has not got makes its rows fall away."""
        out = {"region": self.region, "account": self.account, "prefix": self.prefix, "env": self.env.name}
        for name, kind, key, pattern in (("repository", "aws_ecr_repository", "name", ""), ("memorydb_secret", "aws_secretsmanager_secret", "name", "redis/tallyd$|memorydb/tallyd$"),
                                         ("token_secret", "aws_secretsmanager_secret", "name", "token"), ("memorydb_user", "aws_memorydb_user", "user_name", "tallyd$"),
                                         ("memorydb_cluster", "aws_memorydb_cluster", "name", ""), ("backup_bucket", "aws_s3_bucket", "bucket", "backup|snapshot"),
                                         ("metrics_bucket", "aws_s3_bucket", "bucket", "metrics"), ("workspace", "aws_prometheus_workspace", "alias", ""),
                                         ("blue", "aws_lb_target_group", "name", "blue"), ("green", "aws_lb_target_group", "name", "green"),
                                         ("rotation", "aws_lambda_function", "function_name", "rotat"), ("queue", "aws_sqs_queue", "name", "karpenter")):
            found = [r for r in self.env.all(kind) if re.search(pattern, r[key] or "")]
            if found:
                out[name] = found[0]["arn"]
        for alias in self.env.all("aws_kms_alias"):
            if alias["name"] == "alias/%s-data" % self.prefix:
                out["data_key"] = next(k["arn"] for k in self.env.all("aws_kms_key") if alias["target_key_id"] in (k["id"], k["key_id"], k["arn"]))
        return out

    def key_policy(self, action, resource):
        """KMS asks the key's own policy first: without its consent IAM counts for nothing."""
        if not action.startswith("kms:"):
            return None
        keys = [k for k in self.env.all("aws_kms_key") if k["arn"] == resource]
        return json.loads(keys[0]["policy"]) if keys else None

    def has(self, *texts):
        return all(n in self.facts for t in texts for n in re.findall(r"\{(\w+)\}", t))

    def fill(self, text):
        return text.format(**self.facts)

    def role(self, pattern):
        # {env} in a role's pattern is not needed: names carry it
        found = [r for r in self.env.all("aws_iam_role") if re.fullmatch(self.fill(pattern), r["name"])]
        return found[0] if found else None

    def own(self, role):
        """Its policies but those of AWS, for which the rule the-boundary-leaves-managed-policies-their-use asks."""
        managed = [iam.managed(r["policy_arn"]) for r in self.env.all("aws_iam_role_policy_attachment") if r["role"] in (role["name"], role["id"])]
        return [d for d in self.identity(role) if d not in managed]

    def identity(self, role):
        docs = [json.loads(r["policy"]) for r in self.env.all("aws_iam_role_policy") if r["role"] in (role["name"], role["id"])]
        docs += [self.policies.get(r["policy_arn"]) or iam.managed(r["policy_arn"]) for r in self.env.all("aws_iam_role_policy_attachment")
                 if r["role"] in (role["name"], role["id"])]
        return docs

    def boundary(self, role):
        arn = role["permissions_boundary"]
        if not arn:
            return None
        assert arn in self.policies, "%s has a boundary that bootstrap does not make: %s" % (role, arn)
        return [self.policies[arn]]


@functools.lru_cache(None)
def account(env):
    return Account(env)


OWNED = {"aws:ResourceTag/kubernetes.io/cluster/{prefix}": "owned", "aws:ResourceTag/karpenter.sh/nodepool": "hits"}
HERE = {"aws:RequestedRegion": "{region}"}
ALLOW, DENY = True, False

# role, action, resource, verdict, context
MATRIX = [
    # External Secrets reads this environment's secrets and no others, and decrypts them only through Secrets Manager.
    ("{prefix}-external-secrets", "secretsmanager:GetSecretValue", "{memorydb_secret}", ALLOW, {}),
    ("{prefix}-external-secrets", "secretsmanager:GetSecretValue", "{token_secret}", ALLOW, {}),
    ("{prefix}-external-secrets", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:{region}:{account}:secret:other/x-AbCdEf", DENY, {}),
    ("{prefix}-external-secrets", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:{region}:999999999999:secret:{prefix}/memorydb/tallyd-AbCdEf", DENY, {}),
    ("{prefix}-external-secrets", "secretsmanager:PutSecretValue", "{memorydb_secret}", DENY, {}),
    ("{prefix}-external-secrets", "secretsmanager:DeleteSecret", "{memorydb_secret}", DENY, {}),
    ("{prefix}-external-secrets", "kms:Decrypt", "{data_key}", ALLOW,
     {"kms:ViaService": "secretsmanager.{region}.amazonaws.com", "kms:ResourceAliases": ["alias/{prefix}-data"]}),
    ("{prefix}-external-secrets", "kms:Decrypt", "{data_key}", DENY,
     {"kms:ViaService": "s3.{region}.amazonaws.com", "kms:ResourceAliases": ["alias/{prefix}-data"]}),
    ("{prefix}-external-secrets", "kms:Decrypt", "{data_key}", DENY,
     {"kms:ViaService": "secretsmanager.{region}.amazonaws.com", "kms:ResourceAliases": ["alias/somebody-else"]}),

    # The load balancer controller binds pods to our target groups; it makes and deletes nothing.
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:RegisterTargets", "{blue}", ALLOW, {}),
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:DeregisterTargets", "{green}", ALLOW, {}),
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:RegisterTargets", "arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/other-blue/0123456789abcdef", DENY, {}),
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:CreateLoadBalancer", "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/net/x/0123456789abcdef", DENY, {}),
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:DeleteTargetGroup", "{blue}", DENY, {}),
    ("{prefix}-load-balancer-controller", "ec2:AuthorizeSecurityGroupIngress", "arn:aws:ec2:{region}:{account}:security-group/sg-0123456789abcdef0", DENY, {}),
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:DescribeTargetHealth", "*", ALLOW, HERE),
    ("{prefix}-load-balancer-controller", "elasticloadbalancing:DescribeTargetHealth", "*", DENY, {"aws:RequestedRegion": "us-west-2"}),

    # The GitOps controller lists tags and pushes nothing.
    ("{prefix}-image-reflector", "ecr:ListImages", "{repository}", ALLOW, {}),
    ("{prefix}-image-reflector", "ecr:GetAuthorizationToken", "*", ALLOW, {}),
    ("{prefix}-image-reflector", "ecr:PutImage", "{repository}", DENY, {}),
    ("{prefix}-image-reflector", "ecr:BatchDeleteImage", "{repository}", DENY, {}),
    ("{prefix}-image-reflector", "ecr:ListImages", "arn:aws:ecr:{region}:{account}:repository/other", DENY, {}),

    # The daemon: with IAM it connects as its own user to its own cluster, and can do nothing else.
    ("{prefix}-tallyd", "memorydb:Connect", "{memorydb_cluster}", ALLOW, {}),
    ("{prefix}-tallyd", "memorydb:Connect", "{memorydb_user}", ALLOW, {}),
    ("{prefix}-tallyd", "memorydb:Connect", "arn:aws:memorydb:{region}:{account}:cluster/other", DENY, {}),
    ("{prefix}-tallyd", "memorydb:Connect", "arn:aws:memorydb:{region}:{account}:user/admin", DENY, {}),
    ("{prefix}-tallyd", "memorydb:DeleteCluster", "{memorydb_cluster}", DENY, {}),

    # Metrics.
    ("{prefix}-prometheus", "aps:RemoteWrite", "{workspace}", ALLOW, {}),
    ("{prefix}-prometheus", "aps:RemoteWrite", "arn:aws:aps:{region}:{account}:workspace/ws-00000000", DENY, {}),
    ("{prefix}-keda", "aps:QueryMetrics", "{workspace}", ALLOW, {}),
    ("{prefix}-prometheus", "aps:DeleteWorkspace", "arn:aws:aps:{region}:{account}:workspace/ws-00000000", DENY, {}),
    ("{prefix}-keda", "aps:RemoteWrite", "arn:aws:aps:{region}:{account}:workspace/ws-00000000", DENY, {}),
    ("{prefix}-thanos", "s3:PutObject", "{metrics_bucket}/block/meta.json", ALLOW, {}),
    ("{prefix}-thanos", "s3:ListBucket", "{metrics_bucket}", ALLOW, {}),
    ("{prefix}-thanos", "s3:DeleteBucket", "{metrics_bucket}", DENY, {}),
    ("{prefix}-thanos", "s3:PutObject", "arn:aws:s3:::tallyd-state-{account}-{region}/prod/platform.tfstate", DENY, {}),

    # Karpenter starts only what it tags as this cluster's, ends only its own, and hands on only the nodes' role.
    ("{prefix}-karpenter", "ec2:TerminateInstances", "arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0", ALLOW, OWNED),
    ("{prefix}-karpenter", "ec2:TerminateInstances", "arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0", DENY, {}),
    ("{prefix}-karpenter", "ec2:TerminateInstances", "arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0", DENY,
     {"aws:ResourceTag/kubernetes.io/cluster/another": "owned", "aws:ResourceTag/karpenter.sh/nodepool": "hits"}),
    ("{prefix}-karpenter", "ec2:RunInstances", "arn:aws:ec2:{region}:{account}:instance/*", ALLOW,
     {"aws:RequestTag/kubernetes.io/cluster/{prefix}": "owned", "aws:RequestTag/eks:eks-cluster-name": "{prefix}", "aws:RequestTag/karpenter.sh/nodepool": "hits"}),
    ("{prefix}-karpenter", "ec2:RunInstances", "arn:aws:ec2:{region}:{account}:instance/*", DENY, {}),
    ("{prefix}-karpenter", "iam:PassRole", "arn:aws:iam::{account}:role/tallyd/{prefix}-karpenter-node", ALLOW, {"iam:PassedToService": "ec2.amazonaws.com"}),
    ("{prefix}-karpenter", "iam:PassRole", "arn:aws:iam::{account}:role/tallyd/{prefix}-node", DENY, {"iam:PassedToService": "ec2.amazonaws.com"}),
    ("{prefix}-karpenter", "iam:PassRole", "arn:aws:iam::{account}:role/tallyd/{prefix}-karpenter-node", DENY, {"iam:PassedToService": "lambda.amazonaws.com"}),
    ("{prefix}-karpenter", "iam:CreateRole", "arn:aws:iam::{account}:role/x", DENY, {}),
    ("{prefix}-karpenter", "sqs:ReceiveMessage", "{queue}", ALLOW, {}),
    ("{prefix}-karpenter", "sqs:ReceiveMessage", "arn:aws:sqs:{region}:{account}:other", DENY, {}),

    # The rotation function changes its own secrets and users.
    ("{prefix}-rotate-memorydb", "secretsmanager:PutSecretValue", "{memorydb_secret}", ALLOW,
     {"secretsmanager:resource/AllowRotationLambdaArn": "{rotation}"}),
    ("{prefix}-rotate-memorydb", "secretsmanager:PutSecretValue", "{memorydb_secret}", DENY,
     {"secretsmanager:resource/AllowRotationLambdaArn": "arn:aws:lambda:{region}:{account}:function:another"}),
    ("{prefix}-rotate-memorydb", "secretsmanager:PutSecretValue", "{token_secret}", DENY,
     {"secretsmanager:resource/AllowRotationLambdaArn": "{rotation}"}),
    ("{prefix}-rotate-memorydb", "memorydb:UpdateUser", "{memorydb_user}", ALLOW, {}),
    ("{prefix}-rotate-memorydb", "memorydb:UpdateUser", "arn:aws:memorydb:{region}:{account}:user/somebody", DENY, {}),
    ("{prefix}-rotate-memorydb", "memorydb:DeleteUser", "{memorydb_user}", DENY, {}),
    ("{prefix}-rotate-memorydb", "memorydb:UpdateACL", "arn:aws:memorydb:{region}:{account}:acl/{prefix}", DENY, {}),

    # Backups: snapshots of this cluster, into this bucket; nothing is deleted there.
    ("{prefix}-backup", "memorydb:CreateSnapshot", "{memorydb_cluster}", ALLOW, {}),
    ("{prefix}-backup", "memorydb:CreateSnapshot", "arn:aws:memorydb:{region}:{account}:cluster/other", DENY, {}),
    ("{prefix}-backup", "memorydb:DeleteCluster", "{memorydb_cluster}", DENY, {}),
    ("{prefix}-backup", "s3:DeleteObject", "{backup_bucket}/{prefix}-20260101-000000-0001.rdb", DENY, {}),
    ("{prefix}-backup", "s3:DeleteObjectVersion", "{backup_bucket}/{prefix}-20260101-000000-0001.rdb", DENY, {}),

    # Pipelines push images, and cannot delete or apply anything.
    ("{prefix}-ci-push", "ecr:PutImage", "{repository}", ALLOW, {}),
    ("{prefix}-ci-push", "ecr:PutImage", "arn:aws:ecr:{region}:{account}:repository/other", DENY, {}),
    ("{prefix}-ci-push", "ecr:BatchDeleteImage", "{repository}", DENY, {}),
    ("{prefix}-ci-push", "ecr:DeleteRepository", "{repository}", DENY, {}),
    ("{prefix}-ci-push", "eks:UpdateClusterConfig", "arn:aws:eks:{region}:{account}:cluster/{prefix}", DENY, {}),

    # People: each role finds and starts the host and reads the cluster's address; none of them changes AWS.
    ("{prefix}-read", "ssm:StartSession", "arn:aws:ssm:{region}:{account}:document/{prefix}-api-tunnel", ALLOW, {}),
    ("{prefix}-read", "ssm:StartSession", "arn:aws:ssm:{region}:{account}:document/{prefix}-session", DENY, {}),
    ("{prefix}-read", "ssm:StartSession", "arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0", DENY, {"ssm:resourceTag/Role": "web", "ssm:resourceTag/Environment": "{env}"}),
    ("{prefix}-read", "ssm:StartSession", "arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0", ALLOW, {"ssm:resourceTag/Role": "ops", "ssm:resourceTag/Environment": "{env}"}),
    ("{prefix}-read", "ssm:StartSession", "arn:aws:ec2:{region}:{account}:instance/i-0123456789abcdef0", DENY, {"ssm:resourceTag/Role": "ops", "ssm:resourceTag/Environment": "other"}),
    ("{prefix}-operate", "ssm:StartSession", "arn:aws:ssm:{region}:{account}:document/{prefix}-session", ALLOW, {}),
    ("{prefix}-operate", "eks:DescribeCluster", "arn:aws:eks:{region}:{account}:cluster/{prefix}", ALLOW, {}),
    ("{prefix}-operate", "eks:DeleteCluster", "arn:aws:eks:{region}:{account}:cluster/{prefix}", DENY, {}),
    ("{prefix}-break-glass", "iam:CreateRole", "arn:aws:iam::{account}:role/tallyd/x", DENY, {}),
    ("{prefix}-break-glass", "autoscaling:SetDesiredCapacity", "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:00000000-0000-0000-0000-000000000000:autoScalingGroupName/{prefix}-ops", ALLOW, {}),
    ("{prefix}-break-glass", "autoscaling:SetDesiredCapacity", "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:00000000-0000-0000-0000-000000000000:autoScalingGroupName/eks-hits", DENY, {}),

    # Nobody gets at the state, or out of the boundary.
    ("{prefix}-karpenter", "s3:GetObject", "arn:aws:s3:::tallyd-state-{account}-{region}/{env}/platform.tfstate", DENY, {}),
    ("{prefix}-external-secrets", "iam:CreateUser", "arn:aws:iam::{account}:user/x", DENY, {}),
    ("{prefix}-external-secrets", "sts:AssumeRole", "arn:aws:iam::{account}:role/tallyd/{prefix}-karpenter", DENY, {}),
]
# Roles that not every environment has.
OPTIONAL = {"{prefix}-tallyd", "{prefix}-prometheus", "{prefix}-keda", "{prefix}-thanos", "{prefix}-ci-push", "{prefix}-backup", "{prefix}-rotate-memorydb"}


def filled(a, context):
    return {a.fill(k): [a.fill(x) for x in v] if isinstance(v, list) else a.fill(v) for k, v in context.items()}


def simulation(a, role, action, resource, context):
    return {"principal": role["arn"], "action": action, "resource": a.fill(resource), "resourcePolicy": a.key_policy(action, a.fill(resource)), "resourceAccount": a.account if "999999999999" not in resource else "999999999999",
            "context": filled(a, context), "identity": a.identity(role), "boundary": a.boundary(role)}


def compare(a, cases):
    """cases: (text, simulation, expected)"""
    answers = ask({"simulations": [c[1] for c in cases]})["simulations"]
    wrong = []
    for (text, _, expected), answer in zip(cases, answers):
        if "error" in answer:
            wrong.append("%s: %s" % (text, answer["error"][:400]))
        elif (answer["result"] == "Allowed") != expected:
            wrong.append("%s: %s, expected %s" % (text, answer["result"], "Allowed" if expected else "denied"))
    assert not wrong, "\n".join(wrong)
    return len(cases)


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

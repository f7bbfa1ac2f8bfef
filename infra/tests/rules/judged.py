"""Rules whose verdict comes from judges that others wrote: IAM's grammar and simulator, the kubelet (see the folder judges)."""
import json
import re

from judges import calls, iam, kubelet, models, shapes

from .base import documents, fail_if, listed, rule, statements, values_of
from .cluster import node_templates, user_data_parts

EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def both(env):
    """The environment and the account's bootstrap below it."""
    return (env, env.bootstrap)


@rule()
def iam_accepts_every_policy(env):
    """Every policy document passes IAM's grammar (operators, elements, ARNs), names condition keys that exist, and is short enough."""
    for e in both(env):
        for r, arg, doc in documents(e):
            trust = arg == "assume_role_policy"
            vague = [a for st in listed(doc["Statement"]) for a in listed(st.get("Resource")) if re.match(r"arn:[^:]*:[^:]*[*?]", a)]
            limit = iam.LIMITS.get(arg if trust else r.type)
            yield "%s %s" % (r, arg), (iam.grammar(doc, trust) or fail_if(vague, "a wildcard stands for the service in %s" % vague)
                                       or fail_if(limit and iam.size(r[arg]) > limit, "has %d characters of at most %s" % (iam.size(r[arg]), limit)))
    keys = {}
    for e in both(env):
        for r, arg, st in statements(e):
            for op, key, vals in values_of(st):
                keys.setdefault(key, r)
    plain = {k for k in keys if not re.match(r"aws:(ResourceTag|RequestTag|PrincipalTag)/.|[\w.]+:(aud|sub)$", k, re.I)}
    for key, known in iam.ask({"keys": sorted(plain)})["keys"].items():
        yield "%s %s" % (keys[key], key), fail_if(not known, "IAM knows no such key")


@rule()
def the_sdk_accepts_every_call(env):
    """The call that makes each planned resource, composed from its values, is what botocore's service models accept: required and unknown members, types, enumerations, lengths, patterns and ranges."""
    for e in both(env):
        planned = {a.stack + ":" + c["address"]: c["change"]["after"] for a in e.applied for c in a.plan.get("resource_changes", [])}
        for r in e.resources:
            if r.type.startswith("aws_") and r.type not in shapes.UNMAPPED:
                found = ["nobody wrote down which call makes it"] if r.type not in shapes.SHAPES else models.judge(r, planned.get(r.address))[2]
                yield r, fail_if(found, "; ".join(found))


@rule()
def policies_fit_those_who_carry_them(env):
    """${aws:username} is empty for whoever comes with a role, and nobody here comes otherwise."""
    for e in both(env):
        for r, arg, doc in documents(e):
            yield "%s %s" % (r, arg), fail_if("${aws:username}" in json.dumps(doc), "names ${aws:username}")


class Account:
    """Who is simulated: account, region, partition, and the policies by ARN."""

    def __init__(self, env):
        self.env = env
        cluster = env.all("aws_eks_cluster")[0]
        self.partition, self.region, self.number = cluster["arn"].split(":")[1], *cluster["arn"].split(":")[3:5]
        self.policies = {r["arn"]: json.loads(r["policy"]) for e in both(env) for r in e.all("aws_iam_policy")}

    def policies_of(self, role):
        """Its inline and attached policies, those of AWS among them."""
        mine = (role["name"], role["id"])
        out = [json.loads(r["policy"]) for r in self.env.all("aws_iam_role_policy") if r["role"] in mine]
        for r in self.env.all("aws_iam_role_policy_attachment"):
            if r["role"] in mine:
                out.append(self.policies.get(r["policy_arn"]) or iam.managed(r["policy_arn"]))
        return out

    def boundary(self, role):
        return [self.policies[role["permissions_boundary"]]] if role["permissions_boundary"] else None

    def ask(self, cases):
        """cases: (who, action, resource, identity, boundary, more context); answers with whether each is allowed."""
        simulations = []
        for who, action, resource, identity, boundary, context in cases:
            owner = resource.split(":")[4] if resource.count(":") > 4 and resource.split(":")[4] else self.number
            s = {"principal": who, "action": action, "resource": resource, "resourceAccount": owner, "identity": identity, "context": dict({"aws:RequestedRegion": self.region}, **context)}
            if boundary is not None:
                s["boundary"] = boundary
            if owner != self.number or action.startswith("kms:"):
                # somebody else's registry that lets everybody read, and a key that leaves the decision to IAM
                s["resourcePolicy"] = {"Version": "2012-10-17", "Statement": [{"Sid": "Account", "Effect": "Allow", "Principal": {"AWS": "arn:%s:iam::%s:root" % (self.partition, self.number)}, "Action": action.split(":")[0] + ":*", "Resource": "*"}]}
            simulations.append(s)
        answers = iam.ask({"simulations": simulations})["simulations"]
        errors = ["%s on %s: %s" % (s["action"], s["resource"], a["error"][:300]) for s, a in zip(simulations, answers) if "error" in a]
        assert not errors, errors[:5]
        return [a["result"] == "Allowed" for a in answers]


# Where EKS keeps the images of its add-ons, by region; one account for most, others for some.
EKS_REGISTRIES = ("602401143452", "800184023465", "013241004608")
EKS_IMAGES = ("amazon-k8s-cni", "amazon-k8s-cni-init", "amazon/aws-network-policy-agent", "eks/coredns", "eks/kube-proxy", "eks/pause", "eks/metrics-server", "eks/eks-pod-identity-agent",
              "eks/observability/cloudwatch-agent", "eks/observability/cloudwatch-agent-operator", "eks/observability/aws-for-fluent-bit")
PULLS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def node_roles(env):
    names = {r["node_role_arn"] for r in env.all("aws_eks_node_group")} | {r["principal_arn"] for r in env.all("aws_eks_access_entry") if r["type"] == "EC2_LINUX"}
    return [r for r in env.all("aws_iam_role") if r["arn"] in names]


@rule()
def nodes_pull_their_images(env):
    """Nodes may pull what EKS brings (from accounts of its own) and our own images, with AWS's managed policies and under the boundary; they may push nothing."""
    a = Account(env)
    for role in node_roles(env):
        identity, boundary = a.policies_of(role), a.boundary(role)
        images = [(n, i) for n in EKS_REGISTRIES for i in EKS_IMAGES] + [(a.number, r["name"]) for r in env.all("aws_ecr_repository")]
        cases = [(role["arn"], p, "arn:%s:ecr:%s:%s:repository/%s" % (a.partition, a.region, n, i), identity, boundary, {}) for n, i in images for p in PULLS]
        cases.append((role["arn"], "ecr:GetAuthorizationToken", "*", identity, boundary, {}))
        for case, allowed in zip(cases, a.ask(cases)):
            yield "%s %s %s" % (role, case[1], case[2]), fail_if(not allowed, "is refused")
        push = [(role["arn"], "ecr:PutImage", "arn:%s:ecr:%s:%s:repository/%s" % (a.partition, a.region, n, i), identity, boundary, {}) for n, i in images]
        for case, allowed in zip(push, a.ask(push)):
            yield "%s %s %s" % (role, case[1], case[2]), fail_if(allowed, "is allowed")


# What managed policies allow and the boundary takes away on purpose: pattern of "role-policy action", reason.
TAKEN_AWAY = (
    (r"iam:CreateServiceLinkedRole$", "bootstrap makes the service-linked roles beforehand"),
    (r"^AmazonSSMManagedInstanceCore ssm:(PutComplianceItems|PutInventory|PutConfigurePackageResult)$", "the host is replaced, never patched or inventoried"),
)


@rule()
def the_boundary_leaves_managed_policies_their_use(env):
    """What an AWS-managed policy allows a role on resources of this account, the boundary allows as well, but for what is named with a reason."""
    a = Account(env)
    for r in env.all("aws_iam_role_policy_attachment"):
        document = iam.managed(r["policy_arn"])
        role = [x for x in env.all("aws_iam_role") if x["name"] == r["role"]]
        if not document or not role or not role[0]["permissions_boundary"]:
            continue
        patterns = sorted({x for st in listed(document["Statement"]) if st["Effect"] == "Allow" for x in listed(st.get("Action"))})
        actions = sorted({x for found in iam.ask({"expand": patterns})["expand"].values() for x in found})
        iam.described(actions)
        pairs = [(x, t) for x in actions for t in iam.targets(x, a.number, a.region, a.partition)]
        free = a.ask([(role[0]["arn"], x, t, [document], None, {}) for x, t in pairs])
        bound = a.ask([(role[0]["arn"], x, t, [document], a.boundary(role[0]), {}) for x, t in pairs])
        for (x, t), before, after in zip(pairs, free, bound):
            text = "%s %s" % (r["policy_arn"].split("/")[-1], x)
            excused = [why for p, why in TAKEN_AWAY if re.search(p, text)]
            yield "%s %s on %s" % (r, x, t), fail_if(before and not after and not excused, "the boundary takes it away")


def operator_policies(env):
    return [json.loads(p["policy"]) for p in env.bootstrap.all("aws_iam_policy") if re.search(r"-operator(-\w+)?$", p["name"])]


@rule()
def operators_may_make_everything(env):
    """Whoever applies may create, read, update and delete every resource that is planned, and look up what the stacks look up: each call on the resource it concerns, on "*" where AWS compares with no resource."""
    a = Account(env)
    boundary = next(p["arn"] for p in env.bootstrap.all("aws_iam_policy") if p["name"].endswith("-boundary"))
    identity, who = operator_policies(env), "arn:%s:iam::%s:role/operator" % (a.partition, a.number)
    kinds = sorted({r.type for r in env.resources if r.type.startswith("aws_")})
    unknown = [k for k in kinds if k not in calls.CALLS]
    yield "calls of resource types", fail_if(unknown, "nobody wrote down what stands behind %s" % unknown)
    wanted = {(k, action) for k in kinds if k in calls.CALLS for part in calls.CALLS[k].values() for action in part}
    wanted |= {("data." + d.type, action) for d in env.data_sources for action in calls.LOOKUPS.get("data." + d.type, [])}
    cases, names = [], []
    iam.described(action for _, action in wanted)
    for kind, action in sorted(wanted):
        for target in iam.targets(action, a.number, a.region, a.partition):
            names.append("%s %s on %s" % (kind, action, target))
            cases.append((who, action, target, identity, None, {"iam:PermissionsBoundary": boundary, "iam:PassedToService": "ec2.amazonaws.com"} if action.startswith("iam:") else {}))
    for name, allowed in zip(names, a.ask(cases)):
        yield name, fail_if(not allowed, "is refused")


SERVICE_LINKED = {
    "aws_autoscaling_group": "autoscaling.amazonaws.com", "aws_cloudfront_vpc_origin": "vpcorigin.cloudfront.amazonaws.com", "aws_ec2_instance_connect_endpoint": "ec2-instance-connect.amazonaws.com",
    "aws_ecr_replication_configuration": "replication.ecr.amazonaws.com", "aws_eks_cluster": "eks.amazonaws.com", "aws_eks_node_group": "eks-nodegroup.amazonaws.com",
    "aws_globalaccelerator_accelerator": "globalaccelerator.amazonaws.com", "aws_lb": "elasticloadbalancing.amazonaws.com", "aws_memorydb_cluster": "memorydb.amazonaws.com",
    "aws_wafv2_web_acl_logging_configuration": "wafv2.amazonaws.com",
}


@rule()
def service_linked_roles_are_there(env):
    """Operators may make no service-linked role, so bootstrap makes each one that a planned resource needs."""
    have = {r["aws_service_name"] for r in env.bootstrap.all("aws_iam_service_linked_role")}
    need = {(kind, service) for kind, service in SERVICE_LINKED.items() if env.all(kind)}
    need |= {(r, "inspector2.amazonaws.com") for r in env.all("aws_ecr_registry_scanning_configuration") if r["scan_type"] == "ENHANCED"}
    need |= {("Karpenter's spot machines", "spot.amazonaws.com")}
    for what, service in sorted(need, key=str):
        yield "%s for %s" % (service, what), fail_if(service not in have, "nobody makes this role")


@rule()
def budgets_filter_by_active_tags(env):
    """A budget or a monitor that filters by a tag has that tag activated for billing; otherwise it sees nothing and never speaks up."""
    active = {r["tag_key"] for r in env.bootstrap.all("aws_ce_cost_allocation_tag")}
    for r in env.all("aws_budgets_budget"):
        tags = {v.split("$")[0].split(":")[-1] for f in r.blocks("cost_filter") if f["name"] == "TagKeyValue" for v in f["values"]}
        yield r, fail_if(tags - active, "filters by %s, which bootstrap does not activate" % sorted(tags - active))
    for r in env.all("aws_ce_anomaly_monitor"):
        spec = json.loads(r["monitor_specification"] or "{}")
        tag = (spec.get("Tags") or {}).get("Key")
        yield r, fail_if(tag and tag not in active, "watches the tag %s, which bootstrap does not activate" % tag)


@rule()
def the_kubelet_accepts_its_configuration(env):
    """Each NodeConfig, merged into what nodeadm sets by itself, passes the kubelet's own decoding and validation (Kubernetes 1.34)."""
    for what, body in node_configs(env):
        yield what, kubelet.refuses(body)


def node_configs(env):
    """(what, NodeConfig) of the managed groups and of Karpenter's class."""
    for r in node_templates(env):
        for kind, body in user_data_parts(r["user_data"]):
            if kind == "application/node.eks.aws":
                yield r, body.decode()
    for kind, body in user_data_parts(env.outputs["platform"].get("node_user_data_static"), plain=True):
        if kind == "application/node.eks.aws":
            yield "Karpenter's class", body.decode()

"""Who may do what: policies, trust and fences."""
import json
import re

from .base import fail_if, fenced, is_identity, label, listed, rule, statements, values_of


@rule(seed="wildcard policy")
def no_star_on_star(env):
    """No policy allows every action, or all actions of a service on every resource; a key policy's kms:* for the account's root is the one exception (its star means the key itself)."""
    for r, arg, st in statements(env):
        if st["Effect"] != "Allow":
            continue
        actions, resources = listed(st.get("Action")), listed(st.get("Resource"))
        whole = [a for a in actions if a == "*" or a.split(":")[-1] == "*"]
        everywhere = "*" in resources or not resources
        root_of_key = r.type.startswith("aws_kms") and actions == ["kms:*"] and str(st.get("Principal", {}).get("AWS", "")).endswith(":root")
        problem = None
        if "*" in actions or "*:*" in actions:
            problem = "allows every action"
        elif "NotAction" in st or "NotResource" in st:
            problem = "allows all but a list"
        elif whole and everywhere and arg != "assume_role_policy" and not root_of_key and r.type != "aws_vpc_endpoint":
            problem = "allows %s on everything" % whole
        yield label(r, st), problem


@rule()
def writes_name_their_resources(env):
    """An identity policy that allows more than reading names resources, unless a condition fences the request or the action knows no resource."""
    reading = re.compile(r"^[\w-]+:(Get|List|Describe|BatchGet|Lookup|Query|Search|View|Test|Simulate|Filter)")
    # actions that AWS only accepts with "*"
    starred = re.compile(r"^(cloudwatch:PutMetricData|ecr:GetAuthorizationToken|sts:GetCallerIdentity|sts:GetServiceBearerToken|xray:Put\w+|logs:(Create|Update|Delete|Get|List)LogDelivery"
                         r"|logs:PutResourcePolicy|logs:DescribeResourcePolicies|ssmmessages:\w+|ec2messages:\w+|ec2:(Create|Delete)NetworkInterface|ec2:(Assign|Unassign)PrivateIpAddresses|pricing:\w+|kms:CreateKey|route53:ListHostedZones|s3:ListAllMyBuckets)$")
    for r, arg, st in statements(env):
        if not is_identity(r, arg) or st["Effect"] != "Allow":
            continue
        resources = listed(st.get("Resource"))
        wide = [a for a in listed(st.get("Action")) if not reading.match(a) and not starred.match(a)]
        yield label(r, st), fail_if("*" in resources and wide and not st.get("Condition"), "allows %s on every resource" % wide)


@rule()
def nobody_else_gets_in(env):
    """No resource policy lets in everybody; services and strangers only with a condition on account or source."""
    for r, arg, st in statements(env):
        if st["Effect"] != "Allow" or "Principal" not in st or r.type == "aws_vpc_endpoint":
            continue
        p = st["Principal"]
        everyone = p == "*" or isinstance(p, dict) and "*" in listed(p.get("AWS"))
        yield label(r, st), fail_if(everyone and not fenced(st), "is open to everybody")


@rule()
def endpoint_policies_are_fenced(env):
    """Endpoint policies allow this account's principals or name the resources; STS, whose web-identity calls have no principal, is the exception."""
    for r, arg, st in statements(env, ("aws_vpc_endpoint",)):
        if st["Effect"] == "Allow" and not r["service_name"].endswith(".sts"):
            yield label(r, st), fail_if("*" in listed(st.get("Resource")) and not fenced(st), "serves every account")


SERVICE_FENCE_FREE = ("ec2.amazonaws.com", "eks.amazonaws.com", "lambda.amazonaws.com", "eks-nodegroup.amazonaws.com", "spotfleet.amazonaws.com")


@rule()
def trust_is_narrow(env):
    """Roles are assumed by a service (with the account as a condition where the service acts for others), or by a web identity with its audience and subject named."""
    for r in env.all("aws_iam_role"):
        for st in listed(json.loads(r["assume_role_policy"])["Statement"]):
            p, problem = st.get("Principal", {}), None
            if p == "*" or "*" in listed(p.get("AWS") if isinstance(p, dict) else None):
                problem = "anybody may assume it"
            elif p.get("Federated"):
                keys = {k.split(":")[-1]: (o, v) for o, k, v in values_of(st)}
                aud, sub = keys.get("aud"), keys.get("sub")
                if not aud or not sub:
                    problem = "a web identity without audience and subject"
                elif aud[0] != "StringEquals":
                    problem = "the audience is not compared exactly"
                elif any(v in ("*", "repo:*", "repo:*:*", "project_path:*") or re.match(r"^(repo|project_path):[^:/]*\*", v) for v in sub[1]):
                    problem = "the subject %s is anybody's repository" % sub[1]
                elif "ForAnyValue" in sub[0] or "ForAllValues" in sub[0]:
                    problem = "set operators pass when the key is missing"
            elif p.get("Service"):
                need = [s for s in listed(p["Service"]) if s not in SERVICE_FENCE_FREE]
                if need and not any(k.lower() in ("aws:sourceaccount", "aws:sourcearn") for _, k, _ in values_of(st)):
                    problem = "%s may assume it for anybody (confused deputy)" % need
            elif p.get("AWS"):
                if any(re.fullmatch(r"\d{12}|arn:aws[\w-]*:iam::\d+:root", a) for a in listed(p["AWS"])) and not st.get("Condition"):
                    problem = "a whole account may assume it without a condition"
            yield r, problem


@rule()
def no_users_no_administrators(env):
    """No long-lived users or access keys, and no managed policy that is all-powerful."""
    for r in env.all("aws_iam_user", "aws_iam_access_key", "aws_iam_user_login_profile"):
        yield r, "there must be no IAM users"
    strong = re.compile(r"/(AdministratorAccess|PowerUserAccess|IAMFullAccess|\w+FullAccess)$")
    for r in env.all("aws_iam_role_policy_attachment", "aws_iam_policy_attachment"):
        yield r, fail_if(strong.search(r["policy_arn"] or ""), "attaches %s" % r["policy_arn"])
    for r in env.all("aws_iam_role"):
        for arn in r.get("managed_policy_arns", []):
            yield r, fail_if(strong.search(arn), "attaches %s" % arn)
    for r in env.all("aws_eks_access_policy_association"):
        yield r, fail_if("ClusterAdminPolicy" in (r["policy_arn"] or "") and env.production and r.block("access_scope").get("type") == "cluster"
                         and "admin" not in (r["principal_arn"] or "").lower() and "break" not in (r["principal_arn"] or "").lower(), "makes %s a cluster administrator" % r["principal_arn"])


@rule()
def one_role_per_workload(env):
    """Pod Identity gives each service account a role of its own, and the role's trust names that account."""
    seen = {}
    for r in env.all("aws_eks_pod_identity_association"):
        who = (r["namespace"], r["service_account"])
        other = seen.setdefault(r["role_arn"], who)
        role = env.by_id.get(r["role_arn"])
        trust = role["assume_role_policy"] if role else ""
        yield r, (fail_if(other != who, "shares its role with %s" % (other,))
                  or fail_if(not role, "names a role that no stack creates")
                  or fail_if("pods.eks.amazonaws.com" not in trust or "sts:TagSession" not in trust, "the role's trust does not fit Pod Identity"))

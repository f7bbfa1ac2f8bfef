"""What must hold in every environment: each rule looks at everything it concerns and says what is wrong with it.

A rule yields (object, problem) for every object it looked at; problem is None when all is well. A rule that saw
nothing at all is a failure of its own (see `needs`): a check that cannot fail proves nothing.
`seed` names the fault of the five systems this one learnt from, where the rule would have caught it.
"""
import base64
import email
import ipaddress
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

PUBLIC_PORT, ADMIN_PORT, REDIS_PORT = 8080, 9090, 6379
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
WORLD = ("0.0.0.0/0", "::/0")
READY = "/readyz"

RULES = {}


class Rule:
    def __init__(self, check, needs, seed):
        self.name = check.__name__.replace("_", "-")
        self.text = " ".join((check.__doc__ or "").split())
        self.check, self.needs, self.seed = check, needs, seed

    def look(self, env):
        """(number of objects seen, problems)"""
        seen, problems = 0, []
        for what, problem in self.check(env):
            seen += 1
            if problem:
                problems.append("%s: %s" % (what, problem))
        return seen, problems


def rule(needs="every", seed=None):
    """needs: 'every' environment must have something to look at, 'some' of them, or a tuple of names."""
    def wrap(f):
        r = Rule(f, needs, seed)
        RULES[r.name] = r
        return f
    return wrap


def fail_if(condition, text):
    return text if condition else None


# ---- documents ---------------------------------------------------------------------------------------------------

def listed(v):
    return v if isinstance(v, list) else [] if v is None else [v]


POLICY_ARGUMENTS = ("policy", "assume_role_policy", "inline_policy", "access_policy", "resource_policy", "policy_text")


def documents(env):
    """(resource, argument, parsed document) of every policy in the environment."""
    for r in env.resources:
        for arg in POLICY_ARGUMENTS:
            text = r[arg]
            if isinstance(text, str) and text.strip().startswith("{"):
                doc = json.loads(text)
                if "Statement" in doc:
                    yield r, arg, doc
        for b in r.blocks("inline_policy") if isinstance(r["inline_policy"], list) else []:
            if b.get("policy"):
                yield r, "inline_policy", json.loads(b["policy"])


def statements(env, kinds=None):
    for r, arg, doc in documents(env):
        if kinds and r.type not in kinds:
            continue
        for st in listed(doc["Statement"]):
            yield r, arg, st


def label(r, st):
    return "%s [%s]" % (r, st.get("Sid", "no sid"))


def is_identity(r, arg):
    """A policy attached to a principal (as opposed to one on a resource)."""
    return arg != "assume_role_policy" and r.type in (
        "aws_iam_policy", "aws_iam_role_policy", "aws_iam_role", "aws_iam_group_policy", "aws_iam_user_policy", "aws_ssoadmin_permission_set_inline_policy")


def values_of(st, part="Condition"):
    """Every (operator, key, values) of a statement's condition."""
    for op, keys in (st.get(part) or {}).items():
        for key, vals in keys.items():
            yield op, key, listed(vals)


FENCES = ("aws:principalaccount", "aws:sourceaccount", "aws:sourcearn", "aws:principalorgid", "aws:sourceowner", "kms:calleraccount",
          "aws:principalarn", "aws:resourceaccount", "aws:sourcevpce", "aws:sourcevpc", "kms:viaservice", "token.actions.githubusercontent.com:sub",
          "kms:encryptioncontext:aws:logs:arn")


def fenced(st):
    """A condition that ties the request to known accounts or resources, positively, and not by a bare star."""
    for op, key, vals in values_of(st):
        k = key.lower()
        if (k in FENCES or k.endswith(":sub")) and "Not" not in op and not op.endswith("IfExists") and vals and all(v not in ("*", "") for v in vals):
            return True
    return False


# ---- nothing open to the world but the edge ----------------------------------------------------------------------

def sg_rules(env):
    """(resource, direction, from, to, sources) of every security-group rule, whichever way it is written."""
    for r in env.all("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"):
        yield (r, "ingress" if "ingress" in r.type else "egress", r["from_port"], r["to_port"],
               [s for s in (r["cidr_ipv4"], r["cidr_ipv6"], r["prefix_list_id"], r["referenced_security_group_id"]) if s])
    for r in env.all("aws_security_group_rule"):
        yield (r, r["type"], r["from_port"], r["to_port"],
               r.get("cidr_blocks", []) + r.get("ipv6_cidr_blocks", []) + r.get("prefix_list_ids", []) + listed(r["source_security_group_id"]))
    for r in env.all("aws_security_group", "aws_default_security_group"):
        for direction in ("ingress", "egress"):
            for b in r.blocks(direction):
                yield (r, direction, b.get("from_port"), b.get("to_port"), (b.get("cidr_blocks") or []) + (b.get("ipv6_cidr_blocks") or [])
                       + (b.get("prefix_list_ids") or []) + (b.get("security_groups") or []))


def is_world(cidr):
    try:
        return ipaddress.ip_network(cidr, strict=False).prefixlen < 8 or not ipaddress.ip_network(cidr, strict=False).is_private
    except ValueError:
        return False


@rule(seed="security group open to the world")
def no_security_group_open_to_the_world(env):
    """Nothing lets in public addresses but the edge: besides CloudFront that is an internal application load balancer behind Global Accelerator, which keeps the reader's address; it takes HTTPS only and has a web ACL."""
    for r, direction, lo, hi, sources in sg_rules(env):
        if direction == "ingress":
            bad = [s for s in sources if is_world(s)]
            yield r, fail_if(bad and not (behind_accelerator(env, r["security_group_id"]) and lo == hi == 443), "lets in %s on ports %s-%s" % (bad, lo, hi))


def behind_accelerator(env, group):
    """Whether a security group belongs only to internal application load balancers that an accelerator leads to and a web ACL guards."""
    lbs = [lb for lb in env.all("aws_lb") if group in lb.get("security_groups", [])]
    guarded = {a["resource_arn"] for a in env.all("aws_wafv2_web_acl_association")}
    reached = {e.get("endpoint_id") for g in env.all("aws_globalaccelerator_endpoint_group") for e in g.blocks("endpoint_configuration")}
    return bool(lbs) and all(lb["load_balancer_type"] == "application" and lb["internal"] and lb["arn"] in guarded and lb["arn"] in reached for lb in lbs)


@rule()
def default_security_group_is_empty(env):
    """Whatever forgets to name a security group gets one without rules."""
    for vpc in env.all("aws_vpc"):
        groups = [g for g in env.all("aws_default_security_group") if g["vpc_id"] == vpc["id"]]
        yield vpc, fail_if(not groups, "its default security group is not managed") or fail_if(
            any(g["ingress"] or g["egress"] for g in groups), "its default security group has rules")


@rule()
def load_balancers_are_internal(env):
    """A load balancer has no public address; CloudFront reaches it by a VPC origin."""
    for r in env.all("aws_lb", "aws_alb"):
        yield r, fail_if(r["internal"] is not True, "is not internal")


@rule()
def no_public_addresses(env):
    """No subnet hands out public addresses, no launch template asks for one, no instance has one."""
    for r in env.all("aws_subnet"):
        yield r, fail_if(r["map_public_ip_on_launch"], "hands out public addresses")
    for r in env.all("aws_launch_template"):
        for b in r.blocks("network_interfaces"):
            yield r, fail_if(str(b.get("associate_public_ip_address")).lower() == "true", "asks for a public address")
    for r in env.all("aws_instance"):
        yield r, fail_if(r["associate_public_ip_address"], "has a public address")


@rule(seed="public endpoint")
def cluster_api_is_private(env):
    """The Kubernetes API is private; where it is public, only to named addresses."""
    for r in env.all("aws_eks_cluster"):
        v = r.block("vpc_config")
        yield r, (fail_if(not v.get("endpoint_private_access"), "has no private endpoint")
                  or fail_if(v.get("endpoint_public_access") and (not v.get("public_access_cidrs") or any(is_world(c) and ipaddress.ip_network(c).prefixlen < 24 for c in v["public_access_cidrs"])),
                             "has an endpoint open to the world")
                  or fail_if(env.production and v.get("endpoint_public_access"), "has a public endpoint in production"))


@rule()
def buckets_are_closed(env):
    """Every bucket blocks public access in all four ways, refuses plain HTTP, keeps versions and has no ACLs."""
    for b in env.all("aws_s3_bucket"):
        mine = lambda t: [r for r in env.all(t) if r["bucket"] in (b["id"], b["bucket"])]
        block = mine("aws_s3_bucket_public_access_block")
        four = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
        tls = [st for r in mine("aws_s3_bucket_policy") for st in listed(json.loads(r["policy"])["Statement"])
               if st["Effect"] == "Deny" and ("Bool", "aws:SecureTransport", ["false"]) in [(o, k, v) for o, k, v in values_of(st)]]
        yield b, (fail_if(not block or not all(block[0][f] for f in four), "does not block public access")
                  or fail_if(not tls, "does not refuse plain HTTP")
                  or fail_if(not any(r.block("versioning_configuration").get("status") == "Enabled" for r in mine("aws_s3_bucket_versioning")), "keeps no versions"))


@rule()
def data_tier_has_no_way_out(env):
    """The subnets of MemoryDB have no route to the internet, not even through NAT, and their ACL lets in private addresses only."""
    subnets = set()
    for g in env.all("aws_memorydb_subnet_group"):
        subnets |= set(g.get("subnet_ids", []))
    tables = {a["route_table_id"] for a in env.all("aws_route_table_association") if a["subnet_id"] in subnets}
    for s in subnets:
        yield s, fail_if(not any(a["subnet_id"] == s for a in env.all("aws_route_table_association")), "has no route table of its own")
    for r in env.all("aws_route"):
        if r["route_table_id"] in tables:
            yield r, fail_if(r["destination_cidr_block"] in WORLD or r["destination_ipv6_cidr_block"] in WORLD, "leads out of the data tier")
    for acl in env.all("aws_network_acl"):
        if subnets & set(acl.get("subnet_ids", [])):
            for b in acl.blocks("ingress"):
                yield acl, fail_if(b.get("action") == "allow" and is_world(b.get("cidr_block") or "10.0.0.0/8"), "lets in %s" % b.get("cidr_block"))


@rule()
def memorydb_is_in_the_data_tier(env):
    """MemoryDB's subnets are those tagged as the data tier, in as many zones as the network has (three in production)."""
    tier = {s["id"]: s for s in env.all("aws_subnet")}
    for g in env.all("aws_memorydb_subnet_group"):
        own = [tier.get(i) for i in g.get("subnet_ids", [])]
        zones = {s["availability_zone"] for s in own if s}
        yield g, (fail_if(None in own, "names subnets that are not this environment's")
                  or fail_if(any("data" not in json.dumps(s["tags_all"]) for s in own), "lies outside the data tier")
                  or fail_if(len(zones) < (3 if env.production else 2), "lies in %d zones" % len(zones)))


@rule()
def network_plan_is_sound(env):
    """Subnets lie inside their VPC, do not overlap, and each tier covers three zones in production."""
    for vpc in env.all("aws_vpc"):
        nets = [(s, ipaddress.ip_network(s["cidr_block"])) for s in env.all("aws_subnet") if s["vpc_id"] == vpc["id"]]
        whole = ipaddress.ip_network(vpc["cidr_block"])
        for i, (s, n) in enumerate(nets):
            yield s, (fail_if(not n.subnet_of(whole), "lies outside the VPC")
                      or fail_if(any(n.overlaps(m) for _, m in nets[i + 1:]), "overlaps another subnet"))
        zones = {s["availability_zone"] for s, _ in nets}
        yield vpc, (fail_if(len(zones) < (3 if env.production else 2), "spans %d zones" % len(zones))
                    or fail_if(not vpc["enable_dns_support"] or not vpc["enable_dns_hostnames"], "has DNS off"))


@rule(needs="some")
def environments_do_not_share_addresses(env):
    """The address ranges of the environments are disjoint, so that any two can be peered."""
    from stack import environments, load_environment
    for vpc in env.all("aws_vpc"):
        for other in environments():
            if other == env.name or env.mutated:
                continue
            for theirs in load_environment(other).all("aws_vpc"):
                a, b = ipaddress.ip_network(vpc["cidr_block"]), ipaddress.ip_network(theirs["cidr_block"])
                yield vpc, fail_if(a.overlaps(b), "shares addresses with %s" % other)


ENDPOINTS = ("s3", "ecr.api", "ecr.dkr", "sts", "secretsmanager", "logs")


@rule()
def endpoints_are_there(env):
    """S3, ECR, STS, Secrets Manager and CloudWatch Logs are reached inside the VPC, and no endpoint serves everybody."""
    for vpc in env.all("aws_vpc"):
        have = {r["service_name"].split(".", 3)[3] for r in env.all("aws_vpc_endpoint") if r["vpc_id"] == vpc["id"]}
        for e in ENDPOINTS:
            yield "%s endpoint %s" % (vpc, e), fail_if(e not in have, "missing")
    for r in env.all("aws_vpc_endpoint"):
        doc = json.loads(r["policy"]) if r["policy"] else None
        wide = [st for st in listed((doc or {}).get("Statement")) if st["Effect"] == "Allow" and "*" in listed(st.get("Action"))]
        yield r, (fail_if(doc is None, "has the default policy, which lets every account through")
                  or fail_if(wide, "allows every action"))
        if r["vpc_endpoint_type"] == "Interface":
            yield r, fail_if(not r["private_dns_enabled"], "has no private DNS name, so nothing would use it")


@rule()
def flow_logs_are_on(env):
    """Every VPC logs its flows."""
    for vpc in env.all("aws_vpc"):
        logs = [f for f in env.all("aws_flow_log") if f["vpc_id"] == vpc["id"]]
        yield vpc, fail_if(not any(f["traffic_type"] in ("ALL", "REJECT") for f in logs), "logs no flows")


@rule()
def instance_metadata_needs_a_token(env):
    """IMDSv2 only, and one hop, so that a pod cannot ask for the node's credentials."""
    for r in env.all("aws_launch_template", "aws_instance"):
        m = r.block("metadata_options")
        yield r, (fail_if(m.get("http_tokens") != "required", "answers IMDSv1")
                  or fail_if((m.get("http_put_response_hop_limit") or 1) > 1, "lets containers reach the metadata"))


# ---- encryption everywhere ---------------------------------------------------------------------------------------

ENCRYPTED = {
    "aws_memorydb_cluster": lambda r: r["kms_key_arn"],
    "aws_cloudwatch_log_group": lambda r: r["kms_key_id"],
    "aws_secretsmanager_secret": lambda r: r["kms_key_id"],
    "aws_sns_topic": lambda r: r["kms_master_key_id"],
    "aws_sqs_queue": lambda r: r["kms_master_key_id"] or r["sqs_managed_sse_enabled"],
    "aws_ecr_repository": lambda r: r.block("encryption_configuration").get("encryption_type") == "KMS" and r.block("encryption_configuration").get("kms_key"),
    "aws_eks_cluster": lambda r: r.block("encryption_config").get("provider") and "secrets" in (r.block("encryption_config").get("resources") or []),
    "aws_ebs_volume": lambda r: r["encrypted"] and r["kms_key_id"],
    "aws_prometheus_workspace": lambda r: r["kms_key_arn"],
    "aws_backup_vault": lambda r: r["kms_key_arn"],
    "aws_dynamodb_table": lambda r: r.block("server_side_encryption").get("enabled"),
    "aws_kinesis_firehose_delivery_stream": lambda r: r.block("server_side_encryption").get("enabled"),
    "aws_launch_template": lambda r: all(str((b.get("ebs") or [{}])[0].get("encrypted")).lower() == "true" and (b.get("ebs") or [{}])[0].get("kms_key_id") for b in r.blocks("block_device_mappings")) and r.blocks("block_device_mappings"),
    "aws_lambda_function": lambda r: not r.blocks("environment") or r["kms_key_arn"],
    "aws_sfn_state_machine": lambda r: not r.blocks("encryption_configuration") or r.block("encryption_configuration").get("type") == "CUSTOMER_MANAGED_KMS_KEY",
}


@rule()
def everything_is_encrypted_with_our_keys(env):
    """Whatever stores data names a key of ours."""
    keys = {k for r in env.all("aws_kms_key", "aws_kms_alias", "aws_kms_replica_key") for k in (r["id"], r["arn"], r["name"], r["key_id"], r["target_key_arn"]) if k}
    for r in env.resources:
        check = ENCRYPTED.get(r.type)
        if check:
            yield r, fail_if(not check(r), "is not encrypted with a key of ours")
            for arg in ("kms_key_arn", "kms_key_id", "kms_master_key_id"):
                if r[arg] and check(r):
                    yield r, fail_if(r[arg] not in keys, "names a key that no stack creates: %s" % r[arg])


@rule()
def buckets_are_encrypted(env):
    """Buckets use KMS with a key of ours; only CloudFront's and load balancers' log buckets, to which AWS cannot write otherwise, may use S3's own."""
    for b in env.all("aws_s3_bucket"):
        sse = [r for r in env.all("aws_s3_bucket_server_side_encryption_configuration") if r["bucket"] in (b["id"], b["bucket"])]
        how = [d for r in sse for x in r.blocks("rule") for d in (x.get("apply_server_side_encryption_by_default") or [])]
        log_bucket = "log" in b["bucket"]
        ok = how and all(d["sse_algorithm"].startswith("aws:kms") and d.get("kms_master_key_id") or log_bucket and d["sse_algorithm"] == "AES256" for d in how)
        yield b, fail_if(not ok, "is not encrypted: %s" % how)


@rule()
def keys_rotate_and_outlive_a_mistake(env):
    """Keys rotate yearly or sooner; deletion takes at least a week, in production the full thirty days."""
    for r in env.all("aws_kms_key"):
        days = r["deletion_window_in_days"] or 30
        yield r, (fail_if(r["enable_key_rotation"] is not True and r["customer_master_key_spec"] in (None, "SYMMETRIC_DEFAULT"), "does not rotate")
                  or fail_if((r["rotation_period_in_days"] or 365) > 365, "rotates too rarely")
                  or fail_if(days < (30 if env.production else 7), "would be gone after %d days" % days))


# ---- who may do what ---------------------------------------------------------------------------------------------

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


# ---- MemoryDB ----------------------------------------------------------------------------------------------------

@rule(seed="TLS verification off")
def memorydb_speaks_tls(env):
    """TLS is on; switching it off would also force the open-access ACL."""
    for r in env.all("aws_memorydb_cluster"):
        yield r, fail_if(r["tls_enabled"] is not True, "speaks plain text")
    for r in env.all("aws_memorydb_multi_region_cluster"):
        yield r, fail_if(r["tls_enabled"] is False, "speaks plain text")


@rule(seed="open-access ACL beside a client with a password")
def memorydb_has_its_own_acl(env):
    """The ACL is ours and lists only users of ours."""
    acls = {r["name"]: r for r in env.all("aws_memorydb_acl")}
    users = {r["user_name"] for r in env.all("aws_memorydb_user")}
    for r in env.all("aws_memorydb_cluster"):
        acl = acls.get(r["acl_name"])
        yield r, (fail_if(r["acl_name"] == "open-access", "lets everybody in without a password")
                  or fail_if(not acl, "names an ACL that no stack creates: %s" % r["acl_name"])
                  or fail_if(not acl.get("user_names"), "its ACL has no users")
                  or fail_if(set(acl["user_names"]) - users, "its ACL names unknown users"))


@rule()
def memorydb_users_can_do_little(env):
    """Users are switched on with a key pattern and exactly the commands they need: no categories, no all keys, no nopass."""
    for r in env.all("aws_memorydb_user"):
        words = (r["access_string"] or "").split()
        keys = [w for w in words if w[0] in "~%"]
        bad = [w for w in words if w in ("+@all", "allcommands", "nopass", "allkeys", "~*", "allchannels", "&*") or w.startswith("+@")]
        danger = {"+flushall", "+flushdb", "+config", "+debug", "+eval", "+evalsha", "+script", "+keys", "+shutdown", "+acl", "+replicaof", "+slaveof", "+monitor", "+module"} & {w.lower() for w in words}
        mode = r.block("authentication_mode").get("type")
        yield r, (fail_if(words[:1] != ["on"], "is not switched on first")
                  or fail_if(bad, "has %s" % bad)
                  or fail_if(danger, "may %s" % sorted(danger))
                  or fail_if("-@all" not in words, "does not start from nothing")
                  or fail_if(not keys or not all(re.match(r"^(~|%R~|%RW~|%W~)tally:", k) for k in keys), "is not confined to tally:* (%s)" % keys)
                  or fail_if(mode not in ("password", "iam"), "needs no password"))


def daemon_commands():
    """What src/ sends to the store, as an ACL names it. Not in it: AUTH, which needs no permission, and SELECT, because MemoryDB has one database."""
    found = set()
    for source in sorted((pathlib.Path(__file__).parents[2] / "src").glob("*/*.c")):
        text = source.read_text()
        for command, second in re.findall(r'\(struct slice\[\]\)\{\s*SLICE\("([A-Z]+)"\)(?:,\s*SLICE\("([A-Z]+)"\))?', text):
            found.add((command + "|" + second if second else command).lower())
        for either in re.findall(r'\(struct slice\[\]\)\{\s*[^,"]+\? SLICE\("([A-Z]+)"\) : SLICE\("([A-Z]+)"\)', text):
            found.update(word.lower() for word in either)
    return found - {"auth", "select"}


@rule()
def the_daemon_may_do_its_work(env):
    """The daemon's user may send exactly what the daemon sends: an ACL can neither lock it out nor let in more."""
    sent = daemon_commands()
    assert {"watch", "incrby", "incr", "exec", "getrange", "del", "client|setname"} <= sent, "src/ writes its commands in another way now: %s" % sorted(sent)
    for cluster in env.all("aws_memorydb_cluster"):
        mine = [u for u in env.all("aws_memorydb_user") if u["user_name"].endswith("tallyd")]
        granted = {w[1:].lower() for u in mine for w in u["access_string"].split() if w.startswith("+")}
        yield cluster, (fail_if(sent - granted, "the daemon may not send %s" % sorted(sent - granted))
                        or fail_if(granted - sent, "the daemon never sends %s" % sorted(granted - sent)))


@rule(seed="snapshots off")
def memorydb_takes_snapshots(env):
    """Snapshots daily, kept 35 days in production; outside the maintenance window; and a last one before deletion."""
    for r in env.all("aws_memorydb_cluster"):
        days = r["snapshot_retention_limit"] or 0
        yield r, (fail_if(days < (35 if env.production else 1), "keeps snapshots for %d days" % days)
                  or fail_if(not r["snapshot_window"], "has no snapshot window")
                  or fail_if(not r["maintenance_window"], "has no maintenance window")
                  or fail_if(env.production and not r["final_snapshot_name"], "goes without a last snapshot"))


@rule()
def memorydb_never_evicts(env):
    """maxmemory-policy is noeviction: an evicted counter is a silent loss."""
    groups = {r["name"]: r for r in env.all("aws_memorydb_parameter_group")}
    for r in env.all("aws_memorydb_cluster"):
        g = groups.get(r["parameter_group_name"])
        params = {p["name"]: p["value"] for p in (g.blocks("parameter") if g else [])}
        family = (g["family"] if g else "") or ""
        yield r, (fail_if(not g, "has no parameter group of ours")
                  or fail_if(params.get("maxmemory-policy") != "noeviction", "may evict (%s)" % params.get("maxmemory-policy"))
                  or fail_if(family != "memorydb_%s%s" % (r["engine"], (r["engine_version"] or "").split(".")[0]), "%s %s with parameters of %s" % (r["engine"], r["engine_version"], family)))


@rule()
def memorydb_survives_a_zone(env):
    """Production: at least two shards with two replicas each, on nodes meant for production."""
    for r in env.all("aws_memorydb_cluster"):
        if env.production:
            yield r, (fail_if((r["num_shards"] or 1) < 2, "has %s shards" % r["num_shards"])
                      or fail_if((r["num_replicas_per_shard"] or 0) < 2, "has %s replicas" % r["num_replicas_per_shard"]))
        yield r, fail_if((r["num_replicas_per_shard"] or 0) < 1, "has no replica, so a failover is an outage")


@rule()
def memorydb_admits_only_its_clients(env):
    """Port 6379 only, from security groups or private addresses that are named."""
    groups = {g for r in env.all("aws_memorydb_cluster") for g in r.get("security_group_ids", [])}
    for r in env.all("aws_memorydb_cluster"):
        yield r, fail_if((r["port"] or REDIS_PORT) != REDIS_PORT, "listens on %s" % r["port"]) or fail_if(not r.get("security_group_ids"), "has no security group")
    for r, direction, lo, hi, sources in sg_rules(env):
        if r["security_group_id"] in groups and direction == "ingress":
            yield r, (fail_if((lo, hi) != (REDIS_PORT, REDIS_PORT), "opens ports %s-%s" % (lo, hi)) or fail_if(not sources, "has no source"))


MEMORYDB_ALARMS = {
    "EngineCPUUtilization": lambda a: a["threshold"] == 80 and a["comparison_operator"] == "GreaterThanThreshold",
    "DatabaseMemoryUsagePercentage": lambda a: a["threshold"] == 75 and a["comparison_operator"] == "GreaterThanThreshold",
    "AuthenticationFailures": lambda a: a["threshold"] == 1 and a["comparison_operator"] == "GreaterThanOrEqualToThreshold" or a["threshold"] == 0 and a["comparison_operator"] == "GreaterThanThreshold",
    "ReplicationLag": lambda a: a["comparison_operator"].startswith("GreaterThan"),
    "SuccessfulWriteRequestLatency": lambda a: a["extended_statistic"] == "p99",
    "Evictions": lambda a: a["threshold"] == 0 and a["comparison_operator"] == "GreaterThanThreshold",
    "CurrConnections": lambda a: a["comparison_operator"].startswith("GreaterThan"),
}


@rule()
def memorydb_alarms_are_complete(env):
    """The seven alarms of DEPLOY.md, with its thresholds, on every cluster."""
    alarms = [a for a in env.all("aws_cloudwatch_metric_alarm") if a["namespace"] == "AWS/MemoryDB"]
    for c in env.all("aws_memorydb_cluster"):
        for metric, fits in MEMORYDB_ALARMS.items():
            mine = [a for a in alarms if a["metric_name"] == metric and c["name"] in (a["dimensions"] or {}).values()]
            yield "%s %s" % (c, metric), fail_if(not mine, "no alarm") or fail_if(not any(fits(a) for a in mine), "another threshold than agreed")


@rule(needs="some")
def multi_region_needs_the_absolute_mode(env):
    """Last writer wins there: a multi-region cluster only together with the daemon's absolute mode, which a precondition asks for."""
    text = "".join(p.read_text() for p in (env.tree / "infra" / "modules" / "memorydb-global").glob("*.tf"))
    yield "modules/memorydb-global", fail_if("precondition" not in text and "validation" not in text or "writer" not in text.lower(), "has no precondition about last-writer-wins")


# ---- the edge ----------------------------------------------------------------------------------------------------

def behaviours(env):
    for d in env.all("aws_cloudfront_distribution"):
        yield d, "default", d.block("default_cache_behavior")
        for b in d.blocks("ordered_cache_behavior"):
            yield d, b["path_pattern"], b


def static(pattern):
    """Paths that hold files and count nothing."""
    return re.match(r"^/?(static|assets|dashboard|favicon|robots)", pattern or "") is not None


@rule(seed="CloudFront cached the counter for an hour")
def hits_are_never_cached(env):
    """Every path that may count goes through CachingDisabled or a policy whose three TTLs are 0: a minimum above 0 caches in spite of no-store."""
    own = {r["id"]: r for r in env.all("aws_cloudfront_cache_policy")}
    for d, pattern, b in behaviours(env):
        if static(pattern):
            continue
        policy, problem = b.get("cache_policy_id"), None
        if policy in own:
            ttl = [own[policy][k] for k in ("min_ttl", "default_ttl", "max_ttl")]
            problem = fail_if(any(ttl), "its cache policy keeps answers: %s" % ttl)
        elif policy:
            problem = fail_if(policy != CACHING_DISABLED, "uses the managed cache policy %s" % policy)
        else:
            problem = "has no cache policy, so the legacy TTLs hold: %s" % [b.get(k) for k in ("min_ttl", "default_ttl", "max_ttl")]
        problem = problem or fail_if(b.get("min_ttl") or b.get("default_ttl") or b.get("max_ttl"), "sets a TTL of its own")
        yield "%s %s" % (d, pattern), problem


@rule()
def hits_pass_with_every_method(env):
    """The counting paths take all seven methods (PUT and DELETE administer counters), pass query strings and headers on, and redirect to HTTPS."""
    for d, pattern, b in behaviours(env):
        yield "%s %s" % (d, pattern), fail_if(b.get("viewer_protocol_policy") not in ("redirect-to-https", "https-only"), "serves plain HTTP")
        if not static(pattern):
            yield "%s %s" % (d, pattern), (fail_if("POST" not in (b.get("allowed_methods") or []), "refuses POST")
                                           or fail_if(not b.get("origin_request_policy_id"), "drops query strings (n=5 would count as 1)"))


@rule()
def the_admin_port_stays_inside(env):
    """No listener forwards to 9090, no distribution has it as its origin's port, and nothing routes /metrics."""
    for r in env.all("aws_lb_listener"):
        yield r, fail_if(r["port"] == ADMIN_PORT, "listens on the admin port")
    for r in env.all("aws_lb_target_group"):
        yield r, fail_if(r["port"] == ADMIN_PORT, "sends traffic to the admin port")
    for r in env.all("aws_cloudfront_vpc_origin"):
        b = r.block("vpc_origin_endpoint_config")
        yield r, fail_if(ADMIN_PORT in (b.get("http_port"), b.get("https_port")), "reaches the admin port")


@rule()
def origins_are_private(env):
    """CloudFront reaches the load balancer through a VPC origin, and keeps the connection between 60 s and the daemon's 75 s idle timeout."""
    vpc = {r["id"] for r in env.all("aws_cloudfront_vpc_origin")}
    for d in env.all("aws_cloudfront_distribution"):
        for o in d.blocks("origin"):
            where = "%s origin %s" % (d, o.get("origin_id"))
            if o.get("domain_name", "").split(".")[1:2] == ["s3"] or ".s3." in o.get("domain_name", ""):
                yield where, fail_if(not o.get("origin_access_control_id"), "a bucket without origin access control")
                continue
            v = (o.get("vpc_origin_config") or [{}])[0]
            keep = v.get("origin_keepalive_timeout") or 0
            yield where, (fail_if(not v.get("vpc_origin_id"), "is a public origin")
                          or fail_if(v.get("vpc_origin_id") not in vpc, "names a VPC origin that no stack creates")
                          or fail_if(not 60 <= keep < 75, "keeps connections for %s s; must be 60 or more and less than the daemon's 75" % keep))
    for r in env.all("aws_cloudfront_vpc_origin"):
        b = r.block("vpc_origin_endpoint_config")
        lb = env.by_id.get(b.get("arn"))
        yield r, fail_if(not lb or lb.type != "aws_lb", "does not lead to a load balancer of ours: %s" % b.get("arn"))


@rule()
def viewers_get_modern_tls(env):
    """TLS 1.2 of 2021 or newer, with a certificate from us-east-1 (CloudFront takes no other), and names that DNS points here."""
    for d in env.all("aws_cloudfront_distribution"):
        c = d.block("viewer_certificate")
        if c.get("cloudfront_default_certificate"):
            yield d, fail_if(env.production, "uses CloudFront's own certificate in production")
            continue
        yield d, (fail_if((c.get("minimum_protocol_version") or "") < "TLSv1.2_2021", "speaks %s" % c.get("minimum_protocol_version"))
                  or fail_if(":us-east-1:" not in (c.get("acm_certificate_arn") or ""), "its certificate is not in us-east-1: %s" % c.get("acm_certificate_arn"))
                  or fail_if(c.get("ssl_support_method") != "sni-only", "pays for a dedicated address"))
    for d in env.all("aws_cloudfront_distribution"):
        for name in d.get("aliases", []):
            kinds = {r["type"] for r in env.all("aws_route53_record") if r["name"] and r["name"].rstrip(".") == name
                     and any((a.get("name") or "") == d["domain_name"] for a in r.blocks("alias"))}
            if env.all("aws_route53_zone") or kinds:
                yield "%s %s" % (d, name), fail_if("A" not in kinds, "no DNS record points here")


@rule()
def the_edge_has_a_firewall(env):
    """CloudFront has a web ACL of ours with AWS's managed rules and a rate rule, which logs; the logs hide the Authorization header."""
    acls = {r["arn"]: r for r in env.all("aws_wafv2_web_acl")}
    for d in env.all("aws_cloudfront_distribution"):
        acl = acls.get(d["web_acl_id"])
        yield d, fail_if(not acl, "has no web ACL of ours")
        if not acl:
            continue
        text = [s for r in acl.blocks("rule") for s in (r.get("statement") or [])]
        managed = [m["name"] for s in text for m in (s.get("managed_rule_group_statement") or [])]
        rate = [b for s in text for b in (s.get("rate_based_statement") or [])]
        counted = [r["name"] for r in acl.blocks("rule") if any((a.get("count") or []) for a in (r.get("override_action") or []))]
        yield acl, (fail_if(acl["scope"] != "CLOUDFRONT", "has scope %s" % acl["scope"])
                    or fail_if(":us-east-1:" not in acl["arn"] or (acl["region"] or "us-east-1") != "us-east-1", "is not in us-east-1")
                    or fail_if("AWSManagedRulesCommonRuleSet" not in managed and "AWSManagedRulesAmazonIpReputationList" not in managed, "has no managed rules: %s" % managed)
                    or fail_if(not rate, "has no rate rule")
                    or fail_if(len(counted) == len(acl.blocks("rule")), "only counts and blocks nothing"))
        logs = [r for r in env.all("aws_wafv2_web_acl_logging_configuration") if r["resource_arn"] == acl["arn"]]
        yield acl, fail_if(not logs, "does not log")
        for log in logs:
            yield log, fail_if(not all("aws-waf-logs-" in x for x in log.get("log_destination_configs", [])), "logs to a destination whose name does not start with aws-waf-logs-")


@rule()
def the_edge_logs(env):
    """CloudFront writes access logs."""
    sources = {r["resource_arn"] for r in env.all("aws_cloudwatch_log_delivery_source")}
    for d in env.all("aws_cloudfront_distribution"):
        yield d, fail_if(not d.blocks("logging_config") and d["arn"] not in sources, "writes no logs")


@rule(seed="probes hit the counting path")
def health_checks_ask_readyz(env):
    """Health checks ask /readyz on the admin port and never a path that counts."""
    for r in env.all("aws_lb_target_group"):
        h = r.block("health_check")
        yield r, (fail_if(not h, "has no health check of ours")
                  or fail_if(h.get("protocol") != "HTTP", "checks with %s" % h.get("protocol"))
                  or fail_if(h.get("path") != READY, "asks %s" % h.get("path"))
                  or fail_if(str(h.get("port")) != str(ADMIN_PORT), "asks port %s" % h.get("port")))
    for r in env.all("aws_globalaccelerator_endpoint_group"):
        yield r, fail_if(r["health_check_protocol"] in ("HTTP", "HTTPS") and r["health_check_path"] not in (READY, "/livez"), "asks %s" % r["health_check_path"])
    for r in env.all("aws_route53_health_check"):
        yield r, fail_if(r["type"] in ("HTTP", "HTTPS") and not re.match(r"^/(readyz|livez|v1/counters/)", r["resource_path"] or ""), "asks %s" % r["resource_path"])


@rule(seed="Service targetPort ≠ container port")
def ports_agree(env):
    """Target groups send to the daemon's port 8080, by address, and the pods' security group lets exactly 8080 and 9090 in from the load balancer."""
    for r in env.all("aws_lb_target_group"):
        yield r, (fail_if(r["port"] != PUBLIC_PORT, "sends to port %s" % r["port"]) or fail_if(r["target_type"] != "ip", "targets %s, not addresses" % r["target_type"]))
    lbs = {g for r in env.all("aws_lb") for g in r.get("security_groups", [])}
    pods = {}
    for r, direction, lo, hi, sources in sg_rules(env):
        if direction == "ingress" and set(sources) & lbs and r["security_group_id"] not in lbs:
            pods.setdefault(r["security_group_id"], []).append((lo, hi))
    for group, ports in pods.items():
        want = [(ADMIN_PORT, ADMIN_PORT), (PUBLIC_PORT, PUBLIC_PORT)]
        odd = [p for p in ports if p not in want]
        yield group, fail_if(odd, "lets the load balancer in on %s" % odd) or fail_if(set(want) - set(ports), "does not let the load balancer in on %s" % sorted(set(want) - set(ports)))
    if env.all("aws_lb"):
        yield "security group of the pods", fail_if(not pods, "no rule lets the load balancer reach the pods")


@rule()
def blue_and_green(env):
    """Every load balancer has a blue and a green target group, and its listener sends everything to one or divides by weights."""
    groups = {g["arn"]: g["name"] or "" for g in env.all("aws_lb_target_group")}
    for lb in env.all("aws_lb"):
        listeners = [x for x in env.all("aws_lb_listener") if x["load_balancer_arn"] == lb["arn"]]
        colours = {c for n in groups.values() for c in ("blue", "green") if n.startswith(lb["name"]) and c in n}
        yield lb, fail_if(not listeners, "has no listener") or fail_if(colours != {"blue", "green"}, "has only the groups %s" % sorted(groups.values()))
        for x in listeners:
            weights = {}
            for a in x.blocks("default_action"):
                if a.get("target_group_arn"):
                    weights[a["target_group_arn"]] = 100
                for f in a.get("forward") or []:
                    for t in f.get("target_group") or []:
                        weights[t["arn"]] = t.get("weight")
            yield x, (fail_if(set(weights) - set(groups), "forwards to a group that no stack creates") or fail_if(not any(weights.values()), "all weights are 0: %s" % weights))


@rule()
def pods_leave_gently(env):
    """Deregistration takes 60 s, less than the pod's grace period of 75 s; client addresses arrive by PROXY protocol or are kept, never both."""
    for r in env.all("aws_lb_target_group"):
        delay = int(r["deregistration_delay"] or 300)
        yield r, (fail_if(not 30 <= delay <= 75, "deregisters in %d s" % delay)
                  or fail_if(r["proxy_protocol_v2"] and str(r["preserve_client_ip"]).lower() == "true", "sends the client's address twice"))


@rule()
def load_balancers_are_kept(env):
    """Load balancers span the zones, and production's cannot be deleted by mistake."""
    for r in env.all("aws_lb"):
        zones = len(r.get("subnets", []) or r.blocks("subnet_mapping"))
        yield r, (fail_if(zones < (3 if env.production else 2), "spans %d zones" % zones)
                  or fail_if(env.production and not r["enable_deletion_protection"], "can be deleted by mistake")
                  or fail_if(not r.get("security_groups"), "has no security group"))


@rule(needs="some")
def the_standby_gets_no_traffic(env):
    """The standby region's endpoint group has its dial at 0; the active one's is at 100."""
    groups = env.all("aws_globalaccelerator_endpoint_group")
    for r in groups:
        dial = r["traffic_dial_percentage"]
        region = r["endpoint_group_region"]
        standby = env.name.endswith("-dr") or len({g["endpoint_group_region"] for g in groups}) > 1 and region != home(env)
        yield r, fail_if(standby and dial != 0, "the standby takes %s %%" % dial) or fail_if(not standby and dial in (0,), "the active region takes nothing")


def home(env):
    for r in env.all("aws_eks_cluster"):
        return r["arn"].split(":")[3]


@rule(needs="some")
def dns_names_are_verified(env):
    """Certificates are validated by DNS records that the stack itself writes."""
    for r in env.all("aws_acm_certificate"):
        yield r, fail_if(r["validation_method"] != "DNS", "is validated by %s" % r["validation_method"])


# ---- the cluster -------------------------------------------------------------------------------------------------

@rule()
def cluster_logs_everything(env):
    """All five control-plane logs, to a group that Terraform made (so that it is encrypted and does not last for ever)."""
    groups = {r["name"] for r in env.all("aws_cloudwatch_log_group")}
    for r in env.all("aws_eks_cluster"):
        missing = {"api", "audit", "authenticator", "controllerManager", "scheduler"} - set(r.get("enabled_cluster_log_types", []))
        yield r, fail_if(missing, "does not log %s" % sorted(missing)) or fail_if("/aws/eks/%s/cluster" % r["name"] not in groups, "its log group is not ours")


@rule()
def cluster_is_recent_and_kept(env):
    """Kubernetes 1.33 or newer (kernel 6.12: older ones hang io_uring tasks), access by entries only, protected from deletion in production."""
    for r in env.all("aws_eks_cluster"):
        v = tuple(int(x) for x in (r["version"] or "0.0").split("."))
        a = r.block("access_config")
        yield r, (fail_if(v < (1, 33), "runs %s" % r["version"])
                  or fail_if(a.get("authentication_mode") != "API", "still reads aws-auth")
                  or fail_if(a.get("bootstrap_cluster_creator_admin_permissions"), "makes its creator a hidden administrator")
                  or fail_if(env.production and not r["deletion_protection"], "can be deleted by mistake"))


@rule()
def cluster_has_its_addons(env):
    """Networking, DNS, proxy and the Pod Identity agent are add-ons with a pinned version."""
    for c in env.all("aws_eks_cluster"):
        mine = {r["addon_name"]: r for r in env.all("aws_eks_addon") if r["cluster_name"] == c["name"]}
        for name in ("vpc-cni", "coredns", "kube-proxy", "eks-pod-identity-agent"):
            yield "%s %s" % (c, name), fail_if(name not in mine, "missing") or fail_if(not mine[name]["addon_version"], "has no version")


@rule(seed=":latest")
def images_are_pinned(env):
    """Nodes run a named image release, repositories refuse to overwrite a tag, and nothing is called latest."""
    for r in env.all("aws_eks_node_group"):
        yield r, fail_if(not r["release_version"], "runs whatever image is current") or fail_if("latest" in (r["release_version"] or ""), "runs :latest")
    for r in env.all("aws_ecr_repository"):
        yield r, fail_if(r["image_tag_mutability"] != "IMMUTABLE", "lets a tag be overwritten")
    for r in env.resources:
        for k, v in r.values.items():
            if isinstance(v, str) and (re.search(r":latest\b", v) or k in ("image_id", "ami_release_version") and "latest" in v):
                yield r, "%s is %s" % (k, v)


@rule()
def repositories_are_scanned_and_tidied(env):
    """Images are scanned on push and old ones expire."""
    registry = env.all("aws_ecr_registry_scanning_configuration")
    for r in env.all("aws_ecr_repository"):
        scan = r.block("image_scanning_configuration").get("scan_on_push") or registry
        policy = [p for p in env.all("aws_ecr_lifecycle_policy") if p["repository"] == r["name"]]
        yield r, (fail_if(not scan, "is not scanned") or fail_if(not policy, "keeps every image for ever") or fail_if(r["force_delete"] and env.production, "can be deleted with its images"))


def user_data_parts(text):
    """(content type, body) of the parts of a launch template's user data."""
    raw = base64.b64decode(text)
    message = email.message_from_bytes(raw)
    if not message.is_multipart():
        raise ValueError("user data is not multipart")
    return [(p.get_content_type(), p.get_payload(decode=True)) for p in message.walk() if not p.is_multipart()]


# What the shell part of the user data may call. Anything else, and it is not run here.
SHELL_TOOLS = ("mkdir", "install", "cat", "base64", "gzip", "gunzip", "zcat", "chmod", "chown", "mv", "rm", "sha256sum", "printf", "echo", "test", "dirname", "cut", "cmp", "mktemp")


def written_by(shell):
    """Runs the shell part with / moved to a scratch folder and a handful of tools; returns {path: bytes}."""
    text = shell.decode()
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        tools = root / "tools"
        tools.mkdir()
        for t in SHELL_TOOLS:
            real = shutil.which(t, path="/usr/bin:/bin")
            if real:
                (tools / t).symlink_to(real)
        # every absolute path moves below the scratch folder, but for the interpreter's line and the null device
        moved = "\n".join(line if line.startswith("#!") else re.sub(r"(?<![\w./<$}%-])/(?!dev/null)(?=(?:var|etc|opt|run|usr|srv|tmp|root|home)\b)", str(root / "fs") + "/", line)
                          for line in text.splitlines()) + "\n"
        (root / "fs").mkdir()
        bash = shutil.which("bash", path="/usr/bin:/bin")
        p = subprocess.run([bash, "-r"] if False else [bash, "-c", moved], env={"PATH": str(tools), "HOME": scratch, "TMPDIR": scratch}, cwd=scratch, capture_output=True, timeout=20,
                           stdin=subprocess.DEVNULL)
        if p.returncode:
            raise ValueError("the shell part fails: %s" % p.stderr.decode()[-400:])
        return {"/" + str(f.relative_to(root / "fs")): f.read_bytes() for f in (root / "fs").rglob("*") if f.is_file()}


SECCOMP_ON_NODE = "/var/lib/kubelet/seccomp/tallyd/tallyd.json"


def seccomp_source(env):
    return env.tree / "deploy" / "seccomp" / "tallyd.json"


def node_templates(env):
    """Launch templates that start EKS nodes."""
    used = {(b.get("id") or b.get("name")) for g in env.all("aws_eks_node_group") for b in g.blocks("launch_template")}
    return [r for r in env.all("aws_launch_template") if r["id"] in used or r["name"] in used]


@rule()
def nodes_get_the_seccomp_profile(env):
    """The user data really writes deploy/seccomp/tallyd.json, byte for byte, where kubelet looks for it, before nodeadm starts it: the shell part is run."""
    want = seccomp_source(env)
    for r in node_templates(env):
        try:
            files = {}
            for kind, body in user_data_parts(r["user_data"]):
                if kind == "text/x-shellscript":
                    files.update(written_by(body))
            got = files.get(SECCOMP_ON_NODE)
            yield r, (fail_if(not want.is_file(), "deploy/seccomp/tallyd.json is not in the repository")
                      or fail_if(got is None, "does not write %s, but %s" % (SECCOMP_ON_NODE, sorted(files)))
                      or fail_if(got != want.read_bytes(), "writes another profile than deploy/seccomp/tallyd.json"))
        except ValueError as e:
            yield r, str(e)


@rule()
def nodes_have_a_node_config(env):
    """The NodeConfig part is there; groups for tallyd have the static CPU manager with reserved CPUs."""
    static_seen = False
    for r in node_templates(env):
        try:
            configs = [b.decode() for k, b in user_data_parts(r["user_data"]) if k == "application/node.eks.aws"]
        except ValueError as e:
            yield r, str(e)
            continue
        text = "\n".join(configs)
        is_static = re.search(r"cpuManagerPolicy\"?: \"?static", text)
        static_seen = static_seen or bool(is_static)
        yield r, (fail_if(not configs, "has no NodeConfig") or fail_if("node.eks.aws/v1alpha1" not in text, "has an unknown NodeConfig")
                  or fail_if(is_static and "reservedSystemCPUs" not in text, "static CPU manager without reserved CPUs"))


# ---- backups -----------------------------------------------------------------------------------------------------

def seconds_between(expression):
    """The shortest interval of rate(…) or cron(minute hour day month weekday year), in seconds."""
    m = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression or "")
    if m:
        return int(m.group(1)) * {"minute": 60, "hour": 3600, "day": 86400}[m.group(2)]
    m = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", expression or "")
    if not m:
        return 0
    minute, hour = m.group(1), m.group(2)
    if not re.fullmatch(r"\d+", minute):
        return 60
    if not re.fullmatch(r"\d+", hour):
        step = re.fullmatch(r"(?:\*|\d+)/(\d+)", hour)
        return int(step.group(1)) * 3600 if step else 3600
    return 86400


@rule(seed="a backup cron that fires every minute")
def schedules_are_sane(env):
    """Whatever runs by schedule runs at most hourly, and backups daily or rarer."""
    for r in env.all("aws_scheduler_schedule", "aws_cloudwatch_event_rule", "aws_secretsmanager_secret_rotation", "aws_backup_plan"):
        found = [r["schedule_expression"]] if r["schedule_expression"] else []
        found += [b.get("schedule_expression") for b in r.blocks("rotation_rules") if b.get("schedule_expression")]
        found += [b.get("schedule") for b in r.blocks("rule") if b.get("schedule")]
        for e in found:
            every = seconds_between(e)
            backup = "backup" in json.dumps([r.address, r["name"]]) or "snapshot" in json.dumps([r.address, r["name"]])
            yield r, fail_if(every < (86400 if backup else 3600), "fires every %d s: %s" % (every, e))


@rule(needs=("prod",))
def backups_are_kept_for_three_years(env):
    """There is a scheduled backup, and its bucket keeps objects for three years and not for ever, behind versions; nothing else may shorten that."""
    buckets = [b for b in env.all("aws_s3_bucket") if "backup" in b["bucket"] or "snapshot" in b["bucket"]]
    for b in buckets:
        rules = [x for r in env.all("aws_s3_bucket_lifecycle_configuration") if r["bucket"] in (b["id"], b["bucket"]) for x in r.blocks("rule")]
        days = [e.get("days") for x in rules if x.get("status") == "Enabled" for e in (x.get("expiration") or []) if e.get("days")]
        yield b, (fail_if(not days, "never expires anything") or fail_if(min(days or [0]) < 1095, "drops backups after %s days" % min(days or [0]))
                  or fail_if(b["force_destroy"] and env.production, "can be destroyed with its backups"))
    if buckets and env.production:
        yield "schedule of backups", fail_if(not [r for r in env.all("aws_scheduler_schedule", "aws_cloudwatch_event_rule", "aws_backup_plan") if "backup" in r.address or "snapshot" in r.address], "there is none")


@rule()
def logs_do_not_last_for_ever(env):
    """Every log group has a retention."""
    for r in env.all("aws_cloudwatch_log_group"):
        yield r, fail_if(not r["retention_in_days"], "keeps logs for ever")


# ---- secrets -----------------------------------------------------------------------------------------------------

@rule()
def secrets_can_be_recovered_and_rotate(env):
    """Secrets survive a mistaken deletion (a week or more, in production the full 30 days) and those of MemoryDB rotate."""
    rotated = {r["secret_id"] for r in env.all("aws_secretsmanager_secret_rotation")}
    for r in env.all("aws_secretsmanager_secret"):
        days = r["recovery_window_in_days"]
        # a null window is the service's default of 30; 0 deletes at once
        yield r, (fail_if(days is not None and days < (30 if env.production else 7), "is gone after %s days" % days)
                  or fail_if(re.search("memorydb|redis", r["name"]) and r["id"] not in rotated and r["arn"] not in rotated, "does not rotate"))


@rule()
def secret_parameters_are_secure(env):
    """Parameters that hold secrets are SecureString; others hold none."""
    for r in env.all("aws_ssm_parameter"):
        hot = re.search(r"pass(word)?$|secret$|token$|private.?key", r["name"], re.I)
        yield r, fail_if(hot and r["type"] != "SecureString", "holds a secret in plain text")


# ---- watching ----------------------------------------------------------------------------------------------------

NAMES_FOR_DIMENSION = {
    "ClusterName": ("aws_memorydb_cluster", "aws_eks_cluster"), "LoadBalancer": ("aws_lb",), "TargetGroup": ("aws_lb_target_group",), "DistributionId": ("aws_cloudfront_distribution",),
    "WebACL": ("aws_wafv2_web_acl",), "FunctionName": ("aws_lambda_function",), "StateMachineArn": ("aws_sfn_state_machine",), "QueueName": ("aws_sqs_queue",),
    "NatGatewayId": ("aws_nat_gateway",), "HealthCheckId": ("aws_route53_health_check",), "Accelerator": ("aws_globalaccelerator_accelerator",), "SecretId": ("aws_secretsmanager_secret",),
    "BucketName": ("aws_s3_bucket",), "TopicName": ("aws_sns_topic",), "Workspace": ("aws_prometheus_workspace",), "ScheduleGroup": ("aws_scheduler_schedule_group",),
    "RuleName": ("aws_cloudwatch_event_rule",),
}
# One name, several kinds: the namespace says which is meant.
BY_NAMESPACE = {("AWS/MemoryDB", "ClusterName"): ("aws_memorydb_cluster",), ("ContainerInsights", "ClusterName"): ("aws_eks_cluster",), ("AWS/EKS", "ClusterName"): ("aws_eks_cluster",)}


def meant(namespace, dimension):
    return BY_NAMESPACE.get((namespace, dimension)) or NAMES_FOR_DIMENSION.get(dimension)


NAMING = ("name", "id", "arn", "arn_suffix", "function_name", "bucket", "cluster_name")


def all_dimensions(alarm):
    yield alarm["namespace"], alarm["dimensions"] or {}
    for q in alarm.blocks("metric_query"):
        for m in q.get("metric") or []:
            yield m.get("namespace"), m.get("dimensions") or {}


@rule()
def alarms_name_existing_resources(env):
    """Each dimension of each alarm is the name of a resource that exists; a misspelt one would never ring."""
    for a in env.all("aws_cloudwatch_metric_alarm"):
        for namespace, dims in all_dimensions(a):
            for k, v in dims.items():
                types = meant(namespace, k)
                if types:
                    have = {str(r[n]) for r in env.all(*types) for n in NAMING if r[n]} | {str(r["arn"]).split(":", 5)[-1].split("/", 1)[-1] for r in env.all(*types) if r["arn"]}
                    yield "%s %s" % (a, k), fail_if(v not in have, "watches %s, which does not exist" % v)
    for r in env.all("aws_cloudwatch_composite_alarm"):
        names = {x["alarm_name"] for x in env.all("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")}
        for n in re.findall(r"ALARM\(\"?([^\")]+)\"?\)", r["alarm_rule"] or ""):
            yield r, fail_if(n not in names, "combines %s, which does not exist" % n)


@rule()
def alarms_tell_somebody(env):
    """Each alarm is switched on and goes to a topic that exists (in its own region) and has a subscriber or a variable for one."""
    topics = {r["arn"] for r in env.all("aws_sns_topic")}
    for a in env.all("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"):
        actions = [x for x in a.get("alarm_actions", []) if ":sns:" in x]
        scaling = [x for x in a.get("alarm_actions", []) if ":sns:" not in x]
        region = a["arn"].split(":")[3]
        yield a, (fail_if(a["actions_enabled"] is False, "is switched off")
                  or fail_if(not actions and not scaling, "tells nobody")
                  or fail_if(set(actions) - topics, "tells %s, which does not exist" % sorted(set(actions) - topics))
                  or fail_if(any(x.split(":")[3] != region for x in actions), "is in another region than its topic"))


@rule()
def dashboards_show_what_exists(env):
    """Dashboards are valid JSON, and the resources that their widgets name exist."""
    for d in env.all("aws_cloudwatch_dashboard"):
        body = json.loads(d["dashboard_body"])
        yield d, fail_if(not body.get("widgets"), "is empty")
        for w in body.get("widgets", []):
            for m in (w.get("properties") or {}).get("metrics") or []:
                for k, v in zip(m[1:], m[2:]):
                    if isinstance(k, str) and k in NAMES_FOR_DIMENSION and isinstance(v, str) and not v.startswith("$") and v != ".":
                        known = {str(r[n]) for r in env.all(*meant(m[0], k)) for n in NAMING if r[n]}
                        yield "%s %s" % (d, k), fail_if(v not in known, "shows %s, which does not exist" % v)


@rule()
def money_is_watched(env):
    """A budget per environment, which tells somebody before it is spent."""
    found = env.all("aws_budgets_budget")
    yield "budget of %s" % env.name, fail_if(not found, "there is none")
    for b in found:
        notes = b.blocks("notification")
        yield b, fail_if(not notes, "tells nobody") or fail_if(not any((n.get("threshold") or 0) <= 100 for n in notes), "tells too late")


@rule()
def everything_is_tagged(env):
    """Whatever takes tags says whose it is: project, environment and Terraform."""
    for r in env.resources:
        if "tags_all" in r.values:
            tags = {k.lower(): v for k, v in (r["tags_all"] or {}).items()}
            yield r, fail_if(not {"project", "environment", "managedby"} <= set(tags), "has tags %s" % sorted(tags)) or fail_if(
                tags.get("environment") != env.name, "says it belongs to %s" % tags.get("environment"))


@rule()
def names_say_the_environment(env):
    """Clusters, load balancers and stores carry the environment's name, so that two environments fit into one account."""
    for r in env.all("aws_eks_cluster", "aws_lb", "aws_memorydb_cluster", "aws_ecr_repository") if len(env.resources) else []:
        if r.type == "aws_ecr_repository":
            continue
        yield r, fail_if(env.name not in (r["name"] or ""), "is called %s" % r["name"])

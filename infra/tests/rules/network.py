"""What is open, to whom, and how the addresses lie."""
import ipaddress
import json

from .base import PUBLIC_PORT, WORLD, fail_if, listed, rule, values_of


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
def load_balancers_lie_alone(env):
    """Load balancers have subnets in which nothing else lies, in each zone, and their list takes listeners' ports only: pods know them by these ranges, and open the admin port to nobody else."""
    tier = {s["id"]: s for s in env.all("aws_subnet") if (s["tags"] or {}).get("Tier") == "balancer"}
    zones = {s["availability_zone"] for s in env.all("aws_subnet")}
    for lb in env.all("aws_lb"):
        own = set(lb.get("subnets", []))
        yield lb, (fail_if(own - set(tier), "lies among others: no range tells it from pods")
                   or fail_if({tier[i]["availability_zone"] for i in own} != zones, "does not lie in every zone"))
    for r in env.resources:
        if r.type not in ("aws_lb", "aws_subnet", "aws_route_table_association", "aws_network_acl"):
            nested = [b for name in ("vpc_config", "network_configuration", "network_interfaces") for b in (r[name] if isinstance(r[name], list) else [])]
            named = {r["subnet_id"], *(r["subnet_ids"] or []), *(r["subnets"] or []), *(r["vpc_zone_identifier"] or [])} | {i for b in nested if isinstance(b, dict) for i in b.get("subnet_ids") or []}
            yield r, fail_if(named & set(tier), "lies in a subnet of load balancers: its pods could ask for health, too")
    for acl in env.all("aws_network_acl"):
        if set(tier) & set(acl.get("subnet_ids", [])):
            wide = [b for b in acl.blocks("ingress") if is_world(b["cidr_block"]) and not (b["from_port"] == b["to_port"] and b["from_port"] in (443, PUBLIC_PORT))]
            yield acl, fail_if(wide, "takes more from outside than its listeners")


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


FOREIGN_BUCKETS = ("prod-%(region)s-starport-layer-bucket", "al2023-repos-%(region)s-de612dc2", "prod-registry-k8s-io-%(region)s", "prod-registry-k8s-io-us-east-1")


@rule()
def images_come_through_the_endpoint(env):
    """The S3 endpoint lets through what lies in buckets of others and is needed: layers of ECR, packages of Amazon Linux, and registry.k8s.io's buckets in any region."""
    import fnmatch
    for r in env.all("aws_vpc_endpoint"):
        if r["service_name"].endswith(".s3"):
            open_to_all = [a for st in listed(json.loads(r["policy"])["Statement"]) if st["Effect"] == "Allow" and not st.get("Condition") and "s3:GetObject" in listed(st["Action"]) for a in listed(st["Resource"])]
            for bucket in FOREIGN_BUCKETS:
                key = "%s/x" % (bucket % {"region": r["service_name"].split(".")[2]})
                yield "%s %s" % (r, key), fail_if(not any(fnmatch.fnmatch(key, a.split(":::")[-1]) for a in open_to_all), "is refused")


@rule()
def replies_find_their_way_out(env):
    """The lists of load balancers let replies out to any address: behind a VPC origin or an accelerator the one who asked may have a public one, and a list keeps no state."""
    tier = {s["id"] for s in env.all("aws_subnet") if (s["tags"] or {}).get("Tier") == "balancer"}
    for acl in env.all("aws_network_acl"):
        if tier & set(acl.get("subnet_ids", [])):
            out = [b for b in acl.blocks("egress") if b["action"] == "allow" and b["protocol"] in ("tcp", "6") and b["cidr_block"] == "0.0.0.0/0" and b["from_port"] <= 1024 and b["to_port"] == 65535]
            yield acl, fail_if(not out, "drops replies to public addresses")

"""CloudFront, the firewall, the load balancers, names and health checks."""
import re

from .base import ADMIN_PORT, CACHING_DISABLED, PUBLIC_PORT, READY, fail_if, rule
from .network import sg_rules


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
    """Deregistration lasts as long as a pod drains, and no longer than any pod lives (180 s); client addresses arrive by PROXY protocol or are kept, never both."""
    for r in env.all("aws_lb_target_group"):
        delay = int(r["deregistration_delay"] or 300)
        yield r, (fail_if(not 30 <= delay <= 180, "deregisters in %d s" % delay)
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


# Rules of the managed groups that look into path, query or body, where a key may hold any text.
LOOKS_AT_KEYS = {
    "AWSManagedRulesCommonRuleSet": {"%s_%s" % (what, where) for what in ("CrossSiteScripting", "EC2MetaDataSSRF", "GenericLFI", "GenericRFI") for where in ("BODY", "QUERYARGUMENTS", "URIPATH")}
    | {"RestrictedExtensions_QUERYARGUMENTS", "RestrictedExtensions_URIPATH", "SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING", "SizeRestrictions_URIPATH"},
    "AWSManagedRulesKnownBadInputsRuleSet": {"%s_%s" % (what, where) for what in ("JavaDeserializationRCE", "Log4JRCE") for where in ("BODY", "QUERYSTRING", "URIPATH")} | {"ExploitablePaths_URIPATH"},
}


@rule()
def the_firewall_lets_every_key_through(env):
    """A key may look like a file, an address or a script; managed rules that look where keys stand only count."""
    for acl in env.all("aws_wafv2_web_acl"):
        for x in acl.blocks("rule"):
            for s in x.get("statement") or []:
                for m in s.get("managed_rule_group_statement") or []:
                    counted = {o["name"] for o in m.get("rule_action_override") or [] if (o["action_to_use"] or [{}])[0].get("count")}
                    blocking = LOOKS_AT_KEYS.get(m["name"], set()) - counted
                    yield "%s %s" % (acl, m["name"]), fail_if(blocking, "refuses keys by %s" % sorted(blocking))


@rule(needs="some")
def caa_binds_only_our_names(env):
    """In a zone that is not ours, who may issue certificates is said for our name and not for the zone."""
    own = {z["zone_id"] for z in env.all("aws_route53_zone")}
    names = {r["domain_name"] for r in env.all("aws_acm_certificate")}
    for r in env.all("aws_route53_record"):
        if r["type"] == "CAA":
            yield r, fail_if(r["zone_id"] not in own and r["name"] not in names, "binds %s" % r["name"])

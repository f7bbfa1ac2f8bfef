"""No rule is blind: each one is shown an environment with one thing wrong, and must say so.

The environment is production as it really comes out; one value is changed in memory. (Mistakes made in the
configuration itself, with Terraform between them and the rules, are in test_mistakes.py.)
"""
import copy
import json
import re

import pytest

import rules
import stack
from mistakes import MISTAKES

ENV = "prod"


def pick(env, kind, **match):
    """The first resource of a type whose values match (compared as text, by regular expression)."""
    for r in env.all(kind):
        if all(re.search(p, str(r[k])) for k, p in match.items()):
            return r
    raise AssertionError("production has no %s %s" % (kind, match))


def put(kind, path, value, **match):
    """Sets a value; path goes through blocks, `a.0.b`. A callable gets the old value."""
    def change(env):
        r = pick(env, kind, **match)
        at, keys = r.values, path.split(".")
        for k in keys[:-1]:
            at = at[int(k)] if k.isdigit() else at[k]
        last = int(keys[-1]) if keys[-1].isdigit() else keys[-1]
        at[last] = value(at[last]) if callable(value) else value
    return change


def drop(kind, **match):
    def change(env):
        gone = [r for r in env.all(kind) if all(re.search(p, str(r[k])) for k, p in match.items())]
        assert gone, "production has no %s %s" % (kind, match)
        env.resources = [r for r in env.resources if r not in gone]
    return change


def add(kind, **values):
    def change(env):
        env.resources.append(stack.Resource("test", {"address": kind + ".added", "mode": "managed", "type": kind, "name": "added", "values": values}))
    return change


def policy(kind, edit, arg="policy", **match):
    """Edits a policy document."""
    def change(env):
        r = pick(env, kind, **match)
        doc = json.loads(r[arg])
        edit(doc)
        r.values[arg] = json.dumps(doc)
    return change


def widen(key, value):
    return lambda doc: rules.listed(doc["Statement"])[0].__setitem__(key, value)


def without(key):
    return lambda doc: [st.pop(key, None) for st in rules.listed(doc["Statement"])]


def retext(pattern, to):
    return lambda text: re.sub(pattern, to, text)


# rule → what is changed (several: each on its own must be noticed)
def list_of_one_zone(env):
    """One private subnet gets a list of its own that lets nothing in."""
    acl = next(a for a in env.all("aws_network_acl") if env.all("aws_eks_cluster")[0].block("vpc_config")["subnet_ids"][0] in a["subnet_ids"])
    gone = acl.values["subnet_ids"].pop()
    env.resources.append(stack.Resource("test", {"address": "x", "mode": "managed", "type": "aws_network_acl", "name": "x", "values": dict(acl.values, id="acl-x", subnet_ids=[gone], ingress=[])}))


BREAKS = {
    "ways-are-the-same-from-every-zone": [list_of_one_zone],
    "no-security-group-open-to-the-world": [put("aws_vpc_security_group_ingress_rule", "cidr_ipv4", "0.0.0.0/0"), put("aws_vpc_security_group_ingress_rule", "cidr_ipv6", "::/0"),
                                            add("aws_security_group_rule", type="ingress", cidr_blocks=["8.8.8.0/24"], from_port=1, to_port=2),
                                            add("aws_security_group", ingress=[{"cidr_blocks": ["0.0.0.0/0"], "from_port": 22, "to_port": 22}]),
                                            # the one exception ends where the web ACL does, where the accelerator does, and at another port
                                            drop("aws_wafv2_web_acl_association"), drop("aws_globalaccelerator_endpoint_group"), put("aws_vpc_security_group_ingress_rule", "to_port", 444, cidr_ipv4="^0.0.0.0/0$")],
    "default-security-group-is-empty": [drop("aws_default_security_group"), put("aws_default_security_group", "ingress", [{"self": True}])],
    "load-balancers-are-internal": [put("aws_lb", "internal", False)],
    "no-public-addresses": [put("aws_subnet", "map_public_ip_on_launch", True)],
    "cluster-api-is-private": [put("aws_eks_cluster", "vpc_config.0.endpoint_public_access", True), put("aws_eks_cluster", "vpc_config.0.endpoint_private_access", False)],
    "buckets-are-closed": [drop("aws_s3_bucket_public_access_block"), put("aws_s3_bucket_public_access_block", "restrict_public_buckets", False), drop("aws_s3_bucket_policy"),
                           put("aws_s3_bucket_versioning", "versioning_configuration.0.status", "Suspended")],
    "data-tier-has-no-way-out": [lambda env: put("aws_route", "route_table_id", next(a["route_table_id"] for a in env.all("aws_route_table_association")
                                                                                      if a["subnet_id"] in pick(env, "aws_memorydb_subnet_group")["subnet_ids"]), destination_cidr_block="0.0.0.0/0")(env)],
    "memorydb-is-in-the-data-tier": [put("aws_memorydb_subnet_group", "subnet_ids", ["subnet-elsewhere"]), put("aws_memorydb_subnet_group", "subnet_ids", lambda v: v[:1])],
    "load-balancers-lie-alone": [put("aws_lb", "subnets", lambda v: v[:2]),
                                 lambda env: put("aws_lb", "subnets", pick(env, "aws_eks_cluster").block("vpc_config")["subnet_ids"])(env),
                                 lambda env: put("aws_eks_node_group", "subnet_ids", pick(env, "aws_lb")["subnets"])(env),
                                 lambda env: put("aws_eks_cluster", "vpc_config.0.subnet_ids", pick(env, "aws_lb")["subnets"])(env),
                                 lambda env: next(a for a in env.all("aws_network_acl") if set(a["subnet_ids"]) & set(pick(env, "aws_lb")["subnets"])).values["ingress"].append(
                                     {"rule_no": 990, "action": "allow", "protocol": "tcp", "from_port": 1024, "to_port": 65535, "cidr_block": "0.0.0.0/0"})],
    "network-plan-is-sound": [put("aws_subnet", "cidr_block", "192.0.2.0/24"), put("aws_vpc", "enable_dns_support", False)],
    "environments-do-not-share-addresses": [lambda env: put("aws_vpc", "cidr_block", next(v["cidr_block"] for v in stack.load_environment("dev").all("aws_vpc")))(env)],
    "endpoints-are-there": [drop("aws_vpc_endpoint", service_name=r"\.secretsmanager$"), drop("aws_vpc_endpoint", service_name=r"\.s3$"), put("aws_vpc_endpoint", "policy", None),
                            put("aws_vpc_endpoint", "private_dns_enabled", False, vpc_endpoint_type="Interface")],
    "flow-logs-are-on": [drop("aws_flow_log")],
    "instance-metadata-needs-a-token": [put("aws_launch_template", "metadata_options.0.http_tokens", "optional"), put("aws_launch_template", "metadata_options.0.http_put_response_hop_limit", 2)],
    "everything-is-encrypted-with-our-keys": [put("aws_memorydb_cluster", "kms_key_arn", None), put("aws_cloudwatch_log_group", "kms_key_id", None), put("aws_secretsmanager_secret", "kms_key_id", None),
                                              put("aws_sns_topic", "kms_master_key_id", None), put("aws_ecr_repository", "encryption_configuration", []), put("aws_eks_cluster", "encryption_config", []),
                                              put("aws_launch_template", "block_device_mappings.0.ebs.0.encrypted", "false"), put("aws_memorydb_cluster", "kms_key_arn", "arn:aws:kms:x:1:key/other")],
    "buckets-are-encrypted": [drop("aws_s3_bucket_server_side_encryption_configuration")],
    "keys-rotate-and-outlive-a-mistake": [put("aws_kms_key", "enable_key_rotation", False), put("aws_kms_key", "deletion_window_in_days", 7)],
    "no-star-on-star": [policy("aws_iam_role_policy", widen("Action", "*")), policy("aws_iam_role_policy", lambda d: (widen("Action", "s3:*")(d), widen("Resource", "*")(d))),
                        policy("aws_iam_role_policy", lambda d: (widen("NotAction", "iam:*")(d), without("Action")(d))), policy("aws_s3_bucket_policy", lambda d: d["Statement"].append({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}))],
    "writes-name-their-resources": [policy("aws_iam_role_policy", lambda d: d["Statement"].append({"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "*"}))],
    "nobody-else-gets-in": [policy("aws_s3_bucket_policy", lambda d: d["Statement"].append({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Principal": {"AWS": "*"}})),
                            policy("aws_kms_key", lambda d: d["Statement"].append({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "1"}}}))],
    "endpoint-policies-are-fenced": [policy("aws_vpc_endpoint", without("Condition"), service_name=r"\.secretsmanager$")],
    "trust-is-narrow": [policy("aws_iam_role", widen("Principal", {"AWS": "*"}), "assume_role_policy"), policy("aws_iam_role", widen("Principal", {"AWS": "arn:aws:iam::999999999999:root"}), "assume_role_policy", assume_role_policy="ec2.amazonaws"),
                        policy("aws_iam_role", without("Condition"), "assume_role_policy", assume_role_policy="pods.eks"), policy("aws_iam_role", without("Condition"), "assume_role_policy", assume_role_policy="Federated")],
    "no-users-no-administrators": [add("aws_iam_user", name="u"), put("aws_iam_role_policy_attachment", "policy_arn", "arn:aws:iam::aws:policy/AdministratorAccess")],
    "one-role-per-workload": [lambda env: put("aws_eks_pod_identity_association", "role_arn", env.all("aws_eks_pod_identity_association")[-1]["role_arn"])(env)],
    "memorydb-speaks-tls": [put("aws_memorydb_cluster", "tls_enabled", False)],
    "memorydb-has-its-own-acl": [put("aws_memorydb_cluster", "acl_name", "open-access"), put("aws_memorydb_acl", "user_names", [])],
    "memorydb-users-can-do-little": [put("aws_memorydb_user", "access_string", s) for s in ("on ~* -@all +get", "on ~tally:* +@all", "on ~tally:* -@all +get +flushall", "off ~tally:* -@all +get", "on ~tally:* -@all +@read", "on ~tally:* +get")],
    "the-daemon-may-do-its-work": [lambda env: [u.values.__setitem__("access_string", u["access_string"].replace("+watch", "")) for u in env.all("aws_memorydb_user")],
                                   lambda env: [u.values.__setitem__("access_string", u["access_string"] + " +mget") for u in env.all("aws_memorydb_user")]],
    "memorydb-takes-snapshots": [put("aws_memorydb_cluster", "snapshot_retention_limit", 0), put("aws_memorydb_cluster", "snapshot_retention_limit", 34), put("aws_memorydb_cluster", "snapshot_window", None)],
    "memorydb-never-evicts": [put("aws_memorydb_parameter_group", "parameter", [{"name": "maxmemory-policy", "value": "allkeys-lru"}]), put("aws_memorydb_cluster", "parameter_group_name", "default.memorydb-valkey7"),
                              put("aws_memorydb_parameter_group", "family", "memorydb_redis6")],
    "memorydb-survives-a-zone": [put("aws_memorydb_cluster", "num_shards", 1), put("aws_memorydb_cluster", "num_replicas_per_shard", 0)],
    "memorydb-admits-only-its-clients": [lambda env: put("aws_vpc_security_group_ingress_rule", "to_port", 65535, security_group_id=pick(env, "aws_memorydb_cluster")["security_group_ids"][0])(env), put("aws_memorydb_cluster", "port", 6380)],
    "memorydb-alarms-are-complete": [drop("aws_cloudwatch_metric_alarm", metric_name="^" + m + "$") for m in rules.MEMORYDB_ALARMS] + [put("aws_cloudwatch_metric_alarm", "threshold", 95, metric_name="EngineCPU")],
    "multi-region-needs-the-absolute-mode": [lambda env: setattr(env, "tree", stack.BUILD / "nowhere")],
    "hits-are-never-cached": [put("aws_cloudfront_distribution", "default_cache_behavior.0.cache_policy_id", "658327ea-f89d-4fab-a63d-7e88639e58f6"),
                              put("aws_cloudfront_distribution", "default_cache_behavior.0.cache_policy_id", None), put("aws_cloudfront_distribution", "default_cache_behavior.0.min_ttl", 1)],
    "hits-pass-with-every-method": [put("aws_cloudfront_distribution", "default_cache_behavior.0.allowed_methods", ["GET", "HEAD"]), put("aws_cloudfront_distribution", "default_cache_behavior.0.origin_request_policy_id", None),
                                    put("aws_cloudfront_distribution", "default_cache_behavior.0.viewer_protocol_policy", "allow-all")],
    "the-admin-port-stays-inside": [put("aws_lb_listener", "port", 9090), put("aws_lb_target_group", "port", 9090), put("aws_cloudfront_vpc_origin", "vpc_origin_endpoint_config.0.http_port", 9090)],
    "origins-are-private": [put("aws_cloudfront_distribution", "origin.0.vpc_origin_config", []), put("aws_cloudfront_distribution", "origin.0.vpc_origin_config.0.origin_keepalive_timeout", 5),
                            put("aws_cloudfront_distribution", "origin.0.vpc_origin_config.0.origin_keepalive_timeout", 120), put("aws_cloudfront_vpc_origin", "vpc_origin_endpoint_config.0.arn", "arn:aws:elasticloadbalancing:other")],
    "viewers-get-modern-tls": [put("aws_cloudfront_distribution", "viewer_certificate.0.minimum_protocol_version", "TLSv1.1_2016"), put("aws_cloudfront_distribution", "viewer_certificate.0.acm_certificate_arn", "arn:aws:acm:eu-central-1:1:certificate/x"),
                               drop("aws_route53_record", type="^A$")],
    "the-edge-has-a-firewall": [put("aws_cloudfront_distribution", "web_acl_id", None), put("aws_wafv2_web_acl", "rule", [], scope="CLOUDFRONT"), drop("aws_wafv2_web_acl_logging_configuration"), put("aws_wafv2_web_acl", "scope", "REGIONAL", scope="CLOUDFRONT")],
    "the-edge-logs": [lambda env: (put("aws_cloudfront_distribution", "logging_config", [])(env), setattr(env, "resources", [r for r in env.resources if r.type != "aws_cloudwatch_log_delivery_source"]))],
    "health-checks-ask-readyz": [put("aws_lb_target_group", "health_check.0.path", "/v1/hit/probe/lb"), put("aws_lb_target_group", "health_check.0.port", "8080"), put("aws_lb_target_group", "health_check.0.protocol", "TCP")],
    "ports-agree": [put("aws_lb_target_group", "port", 80), put("aws_lb_target_group", "target_type", "instance"), drop("aws_vpc_security_group_ingress_rule", from_port="^9090$"),
                    put("aws_vpc_security_group_ingress_rule", "to_port", 9091, from_port="^9090$")],
    "blue-and-green": [drop("aws_lb_target_group", name="green"), drop("aws_lb_listener"), put("aws_lb_listener", "default_action", [])],
    "pods-leave-gently": [put("aws_lb_target_group", "deregistration_delay", "300"), put("aws_lb_target_group", "deregistration_delay", "0")],
    "load-balancers-are-kept": [put("aws_lb", "enable_deletion_protection", False), put("aws_lb", "subnets", lambda v: v[:1]), put("aws_lb", "security_groups", [])],
    "the-standby-gets-no-traffic": [add("aws_globalaccelerator_endpoint_group", endpoint_group_region="eu-west-1", traffic_dial_percentage=50), ],
    "dns-names-are-verified": [put("aws_acm_certificate", "validation_method", "EMAIL")],
    "cluster-logs-everything": [put("aws_eks_cluster", "enabled_cluster_log_types", ["api"]), drop("aws_cloudwatch_log_group", name="^/aws/eks/")],
    "cluster-is-recent-and-kept": [put("aws_eks_cluster", "version", "1.32"), put("aws_eks_cluster", "access_config.0.authentication_mode", "API_AND_CONFIG_MAP"), put("aws_eks_cluster", "deletion_protection", False)],
    "cluster-has-its-addons": [drop("aws_eks_addon", addon_name="pod-identity"), put("aws_eks_addon", "addon_version", None, addon_name="vpc-cni")],
    "images-are-pinned": [put("aws_ecr_repository", "image_tag_mutability", "MUTABLE"), put("aws_eks_node_group", "release_version", None), add("aws_lambda_function", image_uri="x/y:latest")],
    "repositories-are-scanned-and-tidied": [lambda env: (put("aws_ecr_repository", "image_scanning_configuration", [])(env), setattr(env, "resources", [r for r in env.resources if r.type != "aws_ecr_registry_scanning_configuration"])),
                                            drop("aws_ecr_lifecycle_policy")],
    "nodes-get-the-seccomp-profile": [put("aws_launch_template", "user_data", "TUlNRS1WZXJzaW9uOiAxLjA=", name="system"), lambda env: setattr(env, "tree", stack.BUILD / "nowhere")],
    "nodes-have-a-node-config": [put("aws_launch_template", "user_data", "TUlNRS1WZXJzaW9uOiAxLjA=", name="system")],
    "schedules-are-sane": [add("aws_cloudwatch_event_rule", name="x", schedule_expression="rate(1 minute)"), add("aws_scheduler_schedule", name="backup", schedule_expression="cron(* * * * ? *)"),
                           add("aws_scheduler_schedule", name="backup", schedule_expression="cron(*/5 3 * * ? *)"), add("aws_scheduler_schedule", name="backup", schedule_expression="rate(1 hour)")],
    "backups-are-kept-for-three-years": [put("aws_s3_bucket_lifecycle_configuration", "rule", [{"status": "Enabled", "expiration": [{"days": 30}]}], bucket="backup|snapshot"), drop("aws_s3_bucket_lifecycle_configuration", bucket="backup|snapshot")],
    "logs-do-not-last-for-ever": [put("aws_cloudwatch_log_group", "retention_in_days", 0)],
    "secrets-can-be-recovered-and-rotate": [put("aws_secretsmanager_secret", "recovery_window_in_days", 0), drop("aws_secretsmanager_secret_rotation")],
    "secret-parameters-are-secure": [add("aws_ssm_parameter", name="/tallyd/prod/redis/password", type="String")],
    "alarms-name-existing-resources": [put("aws_cloudwatch_metric_alarm", "dimensions", {"ClusterName": "misspelt"}, namespace="AWS/MemoryDB"), drop("aws_memorydb_cluster")],
    "alarms-tell-somebody": [put("aws_cloudwatch_metric_alarm", "alarm_actions", []), put("aws_cloudwatch_metric_alarm", "alarm_actions", ["arn:aws:sns:eu-central-1:1:nowhere"]), put("aws_cloudwatch_metric_alarm", "actions_enabled", False)],
    "dashboards-show-what-exists": [put("aws_cloudwatch_dashboard", "dashboard_body", '{"widgets": []}'), put("aws_cloudwatch_dashboard", "dashboard_body", '{"widgets": [{"properties": {"metrics": [["AWS/MemoryDB", "Evictions", "ClusterName", "misspelt"]]}}]}')],
    "money-is-watched": [drop("aws_budgets_budget"), put("aws_budgets_budget", "notification", [])],
    # a pattern, a range, an enumeration, a length, what is required, what is unknown, another type, a nested list, a type nobody knows
    "the-sdk-accepts-every-call": [put("aws_wafv2_web_acl", "description", "for ever (and ever)"), put("aws_lb_target_group", "port", 70000), put("aws_sfn_state_machine", "type", "QUICK"),
                                   put("aws_iam_role", "description", "x" * 1001), put("aws_eks_cluster", "role_arn", None), put("aws_ecr_repository", "name", "UPPER"), put("aws_memorydb_cluster", "num_shards", "two"),
                                   put("aws_wafv2_web_acl", "rule.0.priority", -1), put("aws_s3_bucket_lifecycle_configuration", "rule.0.status", "On"), put("aws_cloudwatch_metric_alarm", "period", 0),
                                   put("aws_route53_record", "type", "AAAAA"), put("aws_vpc_security_group_ingress_rule", "to_port", "all"), put("aws_cloudwatch_log_group", "tags", {"x" * 129: "y"}),
                                   put("aws_budgets_budget", "notification.0.threshold_type", "RELATIVE"), put("aws_network_acl", "ingress.0.action", "maybe"), add("aws_batch_job_queue", name="x")],
    "everything-is-tagged": [put("aws_memorydb_cluster", "tags_all", {}), put("aws_memorydb_cluster", "tags_all", {"Project": "tallyd", "Environment": "dev", "ManagedBy": "terraform"})],
    "names-say-the-environment": [put("aws_eks_cluster", "name", "tallyd")],
}


def test_every_rule_is_shown_a_mistake():
    shown = set(BREAKS) | {m["rule"] for m in MISTAKES.values() if "rule" in m}
    assert shown == set(rules.RULES), "without a mistake: %s; without a rule: %s" % (sorted(set(rules.RULES) - shown), sorted(shown - set(rules.RULES)))


@pytest.mark.parametrize("name, i", [(n, i) for n, b in BREAKS.items() for i in range(len(b))])
def test_rule_notices(name, i):
    base = stack.load_environment(ENV)
    env = copy.copy(base)
    env.__dict__.pop("by_id", None)
    env.resources = [copy.copy(r) for r in base.resources]
    for r in env.resources:
        r.values = copy.deepcopy(r.values)
    BREAKS[name][i](env)
    _, problems = rules.RULES[name].look(env)
    assert problems, "the rule did not notice"

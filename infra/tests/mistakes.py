"""Deliberate mistakes: what is edited (files below infra/, pattern, replacement) and who must refuse it.

`rule` names the rule that sees it; `terraform` is a pattern of Terraform's own message (schema, validation or precondition).
`module` says in which stack it shows: the first one that uses the module. `seed` names a fault of the five systems this one
learnt from, where the rule alone does not say it.
"""


def module(name, file, pattern, to, **more):
    return dict(edits=[("modules/%s/%s" % (name, file), pattern, to)], module=name, **more)


MISTAKES = {
    # -- Terraform's own errors, through the stub's schemas
    "an argument that does not exist": module("memorydb", "main.tf", r"tls_enabled( +)= true", r"tls_enable\1= true", terraform=r"An argument named \"tls_enable\" is not expected here"),
    "a number where a list belongs": module("memorydb", "main.tf", r"security_group_ids = \[.*\]", "security_group_ids = 1", terraform="Inappropriate value for attribute \"security_group_ids\""),
    "a required argument left out": module("memorydb", "main.tf", r"^\s*acl_name +=.*\n", "", terraform="The argument \"acl_name\" is required"),
    "a resource type that does not exist": module("ecr", "main.tf", r'resource "aws_ecr_repository" "this"', 'resource "aws_ecr_repositories" "this"', terraform="does not support resource type \"aws_ecr_repositories\"|Reference to undeclared resource"),
    "a block that does not exist": module("lb", "main.tf", r"health_check \{", "health_probe {", terraform="Blocks of type \"health_probe\" are not expected here"),
    "an attribute that does not exist": module("memorydb", "alarms.tf", r"aws_memorydb_cluster\.this\[0\]\.name", "aws_memorydb_cluster.this[0].cluster_name", terraform="has no argument, nested block, or exported attribute named \"cluster_name\""),
    "a name too long for AWS": module("lb", "main.tf", r'name( +)= "\$\{var\.name\}-\$\{each\.key\}"', r'name\1= "${var.name}-target-group-of-the-colour-${each.key}"', terraform="cannot be longer than 32 characters"),
    "a provider version that does not exist": module("kms", "versions.tf", r'(source  = "hashicorp/aws"\n\s+version = )"[^"]*"', r'\1"~> 9.0"', terraform="no available releases match"),

    # -- open to the world
    "a security group open to the world": module("memorydb", "main.tf", r"referenced_security_group_id = each\.value", 'cidr_ipv4 = "0.0.0.0/0"', rule="no-security-group-open-to-the-world"),
    "a public load balancer": module("lb", "main.tf", r"internal( +)= true", r"internal\1= false", rule="load-balancers-are-internal"),
    "a public cluster endpoint": module("eks", "main.tf", r"endpoint_public_access( +)= .*", r"endpoint_public_access\1= true", rule="cluster-api-is-private", seed="public endpoint"),
    "subnets that hand out public addresses": module("network", "main.tf", r"map_public_ip_on_launch = false", "map_public_ip_on_launch = true", rule="no-public-addresses"),
    "a bucket open to the public": module("bucket", "main.tf", r"restrict_public_buckets = true", "restrict_public_buckets = false", rule="buckets-are-closed"),
    "a bucket that takes plain HTTP": module("bucket", "main.tf", r'"aws:SecureTransport" = "false"', '"aws:SecureTransport" = "true"', rule="buckets-are-closed"),
    "a data tier with a way out": module("network", "main.tf", r'(resource "aws_route_table_association" "data" \{\n  for_each = local\.zones\n\n  subnet_id      = aws_subnet\.data\[each\.key\]\.id\n  route_table_id = )aws_route_table\.data\[0\]\.id',
                                         r"\1aws_route_table.private[each.key].id", rule="data-tier-has-no-way-out"),
    "a missing endpoint": module("network", "endpoints.tf", r"interface_endpoints = var\.create \? toset\(var\.interface_endpoints\)", 'interface_endpoints = var.create ? setsubtract(toset(var.interface_endpoints), ["secretsmanager"])', rule="endpoints-are-there"),
    "an endpoint for everybody's account": module("network", "endpoints.tf", r"each\.key == \"sts\" \? \{\} : \{ Condition = .* \}", "{}", rule="endpoint-policies-are-fenced"),
    "IMDSv1 on the nodes": module("nodes", "main.tf", r'http_tokens( +)= "required"', r'http_tokens\1= "optional"', rule="instance-metadata-needs-a-token"),

    # -- MemoryDB
    "TLS off": module("memorydb", "main.tf", r"tls_enabled( +)= true", r"tls_enabled\1= false", rule="memorydb-speaks-tls"),
    "the open-access ACL": module("memorydb", "main.tf", r"acl_name( +)= aws_memorydb_acl\.this\[0\]\.name", r'acl_name\1= "open-access"', rule="memorydb-has-its-own-acl"),
    "snapshots off": dict(edits=[("modules/memorydb/main.tf", r"snapshot_retention_limit = var\.snapshot_retention_limit", "snapshot_retention_limit = 0")], module="memorydb", rule="memorydb-takes-snapshots"),
    "a store that evicts": module("memorydb", "main.tf", r'value = "noeviction"', 'value = "allkeys-lru"', rule="memorydb-never-evicts"),
    "a user who may do everything": module("memorydb", "users.tf", r'"-@all"\]', '"+@all"]', rule="memorydb-users-can-do-little"),
    "a user who may not read": dict(edits=[("stacks/data/users.tf", r'^ +"getrange",\n', "")], stack="data", rule="the-daemon-may-do-its-work"),
    "data at rest without our key": module("memorydb", "main.tf", r"^\s*kms_key_arn +=.*\n", "", rule="everything-is-encrypted-with-our-keys"),
    "a single replica in production": module("memorydb", "main.tf", r"num_replicas_per_shard( +)= .*", r"num_replicas_per_shard\1= 1", rule="memorydb-survives-a-zone"),
    "an alarm on a store that does not exist": module("memorydb", "alarms.tf", r"ClusterName = aws_memorydb_cluster\.this\[0\]\.name", 'ClusterName = "${var.name}-old"', rule="alarms-name-existing-resources"),
    "an alarm that tells nobody": module("memorydb", "alarms.tf", r"^\s*alarm_actions +=.*\n", "", rule="alarms-tell-somebody"),
    "another threshold than agreed": module("memorydb", "alarms.tf", r"threshold = 80", "threshold = 99", rule="memorydb-alarms-are-complete"),

    # -- who may do what
    "a wildcard policy": module("pod-identity", "main.tf", r"Statement = jsondecode\(w\.statements\)", 'Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }]', rule="no-star-on-star"),
    "a role for every account": module("pod-identity", "main.tf", r'Principal = \{ Service = "pods\.eks\.amazonaws\.com" \}', 'Principal = { AWS = "*" }', rule="trust-is-narrow"),
    "a pipeline role for every repository": module("ci-oidc", "main.tf", r'sub" = each\.value\.subjects', 'sub" = ["repo:*"]', rule="trust-is-narrow"),
    "a role without its service account": module("pod-identity", "main.tf", r"role_arn( +)= aws_iam_role\.this\[each\.key\]\.arn", r"role_arn\1= values(aws_iam_role.this)[0].arn", rule="one-role-per-workload"),

    # -- the edge and the load balancer
    "a cached hit path": module("edge", "main.tf", r"(  min_ttl     = 0\n  default_ttl = )0\n(  max_ttl     = )0\n", r"\g<1>3600\n\g<2>3600\n", rule="hits-are-never-cached"),
    "a minimum TTL above 0": module("edge", "main.tf", r'(comment     = "Hits and values: nothing is kept"\n  min_ttl     = )0', r"\g<1>1", rule="hits-are-never-cached"),
    "query strings dropped at the edge": module("edge", "main.tf", r"^\s*origin_request_policy_id +=.*\n", "", rule="hits-pass-with-every-method"),
    "no firewall": module("edge", "main.tf", r"^\s*web_acl_id +=.*\n", "", rule="the-edge-has-a-firewall"),
    "an origin that closes too early": module("edge", "main.tf", r"origin_keepalive_timeout = .*", "origin_keepalive_timeout = 5", rule="origins-are-private"),
    "TLS of 2016": module("edge", "main.tf", r'"TLSv1\.2_2021"', '"TLSv1.1_2016"', rule="viewers-get-modern-tls"),
    "health checks that count": module("lb", "main.tf", r"path( +)= var\.health_path", r'path\1= "/v1/hit/probe/lb.gif"', rule="health-checks-ask-readyz"),
    "another port than the daemon's": module("lb", "main.tf", r"(  target_type +=.*\n  port +=) var\.target_port", r"\1 80", rule="ports-agree"),
    "the admin port closed to health checks": module("lb", "main.tf", r"target_ports = \{ hits = var\.target_port, health = var\.health_port \}", "target_ports = { hits = var.target_port }", rule="ports-agree"),
    "pods cut off before they have drained": module("lb", "main.tf", r"deregistration_delay( +)= .*", r'deregistration_delay\1= "5"', rule="pods-leave-gently"),

    # -- nodes and images
    "a seccomp profile that is not ours": module("nodes", "main.tf", r"profile = base64gzip\(var\.seccomp_profile_json\)\n(\s+)sha256  = local\.seccomp_sha256", r'profile = base64gzip("{}")\n\1sha256  = sha256("{}")', rule="nodes-get-the-seccomp-profile"),
    "a seccomp profile where nobody looks": module("nodes", "templates/seccomp.sh.tftpl", r"dir=/var/lib/kubelet/seccomp/tallyd", "dir=/var/lib/kubelet/seccomp", rule="nodes-get-the-seccomp-profile"),
    "tags that can be overwritten (:latest)": module("ecr", "main.tf", r'image_tag_mutability = "IMMUTABLE"', 'image_tag_mutability = "MUTABLE"', rule="images-are-pinned"),
    "an old Kubernetes": module("eks", "main.tf", r"version( +)= var\.kubernetes_version", r'version\1= "1.31"', rule="cluster-is-recent-and-kept"),
    "a cluster that logs nothing": module("eks", "main.tf", r"enabled_cluster_log_types( +)= .*", r"enabled_cluster_log_types\1= []", rule="cluster-logs-everything"),

    # -- faults that stood here once and that a schema cannot see; each was found by a judge of others
    "an operator of IAM that does not exist": module("access", "sessions.tf", r"NumericLessThanEquals", "NumericLessThanOrEquals", rule="iam-accepts-every-policy"),
    "a wildcard in place of a service": dict(edits=[("bootstrap/operator.tf", r"Resource  = values\(local\.own\)\n(\s+)Condition = local\.in_our_regions", r'Resource  = "arn:aws:*:*:${var.account_id}:*"\n\1Condition = local.in_our_regions')], stack="bootstrap", rule="iam-accepts-every-policy"),
    "the user's name of whoever comes with a role": module("access", "sessions.tf", r"aws:userid", "aws:username", rule="policies-fit-those-who-carry-them"),
    "CPUs reserved by number and by group": module("nodes", "main.tf", r'^ +(system|kube)ReservedCgroup += ""\n', "", rule="the-kubelet-accepts-its-configuration"),
    "a setting that the kubelet does not know": module("nodes", "main.tf", r"containerLogMaxFiles ", "containerLogMaxFile ", rule="the-kubelet-accepts-its-configuration"),
    "a boundary that keeps EKS's images out": dict(edits=[("bootstrap/operator.tf", r'"arn:\$\{var\.partition\}:ecr:\*:\*:repository/\$\{name\}"', '"arn:${var.partition}:ecr:*:${var.account_id}:repository/${name}"')], stack="bootstrap", rule="nodes-pull-their-images"),
    "a boundary that takes Session Manager's messages": dict(edits=[("bootstrap/operator.tf", r'"ec2messages:\*", ', '"ec2messages:*Message*", ')], stack="bootstrap", rule="the-boundary-leaves-managed-policies-their-use"),
    "an operator who may not make what knows no resource": dict(edits=[("bootstrap/operator.tf", r'"cloudfront:Create\*", |"route53:CreateHealthCheck", |"logs:CreateLogDelivery", |"elasticloadbalancing:SetWebAcl", ', "")], stack="bootstrap", rule="operators-may-make-everything"),
    "a service-linked role that nobody makes": dict(edits=[("bootstrap/variables.tf", r'"replication\.ecr\.amazonaws\.com", ', "")], stack="bootstrap", rule="service-linked-roles-are-there"),
    "a lock on one side of a replication": module("backup", "replica.tf", r"^ +object_lock_days += .*\n", "", rule="locks-are-on-both-sides"),
    "a replication that may not read locks": module("backup", "replica.tf", r', "s3:GetObjectRetention", "s3:GetObjectLegalHold"', "", rule="locks-are-on-both-sides"),
    "an endpoint without registry.k8s.io's buckets": module("network", "endpoints.tf", r"^.*prod-registry-k8s-io.*\n", "", rule="images-come-through-the-endpoint"),
    "an error's name that the SDK does not use": module("backup", "machine.tf", r"MemoryDb\.InvalidClusterStateException", "MemoryDb.InvalidClusterStateFaultException", rule="machines-name-errors-as-the-sdk-does"),
    "a budget by a tag that billing does not know": module("budgets", "main.tf", r"for_each = var\.cost_tag_active \? \[var\.environment\] : \[\]", "for_each = [var.environment]", rule="budgets-filter-by-active-tags"),
    "concurrency taken from a young account": module("secrets", "rotation.tf", r"^( +memory_size +=) 256", r"\1 256\n  reserved_concurrent_executions = 2", rule="functions-reserve-nothing"),
    "a last snapshot with a constant name": module("memorydb", "main.tf", r'-final-\$\{terraform_data\.born\[0\]\.output\}', "-final", rule="last-snapshots-have-names-of-their-own"),
    "certificates refused for the whole zone": module("dns-acm", "main.tf", r"var\.create_zone \? var\.zone_name : var\.domain_name", "var.zone_name", rule="caa-binds-only-our-names"),
    "a firewall that refuses keys that look like files": module("edge", "waf.tf", r'"GenericLFI_URIPATH",', "", rule="the-firewall-lets-every-key-through"),
    "replies that a list without state drops": module("network", "acl.tf", r'^ +\[\["tcp", 1024, 65535, local\.anywhere\]\],\n', "", rule="replies-find-their-way-out"),
    "events of the store to a topic that it cannot use": module("memorydb", "events.tf", r"name = local\.events_topic_name", "name = local.events_topic_name\n  kms_master_key_id = var.kms_key_arn", rule="memorydb-can-tell-its-events"),

    # -- who reaches whom
    "a store that whoever is in the network reaches": dict(edits=[("stacks/data/main.tf", r"client_cidrs = .*", "client_cidrs = { network = module.naming.vpc_cidr }")], stack="data", rule="only-known-ways-are-open"),
    "a rotation that does not reach the store": module("secrets", "rotation.tf", r"\{ api = 443, memorydb = var\.memorydb_port \}", "{ api = 443 }", rule="wanted-ways-are-open"),
    "a list that the accelerator's readers do not pass": module("network", "acl.tf", r"for p in var\.balancer_ports :", "for p in [8080] :", rule="wanted-ways-are-open"),
    "an endpoint that hands out no secrets": module("network", "endpoints.tf", r'"secretsmanager"( +)= "secretsmanager:\*"', r'"secretsmanager"\1= "secretsmanager:Describe*"', rule="services-answer-those-who-need-them"),

    # -- backups and money
    "a backup every minute": module("backup", "machine.tf", r"schedule_expression( +)= .*", r'schedule_expression\1= "cron(* * * * ? *)"', rule="schedules-are-sane"),
    "backups dropped after a month": module("backup", "main.tf", r"expiration_days( +)= var\.retention_days", r"expiration_days\1= 400", rule="backups-are-kept-for-three-years"),
    "logs for ever": module("eks", "main.tf", r"^\s*retention_in_days +=.*\n", "", rule="logs-do-not-last-for-ever"),
    "resources nobody can attribute": dict(edits=[("stacks/data/common.tf", r"tags = module\.naming\.tags", "tags = {}")], stack="data", rule="everything-is-tagged"),
    "a budget that tells nobody": module("budgets", "main.tf", r"for_each = var\.thresholds", "for_each = []", rule="money-is-watched"),

    # -- refused by the modules' own validations, from an environment's variables
    "an environment that asks for another health path": module("lb", "variables.tf", r'default     = "/readyz"', 'default     = "/"', terraform="any other path may count a hit"),
    "an environment that backs up for a week": module("backup", "variables.tf", r"default     = 1096", "default     = 7", terraform="[Tt]hree years|retention_days"),
    "an environment that backs up every minute": dict(edits=[("live/prod/data.tfvars", r'(backup_schedule\s+=) ".*"', r'\1 "cron(* * * * ? *)"')], stack="data", terraform="fixed minute"),
    "an environment with an old Kubernetes": dict(edits=[("live/prod/platform.tfvars", r'(kubernetes_version\s+=) ".*"', r'\1 "1.32"')], stack="platform", terraform="1.33 or later"),
    "an environment with snapshots off": dict(edits=[("live/prod/data.tfvars", r"(snapshot_retention_limit\s+=) .*", r"\1 0")], stack="data", terraform="snapshots are never off"),
    "an environment whose API is open to everybody": dict(edits=[("live/prod/platform.tfvars", r"\Z", '\napi_public_access_cidrs = ["0.0.0.0/0"]\n')], stack="platform", terraform="never open to everybody"),
    "a variable that does not fit its type": dict(edits=[("live/prod/common.tfvars", r"zone_count\s+= .*", 'zone_count = "three"')], stack="platform", terraform="a number is required"),
}

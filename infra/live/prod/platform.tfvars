nat                = "per_zone"
log_retention_days = 365
monthly_budget_usd = 6000
anomaly_usd        = 100
managed_prometheus = true
thanos_bucket      = true
peer_cidrs         = ["10.40.0.0/16"]

interface_endpoints = ["ecr.api", "ecr.dkr", "sts", "secretsmanager", "logs", "eks-auth", "ec2", "elasticloadbalancing", "kms", "sqs", "ssm", "ssmmessages", "monitoring", "aps-workspaces"]

kubernetes_version = "1.34"
node_release       = "1.34.2-20260715"

key_administrators = ["arn:aws:iam::777788889999:role/break-glass-admin"]
cluster_admins     = { break-glass = "arn:aws:iam::777788889999:role/break-glass-admin" }
cluster_viewers    = { on-call = "arn:aws:iam::777788889999:role/on-call" }

# Who may become what (infra/scripts/operate).
people = {
  read        = ["arn:aws:iam::777788889999:role/on-call"]
  operate     = ["arn:aws:iam::777788889999:role/on-call"]
  break-glass = ["arn:aws:iam::777788889999:role/break-glass-admin"]
}

node_groups = {
  system = { instance_types = ["m7g.large"], min_size = 3, max_size = 6, desired_size = 3 }

  # What is always there; Karpenter adds to it, and the event calendar raises min_size (runbook event-day).
  hits = {
    instance_types = ["c7g.2xlarge"]
    min_size       = 3
    max_size       = 90
    desired_size   = 3
    static_cpus    = true
    labels         = { "tallyd.io/pool" = "hits" }
    taints         = [{ key = "tallyd.io/pool", value = "hits", effect = "NO_SCHEDULE" }]
  }
}

manage_registry       = true
enhanced_scanning     = true
image_replica_regions = ["eu-west-1"]

image_pipelines = {
  push = { host = "github", subjects = ["repo:example/tallyd:environment:release"] }
  lab  = { host = "gitlab", subjects = ["project_path:example/tallyd:ref_type:tag:ref:v*"] }
}

addons = {
  vpc-cni = {
    version         = "v1.20.4-eksbuild.2"
    service_account = "aws-node"
    managed_policy  = "AmazonEKS_CNI_Policy"
    configuration   = "{\"enableNetworkPolicy\":\"true\",\"env\":{\"ENABLE_PREFIX_DELEGATION\":\"true\",\"WARM_PREFIX_TARGET\":\"1\"}}"
  }
  kube-proxy             = { version = "v1.34.0-eksbuild.2" }
  coredns                = { version = "v1.12.3-eksbuild.1" }
  metrics-server         = { version = "v0.8.0-eksbuild.2" }
  eks-pod-identity-agent = { version = "v1.3.8-eksbuild.2" }
}

container_insights = { version = "v6.2.0-eksbuild.1" }

alarm_emails = { on-call = "tallyd-on-call@example.com" }

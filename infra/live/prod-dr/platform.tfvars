nat                = "per_zone"
log_retention_days = 365
monthly_budget_usd = 2800
anomaly_usd        = 100
managed_prometheus = true
peer_cidrs         = ["10.30.0.0/16"]

kubernetes_version = "1.34"
node_release       = "1.34.2-20260715"

key_administrators = ["arn:aws:iam::777788889999:role/break-glass-admin"]
cluster_admins     = { break-glass = "arn:aws:iam::777788889999:role/break-glass-admin" }
cluster_viewers    = { on-call = "arn:aws:iam::777788889999:role/on-call" }

# A pilot light: enough to be proven alive, sized up in the runbook region-failover.
# Who may become what (infra/scripts/operate).
people = {
  read        = ["arn:aws:iam::777788889999:role/on-call"]
  operate     = ["arn:aws:iam::777788889999:role/on-call"]
  break-glass = ["arn:aws:iam::777788889999:role/break-glass-admin"]
}

node_groups = {
  system = { instance_types = ["m7g.large"], min_size = 2, max_size = 6, desired_size = 2 }
  hits = {
    instance_types = ["c7g.2xlarge"]
    min_size       = 2
    max_size       = 30
    desired_size   = 2
    static_cpus    = true
    labels         = { "tallyd.io/pool" = "hits" }
    taints         = [{ key = "tallyd.io/pool", value = "hits", effect = "NO_SCHEDULE" }]
  }
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

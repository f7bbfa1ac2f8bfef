nat                = "single"
log_retention_days = 30
monthly_budget_usd = 1800
anomaly_usd        = 50
managed_prometheus = true

kubernetes_version = "1.34"
node_release       = "1.34.2-20260715"

cluster_admins  = { platform-admins = "arn:aws:iam::444455556666:role/platform-admins" }
cluster_viewers = { developers = "arn:aws:iam::444455556666:role/developers" }

# Who may become what (infra/scripts/operate).
people = {
  read        = ["arn:aws:iam::444455556666:role/developers"]
  operate     = ["arn:aws:iam::444455556666:role/platform-admins"]
  break-glass = ["arn:aws:iam::444455556666:role/platform-admins"]
}

node_groups = {
  system = { instance_types = ["m7g.large"], min_size = 2, max_size = 4, desired_size = 3 }
  hits = {
    instance_types = ["c7g.xlarge"]
    min_size       = 2
    max_size       = 12
    desired_size   = 3
    static_cpus    = true
    labels         = { "tallyd.io/pool" = "hits" }
  }
}

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

alarm_emails = { team = "tallyd-staging@example.com" }

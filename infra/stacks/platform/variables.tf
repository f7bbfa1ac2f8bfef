variable "zones" {
  description = "Names of the zones to use, for an account that may not use the region's first ones; empty means the region's first ones."
  type        = list(string)
  default     = []
}

variable "peer_cidrs" {
  description = "Ranges of peered environments."
  type        = list(string)
  default     = []
}

variable "nat" {
  description = "NAT gateways: per_zone, single or none."
  type        = string
  default     = "per_zone"
}

variable "interface_endpoints" {
  description = "Interface endpoints by the last part of the service name."
  type        = list(string)
  default     = ["ecr.api", "ecr.dkr", "sts", "secretsmanager", "logs", "eks-auth"]
}

variable "egress_ports" {
  description = "TCP ports on which the cluster may reach the internet; 443 only unless mail (587) or Git over SSH (22) is wanted."
  type        = list(number)
  default     = [443]
}

variable "log_retention_days" {
  description = "Days to keep flow logs and the control plane's logs."
  type        = number
  default     = 90
}

variable "ops_host_running" {
  description = "Whether the operations host runs now."
  type        = bool
  default     = false
}

variable "kubernetes_version" {
  description = "Kubernetes version."
  type        = string
}

variable "node_release" {
  description = "Release of the nodes' image: <Kubernetes patch>-<date>. It must exist: aws ssm get-parameters-by-path --path /aws/service/eks/optimized-ami/<version>/amazon-linux-2023/arm64/standard."
  type        = string

  validation {
    condition     = can(regex("^1\\.[0-9]{2}\\.[0-9]+-20[0-9]{6}$", var.node_release)) && startswith(var.node_release, "${var.kubernetes_version}.")
    error_message = "node_release must look like 1.34.2-20260715 and belong to kubernetes_version."
  }
}

variable "addons" {
  description = "Add-ons of the cluster, each with its version: aws eks describe-addon-versions --kubernetes-version <version>."
  type = map(object({
    version         = string
    configuration   = optional(string)
    service_account = optional(string)
    managed_policy  = optional(string)
  }))
}

variable "container_insights" {
  description = "Container Insights by the version of its add-on: metrics of nodes and pods and pods' logs in CloudWatch. null for none."
  type        = object({ version = string })
  default     = null
}

variable "api_public_access_cidrs" {
  description = "Addresses that may reach the API over the internet; none by default."
  type        = list(string)
  default     = []
}

variable "cluster_admins" {
  description = "Principals that administer the cluster, by name."
  type        = map(string)
  default     = {}
}

variable "cluster_viewers" {
  description = "Principals that may look at tallyd's namespace, by name."
  type        = map(string)
  default     = {}
}

variable "namespace" {
  description = "Namespace of tallyd."
  type        = string
  default     = "tallyd"
}

variable "seccomp_profile_json" {
  description = "Text of the seccomp profile; null reads deploy/seccomp/tallyd.json, the only copy."
  type        = string
  default     = null
}

variable "node_groups" {
  description = "Managed node groups by name; all run node_release."
  type = map(object({
    instance_types = list(string)
    ami_type       = optional(string, "AL2023_ARM_64_STANDARD")
    capacity_type  = optional(string, "ON_DEMAND")
    min_size       = optional(number, 2)
    max_size       = optional(number, 4)
    desired_size   = optional(number, 2)
    disk_gib       = optional(number, 30)
    static_cpus    = optional(bool, false)
    labels         = optional(map(string), {})
    taints = optional(list(object({
      key    = string
      value  = optional(string)
      effect = string
    })), [])
  }))
}

variable "event_pool" {
  description = "Node group that the event calendar raises."
  type        = string
  default     = "hits"
}

variable "event_pods_per_node" {
  description = "Pods of tallyd that fit on a node of that group."
  type        = number
  default     = 1

  validation {
    condition     = var.event_pods_per_node >= 1
    error_message = "event_pods_per_node must be at least 1."
  }
}

variable "event_calendar_yaml" {
  description = "Text of the event calendar; null reads deploy/events/calendar.yaml, if it is there."
  type        = string
  default     = null
}

variable "memorydb_auth" {
  description = "How tallyd proves who it is to MemoryDB: password or iam. The data stack must say the same."
  type        = string
  default     = "password"

  validation {
    condition     = contains(["password", "iam"], var.memorydb_auth)
    error_message = "memorydb_auth must be password or iam."
  }
}

variable "managed_prometheus" {
  description = "Whether to make a managed Prometheus workspace."
  type        = bool
  default     = false
}

variable "thanos_bucket" {
  description = "Whether to make a bucket for Thanos."
  type        = bool
  default     = false
}

variable "repositories" {
  description = "Image repositories: the image, and the chart that runs it."
  type        = set(string)
  default     = ["tallyd", "charts/tallyd"]
}

variable "manage_registry" {
  description = "Whether this environment owns the settings of the account's registry in this region."
  type        = bool
  default     = false
}

variable "enhanced_scanning" {
  description = "Whether images are scanned continuously."
  type        = bool
  default     = false
}

variable "image_replica_regions" {
  description = "Regions that get a copy of every image."
  type        = list(string)
  default     = []
}

variable "image_pipelines" {
  description = "Pipelines that may push images: host (github or gitlab) and subjects."
  type = map(object({
    host     = string
    subjects = list(string)
  }))
  default = {}
}

variable "monthly_budget_usd" {
  description = "Budget per month in USD."
  type        = number
}

variable "cost_tag_active" {
  description = "Whether Environment is an active cost allocation tag; true a day after bootstrap activated it."
  type        = bool
  default     = false
}

variable "anomaly_usd" {
  description = "Unusual spending from which on to speak up, in USD a day; 0 for no watch."
  type        = number
  default     = 0
}

variable "people" {
  description = "Principals that may assume the roles read, operate and break-glass, by role."
  type        = map(list(string))
  default     = {}
}

variable "controller_namespaces" {
  description = "Namespaces beside tallyd's that the role operate may change."
  type        = list(string)
  default     = ["external-secrets", "flux-system", "karpenter", "keda", "monitoring"]
}

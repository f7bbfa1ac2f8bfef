variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "name" {
  description = "Name of the cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}$", var.name))
    error_message = "name must be 2 to 28 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "partition" {
  description = "AWS partition."
  type        = string
  default     = "aws"
}

variable "account_id" {
  description = "AWS account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits."
  }
}

variable "iam_path" {
  description = "Path of IAM roles and policies."
  type        = string
  default     = "/tallyd/"
}

variable "permissions_boundary" {
  description = "Permissions boundary of the roles; null for none."
  type        = string
  default     = null
}

variable "kubernetes_version" {
  description = "Kubernetes version: 1.33 or later, for a kernel of 6.12 on the nodes and no CFS quota on exclusive CPUs."
  type        = string
  default     = "1.34"

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version)) && try(tonumber(split(".", var.kubernetes_version)[1]), 0) >= 33
    error_message = "kubernetes_version must be 1.33 or later."
  }
}

variable "support_type" {
  description = "STANDARD upgrades by itself at the end of support; EXTENDED pays to stay."
  type        = string
  default     = "STANDARD"

  validation {
    condition     = contains(["STANDARD", "EXTENDED"], var.support_type)
    error_message = "support_type must be STANDARD or EXTENDED."
  }
}

variable "deletion_protection" {
  description = "Whether the cluster refuses to be deleted."
  type        = bool
  default     = true
}

variable "vpc_id" {
  description = "VPC."
  type        = string
}

variable "vpc_cidr" {
  description = "Range of the VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets for the control plane's interfaces."
  type        = list(string)
}

variable "service_cidr" {
  description = "Range of Kubernetes services; must not touch the VPC's."
  type        = string
  default     = "172.20.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.service_cidr))
    error_message = "service_cidr must be an IPv4 range."
  }
}

variable "data_port" {
  description = "Port of MemoryDB."
  type        = number
  default     = 6379
}

variable "kms_key_arn" {
  description = "Key for Kubernetes secrets and the control plane's logs."
  type        = string
}

variable "public_access_cidrs" {
  description = "Addresses that may reach the API over the internet. Empty (the default) means the API is private."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for c in var.public_access_cidrs : can(cidrnetmask(c)) && try(tonumber(split("/", c)[1]), 0) >= 24])
    error_message = "public_access_cidrs must be networks of /24 or smaller: the API is never open to everybody."
  }
}

variable "api_client_security_group_ids" {
  description = "Security groups that may call the API from inside the VPC, by a name for the rule."
  type        = map(string)
  default     = {}
}

variable "access_entries" {
  description = "Who may do what: principal, type, groups, and access policies (of the cluster, or of namespaces)."
  type = map(object({
    principal_arn     = string
    type              = optional(string, "STANDARD")
    kubernetes_groups = optional(list(string), [])
    policies = optional(list(object({
      policy     = string
      namespaces = optional(list(string), [])
    })), [])
  }))
  default = {}

  validation {
    condition     = alltrue([for e in values(var.access_entries) : contains(["STANDARD", "EC2_LINUX"], e.type)])
    error_message = "type must be STANDARD or EC2_LINUX."
  }

  validation {
    condition     = alltrue(flatten([for e in values(var.access_entries) : [for p in e.policies : can(regex("^AmazonEKS[A-Za-z]+Policy$", p.policy))]]))
    error_message = "policy must be the name of an EKS access policy, such as AmazonEKSViewPolicy."
  }

  validation {
    condition     = alltrue(flatten([for e in values(var.access_entries) : [for g in e.kubernetes_groups : !startswith(g, "system:")]]))
    error_message = "Groups that start with system: are not for access entries."
  }
}

variable "addons" {
  description = "Add-ons: version (null for the default of the cluster's version), configuration as JSON, and, where it calls AWS, its service account and managed policy."
  type = map(object({
    version         = optional(string)
    configuration   = optional(string)
    service_account = optional(string)
    managed_policy  = optional(string)
  }))
  default = {
    vpc-cni = {
      service_account = "aws-node"
      managed_policy  = "AmazonEKS_CNI_Policy"
      # Network policies are enforced by the CNI itself; prefixes give a node addresses for all its pods.
      configuration = "{\"enableNetworkPolicy\":\"true\",\"env\":{\"ENABLE_PREFIX_DELEGATION\":\"true\",\"WARM_PREFIX_TARGET\":\"1\"}}"
    }
    kube-proxy             = {}
    coredns                = {}
    metrics-server         = {}
    eks-pod-identity-agent = {}
  }

  validation {
    condition     = length(setsubtract(["vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent"], keys(var.addons))) == 0
    error_message = "vpc-cni, kube-proxy, coredns and eks-pod-identity-agent are required: nothing installs them otherwise."
  }

  validation {
    condition     = alltrue([for a in values(var.addons) : a.configuration == null || can(jsondecode(a.configuration))])
    error_message = "configuration must be JSON."
  }

  validation {
    condition     = alltrue([for a in values(var.addons) : (a.service_account == null) == (a.managed_policy == null)])
    error_message = "service_account and managed_policy go together."
  }
}

variable "container_insights" {
  description = "Container Insights by the version of its add-on; null for none. Metrics and pods' logs are paid by what is sent."
  type        = object({ version = string })
  default     = null

  validation {
    condition     = var.container_insights == null ? true : can(regex("^v([4-9]|[1-9][0-9]+)\\.[0-9]+\\.[0-9]+-eksbuild\\.[0-9]+$", var.container_insights.version))
    error_message = "version must look like v6.2.0-eksbuild.1, v4 or later."
  }
}

variable "log_retention_days" {
  description = "Days to keep the logs of the control plane and, with container_insights, of the pods."
  type        = number
  default     = 90
}

variable "alarm_actions" {
  description = "Topics that hear of alarms and of their end."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

variable "egress_ports" {
  description = "TCP ports on which nodes and pods may reach the internet."
  type        = list(number)
  default     = [443]
}

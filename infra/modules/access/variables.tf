variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "name" {
  description = "Prefix of every name."
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
}

variable "iam_path" {
  description = "Path of IAM roles and policies."
  type        = string
  default     = "/tallyd/"
}

variable "permissions_boundary" {
  description = "Permissions boundary of the host's role."
  type        = string
  default     = null
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
  description = "Private subnets for the host and the endpoint."
  type        = list(string)
}

variable "cluster_name" {
  description = "Cluster that the host may describe."
  type        = string
}

variable "kms_key_arn" {
  description = "Key for sessions, their log and the host's disk."
  type        = string
}

variable "instance_connect" {
  description = "Whether to create the Instance Connect endpoint."
  type        = bool
  default     = true
}

variable "host_running" {
  description = "Whether the operations host runs now."
  type        = bool
  default     = false
}

variable "instance_type" {
  description = "Type of the operations host; arm64, to match ami_parameter."
  type        = string
  default     = "t4g.small"
}

variable "ami_parameter" {
  description = "Public SSM parameter that names one release of an arm64 image, such as the nodes' own."
  type        = string

  validation {
    condition     = startswith(var.ami_parameter, "/aws/service/") && !strcontains(var.ami_parameter, "latest") && !strcontains(var.ami_parameter, "recommended")
    error_message = "ami_parameter must be a public parameter of AWS that names a release, not the latest or recommended one."
  }
}

variable "session_log_retention_days" {
  description = "Days to keep session logs."
  type        = number
  default     = 365
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

variable "environment" {
  description = "Value of the tag Environment of the operations host."
  type        = string
}

variable "cluster_host" {
  description = "Host name of the cluster's API, where the tunnel leads."
  type        = string
}

variable "people" {
  description = "Principals that may assume the roles read, operate and break-glass, by role."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.people), ["read", "operate", "break-glass"])) == 0
    error_message = "The roles are read, operate and break-glass."
  }

  validation {
    condition     = alltrue(flatten([for arns in values(var.people) : [for a in arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:(role|user)/", a))]]))
    error_message = "Principals are ARNs of roles or users, not whole accounts."
  }
}

variable "alarm_topic_arns" {
  description = "Topics that hear of break-glass, by name."
  type        = map(string)
  default     = {}
}

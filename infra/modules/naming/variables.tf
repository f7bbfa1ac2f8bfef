variable "project" {
  description = "Short name of the project; the first part of every name."
  type        = string
  default     = "tallyd"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.project))
    error_message = "project must be 2 to 12 lower-case letters and digits, starting with a letter."
  }
}

variable "environment" {
  description = "Environment: the second part of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,10}[a-z0-9]$", var.environment))
    error_message = "environment must be 2 to 12 lower-case letters, digits and inner hyphens, because load balancer and target group names end at 32 characters."
  }
}

variable "region" {
  description = "AWS region."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must look like eu-central-1."
  }
}

variable "partition" {
  description = "AWS partition."
  type        = string
  default     = "aws"
}

variable "account_id" {
  description = "AWS account, used in bucket names."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits."
  }
}

variable "vpc_cidr" {
  description = "Address range of the VPC: a /16, so that the tiers come out at /18, /21 and /24."
  type        = string
  default     = "10.20.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && endswith(var.vpc_cidr, "/16")
    error_message = "vpc_cidr must be an IPv4 /16."
  }

  validation {
    condition     = can(regex("^(10\\.|172\\.(1[6-9]|2[0-9]|3[01])\\.|192\\.168\\.)", var.vpc_cidr))
    error_message = "vpc_cidr must be private (RFC 1918)."
  }
}

variable "zone_count" {
  description = "Number of availability zones, 2 or 3."
  type        = number
  default     = 3

  validation {
    condition     = contains([2, 3], var.zone_count)
    error_message = "zone_count must be 2 or 3."
  }
}

variable "tags" {
  description = "Further tags; the module's own (Project, Environment, ManagedBy) win."
  type        = map(string)
  default     = {}
}

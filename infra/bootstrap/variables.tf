variable "project" {
  description = "Short name of the project; the first part of every name."
  type        = string
  default     = "tallyd"
}

variable "region" {
  description = "Region of the state bucket."
  type        = string
}

variable "regions" {
  description = "Regions in which the account runs anything."
  type        = list(string)

  validation {
    condition     = length(var.regions) > 0 && length(distinct(var.regions)) == length(var.regions)
    error_message = "regions must name at least one region, each once."
  }
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

variable "once_per_account" {
  description = "Whether this run makes what exists once per account: policies, pipelines, settings. False for the bucket of a second region."
  type        = bool
  default     = true
}

variable "service_linked_roles" {
  description = "Services whose service-linked roles are made. Take out (or import) those that the account has already."
  type        = list(string)
  default = [
    "autoscaling.amazonaws.com", "ec2-instance-connect.amazonaws.com", "eks.amazonaws.com", "eks-nodegroup.amazonaws.com", "elasticloadbalancing.amazonaws.com",
    "globalaccelerator.amazonaws.com", "inspector2.amazonaws.com", "memorydb.amazonaws.com", "replication.ecr.amazonaws.com", "spot.amazonaws.com",
    "vpcorigin.cloudfront.amazonaws.com", "wafv2.amazonaws.com",
  ]

  validation {
    condition     = contains(var.service_linked_roles, "autoscaling.amazonaws.com") || !var.once_per_account || var.service_linked_roles_exist
    error_message = "The platform's key policy names the role of autoscaling.amazonaws.com: it must exist before."
  }
}

variable "service_linked_roles_exist" {
  description = "Whether roles that are not in service_linked_roles are known to exist."
  type        = bool
  default     = false
}

variable "cost_allocation_tags" {
  description = "Tags to activate for billing, once resources carry them: [\"Environment\"]. Only the account that pays may do so."
  type        = list(string)
  default     = []
}

variable "environments" {
  description = "Environments that live in this account; each gets a policy for its states."
  type        = list(string)
}

variable "key_administrators" {
  description = "ARNs of principals that administer the state's key and may delete old versions."
  type        = list(string)
  default     = []
}

variable "pipelines" {
  description = "Pipelines: host (github or gitlab), subjects, the environments whose states they use, and what they may do: apply, plan, or compare (a plan that also reads secrets)."
  type = map(object({
    host         = string
    subjects     = list(string)
    environments = list(string)
    may          = optional(string, "apply")
  }))
  default = {}

  validation {
    condition     = alltrue([for p in values(var.pipelines) : contains(["apply", "plan", "compare"], p.may)])
    error_message = "may is apply, plan or compare."
  }

  # A pull request is code that nobody has approved yet.
  validation {
    condition     = alltrue(flatten([for p in values(var.pipelines) : [for s in p.subjects : p.may == "plan" || !endswith(s, ":pull_request")]]))
    error_message = "A pull request may only plan."
  }

  validation {
    condition     = alltrue(flatten([for p in values(var.pipelines) : [for e in p.environments : contains(var.environments, e)]]))
    error_message = "A pipeline may only apply environments of this account."
  }
}

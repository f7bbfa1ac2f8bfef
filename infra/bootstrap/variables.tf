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
  description = "Pipelines that may apply: host (github or gitlab), subjects, and the environments whose states they may write."
  type = map(object({
    host         = string
    subjects     = list(string)
    environments = list(string)
  }))
  default = {}

  validation {
    condition     = alltrue(flatten([for p in values(var.pipelines) : [for e in p.environments : contains(var.environments, e)]]))
    error_message = "A pipeline may only apply environments of this account."
  }
}

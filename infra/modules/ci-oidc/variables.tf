variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "create_providers" {
  description = "Whether to make the identity providers. An account can have each only once, so one environment owns them."
  type        = bool
  default     = true
}

variable "name" {
  description = "Prefix of the roles."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}$", var.name))
    error_message = "name must be 2 to 28 lower-case letters, digits and hyphens."
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

variable "gitlab_host" {
  description = "Host of GitLab."
  type        = string
  default     = "gitlab.com"

  validation {
    condition     = can(regex("^[a-z0-9.-]+$", var.gitlab_host))
    error_message = "gitlab_host must be a host name."
  }
}

variable "roles" {
  description = "Roles by name: which pipelines (host github or gitlab, subjects), what they may push, and further policies."
  type = map(object({
    host                 = string
    subjects             = list(string)
    push_repository_arns = optional(list(string), [])
    policy_arns          = optional(list(string), [])
    max_session_seconds  = optional(number, 3600)
  }))
  default = {}

  validation {
    condition     = alltrue([for r in values(var.roles) : contains(["github", "gitlab"], r.host)])
    error_message = "host must be github or gitlab."
  }

  # github: repo:owner/name:ref:refs/heads/main, repo:owner/name:environment:prod, …   gitlab: project_path:group/name:ref_type:branch:ref:main
  validation {
    condition = alltrue(flatten([
      for r in values(var.roles) : [
        for s in r.subjects : r.host == "github" ? can(regex("^repo:[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+:.+$", s)) : can(regex("^project_path:[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+:.+$", s))
      ]
    ]))
    error_message = "A subject must name one owner and one repository in full, followed by what of it; no * in owner or name."
  }

  validation {
    condition     = alltrue(flatten([for r in values(var.roles) : [for s in r.subjects : !endswith(s, ":*")]]))
    error_message = "A subject that ends in :* lets every branch and every pull request in: name the ref or the environment."
  }

  validation {
    condition     = alltrue([for r in values(var.roles) : length(r.subjects) > 0])
    error_message = "A role needs at least one subject."
  }

  validation {
    condition     = alltrue(flatten([for r in values(var.roles) : [for a in r.policy_arns : !endswith(a, ":policy/AdministratorAccess")]]))
    error_message = "No pipeline is an administrator."
  }
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

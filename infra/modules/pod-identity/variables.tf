variable "create" {
  description = "Whether to create anything."
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

variable "cluster_name" {
  description = "Name of the cluster."
  type        = string
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

variable "workloads" {
  description = "Workloads by name: namespace, service account, and a JSON list of IAM statements."
  type = map(object({
    namespace       = string
    service_account = string
    statements      = string
  }))

  validation {
    condition     = alltrue([for w in values(var.workloads) : can(jsondecode(w.statements)[0].Effect)])
    error_message = "statements must be a JSON list with at least one IAM statement."
  }

  validation {
    condition = alltrue(flatten([
      for w in values(var.workloads) : [
        for s in try(jsondecode(w.statements), []) : [
          for a in flatten([try(s.Action, "*")]) : a != "*" && !endswith(a, ":*")
        ]
      ]
    ]))
    error_message = "Actions must be named: neither * nor service:*."
  }

  validation {
    condition     = length(distinct([for w in values(var.workloads) : "${w.namespace}/${w.service_account}"])) == length(var.workloads)
    error_message = "A service account can have one role only."
  }

  validation {
    condition     = alltrue([for w in values(var.workloads) : w.service_account != "default" && w.service_account != "*"])
    error_message = "The default service account is everybody's: name one."
  }
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

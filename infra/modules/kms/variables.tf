variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "name" {
  description = "Name of the key; the alias is alias/<name>."
  type        = string

  validation {
    condition     = can(regex("^[a-zA-Z0-9/_-]{1,200}$", var.name)) && !startswith(var.name, "aws/")
    error_message = "name may hold letters, digits, slash, underscore and hyphen, and must not start with aws/."
  }
}

variable "description" {
  description = "What the key protects."
  type        = string
}

variable "account_id" {
  description = "AWS account that owns the key."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits."
  }
}

variable "partition" {
  description = "AWS partition."
  type        = string
  default     = "aws"
}

variable "region" {
  description = "Region of the key; null means the provider's. CloudFront's logs and alarms need theirs in us-east-1."
  type        = string
  default     = null
}

variable "administrators" {
  description = "ARNs of principals that may manage the key, but not use it."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for a in var.administrators : startswith(a, "arn:")])
    error_message = "administrators must be ARNs; a bare * is not a principal here."
  }
}

variable "services" {
  description = "AWS services that may use the key, by statement id. Each needs at least one condition that ties it to this account or resource."
  type = map(object({
    principals = list(string)
    actions    = optional(list(string), ["kms:Decrypt", "kms:GenerateDataKey*"])
    conditions = list(object({
      test     = string
      variable = string
      values   = list(string)
    }))
  }))
  default = {}

  validation {
    condition     = alltrue([for s in values(var.services) : length(s.conditions) > 0])
    error_message = "Each service statement needs a condition."
  }

  validation {
    condition     = alltrue(flatten([for s in values(var.services) : [for a in s.actions : startswith(a, "kms:") && a != "kms:*"]]))
    error_message = "Service actions must be named kms actions, not kms:*."
  }
}

variable "principals" {
  description = "Roles that must stand in the key policy itself (service-linked roles), by statement id. With grants_for_aws_only they may only make grants for AWS services."
  type = map(object({
    arns                = list(string)
    actions             = list(string)
    grants_for_aws_only = optional(bool, false)
  }))
  default = {}

  validation {
    condition     = alltrue(flatten([for p in values(var.principals) : [for a in p.arns : startswith(a, "arn:") && !endswith(a, "*")]]))
    error_message = "principals must be full ARNs."
  }

  validation {
    condition     = alltrue(flatten([for p in values(var.principals) : [for a in p.actions : startswith(a, "kms:") && a != "kms:*"]]))
    error_message = "Actions must be named kms actions, not kms:*."
  }
}

variable "rotation_period_in_days" {
  description = "How often the key material rotates."
  type        = number
  default     = 365

  validation {
    condition     = var.rotation_period_in_days >= 90 && var.rotation_period_in_days <= 2560
    error_message = "rotation_period_in_days must be 90 to 2560."
  }
}

variable "deletion_window_in_days" {
  description = "Days between asking for deletion and losing the data."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_in_days >= 7 && var.deletion_window_in_days <= 30
    error_message = "deletion_window_in_days must be 7 to 30."
  }
}

variable "multi_region" {
  description = "Whether the key can be replicated to other regions. It cannot be changed later."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "name" {
  description = "Prefix of the rotation function and its role."
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

variable "secret_prefix" {
  description = "Prefix of secret names, without leading slash."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9/-]+[a-z0-9]$", var.secret_prefix))
    error_message = "secret_prefix must be lower-case letters, digits, slashes and hyphens, without slash at either end."
  }
}

variable "kms_key_arn" {
  description = "Key for the secrets."
  type        = string
}

variable "users" {
  description = "MemoryDB users that authenticate by password: full user name by short name."
  type = map(object({
    user_name = string
  }))
  default = {}
}

variable "tokens" {
  description = "Names of further random tokens (the daemon's admin token)."
  type        = set(string)
  default     = []
}

variable "recovery_window_in_days" {
  description = "Days in which a deleted secret can be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_window_in_days == 0 || (var.recovery_window_in_days >= 7 && var.recovery_window_in_days <= 30)
    error_message = "recovery_window_in_days must be 7 to 30, or 0 for environments that come and go."
  }
}

variable "rotation_schedule" {
  description = "When passwords rotate: a rate of days or a cron of Secrets Manager, at most one a day."
  type        = string
  default     = "rate(30 days)"

  validation {
    condition     = can(regex("^rate\\([1-9][0-9]* days?\\)$", var.rotation_schedule)) || can(regex("^cron\\([0-9]+ [0-9]+ [^ ]+ [^ ]+ [^ ]+ [^ ]+\\)$", var.rotation_schedule))
    error_message = "rotation_schedule must be rate(N days) or a cron with a fixed minute and hour."
  }
}

variable "memorydb_endpoint" {
  description = "Address that the rotation tests a new password against."
  type        = string
  default     = ""
}

variable "memorydb_port" {
  description = "Port of MemoryDB."
  type        = number
  default     = 6379
}

variable "vpc_id" {
  description = "VPC of the rotation function."
  type        = string
}

variable "vpc_cidr" {
  description = "Range of the VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the rotation function."
  type        = list(string)
}

variable "alarm_actions" {
  description = "Topics that hear of failed rotations."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

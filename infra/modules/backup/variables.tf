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

variable "cluster_name" {
  description = "MemoryDB cluster to back up."
  type        = string
}

variable "num_shards" {
  description = "Shards of the cluster: an export is complete with that many files."
  type        = number

  validation {
    condition     = var.num_shards >= 1
    error_message = "num_shards must be at least 1."
  }
}

variable "bucket_name" {
  description = "Name of the bucket; the replica gets -replica behind it."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,52}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must be 3 to 54 lower-case letters, digits and hyphens."
  }
}

variable "kms_key_arn" {
  description = "Key for snapshots, files, queue and log. MemoryDB's snapshot service must be allowed to use it."
  type        = string
}

variable "replica_region" {
  description = "Region of the copy; null for none."
  type        = string
  default     = null

  validation {
    condition     = var.replica_region != var.region
    error_message = "A copy in the same region is no copy."
  }
}

variable "replica_kms_key_arn" {
  description = "Key of the copy, in its region."
  type        = string
  default     = null
}

variable "schedule_expression" {
  description = "When to back up: cron(minute hour day month weekday year) with a fixed minute and hour, in UTC. Every minute or every hour cannot be said."
  type        = string
  default     = "cron(30 2 * * ? *)"

  validation {
    condition     = can(regex("^cron\\([0-5]?[0-9] (1?[0-9]|2[0-3]) [^ ]+ [^ ]+ [^ ]+ [^ ]+\\)$", var.schedule_expression))
    error_message = "schedule_expression must be a cron with one fixed minute and one fixed hour, such as cron(30 2 * * ? *)."
  }
}

variable "enabled" {
  description = "Whether the schedule runs."
  type        = bool
  default     = true
}

variable "daily" {
  description = "Whether the schedule fires every day, so that a day without success raises an alarm."
  type        = bool
  default     = true
}

variable "retention_days" {
  description = "Days to keep backups. Three years is the least."
  type        = number
  default     = 1096

  validation {
    condition     = var.retention_days >= 1095
    error_message = "retention_days must be at least 1095: three years."
  }
}

variable "object_lock_days" {
  description = "Days in which nobody without a special right can delete a backup; 0 for no lock. It cannot be switched off later."
  type        = number
  default     = 0

  validation {
    condition     = var.object_lock_days >= 0 && var.object_lock_days <= 1095
    error_message = "object_lock_days must be 0 to 1095."
  }
}

variable "timeout_seconds" {
  description = "Longest time one backup may take."
  type        = number
  default     = 14400
}

variable "alarm_actions" {
  description = "Topics that hear of backups that are not there."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

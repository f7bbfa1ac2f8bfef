variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "name_prefix" {
  description = "Prefix of repository names."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([a-z0-9]+(-[a-z0-9]+)*/)?$", var.name_prefix))
    error_message = "name_prefix must be empty, or lower case with a slash at its end."
  }
}

variable "repositories" {
  description = "Repository names without prefix."
  type        = set(string)

  validation {
    condition     = alltrue([for r in var.repositories : can(regex("^[a-z0-9]+([./_-][a-z0-9]+)*$", r))])
    error_message = "Repository names must be lower case."
  }
}

variable "account_id" {
  description = "AWS account of the registry."
  type        = string
}

variable "partition" {
  description = "AWS partition."
  type        = string
  default     = "aws"
}

variable "kms_key_arn" {
  description = "Key for the images."
  type        = string
}

variable "force_delete" {
  description = "Whether a repository with images may be deleted."
  type        = bool
  default     = false
}

variable "keep_releases" {
  description = "Releases to keep, times three: an index and its two parts."
  type        = number
  default     = 150

  validation {
    condition     = var.keep_releases >= 5
    error_message = "Keep at least five releases: a rollback needs them."
  }
}

variable "keep_builds" {
  description = "Builds (sha-*) to keep."
  type        = number
  default     = 100
}

variable "pull_account_ids" {
  description = "Accounts that may pull."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.pull_account_ids : can(regex("^[0-9]{12}$", id))])
    error_message = "pull_account_ids must be account numbers; * would be everybody."
  }
}

variable "manage_registry" {
  description = "Whether this environment owns the registry-wide settings (scanning, replication)."
  type        = bool
  default     = false
}

variable "enhanced_scanning" {
  description = "Whether Inspector scans continuously (it costs) rather than ECR on push."
  type        = bool
  default     = false
}

variable "replica_regions" {
  description = "Regions that get a copy of every image."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "name" {
  description = "Name of the bucket."
  type        = string

  validation {
    condition     = !var.create || can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 63 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "Region of the bucket; null means the provider's."
  type        = string
  default     = null
}

variable "partition" {
  description = "AWS partition."
  type        = string
  default     = "aws"
}

variable "keep" {
  description = "Whether Terraform refuses to destroy the bucket, whatever else is planned."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "Key of what lies in it, in its region; null encrypts with S3's own."
  type        = string
  default     = null
}

variable "object_lock_days" {
  description = "Days in which nobody without a special right can delete a version; 0 for no lock. It cannot be switched off later."
  type        = number
  default     = 0
}

variable "lifecycle_name" {
  description = "Name of the lifecycle's only rule."
  type        = string
  default     = "tidy"
}

variable "transitions" {
  description = "When objects move to a cheaper class."
  type = list(object({
    days          = number
    storage_class = string
  }))
  default = []
}

variable "expiration_days" {
  description = "Days after which objects go; null keeps them."
  type        = number
  default     = null
}

variable "noncurrent_days" {
  description = "Days after which a version goes that another one has replaced."
  type        = number
}

variable "noncurrent_kept" {
  description = "Replaced versions that stay however old they are; null for none."
  type        = number
  default     = null
}

variable "statements" {
  description = "Further statements of the bucket's policy, as a JSON list. The refusal of plain HTTP is always there."
  type        = string
  default     = "[]"

  validation {
    condition     = can([for s in jsondecode(var.statements) : s.Effect])
    error_message = "statements must be a JSON list of policy statements."
  }
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

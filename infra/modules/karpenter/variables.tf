variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "cluster_name" {
  description = "Name of the cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}$", var.cluster_name))
    error_message = "cluster_name must be 2 to 28 lower-case letters, digits and hyphens."
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

variable "kms_key_arn" {
  description = "Key of the nodes' disks and of the queue. EventBridge must be allowed to use it."
  type        = string
}

variable "namespace" {
  description = "Namespace of the controller."
  type        = string
  default     = "karpenter"
}

variable "service_account" {
  description = "Service account of the controller."
  type        = string
  default     = "karpenter"
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

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

variable "create_topic" {
  description = "Whether to make the topic."
  type        = bool
  default     = true
}

variable "topic_region" {
  description = "Region of the topic; null for the provider's. Alarms of CloudFront need one in us-east-1."
  type        = string
  default     = null
}

variable "topic_kms_key_arn" {
  description = "Key of the topic, in its region. CloudWatch must be allowed to use it."
  type        = string
  default     = null

  validation {
    condition     = !var.create_topic || var.topic_kms_key_arn != null
    error_message = "The topic needs a key."
  }
}

variable "subscriptions" {
  description = "Who hears of alarms: protocol (email, https, sms, sqs, lambda) and endpoint, by name."
  type = map(object({
    protocol = string
    endpoint = string
  }))
  default = {}

  validation {
    condition     = alltrue([for s in values(var.subscriptions) : contains(["email", "email-json", "https", "sms", "sqs", "lambda"], s.protocol)])
    error_message = "protocol must be email, email-json, https, sms, sqs or lambda; plain http is not."
  }
}

variable "reader_alarm_names" {
  description = "Alarms of which one is enough to say that readers are hurt."
  type        = list(string)
  default     = []
}

variable "alarm_actions" {
  description = "Topics of this region that hear of the composite alarm."
  type        = list(string)
  default     = []
}

variable "kms_key_arn" {
  description = "Key of the Prometheus workspace and the metrics bucket."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn != null || (!var.create_prometheus && var.metrics_bucket_name == null)
    error_message = "A workspace or a bucket needs kms_key_arn."
  }
}

variable "create_prometheus" {
  description = "Whether to make a managed Prometheus workspace."
  type        = bool
  default     = false
}

variable "metrics_bucket_name" {
  description = "Bucket for Thanos' blocks; null for none."
  type        = string
  default     = null
}

variable "create_dashboard" {
  description = "Whether to make the dashboard."
  type        = bool
  default     = false
}

variable "dashboard" {
  description = "What the dashboard shows; parts that are null are left out. insights_of is the namespace whose pods Container Insights watches."
  type = object({
    distribution_id = optional(string)
    load_balancer   = optional(string)
    target_groups   = optional(map(string), {})
    cluster_name    = optional(string)
    insights_of     = optional(string)
    memorydb_name   = optional(string)
  })
  default = {}
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

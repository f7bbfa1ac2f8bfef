variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "name" {
  description = "Name of the budget."
  type        = string
}

variable "environment" {
  description = "Value of the tag Environment."
  type        = string
}

variable "cost_tag_active" {
  description = "Whether Environment is an active cost allocation tag (bootstrap, cost_allocation_tags). Until then the budget is the account's."
  type        = bool
  default     = false
}

variable "monthly_usd" {
  description = "Budget per month in USD."
  type        = number

  validation {
    condition     = var.monthly_usd > 0
    error_message = "monthly_usd must be above 0."
  }
}

variable "thresholds" {
  description = "When to speak up: percent of the budget, spent or forecast."
  type = list(object({
    percent  = number
    forecast = optional(bool, false)
  }))
  default = [{ percent = 80 }, { percent = 100 }, { percent = 110, forecast = true }]

  validation {
    condition     = length(var.thresholds) > 0 && length(var.thresholds) <= 5
    error_message = "One to five thresholds."
  }
}

variable "emails" {
  description = "Who hears of it by mail."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for e in var.emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", e))])
    error_message = "emails must be addresses."
  }
}

variable "topic_arns" {
  description = "Topics that hear of it (at most one)."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.topic_arns) <= 1
    error_message = "A notification takes one topic."
  }
}

variable "anomaly_usd" {
  description = "Unusual spending from which on to speak up, in USD a day; 0 for no watch."
  type        = number
  default     = 0
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "name" {
  description = "Name of the accelerator."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,62}$", var.name))
    error_message = "name must be 2 to 63 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "Region of this endpoint group."
  type        = string
}

variable "load_balancer_arn" {
  description = "Application load balancer of this region."
  type        = string
}

variable "listener_arn" {
  description = "Listener of an accelerator that another environment owns; null makes one."
  type        = string
  default     = null
}

variable "role" {
  description = "active, or standby."
  type        = string

  validation {
    condition     = contains(["active", "standby"], var.role)
    error_message = "role must be active or standby."
  }
}

variable "traffic_dial" {
  description = "Share of the traffic meant for this region that it takes, in percent: 100 for active, 0 for standby."
  type        = number

  validation {
    condition     = var.traffic_dial >= 0 && var.traffic_dial <= 100
    error_message = "traffic_dial must be 0 to 100."
  }
}

variable "failed_over" {
  description = "Whether the standby region has taken over."
  type        = bool
  default     = false
}

variable "flow_log_bucket" {
  description = "Bucket for flow logs; null for none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "create_zone" {
  description = "Whether to make the zone; otherwise zone_id names it."
  type        = bool
  default     = false
}

variable "zone_name" {
  description = "Name of the zone."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.zone_name))
    error_message = "zone_name must be a domain without dot at the end."
  }
}

variable "zone_id" {
  description = "Id of an existing zone."
  type        = string
  default     = null

  validation {
    condition     = !var.create || var.create_zone || var.zone_id != null
    error_message = "Either create_zone or zone_id."
  }
}

variable "create_certificate" {
  description = "Whether to make a certificate."
  type        = bool
  default     = true
}

variable "domain_name" {
  description = "Name on the certificate."
  type        = string

  validation {
    condition     = endswith(var.domain_name, var.zone_name)
    error_message = "domain_name must lie in the zone, or it cannot be validated."
  }
}

variable "alternative_names" {
  description = "Further names on the certificate."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for n in var.alternative_names : endswith(n, var.zone_name)])
    error_message = "alternative_names must lie in the zone."
  }
}

variable "certificate_region" {
  description = "us-east-1 for CloudFront, the load balancer's region otherwise (null for the provider's)."
  type        = string
  default     = "us-east-1"
}

variable "create_caa" {
  description = "Whether to say who may issue certificates for domain_name. False where a name above it says so already."
  type        = bool
  default     = true
}

variable "caa_report" {
  description = "Mail address for reports of refused certificates."
  type        = string
  default     = null
}

variable "aliases" {
  description = "Alias records: name, target, and PRIMARY or SECONDARY for failover."
  type = map(object({
    name                   = string
    target_name            = string
    target_zone_id         = string
    ipv6                   = optional(bool, true)
    evaluate_target_health = optional(bool, false)
    failover               = optional(string)
    health_check           = optional(string)
  }))
  default = {}

  validation {
    condition     = alltrue([for a in values(var.aliases) : a.failover == null || contains(["PRIMARY", "SECONDARY"], coalesce(a.failover, "PRIMARY"))])
    error_message = "failover must be PRIMARY or SECONDARY."
  }

  validation {
    condition     = alltrue([for a in values(var.aliases) : a.failover != "PRIMARY" || a.health_check != null || a.evaluate_target_health])
    error_message = "A PRIMARY without health check never fails over."
  }

  validation {
    condition     = alltrue([for a in values(var.aliases) : a.health_check == null || contains(keys(var.health_checks), coalesce(a.health_check, "-"))])
    error_message = "health_check must name one of health_checks."
  }
}

variable "health_checks" {
  description = "Checks from outside, by name. The path must not count."
  type = map(object({
    fqdn = string
    path = optional(string, "/v1/counters/health?key=edge")
  }))
  default = {}

  validation {
    condition     = alltrue([for h in values(var.health_checks) : startswith(h.path, "/v1/counters/")])
    error_message = "A health check from outside must read (/v1/counters/…): / and /v1/hit… count, /readyz is not public."
  }
}

variable "alarm_actions_us_east_1" {
  description = "Topics in us-east-1 that hear of alarms."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

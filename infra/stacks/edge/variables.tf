variable "dns" {
  description = "The zone and the names: host is this environment's own, further_hosts are on its certificate as well, answer_for are those of them that it answers for now. Null uses CloudFront's own name."
  type = object({
    zone_name     = string
    zone_id       = optional(string)
    create_zone   = optional(bool, false)
    host          = string
    further_hosts = optional(list(string), [])
    answer_for    = optional(list(string), [])
    caa_report    = optional(string)
  })
  default = null

  validation {
    condition     = var.dns == null ? true : length(setsubtract(var.dns.answer_for, concat([var.dns.host], var.dns.further_hosts))) == 0
    error_message = "answer_for must be on the certificate: name it in further_hosts."
  }
}

variable "weights" {
  description = "Share of traffic of the blue and the green target group."
  type        = object({ blue = number, green = number })
  default     = { blue = 100, green = 0 }
}

variable "proxy_protocol_v2" {
  description = "Whether the load balancer sends PROXY protocol v2. The daemon must be told too."
  type        = bool
  default     = false
}

variable "healthy_hosts_min" {
  description = "Pods below which the alarm is raised."
  type        = number
  default     = 1
}

variable "price_class" {
  description = "Which of CloudFront's locations serve."
  type        = string
  default     = "PriceClass_100"
}

variable "cached_paths" {
  description = "Paths that may be cached; none by default, and no counting ones."
  type        = list(string)
  default     = []
}

variable "blocked_countries" {
  description = "Countries that are refused."
  type        = list(string)
  default     = []
}

variable "rate_limit" {
  description = "Requests per address and minute before it is answered 429."
  type        = number
  default     = 2000
}

variable "batch_rate_limit" {
  description = "Batches per address and minute."
  type        = number
  default     = 300
}

variable "allow_writes" {
  description = "Whether PUT and DELETE may come through from outside."
  type        = bool
  default     = false
}

variable "edge_log_retention_days" {
  description = "Days to keep the edge's logs."
  type        = number
  default     = 30
}

variable "shield_advanced" {
  description = "Shield Advanced: 3000 USD a month for a year, for the whole account."
  type = object({
    subscribe  = optional(bool, false)
    auto_renew = optional(bool, false)
    protect    = optional(bool, false)
  })
  default = {}
}

variable "standby_origin" {
  description = "VPC origin of the other region (its outputs load_balancer_dns_name and vpc_origin_id), for a planned move."
  type = object({
    domain_name   = string
    vpc_origin_id = string
  })
  default = null
}

variable "active_origin" {
  description = "Which origin takes the traffic: primary or standby."
  type        = string
  default     = "primary"
}

variable "global_accelerator" {
  description = "The direct way: host is its name, role active or standby, and a standby joins the active region's listener with its dial at 0."
  type = object({
    enabled      = optional(bool, false)
    host         = optional(string)
    role         = optional(string, "active")
    traffic_dial = optional(number, 100)
    failed_over  = optional(bool, false)
    listener_arn = optional(string)
  })
  default = {}

  validation {
    condition     = !var.global_accelerator.enabled || (var.global_accelerator.host != null && var.dns != null)
    error_message = "The direct way needs a name, and dns for its certificate."
  }

  validation {
    condition     = !var.global_accelerator.enabled || var.global_accelerator.role == "active" || var.global_accelerator.listener_arn != null
    error_message = "A standby joins a listener: name its ARN (output accelerator_listener_arn of the active region)."
  }
}

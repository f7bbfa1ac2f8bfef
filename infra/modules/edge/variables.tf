variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "create_distribution" {
  description = "Whether this environment owns the distribution. A standby region has only the VPC origin."
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

variable "vpc_origin" {
  description = "Load balancer of this region: ARN, DNS name, port, and http-only (network) or https-only (application). Null makes no origin here."
  type = object({
    arn         = string
    domain_name = string
    port        = optional(number, 8080)
    protocol    = optional(string, "http-only")
  })
  default = null

  validation {
    condition     = var.vpc_origin == null ? true : contains(["http-only", "https-only"], var.vpc_origin.protocol)
    error_message = "protocol must be http-only or https-only: match-viewer would let a reader choose."
  }
}

variable "standby_origin" {
  description = "VPC origin of the other region."
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

  validation {
    condition     = contains(["primary", "standby"], var.active_origin)
    error_message = "active_origin must be primary or standby."
  }
}

variable "aliases" {
  description = "Names of our own."
  type        = list(string)
  default     = []
}

variable "certificate_arn" {
  description = "Certificate in us-east-1; null uses CloudFront's own name."
  type        = string
  default     = null
}

variable "price_class" {
  description = "Which of CloudFront's locations serve."
  type        = string
  default     = "PriceClass_100"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "price_class must be PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}

variable "cached_paths" {
  description = "Paths that may be cached; none by default. Counting paths are refused."
  type        = list(string)
  default     = []

  validation {
    condition = alltrue([
      for p in var.cached_paths : startswith(p, "/") && !startswith(p, "/v1") && !startswith(p, "/dashboard") && !startswith(p, "/*") && !startswith(p, "/?") && p != "/"
    ])
    error_message = "cached_paths must not match /, /dashboard or anything under /v1: a cached hit is a lost hit."
  }
}

variable "origin_keepalive_seconds" {
  description = "How long CloudFront keeps idle connections to the origin; the daemon keeps them 75 s."
  type        = number
  default     = 60

  validation {
    condition     = var.origin_keepalive_seconds >= 60 && var.origin_keepalive_seconds < 75
    error_message = "origin_keepalive_seconds must be at least 60 and below the daemon's 75."
  }
}

variable "origin_read_timeout_seconds" {
  description = "How long CloudFront waits for an answer. Streams (SSE) need more than their heartbeat."
  type        = number
  default     = 30

  validation {
    condition     = var.origin_read_timeout_seconds >= 5 && var.origin_read_timeout_seconds <= 120
    error_message = "origin_read_timeout_seconds must be 5 to 120."
  }
}

variable "blocked_countries" {
  description = "Countries that are refused, ISO codes."
  type        = list(string)
  default     = []
}

variable "waf_scope" {
  description = "CLOUDFRONT, or REGIONAL for a web ACL before an application load balancer."
  type        = string
  default     = "CLOUDFRONT"

  validation {
    condition     = contains(["CLOUDFRONT", "REGIONAL"], var.waf_scope)
    error_message = "waf_scope must be CLOUDFRONT or REGIONAL."
  }
}

variable "allow_writes" {
  description = "Whether PUT and DELETE may come through from outside. CloudFront does not forward Authorization, so they would be refused by the daemon anyway."
  type        = bool
  default     = false
}

variable "rate_limit" {
  description = "Requests per address and window before it is answered 429."
  type        = number
  default     = 2000

  validation {
    condition     = var.rate_limit >= 10 && var.rate_limit <= 2000000000
    error_message = "rate_limit must be at least 10."
  }
}

variable "batch_rate_limit" {
  description = "Batches (POST /v1/hits) per address and window."
  type        = number
  default     = 300

  validation {
    condition     = var.batch_rate_limit >= 10
    error_message = "batch_rate_limit must be at least 10."
  }
}

variable "rate_window_seconds" {
  description = "The window of both limits."
  type        = number
  default     = 60

  validation {
    condition     = contains([60, 120, 300, 600], var.rate_window_seconds)
    error_message = "rate_window_seconds must be 60, 120, 300 or 600."
  }
}

variable "log_bucket_name" {
  description = "Bucket for CloudFront's log; made here."
  type        = string
  default     = null

  validation {
    condition     = !var.create || !var.create_distribution || var.log_bucket_name != null
    error_message = "The distribution needs a bucket for its log."
  }
}

variable "log_retention_days" {
  description = "Days to keep CloudFront's and WAF's logs; they hold readers' addresses."
  type        = number
  default     = 30

  validation {
    condition     = contains([7, 14, 30, 60, 90], var.log_retention_days)
    error_message = "log_retention_days must be 7, 14, 30, 60 or 90."
  }
}

variable "waf_log_kms_key_arn" {
  description = "Key for WAF's log, in us-east-1 for CLOUDFRONT."
  type        = string
}

variable "shield_advanced" {
  description = "Shield Advanced: subscribe costs 3000 USD a month for a year and is for the whole account; protect adds this distribution to a subscription."
  type = object({
    subscribe  = optional(bool, false)
    auto_renew = optional(bool, false)
    protect    = optional(bool, false)
  })
  default = {}
}

variable "alarm_actions_us_east_1" {
  description = "Topics in us-east-1 that hear of alarms."
  type        = list(string)
  default     = []
}

variable "server_error_percent" {
  description = "Share of 5xx that raises the alarm."
  type        = number
  default     = 1
}

variable "origin_latency_ms" {
  description = "99th percentile of the origin's latency that raises the alarm, in milliseconds."
  type        = number
  default     = 500
}

variable "blocked_requests" {
  description = "Blocked requests in five minutes that raise the alarm."
  type        = number
  default     = 50000
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

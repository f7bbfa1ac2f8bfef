variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "name" {
  description = "Name of the load balancer; target groups add -blue and -green."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,25}$", var.name)) && !startswith(var.name, "internal-")
    error_message = "name must be 2 to 26 lower-case letters, digits and hyphens: target group names end at 32."
  }
}

variable "type" {
  description = "network or application."
  type        = string
  default     = "network"

  validation {
    condition     = contains(["network", "application"], var.type)
    error_message = "type must be network or application."
  }
}

variable "vpc_id" {
  description = "VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the balancer tier, in which nothing else lies."
  type        = list(string)
}

variable "listener_port" {
  description = "Port of the listener: 8080 for network, 443 for application."
  type        = number
  default     = 8080

  validation {
    condition     = var.listener_port == (var.type == "application" ? 443 : var.target_port)
    error_message = "A network load balancer listens on the daemon's own port (one number from edge to pod), an application load balancer on 443."
  }
}

variable "target_port" {
  description = "Public port of the daemon (--listen)."
  type        = number
  default     = 8080
}

variable "health_port" {
  description = "Admin port of the daemon (--admin)."
  type        = number
  default     = 9090

  validation {
    condition     = var.health_port != var.target_port
    error_message = "Health checks go to the admin port, never to the port that counts."
  }
}

variable "health_path" {
  description = "Path of the health check."
  type        = string
  default     = "/readyz"

  validation {
    condition     = contains(["/readyz", "/livez"], var.health_path)
    error_message = "health_path must be /readyz or /livez: any other path may count a hit."
  }
}

variable "weights" {
  description = "Share of traffic for each colour, together 100."
  type        = object({ blue = number, green = number })
  default     = { blue = 100, green = 0 }

  validation {
    condition     = var.weights.blue >= 0 && var.weights.green >= 0 && var.weights.blue + var.weights.green == 100
    error_message = "The weights of blue and green must add up to 100."
  }
}

variable "target_security_group_id" {
  description = "Security group of the pods; gets rules that let this load balancer in."
  type        = string
}

variable "ingress_prefix_list_ids" {
  description = "Managed prefix lists that may connect (CloudFront's origin-facing list), by a name for the rule."
  type        = map(string)
  default     = {}
}

variable "ingress_cidrs" {
  description = "Ranges that may connect, by a name for the rule. 0.0.0.0/0 only for the application kind with a web ACL."
  type        = map(string)
  default     = {}
}

variable "certificate_arn" {
  description = "Certificate of the application kind."
  type        = string
  default     = null
}

variable "associate_web_acl" {
  description = "Whether web_acl_arn is attached (application kind)."
  type        = bool
  default     = false
}

variable "web_acl_arn" {
  description = "Regional web ACL for the application kind."
  type        = string
  default     = null
}

variable "deregistration_delay_seconds" {
  description = "How long a leaving pod still gets replies through: at least as long as it drains, at most its grace period (a test compares it with the manifests)."
  type        = number
  default     = 150

  validation {
    condition     = var.deregistration_delay_seconds >= 20 && var.deregistration_delay_seconds <= 180
    error_message = "deregistration_delay_seconds must be 20 to 180, within the pod's grace period."
  }
}

variable "idle_timeout_seconds" {
  description = "Idle timeout of the application kind; the daemon's 75 s must be longer."
  type        = number
  default     = 60

  validation {
    condition     = var.idle_timeout_seconds < 75
    error_message = "idle_timeout_seconds must be below the daemon's keep-alive of 75 s, or the balancer reuses connections that are just being closed."
  }
}

variable "proxy_protocol_v2" {
  description = "Whether the network kind sends PROXY protocol v2 to the pods. The daemon must be told too."
  type        = bool
  default     = false
}

variable "cross_zone" {
  description = "Whether the network kind spreads over zones; it costs traffic between zones and evens out the pods."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted."
  type        = bool
  default     = true
}

variable "access_log_bucket" {
  description = "Bucket for access logs of the application kind."
  type        = string
  default     = null
}

variable "healthy_hosts_min" {
  description = "Pods below which the alarm is raised."
  type        = number
  default     = 1
}

variable "alarm_actions" {
  description = "Topics that hear of alarms and of their end."
  type        = list(string)
  default     = []
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

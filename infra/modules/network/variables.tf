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
  description = "AWS region, for the names of endpoint services."
  type        = string
}

variable "partition" {
  description = "AWS partition."
  type        = string
  default     = "aws"
}

variable "account_id" {
  description = "AWS account; endpoint policies let only its principals through."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits."
  }
}

variable "iam_path" {
  description = "Path of IAM roles."
  type        = string
  default     = "/tallyd/"
}

variable "permissions_boundary" {
  description = "Permissions boundary of the roles; null for none."
  type        = string
  default     = null
}

variable "vpc_cidr" {
  description = "Address range of the VPC."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr))
    error_message = "vpc_cidr must be an IPv4 range."
  }
}

variable "zones" {
  description = "Availability zones, two or three."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 3 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones must be two or three different zones."
  }
}

variable "public_cidrs" {
  description = "Public subnets, one per zone."
  type        = list(string)

  validation {
    condition     = length(var.public_cidrs) == length(var.zones)
    error_message = "One public range per zone."
  }
}

variable "private_cidrs" {
  description = "Private subnets, one per zone."
  type        = list(string)

  validation {
    condition     = length(var.private_cidrs) == length(var.zones)
    error_message = "One private range per zone."
  }
}

variable "data_cidrs" {
  description = "Subnets of the data tier, one per zone."
  type        = list(string)

  validation {
    condition     = length(var.data_cidrs) == length(var.zones)
    error_message = "One data range per zone."
  }
}

variable "balancer_cidrs" {
  description = "Subnets of the load balancers, one per zone; nothing else lies in them."
  type        = list(string)

  validation {
    condition     = length(var.balancer_cidrs) == length(var.zones)
    error_message = "One range of load balancers per zone."
  }
}

variable "balancer_ports" {
  description = "Ports on which load balancers are asked: 8080 by CloudFront, 443 by readers through Global Accelerator."
  type        = list(number)
  default     = [443, 8080]
}

variable "data_port" {
  description = "The one port the data tier serves."
  type        = number
  default     = 6379
}

variable "peer_cidrs" {
  description = "Ranges of peered VPCs that may reach the private tier and the data port."
  type        = list(string)
  default     = []

  validation {
    condition     = !contains(var.peer_cidrs, "0.0.0.0/0")
    error_message = "A peer is a network, not the internet."
  }
}

variable "nat" {
  description = "NAT gateways: per_zone (survives a zone), single (cheaper), none (endpoints only)."
  type        = string
  default     = "per_zone"

  validation {
    condition     = contains(["per_zone", "single", "none"], var.nat)
    error_message = "nat must be per_zone, single or none."
  }
}

variable "interface_endpoints" {
  description = "Interface endpoints by the last part of the service name."
  type        = list(string)
  default     = ["ecr.api", "ecr.dkr", "sts", "secretsmanager", "logs", "eks-auth"]

  validation {
    condition = alltrue([for e in var.interface_endpoints : contains([
      "autoscaling", "ec2", "ec2messages", "ecr.api", "ecr.dkr", "eks", "eks-auth", "elasticloadbalancing", "kms", "logs",
      "memory-db", "monitoring", "secretsmanager", "sqs", "ssm", "ssmmessages", "sts", "aps-workspaces",
    ], e)])
    error_message = "An interface endpoint is not in the table of endpoints.tf."
  }

  # Without these a node cannot pull an image, a pod gets no credentials, and nothing is logged.
  validation {
    condition     = length(setsubtract(["ecr.api", "ecr.dkr", "sts", "secretsmanager", "logs"], var.interface_endpoints)) == 0
    error_message = "ecr.api, ecr.dkr, sts, secretsmanager and logs are required."
  }

  validation {
    condition     = var.nat != "none" || length(setsubtract(["ec2", "eks", "eks-auth", "kms", "sqs", "ssm", "elasticloadbalancing", "monitoring"], var.interface_endpoints)) == 0
    error_message = "Without NAT, nodes and controllers also need ec2, eks, eks-auth, kms, sqs, ssm, elasticloadbalancing and monitoring."
  }
}

variable "egress_ports" {
  description = "TCP ports on which nodes, pods and the operations host may reach the internet. HTTPS is all that AWS, registries and webhooks need; mail (587) and Git over SSH (22) must be named here."
  type        = list(number)
  default     = [443]

  validation {
    condition     = contains(var.egress_ports, 443) && alltrue([for p in var.egress_ports : p > 0 && p < 1024])
    error_message = "egress_ports are ports below 1024, and 443 is one of them: without it no image comes in."
  }
}

variable "balancer_subnet_tags" {
  description = "Further tags of the load balancers' subnets (their role, by which a controller finds them)."
  type        = map(string)
  default     = {}
}

variable "private_subnet_tags" {
  description = "Further tags of the private subnets (Karpenter discovery)."
  type        = map(string)
  default     = {}
}

variable "kms_key_arn" {
  description = "Key for the flow logs."
  type        = string
}

variable "flow_log_retention_days" {
  description = "Days to keep flow logs."
  type        = number
  default     = 90

  validation {
    condition     = contains([7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653], var.flow_log_retention_days)
    error_message = "flow_log_retention_days must be a period that CloudWatch Logs offers, and at least a week."
  }
}

variable "flow_log_traffic" {
  description = "Which traffic to log: ALL, ACCEPT or REJECT."
  type        = string
  default     = "ALL"

  validation {
    condition     = contains(["ALL", "ACCEPT", "REJECT"], var.flow_log_traffic)
    error_message = "flow_log_traffic must be ALL, ACCEPT or REJECT."
  }
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

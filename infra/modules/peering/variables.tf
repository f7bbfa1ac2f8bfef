variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "name" {
  description = "Name of the peering."
  type        = string
}

variable "region" {
  description = "Region of this side."
  type        = string
}

variable "peer_region" {
  description = "Region of the other side; may be the same."
  type        = string
}

variable "vpc_id" {
  description = "VPC of this side."
  type        = string
}

variable "peer_vpc_id" {
  description = "VPC of the other side."
  type        = string
}

variable "vpc_cidr" {
  description = "Range of this side."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr))
    error_message = "vpc_cidr must be an IPv4 range."
  }
}

variable "peer_cidr" {
  description = "Range of the other side."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.peer_cidr)) && var.peer_cidr != "0.0.0.0/0"
    error_message = "peer_cidr must be an IPv4 range, and not the whole internet."
  }
}

variable "route_table_ids" {
  description = "Route tables of this side that learn the way there."
  type        = list(string)
}

variable "peer_route_table_ids" {
  description = "Route tables of the other side that learn the way back."
  type        = list(string)
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

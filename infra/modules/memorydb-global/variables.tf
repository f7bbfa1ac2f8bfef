variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "name" {
  description = "Suffix of the Multi-Region cluster's name; AWS puts a prefix of its own before it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "name must be 2 to 31 lower-case letters, digits and hyphens."
  }
}

variable "regions" {
  description = "Regions that will join. Each joins by its own cluster (module memorydb, multi_region_cluster_name)."
  type        = list(string)
}

variable "counter_mode" {
  description = "How tallyd writes: incrby or absolute. Only absolute is allowed here."
  type        = string
  default     = "incrby"

  validation {
    condition     = contains(["incrby", "absolute"], var.counter_mode)
    error_message = "counter_mode must be incrby or absolute."
  }
}

variable "accept_last_writer_wins" {
  description = "Set to true after reading the warning above."
  type        = bool
  default     = false
}

variable "engine" {
  description = "Engine."
  type        = string
  default     = "valkey"

  validation {
    condition     = !var.create || var.engine == "valkey"
    error_message = "Multi-Region exists for valkey only."
  }
}

variable "engine_version" {
  description = "Version of the engine."
  type        = string
  default     = "7.3"
}

variable "node_type" {
  description = "Node type; all regions share it."
  type        = string
  default     = "db.r7g.xlarge"

  validation {
    condition     = !var.create || can(regex("^db\\.r7g\\.([248]|12|16)?xlarge$", var.node_type))
    error_message = "Multi-Region wants db.r7g.xlarge or larger."
  }
}

variable "num_shards" {
  description = "Shards; all regions share it."
  type        = number
  default     = 2
}

variable "parameter_group_name" {
  description = "Multi-Region parameter group; null for the default of the engine."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "name" {
  description = "Name of the cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,39}$", var.name)) && !endswith(var.name, "-") && !strcontains(var.name, "--")
    error_message = "name must be up to 40 lower-case letters, digits and single hyphens."
  }
}

variable "engine" {
  description = "Engine: valkey or redis."
  type        = string
  default     = "valkey"

  validation {
    condition     = contains(["valkey", "redis"], var.engine)
    error_message = "engine must be valkey or redis."
  }
}

variable "engine_version" {
  description = "Version of the engine."
  type        = string
  default     = "7.3"

  validation {
    condition     = can(regex("^7\\.[0-9]+$", var.engine_version))
    error_message = "engine_version must be 7.x: the daemon is tested against Valkey 7.2, 7.3 and Redis 7."
  }
}

variable "parameter_family" {
  description = "Family of the parameter group; must match the engine."
  type        = string
  default     = "memorydb_valkey7"

  validation {
    condition     = var.parameter_family == (var.engine == "valkey" ? "memorydb_valkey7" : "memorydb_redis7")
    error_message = "parameter_family must be memorydb_valkey7 for valkey and memorydb_redis7 for redis."
  }
}

variable "node_type" {
  description = "Node type."
  type        = string
  default     = "db.t4g.small"

  validation {
    condition     = can(regex("^db\\.(t4g|r6g|r6gd|r7g)\\.", var.node_type))
    error_message = "node_type must be a MemoryDB type such as db.r7g.large."
  }
}

variable "num_shards" {
  description = "Shards."
  type        = number
  default     = 1

  validation {
    condition     = var.num_shards >= 1 && var.num_shards <= 500
    error_message = "num_shards must be 1 to 500."
  }
}

variable "num_replicas_per_shard" {
  description = "Replicas of each shard; 0 loses availability, not data, when a node dies."
  type        = number
  default     = 1

  validation {
    condition     = var.num_replicas_per_shard >= 0 && var.num_replicas_per_shard <= 5
    error_message = "num_replicas_per_shard must be 0 to 5."
  }
}

variable "multi_region_cluster_name" {
  description = "Multi-Region cluster to join (module memorydb-global); null for none."
  type        = string
  default     = null
}

variable "port" {
  description = "Data port."
  type        = number
  default     = 6379
}

variable "vpc_id" {
  description = "VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the data tier."
  type        = list(string)
}

variable "client_security_group_ids" {
  description = "Security groups that may connect, by a name for the rule."
  type        = map(string)
}

variable "client_cidrs" {
  description = "Ranges of peered networks that may connect, by a name for the rule."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for c in values(var.client_cidrs) : tonumber(split("/", c)[1]) >= 16])
    error_message = "client_cidrs must be networks of a peer, /16 or smaller."
  }
}

variable "kms_key_arn" {
  description = "Customer key for data at rest and snapshots."
  type        = string

  validation {
    condition     = var.kms_key_arn != ""
    error_message = "A key of our own is required."
  }
}

variable "event_subscriptions" {
  description = "Mail addresses that hear of the cluster's events (failover, maintenance), by name."
  type        = map(string)
  default     = {}
}

variable "account_id" {
  description = "AWS account."
  type        = string
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

variable "users" {
  description = "Users by name, without prefix: commands, key patterns, and how they prove who they are (password or iam)."
  type = map(object({
    commands = list(string)
    keys     = list(string)
    auth     = optional(string, "password")
  }))

  validation {
    condition     = alltrue([for u in values(var.users) : contains(["password", "iam"], u.auth)])
    error_message = "auth must be password or iam."
  }

  validation {
    condition     = alltrue(flatten([for u in values(var.users) : [for k in u.keys : k != "*" && can(regex("^[!-~]+$", k))]]))
    error_message = "A key pattern must name a prefix; * alone is everything."
  }

  validation {
    condition     = alltrue(flatten([for u in values(var.users) : [for c in u.commands : can(regex("^[a-z]+(\\|[a-z-]+)?$", lower(c)))]]))
    error_message = "Commands are single commands such as incrby or client|setname: no categories, no signs."
  }

  validation {
    condition     = length(setintersection(flatten([for u in values(var.users) : [for c in u.commands : lower(c)]]), ["flushall", "flushdb", "eval", "script", "keys", "debug", "acl", "config", "shutdown", "swapdb"])) == 0
    error_message = "Administrative commands are not for users of the counters."
  }

  validation {
    condition     = !contains(keys(var.users), "default")
    error_message = "The user default cannot be managed."
  }
}

variable "user_name_prefix" {
  description = "Prefix of user names. They are unique per account and region: give one where several clusters share those."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([a-z][a-z0-9-]*)?$", var.user_name_prefix))
    error_message = "user_name_prefix must be lower case."
  }
}

variable "initial_passwords" {
  description = "First password of each password user (module secrets); the rotation replaces it at once."
  type        = map(string)
  default     = {}
  sensitive   = true
}

variable "maintenance_window" {
  description = "Weekly maintenance window in UTC; keep it outside the event calendar."
  type        = string
  default     = "tue:03:00-tue:04:30"

  validation {
    condition     = can(regex("^(mon|tue|wed|thu|fri|sat|sun):[0-2][0-9]:[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):[0-2][0-9]:[0-5][0-9]$", var.maintenance_window))
    error_message = "maintenance_window must look like tue:03:00-tue:04:30."
  }
}

variable "snapshot_retention_limit" {
  description = "Days to keep automatic snapshots; 0 (off) is refused."
  type        = number
  default     = 35

  validation {
    condition     = var.snapshot_retention_limit >= 1 && var.snapshot_retention_limit <= 35
    error_message = "snapshot_retention_limit must be 1 to 35: snapshots are never off."
  }
}

variable "snapshot_window" {
  description = "Daily snapshot window in UTC; must not overlap the maintenance window."
  type        = string
  default     = "01:00-02:00"

  validation {
    condition     = can(regex("^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$", var.snapshot_window))
    error_message = "snapshot_window must look like 01:00-02:00."
  }
}

variable "restore_snapshot_name" {
  description = "Snapshot to create the cluster from; only read at creation."
  type        = string
  default     = null
}

variable "restore_snapshot_arns" {
  description = "RDB files in S3 to create the cluster from, one per shard; only read at creation."
  type        = list(string)
  default     = null

  validation {
    condition     = alltrue([for a in coalesce(var.restore_snapshot_arns, []) : can(regex("^arn:aws[a-z-]*:s3:::[^,]+\\.rdb$", a))])
    error_message = "restore_snapshot_arns must be S3 object ARNs that end in .rdb."
  }
}

variable "create_alarms" {
  description = "Whether to create the alarms."
  type        = bool
  default     = true
}

variable "alarm_actions" {
  description = "Topics that hear of alarms and of their end."
  type        = list(string)
  default     = []
}

variable "connections_alarm" {
  description = "Connections per node that raise the alarm."
  type        = number
  default     = 2000
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

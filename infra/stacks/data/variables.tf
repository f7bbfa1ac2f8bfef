variable "memorydb" {
  description = "The cluster's engine, size and windows."
  type = object({
    engine                   = optional(string, "valkey")
    engine_version           = optional(string, "7.3")
    node_type                = string
    num_shards               = optional(number, 1)
    num_replicas_per_shard   = optional(number, 1)
    maintenance_window       = optional(string, "tue:03:00-tue:04:30")
    snapshot_window          = optional(string, "01:00-02:00")
    snapshot_retention_limit = optional(number, 35)
    connections_alarm        = optional(number, 2000)
  })
}

variable "memorydb_auth" {
  description = "How tallyd proves who it is: password or iam. The platform stack must say the same."
  type        = string
  default     = "password"
}

variable "memorydb_tops" {
  description = "Is tallyd started with --top? Then its user may keep sorted sets."
  type        = bool
  default     = false
}

variable "counter_mode" {
  description = "How tallyd writes: incrby or absolute."
  type        = string
  default     = "incrby"

  validation {
    condition     = contains(["incrby", "absolute"], var.counter_mode)
    error_message = "counter_mode must be incrby or absolute."
  }
}

variable "memorydb_global" {
  description = "MemoryDB Multi-Region: create it here, or join one that another region made. Last writer wins there: absolute mode only."
  type = object({
    create                  = optional(bool, false)
    join                    = optional(string)
    regions                 = optional(list(string), [])
    accept_last_writer_wins = optional(bool, false)
  })
  default = {}

  validation {
    condition     = var.memorydb_global.join == null || var.counter_mode == "absolute"
    error_message = "Joining a Multi-Region cluster needs counter_mode = \"absolute\": concurrent INCRBY in two regions loses counts."
  }
}

variable "rotation_schedule" {
  description = "When passwords rotate."
  type        = string
  default     = "rate(30 days)"
}

variable "backup_enabled" {
  description = "Whether snapshots are exported and kept for three years."
  type        = bool
  default     = true
}

variable "backup_schedule" {
  description = "When to back up, in UTC: one fixed minute and hour."
  type        = string
  default     = "cron(30 2 * * ? *)"
}

variable "backup_replica_region" {
  description = "Region of a copy of the backups; null for none."
  type        = string
  default     = null
}

variable "backup_object_lock_days" {
  description = "Days in which backups cannot be deleted; 0 for no lock."
  type        = number
  default     = 0
}

variable "restore" {
  description = "What to create the cluster from (runbook restore); read at creation only."
  type = object({
    snapshot_name = optional(string)
    snapshot_arns = optional(list(string))
  })
  default = {}
}

variable "peer" {
  description = "The other region of the same service. connect makes the peering from this side (once its ids are known)."
  type = object({
    region          = string
    vpc_cidr        = string
    connect         = optional(bool, false)
    vpc_id          = optional(string)
    route_table_ids = optional(list(string), [])
  })
  default = null

  validation {
    condition     = var.peer == null ? true : !var.peer.connect || var.peer.vpc_id != null
    error_message = "To connect, the peer's vpc_id and route tables must be known."
  }
}

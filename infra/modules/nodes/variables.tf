variable "create" {
  description = "Whether to create anything."
  type        = bool
  default     = true
}

variable "cluster_name" {
  description = "Name of the cluster."
  type        = string
}

variable "kubernetes_version" {
  description = "Version of the cluster; used for groups that pin no image."
  type        = string
}

variable "partition" {
  description = "AWS partition."
  type        = string
  default     = "aws"
}

variable "iam_path" {
  description = "Path of IAM roles and policies."
  type        = string
  default     = "/tallyd/"
}

variable "permissions_boundary" {
  description = "Permissions boundary of the roles; null for none."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups of the nodes."
  type        = list(string)
}

variable "kms_key_arn" {
  description = "Key for the nodes' disks. The Auto Scaling service-linked role must be allowed to use it."
  type        = string
}

variable "seccomp_profile_json" {
  description = "The seccomp profile of the daemon: the text of deploy/seccomp/tallyd.json."
  type        = string

  validation {
    condition     = can(jsondecode(var.seccomp_profile_json).defaultAction) && try(jsondecode(var.seccomp_profile_json).defaultAction, "") != "SCMP_ACT_ALLOW"
    error_message = "seccomp_profile_json must be a profile whose default action is not to allow."
  }

  # User data ends at 16 KiB; the rest of it needs about 2.
  validation {
    condition     = length(base64gzip(var.seccomp_profile_json)) < 12000
    error_message = "The profile does not fit into the user data of a node."
  }
}

variable "reserved_system_cpus" {
  description = "CPUs that pods never get alone, on groups with static_cpus."
  type        = string
  default     = "0"

  validation {
    condition     = can(regex("^[0-9]+([-,][0-9]+)*$", var.reserved_system_cpus))
    error_message = "reserved_system_cpus must be a CPU list such as 0 or 0-1."
  }
}

variable "groups" {
  description = "Managed node groups by name."
  type = map(object({
    instance_types  = list(string)
    ami_type        = optional(string, "AL2023_ARM_64_STANDARD")
    release_version = optional(string)
    capacity_type   = optional(string, "ON_DEMAND")
    min_size        = optional(number, 2)
    max_size        = optional(number, 4)
    desired_size    = optional(number, 2)
    disk_gib        = optional(number, 30)
    static_cpus     = optional(bool, false)
    labels          = optional(map(string), {})
    taints = optional(list(object({
      key    = string
      value  = optional(string)
      effect = string
    })), [])
  }))

  validation {
    condition     = alltrue([for g in values(var.groups) : can(regex("^AL2023_(ARM_64|x86_64)_STANDARD$", g.ami_type))])
    error_message = "ami_type must be AL2023: the user data is written for nodeadm."
  }

  validation {
    condition     = alltrue([for g in values(var.groups) : contains(["ON_DEMAND", "SPOT"], g.capacity_type)])
    error_message = "capacity_type must be ON_DEMAND or SPOT."
  }

  validation {
    condition     = alltrue([for g in values(var.groups) : g.min_size <= g.desired_size && g.desired_size <= g.max_size])
    error_message = "min_size ≤ desired_size ≤ max_size."
  }

  validation {
    condition     = alltrue(flatten([for g in values(var.groups) : [for t in g.taints : contains(["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"], t.effect)]]))
    error_message = "effect must be NO_SCHEDULE, NO_EXECUTE or PREFER_NO_SCHEDULE."
  }
}

variable "schedules" {
  description = "Floors by time: group, cron (minute hour day month weekday), time zone and least number of nodes, by name."
  type = map(object({
    group      = string
    recurrence = string
    time_zone  = optional(string, "UTC")
    min_size   = number
  }))
  default = {}

  validation {
    condition     = alltrue([for s in values(var.schedules) : can(regex("^[0-5]?[0-9] (1?[0-9]|2[0-3]) [^ ]+ [^ ]+ [^ ]+$", s.recurrence))])
    error_message = "recurrence must be a cron with a fixed minute and hour."
  }

  validation {
    condition     = alltrue([for s in values(var.schedules) : contains(keys(var.groups), s.group)])
    error_message = "group must be one of groups."
  }

  validation {
    condition     = alltrue([for s in values(var.schedules) : s.min_size >= 0 && s.min_size <= try(var.groups[s.group].max_size, 0)])
    error_message = "min_size must not be above the group's max_size: raise that first, or the floor would be refused on the day."
  }
}

variable "tags" {
  description = "Tags for every resource."
  type        = map(string)
  default     = {}
}

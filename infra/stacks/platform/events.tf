# The calendar of events (deploy/events/calendar.yaml) gives KEDA its floors of pods; here it gives the static pool its floors of nodes.
# Times in the calendar are local; the schedule takes the time zone, so nothing is converted.

locals {
  calendar_file = "${path.module}/../../../deploy/events/calendar.yaml"
  calendar      = yamldecode(var.event_calendar_yaml != null ? var.event_calendar_yaml : fileexists(local.calendar_file) ? file(local.calendar_file) : "{}")
  share         = try(local.calendar.environments[var.environment], null)
  pool          = try(var.node_groups[var.event_pool], null)

  events = local.share == null || local.pool == null ? {} : {
    for e in try(local.calendar.events, []) : e.name => {
      time_zone = e.timezone
      begin     = timeadd("${e.from}:00Z", "-${e.lead}")
      end       = "${e.until}:00Z"
      wanted = max(local.pool.min_size, ceil(
        ceil(e.hits_per_second * local.share.share * local.calendar.headroom / local.share.hits_per_second_per_pod) / var.event_pods_per_node
      ))
    }
  }

  event_schedules = merge(
    { for name, e in local.events : "${name}-begin" => { group = var.event_pool, time_zone = e.time_zone, recurrence = "${formatdate("m h D M", e.begin)} *", min_size = min(local.pool.max_size, e.wanted) } },
    { for name, e in local.events : "${name}-end" => { group = var.event_pool, time_zone = e.time_zone, recurrence = "${formatdate("m h D M", e.end)} *", min_size = local.pool.min_size } },
  )
}

# A floor that the pool cannot hold is cut to its ceiling, and the plan says so; Karpenter would add what is missing, only later.
check "event_floors_fit" {
  assert {
    condition     = alltrue([for e in local.events : e.wanted <= local.pool.max_size])
    error_message = "Events want more nodes than max_size of ${var.event_pool}: ${join(", ", [for name, e in local.events : "${name} ${e.wanted}" if e.wanted > local.pool.max_size])}."
  }
}

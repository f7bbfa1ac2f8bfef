# Alarms on the cluster of this module: the dimension is the resource's own name, never a text.

locals {
  alarms = {
    engine-cpu = {
      metric = "EngineCPUUtilization", stat = "Maximum", op = "GreaterThanThreshold", threshold = 80, periods = 5
      text   = "The engine's one thread is nearly full: add shards (runbook upgrade)."
    }
    memory = {
      metric = "DatabaseMemoryUsagePercentage", stat = "Maximum", op = "GreaterThanThreshold", threshold = 75, periods = 5
      text   = "Memory is filling up; with noeviction, writes will be refused at 100."
    }
    auth-failures = {
      metric = "AuthenticationFailures", stat = "Sum", op = "GreaterThanOrEqualToThreshold", threshold = 1, periods = 1
      text   = "Somebody uses a wrong password: a rotation went wrong, or a guest."
    }
    replication-lag = {
      metric = "ReplicationLag", stat = "Maximum", op = "GreaterThanThreshold", threshold = 5, periods = 5
      text   = "Replicas are seconds behind."
    }
    write-latency = {
      metric = "SuccessfulWriteRequestLatency", stat = "p99", op = "GreaterThanThreshold", threshold = 25000, periods = 5
      text   = "The 99th percentile of writes is above 25 ms."
    }
    evictions = {
      metric = "Evictions", stat = "Sum", op = "GreaterThanThreshold", threshold = 0, periods = 1
      text   = "Counters were evicted. With noeviction this must not happen: somebody changed the parameter group."
    }
    connections = {
      metric = "CurrConnections", stat = "Maximum", op = "GreaterThanThreshold", threshold = var.connections_alarm, periods = 5
      text   = "Many connections: each pod opens one per shard, so look for a leak or a runaway scale-out."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = var.create && var.create_alarms ? local.alarms : {}

  alarm_name          = "${var.name}-memorydb-${each.key}"
  alarm_description   = each.value.text
  namespace           = "AWS/MemoryDB"
  metric_name         = each.value.metric
  statistic           = startswith(each.value.stat, "p") ? null : each.value.stat
  extended_statistic  = startswith(each.value.stat, "p") ? each.value.stat : null
  comparison_operator = each.value.op
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.periods
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags

  dimensions = {
    ClusterName = aws_memorydb_cluster.this[0].name
  }
}

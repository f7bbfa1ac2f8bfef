locals {
  lb_namespace = local.application ? "AWS/ApplicationELB" : "AWS/NetworkELB"
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  for_each = var.create ? toset(local.active) : toset([])

  alarm_name          = "${var.name}-${each.key}-unhealthy"
  alarm_description   = "Pods of ${each.key} fail ${var.health_path}."
  namespace           = local.lb_namespace
  metric_name         = "UnHealthyHostCount"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags

  dimensions = {
    LoadBalancer = aws_lb.this[0].arn_suffix
    TargetGroup  = aws_lb_target_group.this[each.key].arn_suffix
  }
}

resource "aws_cloudwatch_metric_alarm" "empty" {
  for_each = var.create ? toset(local.active) : toset([])

  alarm_name          = "${var.name}-${each.key}-empty"
  alarm_description   = "Fewer than ${var.healthy_hosts_min} pods of ${each.key} take traffic."
  namespace           = local.lb_namespace
  metric_name         = "HealthyHostCount"
  statistic           = "Minimum"
  comparison_operator = "LessThanThreshold"
  threshold           = var.healthy_hosts_min
  period              = 60
  evaluation_periods  = 2
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags

  dimensions = {
    LoadBalancer = aws_lb.this[0].arn_suffix
    TargetGroup  = aws_lb_target_group.this[each.key].arn_suffix
  }
}

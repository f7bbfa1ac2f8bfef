locals {
  alarms = {
    api-errors    = { metric = "apiserver_request_total_5XX", stat = "Sum", threshold = 50, text = "The cluster's API answers with server errors." }
    pods-homeless = { metric = "scheduler_pending_pods_UNSCHEDULABLE", stat = "Maximum", threshold = 0, text = "Pods find no node: no capacity in a zone, or a pool at its limit (runbook event-day)." }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = var.create ? local.alarms : {}

  alarm_name          = "${var.name}-eks-${each.key}"
  alarm_description   = each.value.text
  namespace           = "AWS/EKS"
  metric_name         = each.value.metric
  statistic           = each.value.stat
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 10
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = var.tags

  dimensions = {
    ClusterName = aws_eks_cluster.this[0].name
  }
}

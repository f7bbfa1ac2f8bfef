# CloudFront's metrics exist in us-east-1 only, so the alarms and their topic are there too.

locals {
  alarms = {
    server-errors = { metric = "5xxErrorRate", stat = "Average", threshold = var.server_error_percent, periods = 3, text = "Readers see server errors." }
    origin-slow   = { metric = "OriginLatency", stat = "p99", threshold = var.origin_latency_ms, periods = 5, text = "The origin answers slowly at the 99th percentile." }
  }
}

resource "aws_cloudwatch_metric_alarm" "distribution" {
  for_each = local.distribution ? local.alarms : {}

  region              = "us-east-1"
  alarm_name          = "${var.name}-edge-${each.key}"
  alarm_description   = each.value.text
  namespace           = "AWS/CloudFront"
  metric_name         = each.value.metric
  statistic           = startswith(each.value.stat, "p") ? null : each.value.stat
  extended_statistic  = startswith(each.value.stat, "p") ? each.value.stat : null
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.periods
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions_us_east_1
  ok_actions          = var.alarm_actions_us_east_1
  tags                = var.tags

  dimensions = {
    DistributionId = aws_cloudfront_distribution.this[0].id
    Region         = "Global"
  }
}

resource "aws_cloudwatch_metric_alarm" "blocked" {
  count = local.distribution ? 1 : 0

  region              = "us-east-1"
  alarm_name          = "${var.name}-edge-blocked"
  alarm_description   = "WAF blocks unusually much: an attack, or a rule that hits readers (runbook event-day)."
  namespace           = "AWS/WAFV2"
  metric_name         = "BlockedRequests"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.blocked_requests
  period              = 300
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions_us_east_1
  tags                = var.tags

  dimensions = {
    WebACL = aws_wafv2_web_acl.this[0].name
    Rule   = "ALL"
  }
}

# Three ways a backup can fail to be there: it failed, it hung, it never started.

locals {
  machine_alarms = {
    failed    = { metric = "ExecutionsFailed", text = "A backup failed (runbook restore, section backups)." }
    timed-out = { metric = "ExecutionsTimedOut", text = "A backup did not end in time." }
  }
}

resource "aws_cloudwatch_metric_alarm" "machine" {
  for_each = var.create ? local.machine_alarms : {}

  alarm_name          = "${local.machine_name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = "AWS/States"
  metric_name         = each.value.metric
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  tags                = var.tags

  dimensions = {
    StateMachineArn = aws_sfn_state_machine.this[0].arn
  }
}

# The longest CloudWatch can look back is a day, so this alarm knows daily backups only.
resource "aws_cloudwatch_metric_alarm" "missing" {
  count = var.create && var.enabled && var.daily ? 1 : 0

  alarm_name          = "${local.machine_name}-missing"
  alarm_description   = "No backup succeeded within a day."
  namespace           = "AWS/States"
  metric_name         = "ExecutionsSucceeded"
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 86400
  evaluation_periods  = 1
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_actions
  tags                = var.tags

  dimensions = {
    StateMachineArn = aws_sfn_state_machine.this[0].arn
  }
}

resource "aws_cloudwatch_metric_alarm" "dead" {
  count = var.create ? 1 : 0

  alarm_name          = "${var.name}-backup-dead"
  alarm_description   = "A scheduled backup could not even be started."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  tags                = var.tags

  dimensions = {
    QueueName = aws_sqs_queue.dead[0].name
  }
}

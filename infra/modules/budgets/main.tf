# A monthly budget for the environment's tag, and a watch for spending that does not look like the weeks before.

resource "aws_budgets_budget" "this" {
  count = var.create ? 1 : 0

  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_usd)
  limit_unit   = "USD"
  tags         = var.tags

  # A filter by a tag that billing does not know yet matches nothing, and such a budget never speaks up. Until the tag is activated
  # (bootstrap, cost_allocation_tags) the budget is one for the whole account: too early is better than never.
  dynamic "cost_filter" {
    for_each = var.cost_tag_active ? [var.environment] : []

    content {
      name = "TagKeyValue"
      # The dollar sign is AWS's separator of key and value.
      values = [format("user:Environment$%s", cost_filter.value)]
    }
  }

  dynamic "notification" {
    for_each = var.thresholds

    content {
      notification_type          = notification.value.forecast ? "FORECASTED" : "ACTUAL"
      comparison_operator        = "GREATER_THAN"
      threshold                  = notification.value.percent
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.emails
      subscriber_sns_topic_arns  = var.topic_arns
    }
  }
}

resource "aws_ce_anomaly_monitor" "this" {
  count = var.create && var.anomaly_usd > 0 ? 1 : 0

  name              = var.name
  monitor_type      = var.cost_tag_active ? "CUSTOM" : "DIMENSIONAL"
  monitor_dimension = var.cost_tag_active ? null : "SERVICE"
  tags              = var.tags

  monitor_specification = !var.cost_tag_active ? null : jsonencode({
    Tags = { Key = "Environment", Values = [var.environment], MatchOptions = ["EQUALS"] }
  })
}

resource "aws_ce_anomaly_subscription" "this" {
  count = var.create && var.anomaly_usd > 0 ? 1 : 0

  name             = var.name
  frequency        = "DAILY"
  monitor_arn_list = [aws_ce_anomaly_monitor.this[0].arn]
  tags             = var.tags

  dynamic "subscriber" {
    for_each = var.emails

    content {
      type    = "EMAIL"
      address = subscriber.value
    }
  }

  threshold_expression {
    dimension {
      key           = "ANOMALY_TOTAL_IMPACT_ABSOLUTE"
      match_options = ["GREATER_THAN_OR_EQUAL"]
      values        = [tostring(var.anomaly_usd)]
    }
  }

  lifecycle {
    precondition {
      condition     = length(var.emails) > 0
      error_message = "A daily report of anomalies goes by mail: name at least one address."
    }
  }
}

# Where alarms go, where metrics are kept, and one page that shows it all. Alarms on a resource live in that resource's module;
# here are the topic they call, and the composite that says whether readers are hurt.

locals {
  topic_name   = "${var.name}-alarms"
  topic_region = coalesce(var.topic_region, var.region)
  topic_arn    = "arn:${var.partition}:sns:${local.topic_region}:${var.account_id}:${local.topic_name}"
}

resource "aws_sns_topic" "this" {
  count = var.create && var.create_topic ? 1 : 0

  region            = var.topic_region
  name              = local.topic_name
  kms_master_key_id = var.topic_kms_key_arn
  tags              = var.tags
}

resource "aws_sns_topic_policy" "this" {
  count = var.create && var.create_topic ? 1 : 0

  region = var.topic_region
  arn    = aws_sns_topic.this[0].arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AlarmsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com", "costalerts.amazonaws.com"] }
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "this" {
  for_each = var.create && var.create_topic ? var.subscriptions : {}

  region    = var.topic_region
  topic_arn = aws_sns_topic.this[0].arn
  protocol  = each.value.protocol
  endpoint  = each.value.endpoint
}

resource "aws_cloudwatch_composite_alarm" "readers" {
  count = var.create && length(var.reader_alarm_names) > 0 ? 1 : 0

  alarm_name        = "${var.name}-readers-are-hurt"
  alarm_description = "At least one of: ${join(", ", var.reader_alarm_names)}"
  alarm_rule        = join(" OR ", [for n in var.reader_alarm_names : "ALARM(\"${n}\")"])
  alarm_actions     = var.alarm_actions
  ok_actions        = var.alarm_actions
  tags              = var.tags
}

# ---- Prometheus: a workspace to write to and ask.

resource "aws_cloudwatch_log_group" "prometheus" {
  count = var.create && var.create_prometheus ? 1 : 0

  name              = "/aws/vendedlogs/prometheus/${var.name}"
  retention_in_days = 90
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_prometheus_workspace" "this" {
  count = var.create && var.create_prometheus ? 1 : 0

  alias       = var.name
  kms_key_arn = var.kms_key_arn
  tags        = var.tags

  logging_configuration {
    log_group_arn = "${aws_cloudwatch_log_group.prometheus[0].arn}:*"
  }
}

# ---- Thanos: a bucket for blocks, for those who run Prometheus themselves.

module "metrics_bucket" {
  source = "../bucket"

  create         = var.create && var.metrics_bucket_name != null
  name           = var.metrics_bucket_name
  partition      = var.partition
  kms_key_arn    = var.kms_key_arn
  lifecycle_name = "leftovers"
  # Thanos' compactor decides what blocks to drop; this only ends what it left behind.
  noncurrent_days = 7
  tags            = var.tags
}

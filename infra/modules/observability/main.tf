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

resource "aws_s3_bucket" "metrics" {
  count = var.create && var.metrics_bucket_name != null ? 1 : 0

  bucket = var.metrics_bucket_name
  tags   = var.tags
}

resource "aws_s3_bucket_public_access_block" "metrics" {
  count = var.create && var.metrics_bucket_name != null ? 1 : 0

  bucket                  = aws_s3_bucket.metrics[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "metrics" {
  count = var.create && var.metrics_bucket_name != null ? 1 : 0

  bucket = aws_s3_bucket.metrics[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "metrics" {
  count = var.create && var.metrics_bucket_name != null ? 1 : 0

  bucket = aws_s3_bucket.metrics[0].id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "metrics" {
  count = var.create && var.metrics_bucket_name != null ? 1 : 0

  bucket = aws_s3_bucket.metrics[0].id

  # Thanos' compactor decides what blocks to drop; this only ends what it left behind.
  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 2
    }
  }
}

resource "aws_s3_bucket_policy" "metrics" {
  count = var.create && var.metrics_bucket_name != null ? 1 : 0

  bucket = aws_s3_bucket.metrics[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:${var.partition}:s3:::${var.metrics_bucket_name}", "arn:${var.partition}:s3:::${var.metrics_bucket_name}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.metrics]
}

# What the cluster itself tells: failovers, maintenance, scaling. Its topic has no key of ours. ElastiCache, of which MemoryDB is made, publishes
# to no encrypted topic, and for MemoryDB nothing says otherwise: a message that never comes is worse than one that says "failover of shard 1"
# in the clear. Alarms, which CloudWatch sends, use the encrypted topic.

locals {
  events_topic_name = "${var.name}-memorydb-events"
  events_topic_arn  = "arn:${var.partition}:sns:${var.region}:${var.account_id}:${local.events_topic_name}"
}

resource "aws_sns_topic" "events" {
  count = var.create ? 1 : 0

  name = local.events_topic_name
  tags = var.tags
}

resource "aws_sns_topic_policy" "events" {
  count = var.create ? 1 : 0

  arn = aws_sns_topic.events[0].arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # IfExists for the reason that the backup bucket's policy gives.
        Sid       = "EventsOfOurCluster"
        Effect    = "Allow"
        Principal = { Service = "memorydb.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = local.events_topic_arn
        Condition = { StringEqualsIfExists = { "aws:SourceAccount" = var.account_id } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = local.events_topic_arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "events" {
  for_each = var.create ? var.event_subscriptions : {}

  topic_arn = aws_sns_topic.events[0].arn
  protocol  = "email"
  endpoint  = each.value
}

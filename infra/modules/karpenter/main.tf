# What Karpenter needs of AWS: a role for the controller, a role and a profile for its nodes, and a queue that tells it of interruptions.
# The pools themselves (NodePool, EC2NodeClass) are Kubernetes objects and live with the overlays.

locals {
  events = {
    spot-interruption = { source = ["aws.ec2"], "detail-type" = ["EC2 Spot Instance Interruption Warning"] }
    rebalance         = { source = ["aws.ec2"], "detail-type" = ["EC2 Instance Rebalance Recommendation"] }
    state-change      = { source = ["aws.ec2"], "detail-type" = ["EC2 Instance State-change Notification"] }
    health            = { source = ["aws.health"], "detail-type" = ["AWS Health Event"] }
    capacity-block    = { source = ["aws.ec2"], "detail-type" = ["EC2 Capacity Reservation Instance Interruption Warning"] }
  }

  node_role_name = "${var.cluster_name}-karpenter-node"
  queue_name     = "${var.cluster_name}-karpenter"
}

resource "aws_iam_role" "node" {
  count = var.create ? 1 : 0

  name                 = local.node_role_name
  path                 = var.iam_path
  description          = "Karpenter's nodes of ${var.cluster_name}: join, pull images, nothing else"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = var.create ? toset(["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"]) : toset([])

  role       = aws_iam_role.node[0].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/${each.key}"
}

# Made here, so that the controller needs no right to make profiles.
resource "aws_iam_instance_profile" "node" {
  count = var.create ? 1 : 0

  name = local.node_role_name
  path = var.iam_path
  role = aws_iam_role.node[0].name
  tags = var.tags
}

resource "aws_eks_access_entry" "node" {
  count = var.create ? 1 : 0

  cluster_name  = var.cluster_name
  principal_arn = aws_iam_role.node[0].arn
  type          = "EC2_LINUX"
  tags          = var.tags
}

resource "aws_sqs_queue" "this" {
  count = var.create ? 1 : 0

  name                      = local.queue_name
  message_retention_seconds = 300
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "this" {
  count = var.create ? 1 : 0

  queue_url = aws_sqs_queue.this[0].url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Events"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${local.queue_name}"
        Condition = { ArnLike = { "aws:SourceArn" = "arn:${var.partition}:events:${var.region}:${var.account_id}:rule/${var.cluster_name}-karpenter-*" } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${local.queue_name}"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = var.create ? local.events : {}

  name          = "${var.cluster_name}-karpenter-${each.key}"
  description   = "Tells Karpenter of ${each.key}"
  event_pattern = jsonencode(each.value)
  tags          = var.tags
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = var.create ? local.events : {}

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = "karpenter"
  arn       = aws_sqs_queue.this[0].arn
}

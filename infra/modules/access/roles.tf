# Who people are here. Three roles, each assumed by principals that are named, each with an access entry of the cluster (stack platform):
#   read         look at everything but secrets
#   operate      change what lies in the namespaces of tallyd and its controllers
#   break-glass  everything, for an hour; whoever takes it is announced to the topic of the alarms
# All of them may start the operations host and open the tunnel; only the last two get a shell.

locals {
  roles = {
    read        = { hours = 4, shell = false }
    operate     = { hours = 4, shell = true }
    break-glass = { hours = 1, shell = true }
  }

  used_roles = { for name, r in local.roles : name => r if var.create && length(lookup(var.people, name, [])) > 0 }
  role_arn   = "arn:${var.partition}:iam::${var.account_id}:role${var.iam_path}${var.name}"
}

resource "aws_iam_role" "person" {
  for_each = local.used_roles

  name                 = "${var.name}-${each.key}"
  path                 = var.iam_path
  description          = "People: ${each.key}"
  max_session_duration = each.value.hours * 3600
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.people[each.key] }
      Action    = ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"]
      Condition = { StringEquals = { "aws:PrincipalAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "reach_cluster" {
  for_each = local.used_roles

  name = "reach-the-cluster"
  role = aws_iam_role.person[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Kubeconfig"
        Effect   = "Allow"
        Action   = ["eks:DescribeCluster"]
        Resource = "arn:${var.partition}:eks:${var.region}:${var.account_id}:cluster/${var.cluster_name}"
      },
      {
        # Describe calls know no resource.
        Sid       = "FindHost"
        Effect    = "Allow"
        Action    = ["autoscaling:DescribeAutoScalingGroups", "ssm:DescribeInstanceInformation"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
      {
        Sid      = "StartAndStopHost"
        Effect   = "Allow"
        Action   = ["autoscaling:SetDesiredCapacity"]
        Resource = "arn:${var.partition}:autoscaling:${var.region}:${var.account_id}:autoScalingGroup:*:autoScalingGroupName/${var.name}-ops"
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "tunnel" {
  for_each = local.used_roles

  role       = aws_iam_role.person[each.key].name
  policy_arn = aws_iam_policy.tunnel[0].arn
}

resource "aws_iam_role_policy_attachment" "shell" {
  for_each = { for name, r in local.used_roles : name => r if r.shell }

  role       = aws_iam_role.person[each.key].name
  policy_arn = aws_iam_policy.operator[0].arn
}

# CloudTrail tells of every assumed role; the account must have a trail.
resource "aws_cloudwatch_event_rule" "break_glass" {
  count = contains(keys(local.used_roles), "break-glass") && length(var.alarm_topic_arns) > 0 ? 1 : 0

  name        = "${var.name}-break-glass"
  description = "Somebody took the role break-glass"
  tags        = var.tags

  event_pattern = jsonencode({
    source        = ["aws.sts"]
    "detail-type" = ["AWS API Call via CloudTrail"]
    detail        = { eventName = ["AssumeRole"], requestParameters = { roleArn = ["${local.role_arn}-break-glass"] } }
  })
}

resource "aws_cloudwatch_event_target" "break_glass" {
  for_each = length(aws_cloudwatch_event_rule.break_glass) > 0 ? var.alarm_topic_arns : {}

  rule      = aws_cloudwatch_event_rule.break_glass[0].name
  target_id = each.key
  arn       = each.value
}

# The controller may start machines only with the tags of this cluster, and touch only machines that carry them.

locals {
  ec2       = "arn:${var.partition}:ec2:${var.region}"
  own_ec2   = "${local.ec2}:${var.account_id}"
  owned_tag = "kubernetes.io/cluster/${var.cluster_name}"
}

resource "aws_iam_role" "controller" {
  count = var.create ? 1 : 0

  name                 = "${var.cluster_name}-karpenter"
  path                 = var.iam_path
  description          = "Karpenter's controller in ${var.cluster_name}"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnEquals    = { "aws:SourceArn" = "arn:${var.partition}:eks:${var.region}:${var.account_id}:cluster/${var.cluster_name}" }
      }
    }]
  })
}

resource "aws_eks_pod_identity_association" "controller" {
  count = var.create ? 1 : 0

  cluster_name    = var.cluster_name
  namespace       = var.namespace
  service_account = var.service_account
  role_arn        = aws_iam_role.controller[0].arn
  tags            = var.tags
}

resource "aws_iam_role_policy" "controller" {
  count = var.create ? 1 : 0

  name   = "provision"
  role   = aws_iam_role.controller[0].id
  policy = local.controller_policy
}

locals {
  controller_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.key_statements, [
      {
        # What a machine is started from: these exist already and carry no tags of ours.
        Sid    = "StartFrom"
        Effect = "Allow"
        Action = ["ec2:CreateFleet", "ec2:RunInstances"]
        Resource = [
          "${local.ec2}::image/*", "${local.ec2}::snapshot/*", "${local.own_ec2}:security-group/*",
          "${local.own_ec2}:subnet/*", "${local.own_ec2}:capacity-reservation/*",
        ]
      },
      {
        Sid       = "StartFromOwnTemplates"
        Effect    = "Allow"
        Action    = ["ec2:CreateFleet", "ec2:RunInstances"]
        Resource  = "${local.own_ec2}:launch-template/*"
        Condition = { StringEquals = { "aws:ResourceTag/${local.owned_tag}" = "owned" }, StringLike = { "aws:ResourceTag/karpenter.sh/nodepool" = "*" } }
      },
      {
        Sid    = "StartTagged"
        Effect = "Allow"
        Action = ["ec2:CreateFleet", "ec2:CreateLaunchTemplate", "ec2:RunInstances"]
        Resource = [
          for kind in ["fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request"] : "${local.own_ec2}:${kind}/*"
        ]
        Condition = {
          StringEquals = { "aws:RequestTag/${local.owned_tag}" = "owned", "aws:RequestTag/eks:eks-cluster-name" = var.cluster_name }
          StringLike   = { "aws:RequestTag/karpenter.sh/nodepool" = "*" }
        }
      },
      {
        Sid    = "TagAtBirth"
        Effect = "Allow"
        Action = ["ec2:CreateTags"]
        Resource = [
          for kind in ["fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request"] : "${local.own_ec2}:${kind}/*"
        ]
        Condition = {
          StringEquals = {
            "aws:RequestTag/${local.owned_tag}"   = "owned"
            "aws:RequestTag/eks:eks-cluster-name" = var.cluster_name
            "ec2:CreateAction"                    = ["CreateFleet", "CreateLaunchTemplate", "RunInstances"]
          }
          StringLike = { "aws:RequestTag/karpenter.sh/nodepool" = "*" }
        }
      },
      {
        Sid      = "NameOwnInstances"
        Effect   = "Allow"
        Action   = ["ec2:CreateTags"]
        Resource = "${local.own_ec2}:instance/*"
        Condition = {
          StringEquals                = { "aws:ResourceTag/${local.owned_tag}" = "owned" }
          StringLike                  = { "aws:ResourceTag/karpenter.sh/nodepool" = "*" }
          "ForAllValues:StringEquals" = { "aws:TagKeys" = ["Name", "eks:eks-cluster-name", "karpenter.sh/nodeclaim"] }
        }
      },
      {
        Sid       = "EndOwn"
        Effect    = "Allow"
        Action    = ["ec2:DeleteLaunchTemplate", "ec2:TerminateInstances"]
        Resource  = ["${local.own_ec2}:instance/*", "${local.own_ec2}:launch-template/*"]
        Condition = { StringEquals = { "aws:ResourceTag/${local.owned_tag}" = "owned" }, StringLike = { "aws:ResourceTag/karpenter.sh/nodepool" = "*" } }
      },
      {
        # Describe calls of EC2 know no resource.
        Sid    = "Look"
        Effect = "Allow"
        Action = [
          "ec2:DescribeCapacityReservations", "ec2:DescribeImages", "ec2:DescribeInstances", "ec2:DescribeInstanceTypeOfferings",
          "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplates", "ec2:DescribeSecurityGroups", "ec2:DescribeSpotPriceHistory", "ec2:DescribeSubnets",
        ]
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
      {
        Sid      = "ImageParameters"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = "arn:${var.partition}:ssm:${var.region}::parameter/aws/service/*"
      },
      {
        Sid      = "Prices"
        Effect   = "Allow"
        Action   = ["pricing:GetProducts"]
        Resource = "*"
      },
      {
        Sid      = "Interruptions"
        Effect   = "Allow"
        Action   = ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]
        Resource = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${local.queue_name}"
      },
      {
        Sid       = "HandRoleToNodes"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = "arn:${var.partition}:iam::${var.account_id}:role${var.iam_path}${local.node_role_name}"
        Condition = { StringEquals = { "iam:PassedToService" = "ec2.amazonaws.com" } }
      },
      {
        Sid      = "LookAtProfile"
        Effect   = "Allow"
        Action   = ["iam:GetInstanceProfile"]
        Resource = "arn:${var.partition}:iam::${var.account_id}:instance-profile${var.iam_path}${local.node_role_name}"
      },
      {
        Sid      = "FindApi"
        Effect   = "Allow"
        Action   = ["eks:DescribeCluster"]
        Resource = "arn:${var.partition}:eks:${var.region}:${var.account_id}:cluster/${var.cluster_name}"
      },
    ])
  })

  # Disks with a key of ours: EC2 makes the grant in the controller's name.
  key_statements = [
    {
      Sid       = "GrantDisks"
      Effect    = "Allow"
      Action    = ["kms:CreateGrant"]
      Resource  = var.kms_key_arn
      Condition = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
    },
    {
      Sid       = "EncryptDisks"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
      Resource  = var.kms_key_arn
      Condition = { StringEquals = { "kms:ViaService" = "ec2.${var.region}.amazonaws.com" } }
    },
    {
      Sid       = "ReadQueue"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = var.kms_key_arn
      Condition = { StringEquals = { "kms:ViaService" = "sqs.${var.region}.amazonaws.com" } }
    },
  ]
}

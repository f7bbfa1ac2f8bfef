# Who may apply the stacks, and how far anything that the stacks create may ever reach.
#
#   state     read and write the states of one environment, hold their lock
#   operator  make and change what the stacks consist of, in this account and these regions; roles only below the project's path and only
#             with the boundary, so that an operator cannot make a role that is stronger than the boundary
#   boundary  the most that any role of the stacks can do, whatever its policies say

locals {
  iam_path       = "/${var.project}/"
  account        = "arn:${var.partition}:iam::${var.account_id}"
  own            = { for s in ["aps", "autoscaling", "ec2", "ecr", "eks", "elasticloadbalancing", "events", "kms", "lambda", "logs", "memorydb", "scheduler", "secretsmanager", "sns", "sqs", "ssm", "states"] : s => "arn:${var.partition}:${s}:*:${var.account_id}:*" }
  boundary_name  = "${var.project}-boundary"
  boundary_arn   = "${local.account}:policy${local.iam_path}${local.boundary_name}"
  environments   = var.once_per_account ? toset(var.environments) : toset([])
  state_buckets  = "arn:${var.partition}:s3:::${var.project}-state-${var.account_id}-*"
  project_bucket = "arn:${var.partition}:s3:::${var.project}-*"
}

resource "aws_iam_policy" "state" {
  for_each = local.environments

  name        = "${var.project}-state-${each.key}"
  path        = local.iam_path
  description = "Terraform state of ${each.key}"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "List"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = local.state_buckets
        Condition = { StringLike = { "s3:prefix" = ["${each.key}/*"] } }
      },
      {
        Sid      = "State"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = "${local.state_buckets}/${each.key}/*.tfstate"
      },
      {
        Sid      = "Lock"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = "${local.state_buckets}/${each.key}/*.tflock"
      },
      {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = "arn:${var.partition}:kms:*:${var.account_id}:key/*"
        # One key per region with a bucket; they share the name.
        Condition = { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${var.project}-state" } }
      },
    ]
  })
}

resource "aws_iam_policy" "operator" {
  count = var.once_per_account ? 1 : 0

  name        = "${var.project}-operator"
  path        = local.iam_path
  description = "Make and change what the stacks consist of"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "RegionalServices"
        Effect = "Allow"
        Action = [
          "aps:*", "autoscaling:*", "cloudwatch:*", "ec2:*", "ecr:*", "eks:*", "elasticloadbalancing:*", "events:*", "kms:*", "lambda:*", "logs:*",
          "memorydb:*", "scheduler:*", "secretsmanager:*", "sns:*", "sqs:*", "ssm:*", "states:*", "wafv2:*", "acm:*",
        ]
        Resource  = "arn:${var.partition}:*:*:${var.account_id}:*"
        Condition = { StringEquals = { "aws:RequestedRegion" = concat(var.regions, ["us-east-1"]) } }
      },
      {
        Sid      = "ImagesOfAws"
        Effect   = "Allow"
        Action   = ["ec2:RunInstances", "ssm:GetParameter", "ssm:GetParameters"]
        Resource = ["arn:${var.partition}:ec2:*::image/*", "arn:${var.partition}:ssm:*::parameter/aws/service/*"]
      },
      {
        # These know no resource, or none before it exists.
        Sid    = "NoResource"
        Effect = "Allow"
        Action = [
          "acm:ListCertificates", "acm:RequestCertificate", "aps:CreateWorkspace", "autoscaling:Describe*", "cloudwatch:Describe*", "ec2:Describe*", "ecr:DescribeRegistry",
          "ecr:GetAuthorizationToken", "ecr:GetRegistryScanningConfiguration", "ecr:PutRegistryScanningConfiguration", "ecr:PutReplicationConfiguration",
          "eks:CreateCluster", "eks:DescribeAddonVersions", "eks:ListClusters", "elasticloadbalancing:Describe*", "kms:CreateKey", "kms:ListAliases", "kms:ListKeys",
          "lambda:CreateEventSourceMapping", "logs:DescribeLogGroups", "logs:DescribeDeliveries", "memorydb:Describe*", "secretsmanager:GetRandomPassword", "secretsmanager:ListSecrets",
          "ssm:DescribeParameters", "sts:GetCallerIdentity", "tag:GetResources", "wafv2:ListWebACLs",
        ]
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = concat(var.regions, ["us-east-1"]) } }
      },
      {
        Sid    = "GlobalServices"
        Effect = "Allow"
        Action = ["budgets:*", "ce:*", "cloudfront:*", "globalaccelerator:*", "route53:*", "shield:*"]
        Resource = [
          "arn:${var.partition}:budgets::${var.account_id}:*", "arn:${var.partition}:ce::${var.account_id}:*", "arn:${var.partition}:cloudfront::${var.account_id}:*",
          "arn:${var.partition}:globalaccelerator::${var.account_id}:*", "arn:${var.partition}:route53:::*", "arn:${var.partition}:shield::${var.account_id}:*",
        ]
      },
      {
        Sid      = "Buckets"
        Effect   = "Allow"
        Action   = ["s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:Get*", "s3:ListBucket", "s3:PutBucket*", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration"]
        Resource = local.project_bucket
      },
      {
        Sid      = "LookAtIam"
        Effect   = "Allow"
        Action   = ["iam:Get*", "iam:List*"]
        Resource = ["${local.account}:role/*", "${local.account}:policy/*", "${local.account}:instance-profile/*", "${local.account}:oidc-provider/*"]
      },
      {
        Sid       = "RolesWithBoundary"
        Effect    = "Allow"
        Action    = ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
        Resource  = "${local.account}:role${local.iam_path}*"
        Condition = { StringEquals = { "iam:PermissionsBoundary" = local.boundary_arn } }
      },
      {
        Sid    = "RolesOfOurs"
        Effect = "Allow"
        Action = [
          "iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:CreateOpenIDConnectProvider", "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeleteInstanceProfile",
          "iam:DeleteOpenIDConnectProvider", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:RemoveRoleFromInstanceProfile",
          "iam:Tag*", "iam:Untag*", "iam:UpdateAssumeRolePolicy", "iam:UpdateOpenIDConnectProviderThumbprint", "iam:UpdateRoleDescription",
        ]
        Resource = [
          "${local.account}:role${local.iam_path}*", "${local.account}:policy${local.iam_path}*", "${local.account}:instance-profile${local.iam_path}*", "${local.account}:oidc-provider/*",
        ]
      },
      {
        Sid      = "HandRolesToServices"
        Effect   = "Allow"
        Action   = ["iam:PassRole"]
        Resource = "${local.account}:role${local.iam_path}*"
        Condition = { StringEquals = { "iam:PassedToService" = [
          "ec2.amazonaws.com", "eks.amazonaws.com", "lambda.amazonaws.com", "pods.eks.amazonaws.com", "s3.amazonaws.com", "scheduler.amazonaws.com",
          "states.amazonaws.com", "vpc-flow-logs.amazonaws.com",
        ] } }
      },
    ]
  })
}

# What no operator may do, also when another policy allows it. Attach it beside the operator policy.
resource "aws_iam_policy" "guard" {
  count = var.once_per_account ? 1 : 0

  name        = "${var.project}-operator-guard"
  path        = local.iam_path
  description = "The boundary and the state's bucket stay as they are"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "BoundaryStays"
        Effect   = "Deny"
        Action   = ["iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"]
        Resource = [local.boundary_arn, "${local.account}:policy${local.iam_path}${var.project}-operator*", "${local.account}:policy${local.iam_path}${var.project}-state-*"]
      },
      {
        Sid      = "NoRoleWithoutBoundary"
        Effect   = "Deny"
        Action   = ["iam:DeleteRolePermissionsBoundary"]
        Resource = "*"
      },
      {
        Sid      = "StateStays"
        Effect   = "Deny"
        Action   = ["s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration"]
        Resource = local.state_buckets
      },
    ]
  })
}

resource "aws_iam_policy" "boundary" {
  count = var.once_per_account ? 1 : 0

  name        = local.boundary_name
  path        = local.iam_path
  description = "The most that any role of the stacks can do"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "OwnAccount"
        Effect = "Allow"
        Action = [
          "aps:*", "autoscaling:*", "ec2:*", "ecr:*", "eks:*", "elasticloadbalancing:*", "kms:*", "lambda:*", "logs:*", "memorydb:*", "secretsmanager:*", "sqs:*", "ssm:*", "states:*",
        ]
        Resource = values(local.own)
      },
      {
        Sid      = "OwnBuckets"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:Get*", "s3:List*", "s3:PutObject", "s3:Replicate*", "s3:AbortMultipartUpload"]
        Resource = [local.project_bucket, "${local.project_bucket}/*"]
      },
      {
        Sid      = "Images"
        Effect   = "Allow"
        Action   = ["ec2:CreateFleet", "ec2:RunInstances", "ssm:GetParameter"]
        Resource = ["arn:${var.partition}:ec2:*::image/*", "arn:${var.partition}:ec2:*::snapshot/*", "arn:${var.partition}:ssm:*::parameter/aws/service/*"]
      },
      {
        Sid    = "NoResource"
        Effect = "Allow"
        Action = [
          "autoscaling:Describe*", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:Describe*",
          "ec2:UnassignPrivateIpAddresses", "ec2messages:*Message*", "ecr:GetAuthorizationToken", "eks-auth:AssumeRoleForPodIdentity", "elasticloadbalancing:Describe*", "logs:*LogDelivery", "logs:ListLogDeliveries", "logs:Describe*",
          "logs:PutResourcePolicy", "pricing:GetProducts", "s3:ListAllMyBuckets", "secretsmanager:GetRandomPassword", "ssmmessages:*Channel", "ssm:UpdateInstanceInformation", "sts:GetCallerIdentity", "xray:Get*", "xray:Put*",
        ]
        Resource = "*"
      },
      {
        Sid      = "HandOnNodeRoles"
        Effect   = "Allow"
        Action   = ["iam:PassRole", "iam:GetInstanceProfile"]
        Resource = ["${local.account}:role${local.iam_path}*-karpenter-node", "${local.account}:instance-profile${local.iam_path}*-karpenter-node"]
      },
      {
        Sid      = "NeverTheState"
        Effect   = "Deny"
        Action   = "s3:*"
        Resource = [local.state_buckets, "${local.state_buckets}/*"]
      },
    ]
  })
}

# Pipelines that plan or apply. They carry no boundary (they make roles that do), so they are made here, by an administrator.
module "pipelines" {
  source = "../modules/ci-oidc"

  create     = var.once_per_account && length(var.pipelines) > 0
  name       = var.project
  account_id = var.account_id
  partition  = var.partition
  iam_path   = local.iam_path

  roles = {
    for name, p in var.pipelines : name => {
      host     = p.host
      subjects = p.subjects
      policy_arns = concat(
        concat(aws_iam_policy.operator[*].arn, aws_iam_policy.guard[*].arn),
        [for env in p.environments : aws_iam_policy.state[env].arn if var.once_per_account],
      )
    }
  }
}

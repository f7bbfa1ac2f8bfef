# Who may apply the stacks, and how far anything that the stacks create may ever reach.
#
#   state     read and write the states of one environment, hold their lock
#   operator  make and change what the stacks consist of, in this account and these regions; roles only below the project's path and only
#             with the boundary, so that an operator cannot make a role that is stronger than the boundary
#   boundary  the most that any role of the stacks can do, whatever its policies say

locals {
  iam_path = "/${var.project}/"
  account  = "arn:${var.partition}:iam::${var.account_id}"
  # Services take part by name: IAM knows no wildcard for the service in an ARN.
  own            = { for s in ["acm", "aps", "autoscaling", "cloudwatch", "ec2", "ecr", "eks", "elasticloadbalancing", "events", "kms", "lambda", "logs", "memorydb", "scheduler", "secretsmanager", "sns", "sqs", "ssm", "states", "wafv2"] : s => "arn:${var.partition}:${s}:*:${var.account_id}:*" }
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

# A plan reads the state and takes no lock.
resource "aws_iam_policy" "state_reader" {
  for_each = local.environments

  name        = "${var.project}-state-${each.key}-read"
  path        = local.iam_path
  description = "Read the Terraform state of ${each.key}"

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
        Action   = ["s3:GetObject"]
        Resource = "${local.state_buckets}/${each.key}/*.tfstate"
      },
      {
        Sid       = "Key"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = "arn:${var.partition}:kms:*:${var.account_id}:key/*"
        Condition = { "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${var.project}-state" } }
      },
    ]
  })
}

# One policy may have 6144 characters, so the operator has three: what lies in a region, what does not, and IAM.
resource "aws_iam_policy" "operator" {
  for_each = { for part, p in local.operator : part => p if var.once_per_account }

  name        = "${var.project}-operator${each.key == "regional" ? "" : "-${each.key}"}"
  path        = local.iam_path
  description = each.value.description
  policy      = jsonencode({ Version = "2012-10-17", Statement = each.value.statements })
}

locals {
  in_our_regions = { StringEquals = { "aws:RequestedRegion" = concat(var.regions, ["us-east-1"]) } }

  operator = {
    regional = {
      description = "Make and change what the stacks consist of, in this account and these regions"
      statements = [
        {
          Sid    = "OwnResources"
          Effect = "Allow"
          Action = [
            "acm:*", "aps:*", "autoscaling:*", "cloudwatch:*", "ec2:*", "ecr:*", "eks:*", "elasticloadbalancing:*", "events:*", "kms:*", "lambda:*", "logs:*",
            "memorydb:*", "scheduler:*", "secretsmanager:*", "sns:*", "sqs:*", "ssm:*", "states:*", "wafv2:*",
          ]
          Resource  = values(local.own)
          Condition = local.in_our_regions
        },
        {
          Sid      = "ImagesOfAws"
          Effect   = "Allow"
          Action   = ["ec2:RunInstances", "ssm:GetParameter", "ssm:GetParameters"]
          Resource = ["arn:${var.partition}:ec2:*::image/*", "arn:${var.partition}:ec2:*::snapshot/*", "arn:${var.partition}:ssm:*::parameter/aws/service/*"]
        },
        {
          # These know no resource, or none before it exists: AWS compares them with "*" only.
          Sid    = "NoResource"
          Effect = "Allow"
          Action = [
            "acm:ListCertificates", "acm:RequestCertificate", "aps:CreateWorkspace", "autoscaling:Describe*", "cloudwatch:Describe*", "ec2:Describe*",
            "ecr:DescribeRegistry", "ecr:GetAuthorizationToken", "ecr:GetRegistryScanningConfiguration", "ecr:PutRegistryScanningConfiguration",
            "ecr:PutReplicationConfiguration", "eks:CreateCluster", "eks:DescribeAddonVersions", "eks:ListClusters", "elasticloadbalancing:Describe*",
            "elasticloadbalancing:SetWebAcl", "inspector2:Disable", "inspector2:Enable", "inspector2:ListAccountPermissions", "kms:CreateKey",
            "kms:ListAliases", "kms:ListKeys", "lambda:CreateEventSourceMapping", "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:Describe*",
            "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery", "memorydb:CreateParameterGroup",
            "memorydb:CreateSubnetGroup", "memorydb:CreateUser", "memorydb:Describe*", "secretsmanager:GetRandomPassword", "secretsmanager:ListSecrets",
            "ssm:DescribeParameters", "states:ValidateStateMachineDefinition", "sts:GetCallerIdentity", "tag:GetResources", "wafv2:ListWebACLs",
          ]
          Resource  = "*"
          Condition = local.in_our_regions
        },
        {
          Sid    = "Buckets"
          Effect = "Allow"
          Action = [
            "s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:Get*", "s3:ListBucket", "s3:PutBucket*", "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration",
          ]
          Resource = local.project_bucket
        },
      ]
    }

    global = {
      description = "Make and change what the stacks consist of and no region holds"
      statements = [
        {
          Sid    = "OwnResources"
          Effect = "Allow"
          Action = ["budgets:*", "ce:*", "cloudfront:*", "globalaccelerator:*", "route53:*", "shield:*"]
          Resource = concat(
            [for s in ["budgets", "ce", "cloudfront", "globalaccelerator", "shield"] : "arn:${var.partition}:${s}::${var.account_id}:*"],
            # Zones, health checks and changes carry no account.
            ["arn:${var.partition}:route53:::*"],
          )
        },
        {
          Sid    = "NoResource"
          Effect = "Allow"
          Action = [
            "ce:CreateAnomalyMonitor", "ce:CreateAnomalySubscription", "ce:Get*", "cloudfront:Create*", "cloudfront:DeleteMonitoringSubscription",
            "cloudfront:GetMonitoringSubscription", "cloudfront:List*", "globalaccelerator:CreateAccelerator", "globalaccelerator:List*",
            "route53:CreateHealthCheck", "route53:CreateHostedZone", "route53:List*", "shield:CreateProtection", "shield:CreateSubscription",
            "shield:Describe*", "shield:UpdateSubscription",
          ]
          Resource = "*"
        },
      ]
    }

    identity = {
      description = "Make roles below the path of the project, each with the boundary"
      statements = [
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
            "iam:AddClientIDToOpenIDConnectProvider", "iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:CreateOpenIDConnectProvider",
            "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeleteInstanceProfile", "iam:DeleteOpenIDConnectProvider", "iam:DeletePolicy",
            "iam:DeletePolicyVersion", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:RemoveClientIDFromOpenIDConnectProvider",
            "iam:RemoveRoleFromInstanceProfile", "iam:Tag*", "iam:Untag*", "iam:UpdateAssumeRolePolicy", "iam:UpdateOpenIDConnectProviderThumbprint",
            "iam:UpdateRole", "iam:UpdateRoleDescription",
          ]
          Resource = [
            "${local.account}:role${local.iam_path}*", "${local.account}:policy${local.iam_path}*", "${local.account}:instance-profile${local.iam_path}*",
            "${local.account}:oidc-provider/*",
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
    }
  }
}

# For pipelines that plan and compare, and change nothing. Values of secrets are not in it; a plan without them uses -refresh=false.
resource "aws_iam_policy" "reader" {
  count = var.once_per_account ? 1 : 0

  name        = "${var.project}-reader"
  path        = local.iam_path
  description = "Read what the stacks consist of"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "Look"
      Effect = "Allow"
      Action = [
        "acm:Describe*", "acm:List*", "aps:Describe*", "aps:List*", "autoscaling:Describe*", "budgets:ListTagsForResource", "budgets:ViewBudget", "ce:Get*", "ce:List*",
        "cloudfront:Get*", "cloudfront:List*", "cloudwatch:Describe*", "cloudwatch:GetDashboard", "cloudwatch:List*", "ec2:Describe*", "ecr:Describe*", "ecr:GetLifecyclePolicy",
        "ecr:GetRegistryScanningConfiguration", "ecr:GetRepositoryPolicy", "ecr:List*", "eks:Describe*", "eks:List*", "elasticloadbalancing:Describe*", "events:Describe*",
        "events:List*", "globalaccelerator:Describe*", "globalaccelerator:List*", "iam:Get*", "iam:List*", "kms:Describe*", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
        "kms:List*", "lambda:GetFunction*", "lambda:GetPolicy", "lambda:List*", "logs:Describe*", "logs:GetDelivery*", "logs:List*", "memorydb:Describe*", "memorydb:List*",
        "route53:Get*", "route53:List*", "s3:GetAccelerateConfiguration", "s3:GetBucket*", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration",
        "s3:GetReplicationConfiguration", "s3:ListBucket", "scheduler:Get*", "scheduler:List*", "secretsmanager:Describe*", "secretsmanager:GetResourcePolicy",
        "shield:Describe*", "shield:List*", "sns:Get*", "sns:List*", "sqs:GetQueueAttributes", "sqs:ListQueueTags", "ssm:Describe*", "ssm:GetDocument", "ssm:GetParameter*",
        "ssm:List*", "states:Describe*", "states:List*", "sts:GetCallerIdentity", "wafv2:Get*", "wafv2:List*",
      ]
      Resource = "*"
    }]
  })
}

# The nightly comparison refreshes everything, and the first value of a secret is one of the things it refreshes.
resource "aws_iam_policy" "values" {
  count = var.once_per_account ? 1 : 0

  name        = "${var.project}-secret-values"
  path        = local.iam_path
  description = "Read the secrets of the stacks, to compare them with the state"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Values"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [for e in var.environments : "arn:${var.partition}:secretsmanager:*:${var.account_id}:secret:${var.project}-${e}/*"]
      },
      {
        Sid       = "Keys"
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = "arn:${var.partition}:kms:*:${var.account_id}:key/*"
        Condition = { StringLike = { "kms:ViaService" = "secretsmanager.*.amazonaws.com" } }
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
        # EKS keeps the images of its add-ons in accounts of its own, another one in some regions: the networking plugin, CoreDNS and kube-proxy
        # come from there. The names say enough; whose they are is that registry's business.
        Sid      = "ImagesOfEks"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = [for name in ["amazon-k8s-cni*", "amazon/*", "eks/*"] : "arn:${var.partition}:ecr:*:*:repository/${name}"]
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
          "autoscaling:Describe*", "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "cloudwatch:PutMetricData", "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:Describe*",
          "ec2:UnassignPrivateIpAddresses", "ec2messages:*", "ecr:GetAuthorizationToken", "eks-auth:AssumeRoleForPodIdentity", "elasticloadbalancing:Describe*", "logs:*LogDelivery", "logs:ListLogDeliveries", "logs:Describe*",
          "logs:PutResourcePolicy", "pricing:GetProducts", "s3:ListAllMyBuckets", "secretsmanager:GetRandomPassword", "ssmmessages:*Channel", "ssm:DescribeInstanceInformation", "ssm:GetDeployablePatchSnapshotForInstance", "ssm:GetManifest", "ssm:ListAssociations", "ssm:UpdateInstanceInformation", "sts:GetCallerIdentity", "xray:Get*", "xray:Put*",
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
        p.may == "apply" ? concat([for o in aws_iam_policy.operator : o.arn], aws_iam_policy.guard[*].arn) : aws_iam_policy.reader[*].arn,
        p.may == "compare" ? aws_iam_policy.values[*].arn : [],
        [for env in p.environments : (p.may == "apply" ? aws_iam_policy.state : aws_iam_policy.state_reader)[env].arn if var.once_per_account],
      )
    }
  }
}

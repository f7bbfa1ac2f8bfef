# What each workload in the cluster may ask of AWS. Resources of later stacks are named, not looked up: naming says what they will be called.

locals {
  memorydb_arn = "arn:${var.partition}:memorydb:${var.region}:${var.account_id}"

  workloads = merge(
    {
      # Passwords and tokens into mounted files.
      external-secrets = {
        namespace       = "external-secrets"
        service_account = "external-secrets"
        statements = [
          {
            Sid      = "ReadSecrets"
            Effect   = "Allow"
            Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
            Resource = ["arn:${var.partition}:secretsmanager:${var.region}:${var.account_id}:secret:${local.names.secret_prefix}/*"]
          },
          {
            # The data stack makes this key; its alias is known before it is.
            Sid      = "DecryptSecrets"
            Effect   = "Allow"
            Action   = ["kms:Decrypt"]
            Resource = ["arn:${var.partition}:kms:${var.region}:${var.account_id}:key/*"]
            Condition = {
              StringEquals               = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" }
              "ForAnyValue:StringEquals" = { "kms:ResourceAliases" = "alias/${local.prefix}-data" }
            }
          },
        ]
      }

      # TargetGroupBinding only: the load balancers themselves are Terraform's.
      load-balancer-controller = {
        namespace       = "kube-system"
        service_account = "aws-load-balancer-controller"
        statements = [
          {
            Sid    = "Look"
            Effect = "Allow"
            Action = [
              "ec2:DescribeAvailabilityZones", "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
              "elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
            ]
            Resource  = ["*"]
            Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
          },
          {
            Sid      = "Bind"
            Effect   = "Allow"
            Action   = ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"]
            Resource = ["arn:${var.partition}:elasticloadbalancing:${var.region}:${var.account_id}:targetgroup/${local.prefix}-*/*"]
          },
        ]
      }

      # New image tags for the GitOps controller.
      image-reflector = {
        namespace       = "flux-system"
        service_account = "image-reflector-controller"
        statements = [
          {
            Sid      = "LogIn"
            Effect   = "Allow"
            Action   = ["ecr:GetAuthorizationToken"]
            Resource = ["*"]
          },
          {
            Sid      = "ListTags"
            Effect   = "Allow"
            Action   = ["ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer", "ecr:ListImages"]
            Resource = [for r in var.repositories : "arn:${var.partition}:ecr:${var.region}:${var.account_id}:repository/${r}"]
          },
        ]
      }
    },

    # With a password the daemon needs nothing of AWS, and gets nothing.
    var.memorydb_auth == "iam" ? {
      tallyd = {
        namespace       = var.namespace
        service_account = "tallyd"
        statements = [{
          Sid      = "Connect"
          Effect   = "Allow"
          Action   = ["memorydb:Connect"]
          Resource = ["${local.memorydb_arn}:cluster/${local.names.memorydb}", "${local.memorydb_arn}:user/tallyd"]
        }]
      }
    } : {},

    var.managed_prometheus ? {
      prometheus = {
        namespace       = "monitoring"
        service_account = "prometheus"
        statements = [{
          Sid      = "Write"
          Effect   = "Allow"
          Action   = ["aps:RemoteWrite"]
          Resource = [module.observability.prometheus_arn]
        }]
      }
      keda = {
        namespace       = "keda"
        service_account = "keda-operator"
        statements = [{
          Sid      = "Ask"
          Effect   = "Allow"
          Action   = ["aps:GetLabels", "aps:GetMetricMetadata", "aps:GetSeries", "aps:QueryMetrics"]
          Resource = [module.observability.prometheus_arn]
        }]
      }
    } : {},

    var.thanos_bucket ? {
      thanos = {
        namespace       = "monitoring"
        service_account = "thanos"
        statements = [
          {
            Sid      = "List"
            Effect   = "Allow"
            Action   = ["s3:ListBucket"]
            Resource = ["arn:${var.partition}:s3:::${local.names.bucket_prefix}-metrics"]
          },
          {
            Sid      = "Blocks"
            Effect   = "Allow"
            Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
            Resource = ["arn:${var.partition}:s3:::${local.names.bucket_prefix}-metrics/*"]
          },
          {
            Sid       = "Key"
            Effect    = "Allow"
            Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
            Resource  = [module.key.arn]
            Condition = { StringEquals = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" } }
          },
        ]
      }
    } : {},
  )
}

module "pod_identity" {
  source = "../../modules/pod-identity"

  name                 = local.prefix
  cluster_name         = module.eks.name
  region               = var.region
  partition            = var.partition
  account_id           = var.account_id
  iam_path             = local.names.iam_path
  permissions_boundary = local.names.boundary

  workloads = {
    for name, w in local.workloads : name => {
      namespace       = w.namespace
      service_account = w.service_account
      statements      = jsonencode(w.statements)
    }
  }
}

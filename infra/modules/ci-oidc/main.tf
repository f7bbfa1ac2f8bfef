# Pipelines get short-lived credentials for exactly the repository, branch or environment that a role names. There is no key to steal.
#
# The policies are handed in: "push" may push to the named repositories, everything else is an ARN that the caller chose (bootstrap's operator policy).

locals {
  providers = {
    github = { url = "https://token.actions.githubusercontent.com", host = "token.actions.githubusercontent.com", audience = "sts.amazonaws.com" }
    gitlab = { url = "https://${var.gitlab_host}", host = var.gitlab_host, audience = "https://${var.gitlab_host}" }
  }

  used_hosts   = var.create ? toset([for r in values(var.roles) : r.host]) : toset([])
  own_hosts    = var.create_providers ? local.used_hosts : toset([])
  provider_arn = { for k, p in local.providers : k => "arn:${var.partition}:iam::${var.account_id}:oidc-provider/${p.host}" }

  attachments = merge([
    for name, r in var.roles : { for i, arn in r.policy_arns : "${name}/${i}" => { role = name, arn = arn } }
  ]...)
}

resource "aws_iam_openid_connect_provider" "this" {
  for_each = local.own_hosts

  url            = local.providers[each.key].url
  client_id_list = [local.providers[each.key].audience]
  tags           = var.tags
}

resource "aws_iam_role" "this" {
  for_each = var.create ? var.roles : {}

  name                 = "${var.name}-ci-${each.key}"
  path                 = var.iam_path
  description          = "Pipeline ${each.key}: ${join(", ", each.value.subjects)}"
  max_session_duration = each.value.max_session_seconds
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = local.provider_arn[each.value.host] }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = { "${local.providers[each.value.host].host}:aud" = local.providers[each.value.host].audience }
        StringLike   = { "${local.providers[each.value.host].host}:sub" = each.value.subjects }
      }
    }]
  })

  depends_on = [aws_iam_openid_connect_provider.this]
}

resource "aws_iam_role_policy" "push" {
  for_each = { for name, r in var.roles : name => r if var.create && length(r.push_repository_arns) > 0 }

  name = "push-images"
  role = aws_iam_role.this[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # The login of the registry knows no repository.
        Sid      = "LogIn"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = "*"
      },
      {
        Sid    = "Push"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
          "ecr:DescribeImageScanFindings", "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
        ]
        Resource = each.value.push_repository_arns
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = var.create ? local.attachments : {}

  role       = aws_iam_role.this[each.value.role].name
  policy_arn = each.value.arn
}

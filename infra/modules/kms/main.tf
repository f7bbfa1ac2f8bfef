# One customer key with its alias and a key policy that says who may do what.
# IAM policies of the same account may grant use (the root statement); a service gets in only by a statement of its own.

locals {
  root = "arn:${var.partition}:iam::${var.account_id}:root"

  account_statement = {
    Sid       = "AccountDelegatesToIam"
    Effect    = "Allow"
    Principal = { AWS = local.root }
    Action    = "kms:*"
    Resource  = "*"
  }

  administrator_statement = {
    Sid       = "Administrators"
    Effect    = "Allow"
    Principal = { AWS = var.administrators }
    Action = [
      "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:EnableKey",
      "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListAliases", "kms:ListResourceTags",
      "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
    ]
    Resource = "*"
  }

  # One statement per service. Every one carries a condition: a key that any customer of a service could use is no key.
  service_statements = [
    for sid, s in var.services : {
      Sid       = sid
      Effect    = "Allow"
      Principal = { Service = s.principals }
      Action    = s.actions
      Resource  = "*"
      Condition = { for test in distinct([for c in s.conditions : c.test]) : test => { for c in s.conditions : c.variable => c.values if c.test == test } }
    }
  ]

  principal_statements = [
    for sid, p in var.principals : merge(
      {
        Sid       = sid
        Effect    = "Allow"
        Principal = { AWS = p.arns }
        Action    = p.actions
        Resource  = "*"
      },
      { Condition = p.grants_for_aws_only ? { Bool = { "kms:GrantIsForAWSResource" = "true" } } : null },
    )
  ]

  # jsonencode on both sides: the statements have different attributes, and a conditional wants one type.
  statements = concat(
    [jsonencode(local.account_statement)],
    length(var.administrators) > 0 ? [jsonencode(local.administrator_statement)] : [],
    [for s in local.service_statements : jsonencode(s)],
    [for s in local.principal_statements : jsonencode({ for k, v in s : k => v if v != null })],
  )

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for s in local.statements : jsondecode(s)]
  })
}

resource "aws_kms_key" "this" {
  count = var.create ? 1 : 0

  region                  = var.region
  description             = var.description
  enable_key_rotation     = true
  rotation_period_in_days = var.rotation_period_in_days
  deletion_window_in_days = var.deletion_window_in_days
  multi_region            = var.multi_region
  policy                  = local.policy
  tags                    = merge(var.tags, { Name = var.name })
}

resource "aws_kms_alias" "this" {
  count = var.create ? 1 : 0

  region        = var.region
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this[0].key_id
}

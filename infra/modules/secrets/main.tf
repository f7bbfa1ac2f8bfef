# Passwords of MemoryDB users, and tokens of the API. One secret each, with a key of ours.
#
# Rotation with two passwords: the user always has the current password and the one before. A pod that has not re-read its file yet
# still gets in, so a rotation never needs a restart and never fails a request.
#
#   createSecret  a new random password, staged as AWSPENDING
#   setSecret     the MemoryDB user gets [pending, current]
#   testSecret    AUTH with it over TLS against the real endpoint
#   finishSecret  AWSPENDING becomes AWSCURRENT, the old one AWSPREVIOUS

locals {
  users         = var.create ? var.users : {}
  rotation_name = "${var.name}-rotate-memorydb"
  secret_arn    = "arn:${var.partition}:secretsmanager:${var.region}:${var.account_id}:secret"
  rotation_arn  = "arn:${var.partition}:lambda:${var.region}:${var.account_id}:function:${local.rotation_name}"
}

# First values. uuid() is random in every sense (it comes of the system's random source) and is only evaluated when applying;
# ignoring changes keeps what the first apply made.
resource "terraform_data" "user" {
  for_each = local.users

  input = sensitive(sha256("${uuid()}${uuid()}"))

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_secretsmanager_secret" "user" {
  for_each = local.users

  name                    = "${var.secret_prefix}/redis/${each.key}"
  description             = "MemoryDB user ${each.value.user_name}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_in_days
  tags                    = merge(var.tags, { RotatedBy = local.rotation_name })
}

resource "aws_secretsmanager_secret_version" "user" {
  for_each = local.users

  secret_id = aws_secretsmanager_secret.user[each.key].id
  secret_string = jsonencode({
    username = each.value.user_name
    password = terraform_data.user[each.key].output
  })

  lifecycle {
    # The first value only; the rotation owns it afterwards.
    ignore_changes = [secret_string]
  }
}

# Nobody outside the account, whatever IAM says elsewhere.
resource "aws_secretsmanager_secret_policy" "user" {
  for_each = local.users

  secret_arn          = aws_secretsmanager_secret.user[each.key].arn
  block_public_policy = true
  policy              = local.fence
}

resource "aws_secretsmanager_secret_rotation" "user" {
  for_each = local.users

  secret_id           = aws_secretsmanager_secret.user[each.key].id
  rotation_lambda_arn = aws_lambda_function.rotation[0].arn
  rotate_immediately  = true

  rotation_rules {
    schedule_expression = var.rotation_schedule
    duration            = "2h"
  }

  depends_on = [
    aws_secretsmanager_secret_version.user,
    aws_lambda_permission.rotation,
    aws_iam_role_policy.rotation,
  ]
}

resource "terraform_data" "token" {
  for_each = var.create ? var.tokens : toset([])

  input = sensitive(sha256("${uuid()}${uuid()}"))

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_secretsmanager_secret" "token" {
  for_each = var.create ? var.tokens : toset([])

  name                    = "${var.secret_prefix}/token/${each.key}"
  description             = "Bearer token ${each.key}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_in_days
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "token" {
  for_each = var.create ? var.tokens : toset([])

  secret_id     = aws_secretsmanager_secret.token[each.key].id
  secret_string = terraform_data.token[each.key].output

  lifecycle {
    # Replaced by hand (runbook rotation); Terraform must not put the first one back.
    ignore_changes = [secret_string]
  }
}

resource "aws_secretsmanager_secret_policy" "token" {
  for_each = var.create ? var.tokens : toset([])

  secret_arn          = aws_secretsmanager_secret.token[each.key].arn
  block_public_policy = true
  policy              = local.fence
}

locals {
  fence = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyThisAccount"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret"]
      Resource  = "*"
      Condition = { StringNotEquals = { "aws:PrincipalAccount" = var.account_id } }
    }]
  })
}

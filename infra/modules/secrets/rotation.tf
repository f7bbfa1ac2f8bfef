# The rotation function: one Python file of the standard library and the AWS SDK that the runtime brings.
# rotation.zip is written by infra/scripts/package-rotation (stored, fixed dates), and its --check compares it with the source.

locals {
  rotate = var.create && length(var.users) > 0
}

resource "aws_cloudwatch_log_group" "rotation" {
  count = local.rotate ? 1 : 0

  name              = "/aws/lambda/${local.rotation_name}"
  retention_in_days = 365
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_security_group" "rotation" {
  count = local.rotate ? 1 : 0

  name_prefix = "${local.rotation_name}-"
  description = "Rotation function: out to MemoryDB and the AWS APIs, nothing in"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = local.rotation_name })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "rotation" {
  for_each = local.rotate ? { api = 443, memorydb = var.memorydb_port } : {}

  security_group_id = aws_security_group.rotation[0].id
  description       = "To ${each.key}"
  cidr_ipv4         = each.key == "api" ? "0.0.0.0/0" : var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  tags              = var.tags
}

resource "aws_iam_role" "rotation" {
  count = local.rotate ? 1 : 0

  name                 = local.rotation_name
  path                 = var.iam_path
  description          = "Rotates the passwords of MemoryDB users"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "rotation" {
  count = local.rotate ? 1 : 0

  name = "rotate"
  role = aws_iam_role.rotation[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "OwnSecrets"
        Effect = "Allow"
        Action = [
          "secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue",
          "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage",
        ]
        Resource  = "${local.secret_arn}:${var.secret_prefix}/redis/*"
        Condition = { StringEquals = { "secretsmanager:resource/AllowRotationLambdaArn" = local.rotation_arn } }
      },
      {
        # Makes a random text and touches nothing; the call knows no resource.
        Sid      = "RandomPassword"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetRandomPassword"]
        Resource = "*"
      },
      {
        Sid      = "OwnUsers"
        Effect   = "Allow"
        Action   = ["memorydb:DescribeUsers", "memorydb:UpdateUser"]
        Resource = [for u in values(var.users) : "arn:${var.partition}:memorydb:${var.region}:${var.account_id}:user/${u.user_name}"]
      },
      {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:/aws/lambda/${local.rotation_name}:*"
      },
      {
        # What every function in a VPC needs; these calls know no resource that exists beforehand.
        Sid    = "NetworkInterfaces"
        Effect = "Allow"
        Action = [
          "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
        ]
        Resource = "*"
      },
    ]
  })
}

resource "aws_lambda_function" "rotation" {
  count = local.rotate ? 1 : 0

  function_name    = local.rotation_name
  description      = "Rotates MemoryDB passwords with two valid at a time"
  role             = aws_iam_role.rotation[0].arn
  runtime          = "python3.13"
  architectures    = ["arm64"]
  handler          = "handler.rotate"
  filename         = "${path.module}/rotation/rotation.zip"
  source_code_hash = filebase64sha256("${path.module}/rotation/rotation.zip")
  timeout          = 300
  memory_size      = 256
  kms_key_arn      = var.kms_key_arn
  tags             = var.tags

  environment {
    variables = {
      MEMORYDB_HOST = var.memorydb_endpoint
      MEMORYDB_PORT = tostring(var.memorydb_port)
    }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.rotation[0].name
  }

  tracing_config {
    mode = "PassThrough"
  }

  vpc_config {
    subnet_ids         = var.subnet_ids
    security_group_ids = [aws_security_group.rotation[0].id]
  }

  depends_on = [aws_iam_role_policy.rotation]
}

resource "aws_lambda_permission" "rotation" {
  count = local.rotate ? 1 : 0

  statement_id   = "SecretsManager"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.rotation[0].function_name
  principal      = "secretsmanager.amazonaws.com"
  source_account = var.account_id
}

resource "aws_cloudwatch_metric_alarm" "rotation" {
  count = local.rotate ? 1 : 0

  alarm_name          = "${local.rotation_name}-errors"
  alarm_description   = "A rotation failed: the old password stays valid, so there is time (runbook rotation)."
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  tags                = var.tags

  dimensions = {
    FunctionName = aws_lambda_function.rotation[0].function_name
  }
}

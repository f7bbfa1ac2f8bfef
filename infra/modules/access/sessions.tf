# Every session is encrypted with our key and written to a log group. People may start sessions on hosts that carry Role = ops, and only with this document.

locals {
  session_log_group = "/${replace(var.name, "-", "/")}/sessions"
  session_document  = "${var.name}-session"
  tunnel_document   = "${var.name}-api-tunnel"

  start_on_ops_hosts = {
    Sid      = "StartOnOpsHosts"
    Effect   = "Allow"
    Action   = ["ssm:StartSession"]
    Resource = "arn:${var.partition}:ec2:${var.region}:${var.account_id}:instance/*"
    Condition = {
      StringEquals = { "ssm:resourceTag/Role" = "ops", "ssm:resourceTag/Environment" = var.environment }
      BoolIfExists = { "ssm:SessionDocumentAccessCheck" = "true" }
    }
  }

  with_document = {
    for document in [local.session_document, local.tunnel_document] : document => {
      Sid      = "WithOurDocument"
      Effect   = "Allow"
      Action   = ["ssm:StartSession"]
      Resource = "arn:${var.partition}:ssm:${var.region}:${var.account_id}:document/${document}"
    }
  }

  # Session Manager tags each session with who started it. aws:username would be empty: people come with roles.
  own_sessions = {
    Sid       = "OwnSessions"
    Effect    = "Allow"
    Action    = ["ssm:TerminateSession", "ssm:ResumeSession"]
    Resource  = "arn:${var.partition}:ssm:${var.region}:${var.account_id}:session/*"
    Condition = { StringLike = { "ssm:resourceTag/aws:ssmmessages:session-id" = ["$${aws:userid}"] } }
  }
}

resource "aws_cloudwatch_log_group" "sessions" {
  count = var.create ? 1 : 0

  name              = local.session_log_group
  retention_in_days = var.session_log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_ssm_document" "session" {
  count = var.create ? 1 : 0

  name            = local.session_document
  document_type   = "Session"
  document_format = "JSON"
  tags            = var.tags

  content = jsonencode({
    schemaVersion = "1.0"
    description   = "Shell on the operations host: encrypted, logged, ended after a pause"
    sessionType   = "Standard_Stream"
    inputs = {
      kmsKeyId                    = var.kms_key_arn
      cloudWatchLogGroupName      = local.session_log_group
      cloudWatchEncryptionEnabled = true
      cloudWatchStreamingEnabled  = true
      idleSessionTimeout          = "20"
      maxSessionDuration          = "480"
      runAsEnabled                = false
    }
  })

  depends_on = [aws_cloudwatch_log_group.sessions]
}

# A tunnel that leads to one place: the cluster's private API. The general document of AWS would lead to whatever the host reaches.
resource "aws_ssm_document" "tunnel" {
  count = var.create ? 1 : 0

  name            = local.tunnel_document
  document_type   = "Session"
  document_format = "JSON"
  tags            = var.tags

  content = jsonencode({
    schemaVersion = "1.0"
    description   = "Tunnel through the operations host to the API of ${var.cluster_name}"
    sessionType   = "Port"
    parameters = {
      localPortNumber = { type = "String", description = "Port at home", default = "8443", allowedPattern = "^[0-9]{1,5}$" }
    }
    properties = {
      type            = "LocalPortForwarding"
      host            = var.cluster_host
      portNumber      = "443"
      localPortNumber = "{{ localPortNumber }}"
    }
  })
}

resource "aws_iam_policy" "tunnel" {
  count = var.create ? 1 : 0

  name        = "${var.name}-open-tunnel"
  path        = var.iam_path
  description = "Open and end own tunnels to the cluster's API"
  tags        = var.tags

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.start_on_ops_hosts, local.with_document[local.tunnel_document], local.own_sessions]
  })
}

resource "aws_iam_policy" "operator" {
  count = var.create ? 1 : 0

  name        = "${var.name}-start-session"
  path        = var.iam_path
  description = "Start and end own sessions on the operations host; open a tunnel through the Instance Connect endpoint"
  tags        = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      local.start_on_ops_hosts,
      local.with_document[local.session_document],
      local.own_sessions,
      {
        Sid      = "SessionKey"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey"]
        Resource = var.kms_key_arn
      },
      ],
      var.instance_connect ? [{
        Sid      = "TunnelToSsh"
        Effect   = "Allow"
        Action   = ["ec2-instance-connect:OpenTunnel"]
        Resource = "arn:${var.partition}:ec2:${var.region}:${var.account_id}:instance-connect-endpoint/*"
        Condition = {
          NumericEquals         = { "ec2-instance-connect:remotePort" = "22" }
          NumericLessThanEquals = { "ec2-instance-connect:maxTunnelDuration" = "3600" }
        }
    }] : [])
  })
}

# Private ways to the AWS APIs. They keep image pulls, logs and credentials off the NAT gateway, and with nat = none they are the only way.

locals {
  # Which API a principal of this account may reach through which endpoint.
  endpoint_actions = {
    "autoscaling"          = "autoscaling:*"
    "ec2"                  = "ec2:*"
    "ec2messages"          = "ec2messages:*"
    "ecr.api"              = "ecr:*"
    "ecr.dkr"              = "ecr:*"
    "eks"                  = "eks:*"
    "eks-auth"             = "eks-auth:*"
    "elasticloadbalancing" = "elasticloadbalancing:*"
    "kms"                  = "kms:*"
    "logs"                 = "logs:*"
    "memory-db"            = "memorydb:*"
    "monitoring"           = "cloudwatch:*"
    "secretsmanager"       = "secretsmanager:*"
    "sqs"                  = "sqs:*"
    "ssm"                  = "ssm:*"
    "ssmmessages"          = "ssmmessages:*"
    "sts"                  = "sts:*"
    "aps-workspaces"       = "aps:*"
  }

  interface_endpoints = var.create ? toset(var.interface_endpoints) : toset([])
}

resource "aws_vpc_endpoint" "s3" {
  count = var.create ? 1 : 0

  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = concat([for t in aws_route_table.private : t.id], [aws_route_table.data[0].id])
  tags              = merge(var.tags, { Name = "${var.name}-s3" })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OwnBuckets"
        Effect    = "Allow"
        Principal = "*"
        Action = [
          "s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetBucketLocation", "s3:GetObject", "s3:GetObjectVersion",
          "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts", "s3:PutObject",
        ]
        Resource  = "*"
        Condition = { StringEquals = { "aws:ResourceAccount" = var.account_id, "aws:PrincipalAccount" = var.account_id } }
      },
      {
        # Image layers of ECR, the packages of Amazon Linux and the agent of Session Manager lie in buckets of AWS. registry.k8s.io sends clients
        # inside AWS to a bucket of its own in a region near them, which need not be ours.
        Sid       = "ImagesAndPackages"
        Effect    = "Allow"
        Principal = "*"
        Action    = ["s3:GetObject"]
        Resource = [
          "arn:${var.partition}:s3:::prod-${var.region}-starport-layer-bucket/*",
          "arn:${var.partition}:s3:::al2023-repos-${var.region}-*/*",
          "arn:${var.partition}:s3:::amazon-ssm-${var.region}/*",
          "arn:${var.partition}:s3:::prod-registry-k8s-io-*/*",
        ]
      },
    ]
  })
}

resource "aws_security_group" "endpoints" {
  count = var.create ? 1 : 0

  name_prefix = "${var.name}-endpoints-"
  description = "HTTPS from inside the VPC to the interface endpoints"
  vpc_id      = aws_vpc.this[0].id
  tags        = merge(var.tags, { Name = "${var.name}-endpoints" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count = var.create ? 1 : 0

  security_group_id = aws_security_group.endpoints[0].id
  description       = "HTTPS from the VPC"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_endpoints

  vpc_id              = aws_vpc.this[0].id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for s in aws_subnet.private : s.id]
  security_group_ids  = [aws_security_group.endpoints[0].id]
  tags                = merge(var.tags, { Name = "${var.name}-${each.key}" })

  # Credentials of somebody else's account must not leave through our network. STS is the exception:
  # a web-identity call carries no principal yet.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      {
        Effect    = "Allow"
        Principal = "*"
        Action    = local.endpoint_actions[each.key]
        Resource  = "*"
      },
      each.key == "sts" ? {} : { Condition = { StringEquals = { "aws:PrincipalAccount" = var.account_id } } },
    )]
  })
}

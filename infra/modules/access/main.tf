# The ways in for people. No host has a public address, and no port is open to the internet (infra/scripts/operate walks them):
#   - a tunnel of Session Manager through the operations host to the cluster's private API, for kubectl at home;
#   - an EC2 Instance Connect endpoint for a shell or a tunnel, checked by IAM;
#   - an operations host in the private tier, reached through Session Manager only, for kubectl against the private API.

resource "aws_security_group" "connect" {
  count = var.create && var.instance_connect ? 1 : 0

  name_prefix = "${var.name}-connect-"
  description = "Instance Connect endpoint: SSH towards the operations host"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-connect" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_ec2_instance_connect_endpoint" "this" {
  count = var.create && var.instance_connect ? 1 : 0

  subnet_id          = var.subnet_ids[0]
  security_group_ids = [aws_security_group.connect[0].id]
  preserve_client_ip = false
  tags               = merge(var.tags, { Name = "${var.name}-connect" })
}

resource "aws_security_group" "host" {
  count = var.create ? 1 : 0

  name_prefix = "${var.name}-ops-"
  description = "Operations host: HTTPS out, nothing in but the Instance Connect endpoint"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-ops" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "connect_to_host" {
  count = var.create && var.instance_connect ? 1 : 0

  security_group_id            = aws_security_group.connect[0].id
  description                  = "SSH to the operations host"
  referenced_security_group_id = aws_security_group.host[0].id
  ip_protocol                  = "tcp"
  from_port                    = 22
  to_port                      = 22
  tags                         = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "host_from_connect" {
  count = var.create && var.instance_connect ? 1 : 0

  security_group_id            = aws_security_group.host[0].id
  description                  = "SSH from the Instance Connect endpoint"
  referenced_security_group_id = aws_security_group.connect[0].id
  ip_protocol                  = "tcp"
  from_port                    = 22
  to_port                      = 22
  tags                         = var.tags
}

# The host talks to the AWS APIs and to the cluster's API, all HTTPS.
resource "aws_vpc_security_group_egress_rule" "host_https" {
  count = var.create ? 1 : 0

  security_group_id = aws_security_group.host[0].id
  description       = "HTTPS to AWS and the cluster"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}

resource "aws_vpc_security_group_egress_rule" "host_redis" {
  count = var.create ? 1 : 0

  security_group_id = aws_security_group.host[0].id
  description       = "Looking at counters during a restore"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = 6379
  to_port           = 6379
  tags              = var.tags
}

resource "aws_iam_role" "host" {
  count = var.create ? 1 : 0

  name                 = "${var.name}-ops-host"
  path                 = var.iam_path
  description          = "Operations host: Session Manager and a kubeconfig, nothing else"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "ssm" {
  count = var.create ? 1 : 0

  role       = aws_iam_role.host[0].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_role_policy" "host" {
  count = var.create ? 1 : 0

  name = "operate"
  role = aws_iam_role.host[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Kubeconfig"
        Effect   = "Allow"
        Action   = ["eks:DescribeCluster"]
        Resource = "arn:${var.partition}:eks:${var.region}:${var.account_id}:cluster/${var.cluster_name}"
      },
      {
        Sid      = "SessionLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
        Resource = "arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:${local.session_log_group}:*"
      },
      {
        # Session Manager looks the group up before it writes; the call knows no resource.
        Sid      = "SessionLogGroups"
        Effect   = "Allow"
        Action   = ["logs:DescribeLogGroups"]
        Resource = "*"
      },
      {
        Sid      = "SessionKey"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
      },
    ]
  })
}

resource "aws_iam_instance_profile" "host" {
  count = var.create ? 1 : 0

  name = "${var.name}-ops-host"
  path = var.iam_path
  role = aws_iam_role.host[0].name
  tags = var.tags
}

resource "aws_launch_template" "host" {
  count = var.create ? 1 : 0

  name                   = "${var.name}-ops"
  update_default_version = true
  image_id               = "resolve:ssm:${var.ami_parameter}"
  instance_type          = var.instance_type
  tags                   = var.tags

  iam_instance_profile {
    arn = aws_iam_instance_profile.host[0].arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      encrypted             = true
      kms_key_id            = var.kms_key_arn
      volume_size           = 16
      volume_type           = "gp3"
      delete_on_termination = true
    }
  }

  network_interfaces {
    associate_public_ip_address = false
    delete_on_termination       = true
    security_groups             = [aws_security_group.host[0].id]
  }

  tag_specifications {
    resource_type = "instance"
    tags          = merge(var.tags, { Name = "${var.name}-ops", Role = "ops" })
  }

  tag_specifications {
    resource_type = "volume"
    tags          = merge(var.tags, { Name = "${var.name}-ops" })
  }
}

# A group of 0 or 1: the host is started for a task and scaled to nothing afterwards (runbooks), and it is never patched in place.
resource "aws_autoscaling_group" "host" {
  count = var.create ? 1 : 0

  name                = "${var.name}-ops"
  min_size            = 0
  max_size            = 1
  desired_capacity    = var.host_running ? 1 : 0
  vpc_zone_identifier = var.subnet_ids

  launch_template {
    id      = aws_launch_template.host[0].id
    version = "$Latest"
  }

  dynamic "tag" {
    for_each = merge(var.tags, { Name = "${var.name}-ops", Role = "ops" })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }
}

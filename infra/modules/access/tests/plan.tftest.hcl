mock_provider "aws" {}

variables {
  name          = "tallyd-test"
  region        = "eu-central-1"
  account_id    = "111122223333"
  vpc_id        = "vpc-1"
  vpc_cidr      = "10.20.0.0/16"
  subnet_ids    = ["subnet-1"]
  cluster_name  = "tallyd-test"
  cluster_host  = "0123.gr7.eu-central-1.eks.amazonaws.com"
  environment   = "test"
  kms_key_arn   = "arn:aws:kms:eu-central-1:111122223333:key/test"
  ami_parameter = "/aws/service/eks/optimized-ami/1.34/amazon-linux-2023/arm64/standard/amazon-eks-node-al2023-arm64-standard-1.34-v20260715/image_id"
}

run "no_public_host" {
  command = plan

  assert {
    condition     = aws_launch_template.host[0].network_interfaces[0].associate_public_ip_address == "false"
    error_message = "The operations host must have no public address."
  }

  assert {
    condition     = aws_launch_template.host[0].metadata_options[0].http_tokens == "required"
    error_message = "IMDSv2 only."
  }

  assert {
    condition     = aws_launch_template.host[0].block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "The disk must be encrypted."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.host_from_connect[0].cidr_ipv4 == null
    error_message = "SSH comes from the endpoint's group, never from an address."
  }
}

run "the_host_rests" {
  command = plan

  assert {
    condition     = aws_autoscaling_group.host[0].desired_capacity == 0
    error_message = "The host is started for a task."
  }
}

run "sessions_are_logged_and_encrypted" {
  command = plan

  assert {
    condition     = jsondecode(aws_ssm_document.session[0].content).inputs.cloudWatchEncryptionEnabled && jsondecode(aws_ssm_document.session[0].content).inputs.kmsKeyId == var.kms_key_arn
    error_message = "Sessions must be encrypted and logged."
  }
}

run "without_the_endpoint_no_tunnel_right" {
  command = plan

  variables {
    instance_connect = false
  }

  assert {
    condition     = !strcontains(aws_iam_policy.operator[0].policy, "OpenTunnel") && length(aws_ec2_instance_connect_endpoint.this) == 0
    error_message = "No endpoint, no right to open it."
  }
}

run "refuses_the_latest_image" {
  command = plan

  variables {
    ami_parameter = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
  }

  expect_failures = [var.ami_parameter]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_autoscaling_group.host) + length(aws_iam_role.host) + length(aws_security_group.host) + length(aws_ssm_document.session) == 0
    error_message = "create = false must create nothing."
  }
}

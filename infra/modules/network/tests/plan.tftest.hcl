mock_provider "aws" {}

variables {
  name           = "tallyd-test"
  region         = "eu-central-1"
  account_id     = "111122223333"
  vpc_cidr       = "10.20.0.0/16"
  zones          = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  private_cidrs  = ["10.20.0.0/18", "10.20.64.0/18", "10.20.128.0/18"]
  public_cidrs   = ["10.20.192.0/21", "10.20.200.0/21", "10.20.208.0/21"]
  data_cidrs     = ["10.20.216.0/24", "10.20.217.0/24", "10.20.218.0/24"]
  balancer_cidrs = ["10.20.224.0/24", "10.20.225.0/24", "10.20.226.0/24"]
  kms_key_arn    = "arn:aws:kms:eu-central-1:111122223333:key/test"
}

run "four_tiers_in_three_zones" {
  command = plan

  assert {
    condition     = length(aws_subnet.public) == 3 && length(aws_subnet.private) == 3 && length(aws_subnet.data) == 3 && length(aws_subnet.balancer) == 3
    error_message = "Four tiers in three zones."
  }

  assert {
    condition     = alltrue([for s in concat(values(aws_subnet.public), values(aws_subnet.private), values(aws_subnet.data), values(aws_subnet.balancer)) : !s.map_public_ip_on_launch])
    error_message = "No subnet may hand out public addresses."
  }

  assert {
    condition     = aws_vpc.this[0].enable_dns_support && aws_vpc.this[0].enable_dns_hostnames
    error_message = "Interface endpoints need DNS."
  }
}

run "nat_per_zone" {
  command = plan

  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_route.nat) == 3
    error_message = "per_zone means one gateway and one route for each zone."
  }
}

run "nat_single" {
  command = plan

  variables {
    nat = "single"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 3
    error_message = "single means one gateway that serves the routes of all zones."
  }
}

run "nat_none_wants_more_endpoints" {
  command = plan

  variables {
    nat = "none"
  }

  expect_failures = [var.interface_endpoints]
}

run "nat_none" {
  command = plan

  variables {
    nat                 = "none"
    interface_endpoints = ["ecr.api", "ecr.dkr", "sts", "secretsmanager", "logs", "ec2", "eks", "eks-auth", "kms", "sqs", "ssm", "elasticloadbalancing", "monitoring"]
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.nat) == 0 && length(aws_eip.nat) == 0
    error_message = "none means none."
  }
}

run "missing_endpoint_is_refused" {
  command = plan

  variables {
    interface_endpoints = ["ecr.api", "ecr.dkr", "sts", "logs"]
  }

  expect_failures = [var.interface_endpoints]
}

run "endpoint_policies_name_the_account" {
  command = plan

  assert {
    condition = alltrue([
      for k, e in aws_vpc_endpoint.interface :
      k == "sts" || try(jsondecode(e.policy).Statement[0].Condition.StringEquals["aws:PrincipalAccount"], null) == "111122223333"
    ])
    error_message = "Only our own principals may use the endpoints."
  }
}

run "data_tier_takes_only_its_port" {
  command = plan

  assert {
    condition = alltrue([
      for r in aws_network_acl.this["data"].ingress : r.cidr_block != "0.0.0.0/0" && (r.from_port == 6379 || contains(["10.20.216.0/24", "10.20.217.0/24", "10.20.218.0/24"], r.cidr_block))
    ])
    error_message = "The data tier must take nothing but 6379 from the private tier."
  }

  assert {
    condition     = alltrue([for r in aws_network_acl.this["data"].egress : r.cidr_block != "0.0.0.0/0"])
    error_message = "The data tier must not reach the internet."
  }
}

run "load_balancers_are_asked_on_their_ports" {
  command = plan

  assert {
    condition     = toset([for r in aws_network_acl.this["balancer"].ingress : r.from_port if r.cidr_block == "0.0.0.0/0"]) == toset([443, 8080])
    error_message = "Only load balancers' own ports are open to those outside."
  }

  assert {
    condition     = alltrue([for r in aws_network_acl.this["private"].ingress : r.from_port >= 1024 || r.cidr_block != "0.0.0.0/0"])
    error_message = "The private tier takes replies from outside and nothing else."
  }
}

run "flow_logs_are_encrypted" {
  command = plan

  assert {
    condition     = aws_cloudwatch_log_group.flow[0].kms_key_id == var.kms_key_arn && aws_flow_log.this[0].traffic_type == "ALL"
    error_message = "Flow logs are on and encrypted."
  }
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_vpc.this) + length(aws_subnet.private) + length(aws_vpc_endpoint.interface) + length(aws_flow_log.this) + length(aws_network_acl.this) == 0
    error_message = "create = false must create nothing."
  }
}

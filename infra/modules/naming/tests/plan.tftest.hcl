variables {
  environment = "dev"
  region      = "eu-central-1"
  account_id  = "111122223333"
}

run "tiers_do_not_overlap" {
  command = plan

  assert {
    condition     = output.cidrs.private == ["10.20.0.0/18", "10.20.64.0/18", "10.20.128.0/18"]
    error_message = "The private tier is the first three quarters."
  }

  assert {
    condition     = output.cidrs.public == ["10.20.192.0/21", "10.20.200.0/21", "10.20.208.0/21"]
    error_message = "The public tier is three /21 of the fourth quarter."
  }

  assert {
    condition     = output.cidrs.data == ["10.20.216.0/24", "10.20.217.0/24", "10.20.218.0/24"]
    error_message = "The data tier follows the public one."
  }

  assert {
    condition     = output.cidrs.balancer == ["10.20.224.0/24", "10.20.225.0/24", "10.20.226.0/24"]
    error_message = "The load balancers' tier follows the data tier's block."
  }

  assert {
    condition     = output.cidrs.reserved[0] == "10.20.232.0/21" && length(output.cidrs.reserved) == 3
    error_message = "Three /21 stay reserved."
  }
}

run "the_boundary_lies_in_the_partition" {
  command = plan

  variables {
    region    = "us-gov-west-1"
    partition = "aws-us-gov"
  }

  assert {
    condition     = output.names.boundary == "arn:aws-us-gov:iam::111122223333:policy/tallyd/tallyd-boundary"
    error_message = "Its ARN begins with the partition's name."
  }
}

run "own_tags_win" {
  command = plan

  variables {
    tags = { ManagedBy = "hand", Team = "web" }
  }

  assert {
    condition     = output.tags.ManagedBy == "terraform" && output.tags.Team == "web"
    error_message = "A caller must not be able to hide who manages a resource."
  }
}

run "refuses_a_small_range" {
  command = plan

  variables {
    vpc_cidr = "10.20.0.0/20"
  }

  expect_failures = [var.vpc_cidr]
}

run "refuses_public_addresses" {
  command = plan

  variables {
    vpc_cidr = "8.8.0.0/16"
  }

  expect_failures = [var.vpc_cidr]
}

run "refuses_a_long_environment" {
  command = plan

  variables {
    environment = "production-of-the-very-long-kind"
  }

  expect_failures = [var.environment]
}

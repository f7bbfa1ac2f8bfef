# The stack in a region where no environment is, whose zones are a, c and d, and in another partition.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = {
      names = ["ap-northeast-1d", "ap-northeast-1a", "ap-northeast-1c"]
    }
  }
}

variables {
  environment          = "test"
  region               = "ap-northeast-1"
  account_id           = "121212121212"
  vpc_cidr             = "10.99.0.0/16"
  kubernetes_version   = "1.34"
  node_release         = "1.34.2-20260715"
  monthly_budget_usd   = 100
  seccomp_profile_json = "{\"defaultAction\":\"SCMP_ACT_ERRNO\"}"
  event_calendar_yaml  = "{}"

  addons = {
    vpc-cni                = { version = "v1" }
    kube-proxy             = { version = "v1" }
    coredns                = { version = "v1" }
    eks-pod-identity-agent = { version = "v1" }
  }

  node_groups = {
    system = { instance_types = ["t4g.medium"] }
    hits   = { instance_types = ["c7g.large"], min_size = 2, max_size = 20, desired_size = 2, static_cpus = true }
  }
}

run "in_a_region_without_a_zone_b" {
  command = plan

  assert {
    condition     = join(" ", local.zones) == "ap-northeast-1a ap-northeast-1c ap-northeast-1d"
    error_message = "The zones are those that the region has."
  }

  assert {
    condition     = strcontains(jsonencode(local.workloads), "arn:aws:secretsmanager:ap-northeast-1:121212121212:")
    error_message = "Rights are for that region and account."
  }
}

run "with_zones_of_ones_own" {
  command = plan

  variables {
    zones      = ["ap-northeast-1d", "ap-northeast-1a"]
    zone_count = 2
  }

  assert {
    condition     = join(" ", local.zones) == "ap-northeast-1d ap-northeast-1a"
    error_message = "Whoever names zones gets those, in that order."
  }
}

run "in_another_partition" {
  command = plan

  variables {
    region    = "us-gov-west-1"
    partition = "aws-us-gov"
  }

  assert {
    condition     = !strcontains(jsonencode(local.workloads), "arn:aws:") && strcontains(jsonencode(local.workloads), "arn:aws-us-gov:secretsmanager:us-gov-west-1:")
    error_message = "No right names the partition aws."
  }

  assert {
    condition     = local.names.boundary == "arn:aws-us-gov:iam::121212121212:policy/tallyd/tallyd-boundary"
    error_message = "The boundary lies in the partition."
  }
}

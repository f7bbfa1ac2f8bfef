mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = {
      names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
    }
  }
}

variables {
  environment          = "test"
  region               = "eu-central-1"
  account_id           = "111122223333"
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

run "a_password_gives_the_daemon_no_role" {
  command = plan

  assert {
    condition     = !contains(keys(local.workloads), "tallyd")
    error_message = "With a password, tallyd needs nothing of AWS."
  }
}

run "iam_gives_it_one_cluster_and_one_user" {
  command = plan

  variables {
    memorydb_auth = "iam"
  }

  assert {
    condition     = local.workloads.tallyd.statements[0].Resource == ["arn:aws:memorydb:eu-central-1:111122223333:cluster/tallyd-test", "arn:aws:memorydb:eu-central-1:111122223333:user/tallyd"]
    error_message = "Connect to its own cluster as its own user."
  }
}

run "the_calendar_raises_the_pool" {
  command = plan

  variables {
    event_calendar_yaml = <<-YAML
      headroom: 1.3
      environments:
        test: { share: 0.5, hits_per_second_per_pod: 80000 }
      events:
        - name: final
          timezone: America/New_York
          from: 2027-07-18T14:00
          until: 2027-07-18T19:00
          lead: 90m
          hits_per_second: 1000000
    YAML
  }

  # 1 000 000 × 0.5 × 1.3 / 80 000 = 8.1, so nine.
  assert {
    condition     = local.event_schedules["final-begin"].min_size == 9 && local.event_schedules["final-begin"].recurrence == "30 12 18 7 *" && local.event_schedules["final-begin"].time_zone == "America/New_York"
    error_message = "An hour and a half before, in local time, with nine nodes."
  }

  assert {
    condition     = local.event_schedules["final-end"].min_size == 2 && local.event_schedules["final-end"].recurrence == "0 19 18 7 *"
    error_message = "And down again."
  }
}

run "a_floor_that_does_not_fit_is_said" {
  command = plan

  variables {
    event_calendar_yaml = "{headroom: 1, environments: {test: {share: 1, hits_per_second_per_pod: 1000}}, events: [{name: big, timezone: UTC, from: 2027-01-01T00:00, until: 2027-01-02T00:00, lead: 30m, hits_per_second: 1000000}]}"
  }

  expect_failures = [check.event_floors_fit]
}

run "refuses_an_image_of_another_version" {
  command = plan

  variables {
    node_release = "1.33.5-20260715"
  }

  expect_failures = [var.node_release]
}

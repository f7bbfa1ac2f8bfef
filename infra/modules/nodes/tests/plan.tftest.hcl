mock_provider "aws" {
  mock_resource "aws_eks_node_group" {
    defaults = {
      resources = [{ autoscaling_groups = [{ name = "eks-test" }], remote_access_security_group_id = "" }]
    }
  }
}

variables {
  cluster_name         = "tallyd-test"
  kubernetes_version   = "1.34"
  subnet_ids           = ["subnet-1"]
  security_group_ids   = ["sg-1"]
  kms_key_arn          = "arn:aws:kms:eu-central-1:111122223333:key/test"
  seccomp_profile_json = "{\n  \"defaultAction\": \"SCMP_ACT_ERRNO\",\n  \"syscalls\": []\n}\n"

  groups = {
    system = { instance_types = ["t4g.medium"] }
    event = {
      instance_types = ["c7g.xlarge"]
      static_cpus    = true
      taints         = [{ key = "tallyd.io/pool", value = "hits", effect = "NO_SCHEDULE" }]
    }
  }
}

run "profile_arrives_byte_for_byte" {
  command = plan

  assert {
    condition     = strcontains(output.seccomp_shell, base64gzip(var.seccomp_profile_json)) && strcontains(output.seccomp_shell, sha256(var.seccomp_profile_json))
    error_message = "The node must get the file of the repository and check its hash."
  }

  assert {
    condition     = alltrue([for t in aws_launch_template.this : strcontains(base64decode(t.user_data), "/var/lib/kubelet/seccomp/tallyd")])
    error_message = "Every group must write the profile where the kubelet looks."
  }

  assert {
    condition     = alltrue([for t in aws_launch_template.this : length(base64decode(t.user_data)) < 16384])
    error_message = "User data ends at 16 KiB."
  }
}

run "static_cpus_where_asked" {
  command = plan

  assert {
    condition     = yamldecode(output.node_config.static).spec.kubelet.config.cpuManagerPolicy == "static" && yamldecode(output.node_config.static).spec.kubelet.config.reservedSystemCPUs == "0"
    error_message = "The static CPU manager with a reservation."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.this["event"].user_data), "cpuManagerPolicy") && !strcontains(base64decode(aws_launch_template.this["system"].user_data), "cpuManagerPolicy")
    error_message = "Only the group that asked for it."
  }
}

run "hardened_nodes" {
  command = plan

  assert {
    condition     = alltrue([for t in aws_launch_template.this : t.metadata_options[0].http_tokens == "required" && t.metadata_options[0].http_put_response_hop_limit == 1 && t.block_device_mappings[0].ebs[0].encrypted == "true"])
    error_message = "IMDSv2, out of the pods' reach, and an encrypted disk."
  }
}

run "floors_for_events" {
  command = apply

  variables {
    schedules = { black-friday = { group = "event", recurrence = "15 17 26 11 *", time_zone = "Europe/Berlin", min_size = 4 } }
  }

  assert {
    condition     = aws_autoscaling_schedule.this["black-friday"].min_size == 4 && aws_autoscaling_schedule.this["black-friday"].time_zone == "Europe/Berlin"
    error_message = "The floor reaches the group."
  }
}

run "refuses_a_floor_above_the_ceiling" {
  command = plan

  variables {
    schedules = { black-friday = { group = "event", recurrence = "15 17 26 11 *", min_size = 400 } }
  }

  expect_failures = [var.schedules]
}

run "refuses_a_profile_that_allows" {
  command = plan

  variables {
    seccomp_profile_json = "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}"
  }

  expect_failures = [var.seccomp_profile_json]
}

run "refuses_bottlerocket" {
  command = plan

  variables {
    groups = { system = { instance_types = ["t4g.medium"], ami_type = "BOTTLEROCKET_ARM_64" } }
  }

  expect_failures = [var.groups]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_eks_node_group.this) + length(aws_launch_template.this) + length(aws_iam_role.node) == 0
    error_message = "create = false must create nothing."
  }
}

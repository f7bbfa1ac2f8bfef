mock_provider "aws" {}

variables {
  name                      = "tallyd-test"
  account_id                = "111122223333"
  region                    = "eu-central-1"
  vpc_id                    = "vpc-1"
  subnet_ids                = ["subnet-1", "subnet-2"]
  client_security_group_ids = { nodes = "sg-1" }
  kms_key_arn               = "arn:aws:kms:eu-central-1:111122223333:key/test"
  initial_passwords         = { tallyd = "0123456789abcdef" }

  users = {
    tallyd  = { keys = ["tally:*"], commands = ["watch", "get", "multi", "incrby", "set", "exec", "client|setname"] }
    auditor = { keys = ["tally:*"], commands = ["get", "scan"], auth = "iam" }
  }
}

run "promises" {
  command = plan

  assert {
    condition     = aws_memorydb_cluster.this[0].tls_enabled && aws_memorydb_cluster.this[0].acl_name != "open-access"
    error_message = "TLS on, ACL of our own."
  }

  assert {
    condition     = aws_memorydb_cluster.this[0].kms_key_arn == var.kms_key_arn && aws_memorydb_cluster.this[0].snapshot_retention_limit == 35
    error_message = "Own key, snapshots kept."
  }

  assert {
    condition     = one([for p in aws_memorydb_parameter_group.this[0].parameter : p.value if p.name == "maxmemory-policy"]) == "noeviction"
    error_message = "Counters are never evicted."
  }
}

run "access_strings_grant_only_what_is_listed" {
  command = plan

  assert {
    condition     = output.access_strings.tallyd == "on ~tally:* resetchannels -@all +client|setname +exec +get +incrby +multi +set +watch"
    error_message = "The access string is written from the list."
  }

  assert {
    condition     = aws_memorydb_user.iam["auditor"].authentication_mode[0].type == "iam" && aws_memorydb_user.password["tallyd"].authentication_mode[0].type == "password"
    error_message = "Both ways of authentication."
  }
}

run "alarms_watch_this_cluster" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 7 && alltrue([for a in aws_cloudwatch_metric_alarm.this : a.dimensions.ClusterName == aws_memorydb_cluster.this[0].name])
    error_message = "Every alarm must be about the cluster that is created here."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["write-latency"].extended_statistic == "p99"
    error_message = "Latency is judged by its 99th percentile."
  }
}

run "refuses_no_snapshots" {
  command = plan

  variables {
    snapshot_retention_limit = 0
  }

  expect_failures = [var.snapshot_retention_limit]
}

run "refuses_all_keys" {
  command = plan

  variables {
    users = { tallyd = { keys = ["*"], commands = ["get"] } }
  }

  expect_failures = [var.users]
}

run "refuses_command_categories" {
  command = plan

  variables {
    users = { tallyd = { keys = ["tally:*"], commands = ["@all"] } }
  }

  expect_failures = [var.users]
}

run "refuses_flushall" {
  command = plan

  variables {
    users = { tallyd = { keys = ["tally:*"], commands = ["FLUSHALL"] } }
  }

  expect_failures = [var.users]
}

run "refuses_the_internet_as_client" {
  command = plan

  variables {
    client_cidrs = { world = "0.0.0.0/0" }
  }

  expect_failures = [var.client_cidrs]
}

run "refuses_two_sources_of_a_restore" {
  command = plan

  variables {
    restore_snapshot_name = "tallyd-1"
    restore_snapshot_arns = ["arn:aws:s3:::bucket/tallyd-0001.rdb"]
  }

  expect_failures = [aws_memorydb_cluster.this[0]]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_memorydb_cluster.this) + length(aws_memorydb_user.password) + length(aws_memorydb_acl.this) + length(aws_security_group.this) + length(aws_cloudwatch_metric_alarm.this) == 0
    error_message = "create = false must create nothing."
  }
}

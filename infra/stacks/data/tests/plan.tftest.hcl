mock_provider "aws" {
  mock_data "aws_ssm_parameter" {
    defaults = {
      insecure_value = "a,b"
    }
  }
}

variables {
  environment = "test"
  region      = "eu-central-1"
  account_id  = "111122223333"
  vpc_cidr    = "10.99.0.0/16"
  memorydb    = { node_type = "db.t4g.small" }
}

run "the_daemon_may_send_what_it_sends" {
  command = plan

  assert {
    condition     = length(setsubtract(["watch", "multi", "exec", "get", "set", "incrby", "incr"], local.users.tallyd.commands)) == 0
    error_message = "The fenced transaction (the whole list is compared with the code by tests/rules.py)."
  }

  assert {
    condition     = length(setintersection(local.users.auditor.commands, ["set", "incrby", "del", "hset", "zadd"])) == 0
    error_message = "People look and do not write."
  }
}

run "backups_by_default" {
  command = plan

  assert {
    condition     = output.backup_bucket_name == "tallyd-test-111122223333-eu-central-1-backup"
    error_message = "Whoever says nothing has backups."
  }
}

run "refuses_to_join_multi_region_with_incrby" {
  command = plan

  variables {
    memorydb_global = { join = "abcde-tallyd" }
  }

  expect_failures = [var.memorydb_global]
}

run "refuses_a_peering_without_a_peer" {
  command = plan

  variables {
    peer = { region = "eu-west-1", vpc_cidr = "10.98.0.0/16", connect = true }
  }

  expect_failures = [var.peer]
}

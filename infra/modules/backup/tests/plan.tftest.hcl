mock_provider "aws" {}

variables {
  name         = "tallyd-test"
  region       = "eu-central-1"
  account_id   = "111122223333"
  cluster_name = "tallyd-test"
  num_shards   = 2
  bucket_name  = "tallyd-test-backup"
  kms_key_arn  = "arn:aws:kms:eu-central-1:111122223333:key/test"
}

run "kept_for_three_years" {
  command = plan

  assert {
    condition     = module.bucket.expiration_days >= 1095
    error_message = "Three years."
  }
}

run "once_a_day_and_not_every_minute" {
  command = plan

  assert {
    condition     = aws_scheduler_schedule.this[0].schedule_expression == "cron(30 2 * * ? *)"
    error_message = "The minute and the hour are fixed."
  }
}

run "waits_for_every_shard" {
  command = plan

  assert {
    condition     = strcontains(aws_sfn_state_machine.this[0].definition, "$files \\u003e= 2")
    error_message = "An export is complete with one file per shard."
  }

  assert {
    condition = alltrue([
      for name, s in jsondecode(aws_sfn_state_machine.this[0].definition).States :
      try(contains(keys(jsondecode(aws_sfn_state_machine.this[0].definition).States), s.Next), try(s.End, contains(["Choice", "Fail", "Succeed"], s.Type)))
    ])
    error_message = "Every state must lead to a state that exists, or end."
  }
}

run "copies_to_another_region" {
  command = plan

  variables {
    replica_region      = "eu-west-1"
    replica_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/test"
  }

  assert {
    condition     = module.replica.region == "eu-west-1" && length(aws_s3_bucket_replication_configuration.this) == 1
    error_message = "The copy lies in the other region."
  }

  assert {
    condition     = aws_s3_bucket_replication_configuration.this[0].rule[0].delete_marker_replication[0].status == "Disabled"
    error_message = "Deletions must not travel."
  }
}

run "refuses_a_copy_in_the_same_region" {
  command = plan

  variables {
    replica_region = "eu-central-1"
  }

  expect_failures = [var.replica_region]
}

run "refuses_every_minute" {
  command = plan

  variables {
    schedule_expression = "cron(* * * * ? *)"
  }

  expect_failures = [var.schedule_expression]
}

run "refuses_every_hour" {
  command = plan

  variables {
    schedule_expression = "cron(0 * * * ? *)"
  }

  expect_failures = [var.schedule_expression]
}

run "refuses_a_rate" {
  command = plan

  variables {
    schedule_expression = "rate(1 minute)"
  }

  expect_failures = [var.schedule_expression]
}

run "refuses_a_year" {
  command = plan

  variables {
    retention_days = 365
  }

  expect_failures = [var.retention_days]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_sfn_state_machine.this) + length(aws_scheduler_schedule.this) + length(aws_sqs_queue.dead) + length(aws_cloudwatch_metric_alarm.machine) == 0 && module.bucket.arn == null
    error_message = "create = false must create nothing."
  }
}

mock_provider "aws" {}

variables {
  repositories = ["tallyd", "tallyd-tools"]
  account_id   = "111122223333"
  kms_key_arn  = "arn:aws:kms:eu-central-1:111122223333:key/test"
}

run "tags_never_move" {
  command = plan

  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : r.image_tag_mutability == "IMMUTABLE" && r.image_scanning_configuration[0].scan_on_push && r.encryption_configuration[0].encryption_type == "KMS"])
    error_message = "Immutable, scanned, encrypted."
  }

  assert {
    condition     = length(jsondecode(aws_ecr_lifecycle_policy.this["tallyd"].policy).rules) == 3
    error_message = "Old images go."
  }
}

run "copies_to_the_standby_region" {
  command = plan

  variables {
    manage_registry = true
    replica_regions = ["eu-west-1"]
  }

  assert {
    condition     = aws_ecr_replication_configuration.this[0].replication_configuration[0].rule[0].destination[0].region == "eu-west-1"
    error_message = "The standby region must have the images when the first one is gone."
  }
}

run "refuses_everybody" {
  command = plan

  variables {
    pull_account_ids = ["*"]
  }

  expect_failures = [var.pull_account_ids]
}

run "refuses_to_keep_nothing_to_roll_back_to" {
  command = plan

  variables {
    keep_releases = 1
  }

  expect_failures = [var.keep_releases]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_ecr_repository.this) + length(aws_ecr_lifecycle_policy.this) == 0
    error_message = "create = false must create nothing."
  }
}

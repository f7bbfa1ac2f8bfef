mock_provider "aws" {}

variables {
  name        = "tallyd-test/data"
  description = "test"
  account_id  = "111122223333"
}

run "rotates_and_waits_before_deletion" {
  command = plan

  assert {
    condition     = aws_kms_key.this[0].enable_key_rotation && aws_kms_key.this[0].deletion_window_in_days == 30
    error_message = "A key must rotate and must not vanish within a week."
  }

  assert {
    condition     = aws_kms_alias.this[0].name == "alias/tallyd-test/data"
    error_message = "The alias carries the name."
  }
}

run "service_statement_keeps_its_condition" {
  command = plan

  variables {
    services = {
      Logs = {
        principals = ["logs.eu-central-1.amazonaws.com"]
        conditions = [
          { test = "ArnLike", variable = "kms:EncryptionContext:aws:logs:arn", values = ["arn:aws:logs:*:111122223333:*"] },
          { test = "StringEquals", variable = "aws:SourceAccount", values = ["111122223333"] },
        ]
      }
    }
  }

  assert {
    condition     = jsondecode(output.policy).Statement[1].Condition.ArnLike["kms:EncryptionContext:aws:logs:arn"][0] == "arn:aws:logs:*:111122223333:*"
    error_message = "The service's condition must reach the policy."
  }

  assert {
    condition     = jsondecode(output.policy).Statement[1].Condition.StringEquals["aws:SourceAccount"][0] == "111122223333"
    error_message = "All conditions must reach the policy."
  }
}

run "refuses_a_service_without_condition" {
  command = plan

  variables {
    services = { Logs = { principals = ["logs.amazonaws.com"], conditions = [] } }
  }

  expect_failures = [var.services]
}

run "refuses_kms_star_for_a_service" {
  command = plan

  variables {
    services = {
      Logs = {
        principals = ["logs.amazonaws.com"]
        actions    = ["kms:*"]
        conditions = [{ test = "StringEquals", variable = "aws:SourceAccount", values = ["111122223333"] }]
      }
    }
  }

  expect_failures = [var.services]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_kms_key.this) == 0 && length(aws_kms_alias.this) == 0 && output.arn == null
    error_message = "create = false must create nothing."
  }
}

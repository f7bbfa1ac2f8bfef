mock_provider "aws" {}

variables {
  name              = "tallyd-test"
  region            = "eu-central-1"
  account_id        = "111122223333"
  secret_prefix     = "tallyd-test"
  kms_key_arn       = "arn:aws:kms:eu-central-1:111122223333:key/test"
  vpc_id            = "vpc-1"
  vpc_cidr          = "10.20.0.0/16"
  subnet_ids        = ["subnet-1"]
  memorydb_endpoint = "clustercfg.test.memorydb.eu-central-1.amazonaws.com"
  users             = { tallyd = { user_name = "tallyd" } }
  tokens            = ["admin"]
}

run "every_secret_has_our_key_and_a_fence" {
  command = plan

  assert {
    condition     = alltrue([for s in concat(values(aws_secretsmanager_secret.user), values(aws_secretsmanager_secret.token)) : s.kms_key_id == var.kms_key_arn])
    error_message = "Own key for every secret."
  }

  assert {
    condition     = aws_secretsmanager_secret_policy.user["tallyd"].block_public_policy && aws_secretsmanager_secret_policy.token["admin"].block_public_policy
    error_message = "No public policy."
  }
}

run "passwords_rotate_at_once_and_then_monthly" {
  command = plan

  assert {
    condition     = aws_secretsmanager_secret_rotation.user["tallyd"].rotate_immediately && aws_secretsmanager_secret_rotation.user["tallyd"].rotation_rules[0].schedule_expression == "rate(30 days)"
    error_message = "The first password is in the state, so it must be replaced at once."
  }
}

run "the_function_may_touch_only_its_own" {
  command = plan

  assert {
    condition     = one([for s in jsondecode(aws_iam_role_policy.rotation[0].policy).Statement : s.Resource if s.Sid == "OwnUsers"])[0] == "arn:aws:memorydb:eu-central-1:111122223333:user/tallyd"
    error_message = "UpdateUser only on the users it rotates."
  }

  assert {
    condition     = one([for s in jsondecode(aws_iam_role_policy.rotation[0].policy).Statement : s.Resource if s.Sid == "OwnSecrets"]) == "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tallyd-test/redis/*"
    error_message = "Only its own secrets."
  }
}

run "without_users_no_function" {
  command = plan

  variables {
    users = {}
  }

  assert {
    condition     = length(aws_lambda_function.rotation) == 0 && length(aws_iam_role.rotation) == 0
    error_message = "Nothing to rotate, nothing to run."
  }
}

run "refuses_a_cron_of_every_minute" {
  command = plan

  variables {
    rotation_schedule = "cron(* * * * ? *)"
  }

  expect_failures = [var.rotation_schedule]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_secretsmanager_secret.user) + length(aws_secretsmanager_secret.token) + length(aws_lambda_function.rotation) == 0
    error_message = "create = false must create nothing."
  }
}

mock_provider "aws" {}

variables {
  cluster_name = "tallyd-test"
  region       = "eu-central-1"
  account_id   = "111122223333"
  kms_key_arn  = "arn:aws:kms:eu-central-1:111122223333:key/test"
}

run "ends_only_its_own_machines" {
  command = plan

  assert {
    condition     = one([for s in jsondecode(output.controller_policy).Statement : s if s.Sid == "EndOwn"]).Condition.StringEquals["aws:ResourceTag/kubernetes.io/cluster/tallyd-test"] == "owned"
    error_message = "Without the tag, Karpenter could end every machine of the account."
  }

  assert {
    condition     = one([for s in jsondecode(output.controller_policy).Statement : s if s.Sid == "HandRoleToNodes"]).Resource == "arn:aws:iam::111122223333:role/tallyd/tallyd-test-karpenter-node"
    error_message = "It may hand on one role only."
  }
}

run "hears_of_interruptions" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_event_target.this) == 5 && length(aws_cloudwatch_event_rule.this) == 5
    error_message = "Each event has a rule and a target."
  }

  assert {
    condition     = aws_sqs_queue.this[0].kms_master_key_id == var.kms_key_arn
    error_message = "The queue must be encrypted."
  }
}

run "refuses_a_long_name" {
  command = plan

  variables {
    cluster_name = "a-name-that-is-far-too-long-for-a-role"
  }

  expect_failures = [var.cluster_name]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_iam_role.controller) + length(aws_iam_role.node) + length(aws_sqs_queue.this) + length(aws_cloudwatch_event_rule.this) == 0
    error_message = "create = false must create nothing."
  }
}

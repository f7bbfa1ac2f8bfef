mock_provider "aws" {}

variables {
  name         = "tallyd-test"
  cluster_name = "tallyd-test"
  region       = "eu-central-1"
  account_id   = "111122223333"

  workloads = {
    reader = {
      namespace       = "a"
      service_account = "reader"
      statements      = "[{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\"],\"Resource\":\"arn:aws:s3:::b/*\"}]"
    }
  }
}

run "the_role_trusts_one_service_account" {
  command = plan

  assert {
    condition = (
      jsondecode(aws_iam_role.this["reader"].assume_role_policy).Statement[0].Condition.StringEquals["aws:RequestTag/kubernetes-namespace"] == "a" &&
      jsondecode(aws_iam_role.this["reader"].assume_role_policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == "arn:aws:eks:eu-central-1:111122223333:cluster/tallyd-test"
    )
    error_message = "One namespace, one service account, one cluster."
  }
}

run "refuses_star" {
  command = plan

  variables {
    workloads = { w = { namespace = "a", service_account = "b", statements = "[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]" } }
  }

  expect_failures = [var.workloads]
}

run "refuses_a_whole_service" {
  command = plan

  variables {
    workloads = { w = { namespace = "a", service_account = "b", statements = "[{\"Effect\":\"Allow\",\"Action\":[\"s3:*\"],\"Resource\":\"*\"}]" } }
  }

  expect_failures = [var.workloads]
}

run "refuses_the_default_service_account" {
  command = plan

  variables {
    workloads = { w = { namespace = "a", service_account = "default", statements = "[{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\"],\"Resource\":\"*\"}]" } }
  }

  expect_failures = [var.workloads]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_iam_role.this) + length(aws_eks_pod_identity_association.this) == 0
    error_message = "create = false must create nothing."
  }
}

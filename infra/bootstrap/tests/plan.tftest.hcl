mock_provider "aws" {}

variables {
  region       = "eu-central-1"
  regions      = ["eu-central-1", "eu-west-1"]
  account_id   = "111122223333"
  environments = ["dev"]
}

run "operators_are_not_administrators" {
  command = plan

  assert {
    condition     = alltrue(flatten([for p in aws_iam_policy.operator : [for s in jsondecode(p.policy).Statement : !contains(flatten([s.Action]), "*")]]))
    error_message = "Every action names its service."
  }

  assert {
    condition = alltrue(flatten([
      for p in aws_iam_policy.operator : [
        for s in jsondecode(p.policy).Statement : !contains(flatten([s.Resource]), "*") || alltrue([for a in flatten([s.Action]) : !endswith(a, ":*")])
      ]
    ]))
    error_message = "No whole service on every resource."
  }

  assert {
    condition     = one([for s in jsondecode(aws_iam_policy.operator["identity"].policy).Statement : s if s.Sid == "RolesWithBoundary"]).Condition.StringEquals["iam:PermissionsBoundary"] == "arn:aws:iam::111122223333:policy/tallyd/tallyd-boundary"
    error_message = "A role without boundary could do anything."
  }

  assert {
    condition = alltrue([
      for p in concat(values(aws_iam_policy.operator), aws_iam_policy.boundary, aws_iam_policy.reader, aws_iam_policy.guard) :
      length(replace(p.policy, "/\\s/", "")) <= 6144
    ])
    error_message = "A managed policy ends at 6144 characters."
  }
}

run "pipelines_apply_only_their_environments" {
  command = plan

  variables {
    environments = ["prod"]
    pipelines    = { apply = { host = "github", subjects = ["repo:example/tallyd:environment:prod"], environments = ["dev"] } }
  }

  expect_failures = [var.pipelines]
}

run "a_pull_request_may_only_plan" {
  command = plan

  variables {
    pipelines = { apply = { host = "github", subjects = ["repo:example/tallyd:pull_request"], environments = ["dev"] } }
  }

  expect_failures = [var.pipelines]
}

run "second_region_makes_only_its_bucket" {
  command = plan

  variables {
    region           = "eu-west-1"
    once_per_account = false
  }

  assert {
    condition     = length(aws_iam_policy.operator) + length(aws_iam_policy.state) + length(aws_s3_account_public_access_block.this) == 0 && local.bucket_name == "tallyd-state-111122223333-eu-west-1"
    error_message = "The standby region's states lie in the standby region."
  }
}

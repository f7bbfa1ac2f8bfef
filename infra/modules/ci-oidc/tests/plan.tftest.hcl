mock_provider "aws" {}

variables {
  name       = "tallyd-test"
  account_id = "111122223333"

  roles = {
    push  = { host = "github", subjects = ["repo:example/tallyd:ref:refs/heads/main"], push_repository_arns = ["arn:aws:ecr:eu-central-1:111122223333:repository/tallyd"] }
    apply = { host = "gitlab", subjects = ["project_path:example/tallyd:ref_type:branch:ref:main"], policy_arns = ["arn:aws:iam::111122223333:policy/tallyd/operator"] }
  }
}

run "each_role_trusts_one_pipeline" {
  command = plan

  assert {
    condition     = jsondecode(aws_iam_role.this["push"].assume_role_policy).Statement[0].Condition.StringLike["token.actions.githubusercontent.com:sub"][0] == "repo:example/tallyd:ref:refs/heads/main"
    error_message = "The subject must reach the trust policy."
  }

  assert {
    condition     = jsondecode(aws_iam_role.this["apply"].assume_role_policy).Statement[0].Condition.StringEquals["gitlab.com:aud"] == "https://gitlab.com"
    error_message = "The audience must be checked."
  }

  assert {
    condition     = length(aws_iam_openid_connect_provider.this) == 2 && length(aws_iam_role_policy_attachment.this) == 1 && length(aws_iam_role_policy.push) == 1
    error_message = "Two hosts, one attached policy, one right to push."
  }
}

run "refuses_any_repository" {
  command = plan

  variables {
    roles = { push = { host = "github", subjects = ["repo:example/*:ref:refs/heads/main"] } }
  }

  expect_failures = [var.roles]
}

run "refuses_any_branch" {
  command = plan

  variables {
    roles = { push = { host = "github", subjects = ["repo:example/tallyd:*"] } }
  }

  expect_failures = [var.roles]
}

run "refuses_an_administrator" {
  command = plan

  variables {
    roles = { apply = { host = "github", subjects = ["repo:example/tallyd:environment:prod"], policy_arns = ["arn:aws:iam::aws:policy/AdministratorAccess"] } }
  }

  expect_failures = [var.roles]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_iam_role.this) + length(aws_iam_openid_connect_provider.this) == 0
    error_message = "create = false must create nothing."
  }
}

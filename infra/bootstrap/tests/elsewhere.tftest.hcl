# An account in another partition.

mock_provider "aws" {}

variables {
  region       = "us-gov-west-1"
  regions      = ["us-gov-west-1", "us-gov-east-1"]
  partition    = "aws-us-gov"
  account_id   = "121212121212"
  environments = ["prod"]
}

run "in_another_partition" {
  command = plan

  assert {
    condition = alltrue([
      for p in concat(values(aws_iam_policy.operator), aws_iam_policy.boundary, aws_iam_policy.reader, aws_iam_policy.guard, aws_iam_policy.values, values(aws_iam_policy.state)) :
      !strcontains(p.policy, "arn:aws:")
    ])
    error_message = "No policy names the partition aws."
  }
}

# The stack in a region where no environment is. CloudFront, Global Accelerator and their web ACLs are in the partition aws only; the load
# balancers behind them plan in another one as well.

mock_provider "aws" {
  mock_data "aws_ssm_parameter" {
    defaults = {
      insecure_value = "a,b"
    }
  }
}

variables {
  environment = "test"
  region      = "ap-northeast-1"
  account_id  = "121212121212"
  vpc_cidr    = "10.99.0.0/16"
}

run "in_a_fourth_region" {
  command = plan

  variables {
    dns                = { zone_name = "example.com", zone_id = "Z1", host = "count.example.com" }
    global_accelerator = { enabled = true, host = "direct.count.example.com" }
  }

  assert {
    condition     = output.host == "count.example.com" && length(keys(output.direct_target_group_arns)) == 2
    error_message = "Both ways lead to blue and green."
  }

  assert {
    condition     = local.names.bucket_prefix == "tallyd-test-121212121212-ap-northeast-1"
    error_message = "Names say where they are."
  }
}

run "in_another_partition" {
  command = plan

  variables {
    region    = "us-gov-west-1"
    partition = "aws-us-gov"
  }

  assert {
    condition     = local.names.boundary == "arn:aws-us-gov:iam::121212121212:policy/tallyd/tallyd-boundary"
    error_message = "The boundary lies in the partition."
  }
}

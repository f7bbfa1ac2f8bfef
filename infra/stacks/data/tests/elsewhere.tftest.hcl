# The stack in a region where no environment is, and in another partition.

mock_provider "aws" {
  mock_data "aws_ssm_parameter" {
    defaults = {
      insecure_value = "a,b"
    }
  }
}

variables {
  environment           = "test"
  region                = "ap-northeast-1"
  account_id            = "121212121212"
  vpc_cidr              = "10.99.0.0/16"
  memorydb              = { node_type = "db.t4g.small" }
  backup_replica_region = "ap-southeast-2"
}

run "in_a_fourth_region" {
  command = plan

  assert {
    condition     = output.backup_bucket_name == "tallyd-test-121212121212-ap-northeast-1-backup"
    error_message = "Names say where they are."
  }
}

run "in_another_partition" {
  command = plan

  variables {
    region                = "us-gov-west-1"
    partition             = "aws-us-gov"
    backup_replica_region = "us-gov-east-1"
  }

  assert {
    condition     = local.names.boundary == "arn:aws-us-gov:iam::121212121212:policy/tallyd/tallyd-boundary"
    error_message = "The boundary lies in the partition."
  }
}

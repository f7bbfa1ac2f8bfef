mock_provider "aws" {}

variables {
  name    = "tallyd-test"
  regions = ["eu-central-1", "eu-west-1"]
}

run "refuses_incrby" {
  command = plan

  expect_failures = [aws_memorydb_multi_region_cluster.this[0]]
}

run "refuses_absolute_without_the_word" {
  command = plan

  variables {
    counter_mode = "absolute"
  }

  expect_failures = [aws_memorydb_multi_region_cluster.this[0]]
}

run "accepts_absolute" {
  command = plan

  variables {
    counter_mode            = "absolute"
    accept_last_writer_wins = true
  }

  assert {
    condition     = aws_memorydb_multi_region_cluster.this[0].tls_enabled
    error_message = "TLS stays on across regions."
  }
}

run "refuses_one_region" {
  command = plan

  variables {
    regions                 = ["eu-central-1"]
    counter_mode            = "absolute"
    accept_last_writer_wins = true
  }

  expect_failures = [aws_memorydb_multi_region_cluster.this[0]]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_memorydb_multi_region_cluster.this) == 0 && output.name == null
    error_message = "create = false must create nothing."
  }
}

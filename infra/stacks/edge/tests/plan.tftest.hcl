mock_provider "aws" {
  mock_data "aws_ssm_parameter" {
    defaults = {
      insecure_value = "a,b"
    }
  }
}

variables {
  environment = "test"
  region      = "eu-central-1"
  account_id  = "111122223333"
  vpc_cidr    = "10.99.0.0/16"
}

run "without_a_name_cloudfronts_own_is_used" {
  command = plan

  assert {
    condition     = length(keys(output.direct_target_group_arns)) == 0 && output.accelerator_listener_arn == null
    error_message = "The direct way is off unless asked for."
  }
}

run "with_names_and_the_direct_way" {
  command = plan

  variables {
    dns                = { zone_name = "example.com", zone_id = "Z1", host = "count.example.com" }
    global_accelerator = { enabled = true, host = "direct.count.example.com" }
  }

  assert {
    condition     = output.host == "count.example.com" && length(keys(output.direct_target_group_arns)) == 2
    error_message = "Both ways lead to blue and green."
  }
}

run "refuses_the_direct_way_without_a_name" {
  command = plan

  variables {
    global_accelerator = { enabled = true }
  }

  expect_failures = [var.global_accelerator]
}

run "refuses_a_standby_with_a_listener_of_its_own" {
  command = plan

  variables {
    dns                = { zone_name = "example.com", zone_id = "Z1", host = "count.example.com" }
    global_accelerator = { enabled = true, host = "direct.count.example.com", role = "standby", traffic_dial = 0 }
  }

  expect_failures = [var.global_accelerator]
}

run "refuses_to_answer_for_a_name_without_certificate" {
  command = plan

  variables {
    dns = { zone_name = "example.com", zone_id = "Z1", host = "count-dr.example.com", answer_for = ["count.example.com"] }
  }

  expect_failures = [var.dns]
}

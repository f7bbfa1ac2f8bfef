mock_provider "aws" {}

variables {
  name              = "tallyd-test"
  region            = "eu-central-1"
  role              = "active"
  traffic_dial      = 100
  load_balancer_arn = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/t/1"
}

run "active_owns_the_accelerator" {
  command = plan

  assert {
    condition     = length(aws_globalaccelerator_accelerator.this) == 1 && aws_globalaccelerator_endpoint_group.this[0].traffic_dial_percentage == 100
    error_message = "The active region has the accelerator and all the traffic."
  }

  assert {
    condition     = one(aws_globalaccelerator_listener.this[0].port_range).from_port == 443 && one(aws_globalaccelerator_listener.this[0].port_range).to_port == 443
    error_message = "HTTPS only."
  }
}

run "standby_joins_with_its_dial_at_zero" {
  command = plan

  variables {
    region       = "eu-west-1"
    role         = "standby"
    traffic_dial = 0
    listener_arn = "arn:aws:globalaccelerator::111122223333:accelerator/a/listener/l"
  }

  assert {
    condition     = length(aws_globalaccelerator_accelerator.this) == 0 && aws_globalaccelerator_endpoint_group.this[0].traffic_dial_percentage == 0 && aws_globalaccelerator_endpoint_group.this[0].endpoint_group_region == "eu-west-1"
    error_message = "The standby region waits."
  }
}

run "refuses_traffic_on_standby" {
  command = plan

  variables {
    role         = "standby"
    traffic_dial = 50
    listener_arn = "arn:aws:globalaccelerator::111122223333:accelerator/a/listener/l"
  }

  expect_failures = [aws_globalaccelerator_endpoint_group.this[0]]
}

run "takes_over_when_told" {
  command = plan

  variables {
    role         = "standby"
    traffic_dial = 100
    failed_over  = true
    listener_arn = "arn:aws:globalaccelerator::111122223333:accelerator/a/listener/l"
  }

  assert {
    condition     = aws_globalaccelerator_endpoint_group.this[0].traffic_dial_percentage == 100
    error_message = "Failing over is one switch and one number."
  }
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_globalaccelerator_accelerator.this) + length(aws_globalaccelerator_listener.this) + length(aws_globalaccelerator_endpoint_group.this) == 0
    error_message = "create = false must create nothing."
  }
}

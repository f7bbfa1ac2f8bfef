mock_provider "aws" {}

variables {
  name                     = "tallyd-test"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1", "subnet-2"]
  target_security_group_id = "sg-1"
  ingress_prefix_list_ids  = { cloudfront = "pl-1" }
}

run "internal_with_ip_targets" {
  command = plan

  assert {
    condition     = aws_lb.this[0].internal && aws_lb.this[0].load_balancer_type == "network"
    error_message = "The load balancer has no public address."
  }

  assert {
    condition     = alltrue([for g in aws_lb_target_group.this : g.target_type == "ip" && g.port == 8080 && g.deregistration_delay == "150"])
    error_message = "Pods are addressed directly on the daemon's port."
  }

  assert {
    condition     = alltrue([for g in aws_lb_target_group.this : g.health_check[0].port == "9090" && g.health_check[0].path == "/readyz"])
    error_message = "Health checks go to the admin port."
  }

  assert {
    condition     = alltrue([for r in aws_vpc_security_group_ingress_rule.target : contains([8080, 9090], r.from_port) && r.from_port == r.to_port && r.cidr_ipv4 == null])
    error_message = "The pods let in the load balancer on 8080 and 9090, and nobody else."
  }
}

run "all_traffic_to_blue" {
  command = plan

  assert {
    condition     = toset([for t in aws_lb_listener.this[0].default_action[0].forward[0].target_group : t.weight]) == toset([100, 0])
    error_message = "Both colours are there, and blue takes everything."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.empty) == 1
    error_message = "Only the colour that takes traffic is watched: green is empty on purpose."
  }
}

run "two_colours_by_weight" {
  command = plan

  variables {
    weights = { blue = 90, green = 10 }
  }

  assert {
    condition     = toset([for t in aws_lb_listener.this[0].default_action[0].forward[0].target_group : t.weight]) == toset([90, 10])
    error_message = "Weights reach the listener."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.unhealthy) == 2
    error_message = "Both colours are watched while both take traffic."
  }
}

run "application_kind" {
  command = plan

  variables {
    type            = "application"
    listener_port   = 443
    certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/test"
  }

  assert {
    condition     = aws_lb_listener.this[0].protocol == "HTTPS" && aws_lb.this[0].drop_invalid_header_fields && aws_lb.this[0].idle_timeout < 75
    error_message = "HTTPS only, and shorter than the daemon's keep-alive."
  }
}

run "refuses_weights_of_90" {
  command = plan

  variables {
    weights = { blue = 80, green = 10 }
  }

  expect_failures = [var.weights]
}

run "refuses_a_counting_health_path" {
  command = plan

  variables {
    health_path = "/v1/hit/health/lb"
  }

  expect_failures = [var.health_path]
}

run "refuses_the_counting_port_for_health" {
  command = plan

  variables {
    health_port = 8080
  }

  expect_failures = [var.health_port]
}

run "refuses_the_internet_on_a_network_load_balancer" {
  command = plan

  variables {
    ingress_cidrs = { world = "0.0.0.0/0" }
  }

  expect_failures = [aws_lb.this[0]]
}

run "refuses_plain_http" {
  command = plan

  variables {
    type          = "application"
    listener_port = 443
  }

  expect_failures = [aws_lb.this[0]]
}

run "refuses_to_outlive_the_pod" {
  command = plan

  variables {
    deregistration_delay_seconds = 300
  }

  expect_failures = [var.deregistration_delay_seconds]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_lb.this) + length(aws_lb_target_group.this) + length(aws_lb_listener.this) + length(aws_security_group.this) + length(aws_cloudwatch_metric_alarm.unhealthy) == 0
    error_message = "create = false must create nothing."
  }
}

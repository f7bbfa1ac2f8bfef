mock_provider "aws" {}

variables {
  name        = "tallyd-test"
  environment = "test"
  monthly_usd = 100
  emails      = ["ops@example.com"]
}

run "speaks_up_three_times" {
  command = plan

  assert {
    condition     = length(aws_budgets_budget.this[0].notification) == 3 && aws_budgets_budget.this[0].limit_amount == "100"
    error_message = "At 80, at 100, and when 110 is forecast."
  }

  assert {
    condition     = length(aws_budgets_budget.this[0].cost_filter) == 0
    error_message = "A filter by a tag that billing does not know matches nothing."
  }
}

run "only_this_environment_once_billing_knows_the_tag" {
  command = plan

  variables {
    cost_tag_active = true
    anomaly_usd     = 20
  }

  assert {
    condition     = one(one(aws_budgets_budget.this[0].cost_filter).values) == "user:Environment$test" && aws_ce_anomaly_monitor.this[0].monitor_type == "CUSTOM"
    error_message = "Only this environment's costs."
  }
}

run "watches_for_anomalies_when_asked" {
  command = plan

  variables {
    anomaly_usd = 20
  }

  assert {
    condition     = length(aws_ce_anomaly_monitor.this) == 1 && one(one(aws_ce_anomaly_subscription.this[0].threshold_expression[0].dimension).values) == "20"
    error_message = "From 20 USD on."
  }
}

run "refuses_nothing_to_spend" {
  command = plan

  variables {
    monthly_usd = 0
  }

  expect_failures = [var.monthly_usd]
}

run "refuses_anomalies_nobody_hears_of" {
  command = plan

  variables {
    anomaly_usd = 20
    emails      = []
  }

  expect_failures = [aws_ce_anomaly_subscription.this[0]]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_budgets_budget.this) + length(aws_ce_anomaly_monitor.this) == 0
    error_message = "create = false must create nothing."
  }
}

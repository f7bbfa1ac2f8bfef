mock_provider "aws" {}

variables {
  name              = "tallyd-test"
  region            = "eu-central-1"
  account_id        = "111122223333"
  topic_kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/test"
}

run "topic_is_encrypted_and_ours" {
  command = plan

  assert {
    condition     = aws_sns_topic.this[0].kms_master_key_id == var.topic_kms_key_arn
    error_message = "The topic must be encrypted."
  }

  assert {
    condition     = jsondecode(aws_sns_topic_policy.this[0].policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "111122223333"
    error_message = "Only this account's alarms may publish."
  }
}

run "topic_next_to_cloudfront" {
  command = plan

  variables {
    topic_region = "us-east-1"
  }

  assert {
    condition     = aws_sns_topic.this[0].region == "us-east-1" && strcontains(aws_sns_topic_policy.this[0].policy, "arn:aws:sns:us-east-1:")
    error_message = "CloudFront's alarms need a topic in us-east-1."
  }
}

run "dashboard_shows_what_there_is" {
  command = plan

  variables {
    create_dashboard = true
    dashboard        = { memorydb_name = "tallyd-test", load_balancer = "net/t/1", target_groups = { blue = "targetgroup/t/1" } }
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets) == 5
    error_message = "Three widgets of the store, two of the load balancer, none of what is not there."
  }
}

run "dashboard_shows_nodes_namespaces_and_pods" {
  command = plan

  variables {
    create_dashboard = true
    dashboard        = { cluster_name = "tallyd-test", insights_of = "tallyd" }
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets) == 7
    error_message = "One of the control plane, six of Container Insights."
  }

  assert {
    condition     = strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "pod_memory_utilization_over_pod_limit") && strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "node_cpu_utilization")
    error_message = "Pods against their limits, and the nodes."
  }
}

run "composite_names_its_parts" {
  command = plan

  variables {
    reader_alarm_names = ["a", "b"]
  }

  assert {
    condition     = aws_cloudwatch_composite_alarm.readers[0].alarm_rule == "ALARM(\"a\") OR ALARM(\"b\")"
    error_message = "Either alarm is enough."
  }
}

run "dashboard_without_topic" {
  command = plan

  variables {
    create_topic       = false
    topic_kms_key_arn  = null
    create_dashboard   = true
    reader_alarm_names = ["a"]
    alarm_actions      = ["arn:aws:sns:eu-central-1:111122223333:t"]
    dashboard          = { cluster_name = "tallyd-test" }
  }

  assert {
    condition     = length(aws_sns_topic.this) == 0 && length(aws_cloudwatch_dashboard.this) == 1 && length(aws_cloudwatch_composite_alarm.readers[0].alarm_actions) == 1
    error_message = "A stack may use another stack's topic."
  }
}

run "refuses_plain_http" {
  command = plan

  variables {
    subscriptions = { hook = { protocol = "http", endpoint = "http://example.com" } }
  }

  expect_failures = [var.subscriptions]
}

run "refuses_an_unencrypted_workspace" {
  command = plan

  variables {
    create_prometheus = true
  }

  expect_failures = [var.kms_key_arn]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_sns_topic.this) + length(aws_cloudwatch_dashboard.this) + length(aws_prometheus_workspace.this) == 0 && module.metrics_bucket.arn == null
    error_message = "create = false must create nothing."
  }
}

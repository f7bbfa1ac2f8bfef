mock_provider "aws" {}

variables {
  name                = "tallyd-test"
  account_id          = "111122223333"
  log_bucket_name     = "tallyd-test-edge-log"
  waf_log_kms_key_arn = "arn:aws:kms:us-east-1:111122223333:key/test"

  vpc_origin = {
    arn         = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/net/t/1"
    domain_name = "t.elb.eu-central-1.amazonaws.com"
  }
}

run "hits_are_never_cached" {
  command = plan

  assert {
    condition     = aws_cloudfront_cache_policy.never[0].min_ttl == 0 && aws_cloudfront_cache_policy.never[0].default_ttl == 0 && aws_cloudfront_cache_policy.never[0].max_ttl == 0
    error_message = "With a minimum above 0 CloudFront caches in spite of no-store."
  }

  assert {
    condition     = length(aws_cloudfront_distribution.this[0].ordered_cache_behavior) == 0
    error_message = "No cached path unless one is named."
  }

  assert {
    condition     = length(aws_cloudfront_distribution.this[0].custom_error_response) == 11 && alltrue([for e in aws_cloudfront_distribution.this[0].custom_error_response : e.error_caching_min_ttl == 0])
    error_message = "An error that is kept for ten seconds refuses hits for ten seconds."
  }
}

run "no_request_is_repeated" {
  command = plan

  assert {
    condition     = length(aws_cloudfront_distribution.this[0].origin_group) == 0 && alltrue([for o in aws_cloudfront_distribution.this[0].origin : o.connection_attempts == 1])
    error_message = "A repeated hit counts twice."
  }
}

run "keep_alive_below_the_daemons" {
  command = plan

  assert {
    condition     = one(aws_cloudfront_distribution.this[0].origin).vpc_origin_config[0].origin_keepalive_timeout == 60
    error_message = "60 s at CloudFront, 75 s at the daemon."
  }
}

run "https_and_waf" {
  command = plan

  assert {
    condition     = aws_cloudfront_distribution.this[0].default_cache_behavior[0].viewer_protocol_policy == "redirect-to-https" && aws_wafv2_web_acl.this[0].region == "us-east-1"
    error_message = "HTTPS, and the web ACL where CloudFront looks."
  }

  assert {
    condition     = length(aws_wafv2_web_acl.this[0].rule) == 7
    error_message = "Four rules of our own and three managed groups."
  }
}

run "standby_region_has_only_an_origin" {
  command = plan

  variables {
    create_distribution = false
  }

  assert {
    condition     = length(aws_cloudfront_vpc_origin.this) == 1 && length(aws_cloudfront_distribution.this) == 0 && length(aws_wafv2_web_acl.this) == 0 && module.log_bucket.arn == null
    error_message = "The distribution belongs to one environment."
  }
}

run "failover_is_a_switch" {
  command = plan

  variables {
    active_origin  = "standby"
    standby_origin = { domain_name = "s.elb.eu-west-1.amazonaws.com", vpc_origin_id = "vo_2" }
  }

  assert {
    condition     = aws_cloudfront_distribution.this[0].default_cache_behavior[0].target_origin_id == "standby"
    error_message = "All traffic goes to the standby region."
  }
}

run "regional_web_acl" {
  command = plan

  variables {
    create_distribution = false
    vpc_origin          = null
    waf_scope           = "REGIONAL"
    log_bucket_name     = null
  }

  assert {
    condition     = length(aws_wafv2_web_acl.this) == 1 && aws_wafv2_web_acl.this[0].scope == "REGIONAL"
    error_message = "The same rules for an application load balancer."
  }
}

run "shield_is_off_by_default" {
  command = plan

  assert {
    condition     = length(aws_shield_subscription.this) == 0 && length(aws_shield_protection.this) == 0
    error_message = "3000 USD a month are not spent by default."
  }
}

run "shield_protects_when_asked" {
  command = plan

  variables {
    shield_advanced = { subscribe = true, protect = true }
  }

  assert {
    condition     = length(aws_shield_subscription.this) == 1 && length(aws_shield_protection.this) == 1
    error_message = "Both switches."
  }
}

run "refuses_a_cached_hit_path" {
  command = plan

  variables {
    cached_paths = ["/v1/hit/*"]
  }

  expect_failures = [var.cached_paths]
}

run "refuses_to_cache_everything" {
  command = plan

  variables {
    cached_paths = ["/*"]
  }

  expect_failures = [var.cached_paths]
}

run "refuses_a_failover_to_nowhere" {
  command = plan

  variables {
    active_origin = "standby"
  }

  expect_failures = [aws_cloudfront_distribution.this[0]]
}

run "refuses_names_without_certificate" {
  command = plan

  variables {
    aliases = ["count.example.com"]
  }

  expect_failures = [aws_cloudfront_distribution.this[0]]
}

run "refuses_a_keep_alive_above_the_daemons" {
  command = plan

  variables {
    origin_keepalive_seconds = 80
  }

  expect_failures = [var.origin_keepalive_seconds]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_cloudfront_distribution.this) + length(aws_wafv2_web_acl.this) + length(aws_cloudfront_vpc_origin.this) + length(aws_cloudwatch_metric_alarm.distribution) == 0
    error_message = "create = false must create nothing."
  }
}

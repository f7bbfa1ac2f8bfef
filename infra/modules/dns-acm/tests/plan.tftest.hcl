mock_provider "aws" {}

variables {
  zone_name   = "example.com"
  zone_id     = "Z1"
  domain_name = "count.example.com"
}

run "certificate_where_cloudfront_looks" {
  command = plan

  assert {
    condition     = aws_acm_certificate.this[0].region == "us-east-1" && aws_acm_certificate.this[0].validation_method == "DNS" && length(aws_route53_record.validation) == 1
    error_message = "A certificate in us-east-1, validated by DNS."
  }
}

run "only_our_name_says_who_may_issue" {
  command = plan

  assert {
    condition     = aws_route53_record.caa[0].name == "count.example.com"
    error_message = "A record at the apex would bind every other host of the zone."
  }
}

run "a_wildcard_needs_no_record_of_its_own" {
  command = plan

  variables {
    domain_name       = "example.com"
    alternative_names = ["*.example.com", "count.example.com"]
  }

  assert {
    condition     = length(aws_route53_record.validation) == 2
    error_message = "example.com and *.example.com share a record."
  }
}

run "failover_pair" {
  command = plan

  variables {
    health_checks = { edge = { fqdn = "count.example.com" } }
    aliases = {
      primary = { name = "count.example.com", target_name = "d1.cloudfront.net", target_zone_id = "Z2", failover = "PRIMARY", health_check = "edge" }
      standby = { name = "count.example.com", target_name = "a1.awsglobalaccelerator.com", target_zone_id = "Z3", failover = "SECONDARY", ipv6 = false }
    }
  }

  assert {
    condition     = length(aws_route53_record.alias) == 3 && aws_route53_record.alias["primary/A"].failover_routing_policy[0].type == "PRIMARY"
    error_message = "Primary with two records, standby with one."
  }

  assert {
    condition     = aws_route53_health_check.this["edge"].resource_path == "/v1/counters/health?key=edge"
    error_message = "The check must not count."
  }
}

run "refuses_a_counting_check" {
  command = plan

  variables {
    health_checks = { edge = { fqdn = "count.example.com", path = "/v1/hit/health/outside" } }
  }

  expect_failures = [var.health_checks]
}

run "refuses_the_front_page_as_check" {
  command = plan

  variables {
    health_checks = { edge = { fqdn = "count.example.com", path = "/" } }
  }

  expect_failures = [var.health_checks]
}

run "refuses_a_primary_that_never_fails" {
  command = plan

  variables {
    aliases = { primary = { name = "count.example.com", target_name = "d1.cloudfront.net", target_zone_id = "Z2", failover = "PRIMARY" } }
  }

  expect_failures = [var.aliases]
}

run "refuses_a_foreign_name" {
  command = plan

  variables {
    domain_name = "count.example.org"
  }

  expect_failures = [var.domain_name]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_acm_certificate.this) + length(aws_route53_record.alias) + length(aws_route53_zone.this) + length(aws_route53_record.validation) == 0
    error_message = "create = false must create nothing."
  }
}

# The web ACL. For CloudFront it lives in us-east-1; with waf_scope = "REGIONAL" the same rules stand before an application load balancer.
# Cheap rules come first: what they block costs the others nothing.

locals {
  waf        = var.create && (var.create_distribution || var.waf_scope == "REGIONAL")
  waf_region = var.waf_scope == "CLOUDFRONT" ? "us-east-1" : null

  # A key is any text: "/docs/php.ini", "https://example.com/a", "../x". What looks into the path, the query or the body would refuse such pages
  # for ever and in silence, so it only counts. It guards nothing either: the daemon opens no file and no address that a request names.
  # A batch is a body of up to 64 KiB, and servers send hits without a browser's name.
  managed_rules = {
    AWSManagedRulesAmazonIpReputationList = { priority = 40, count = [] }
    AWSManagedRulesKnownBadInputsRuleSet = { priority = 50, count = [
      "ExploitablePaths_URIPATH", "JavaDeserializationRCE_BODY", "JavaDeserializationRCE_QUERYSTRING", "JavaDeserializationRCE_URIPATH",
      "Log4JRCE_BODY", "Log4JRCE_QUERYSTRING", "Log4JRCE_URIPATH",
    ] }
    AWSManagedRulesCommonRuleSet = { priority = 60, count = [
      "CrossSiteScripting_BODY", "CrossSiteScripting_QUERYARGUMENTS", "CrossSiteScripting_URIPATH", "EC2MetaDataSSRF_BODY",
      "EC2MetaDataSSRF_QUERYARGUMENTS", "EC2MetaDataSSRF_URIPATH", "GenericLFI_BODY", "GenericLFI_QUERYARGUMENTS", "GenericLFI_URIPATH",
      "GenericRFI_BODY", "GenericRFI_QUERYARGUMENTS", "GenericRFI_URIPATH", "NoUserAgent_HEADER", "RestrictedExtensions_QUERYARGUMENTS",
      "RestrictedExtensions_URIPATH", "SizeRestrictions_BODY", "SizeRestrictions_QUERYSTRING", "SizeRestrictions_URIPATH",
    ] }
  }
}

resource "aws_wafv2_web_acl" "this" {
  count = local.waf ? 1 : 0

  region      = local.waf_region
  name        = "${var.name}-${lower(var.waf_scope)}"
  description = "Hits of ${var.name}"
  scope       = var.waf_scope
  tags        = var.tags

  default_action {
    allow {}
  }

  rule {
    name     = "methods"
    priority = 10

    action {
      block {
        custom_response {
          response_code = 405
        }
      }
    }

    statement {
      not_statement {
        statement {
          regex_match_statement {
            # Seeding and resetting a counter (PUT, DELETE) is for inside the cluster, unless the switch says otherwise.
            regex_string = var.allow_writes ? "^(GET|HEAD|POST|OPTIONS|PUT|DELETE)$" : "^(GET|HEAD|POST|OPTIONS)$"

            field_to_match {
              method {}
            }

            text_transformation {
              priority = 0
              type     = "NONE"
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
      metric_name                = "${var.name}-methods"
    }
  }

  # The admin port is not reachable from here. Should somebody ever join the two ports, these names stay inside.
  rule {
    name     = "admin-paths"
    priority = 20

    action {
      block {
        custom_response {
          response_code = 404
        }
      }
    }

    statement {
      regex_match_statement {
        regex_string = "^/(metrics|livez|readyz|statusz|configz)"

        field_to_match {
          uri_path {}
        }

        text_transformation {
          priority = 0
          type     = "URL_DECODE"
        }

        text_transformation {
          priority = 1
          type     = "NORMALIZE_PATH"
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
      metric_name                = "${var.name}-admin-paths"
    }
  }

  # One address that counts a page thousands of times is not a reader.
  rule {
    name     = "rate-per-address"
    priority = 30

    action {
      block {
        custom_response {
          response_code = 429

          response_header {
            name  = "Retry-After"
            value = "60"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.rate_limit
        evaluation_window_sec = var.rate_window_seconds
        aggregate_key_type    = "IP"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
      metric_name                = "${var.name}-rate"
    }
  }

  # Writing is dearer than reading: batches have a limit of their own.
  rule {
    name     = "rate-of-batches"
    priority = 35

    action {
      block {
        custom_response {
          response_code = 429
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.batch_rate_limit
        evaluation_window_sec = var.rate_window_seconds
        aggregate_key_type    = "IP"

        scope_down_statement {
          byte_match_statement {
            search_string         = "/v1/hits"
            positional_constraint = "EXACTLY"

            field_to_match {
              uri_path {}
            }

            text_transformation {
              priority = 0
              type     = "NORMALIZE_PATH"
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
      metric_name                = "${var.name}-batches"
    }
  }

  dynamic "rule" {
    for_each = local.managed_rules

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key

          dynamic "rule_action_override" {
            for_each = rule.value.count

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = true
        metric_name                = "${var.name}-${rule.key}"
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = true
    metric_name                = var.name
  }
}

# WAF insists on this prefix.
resource "aws_cloudwatch_log_group" "waf" {
  count = local.waf ? 1 : 0

  region            = local.waf_region
  name              = "aws-waf-logs-${var.name}-${lower(var.waf_scope)}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.waf_log_kms_key_arn
  tags              = var.tags
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  count = local.waf ? 1 : 0

  region                  = local.waf_region
  resource_arn            = aws_wafv2_web_acl.this[0].arn
  log_destination_configs = [aws_cloudwatch_log_group.waf[0].arn]

  # What was let through is in CloudFront's log; here only what was not.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }

      condition {
        action_condition {
          action = "COUNT"
        }
      }
    }
  }

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "cookie"
    }
  }
}

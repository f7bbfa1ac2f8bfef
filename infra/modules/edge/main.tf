# What the world sees: CloudFront, with the load balancer as a VPC origin, so that the load balancer needs no public address.
#
# A counter must never be served from a cache. The cache policy of hits has every TTL at 0 (with a minimum above 0 CloudFront caches in spite of
# no-store), errors are not kept either (CloudFront's default is 10 s), and the only paths that may be cached are named and cannot be counting ones.
#
# There is no origin group: CloudFront would repeat a request at the second origin, and a repeated hit counts twice. The other region is chosen
# by active_origin (runbook region-failover).

locals {
  distribution = var.create && var.create_distribution
  own_origin   = var.create && var.vpc_origin != null

  origins = merge(
    local.own_origin ? { primary = { domain_name = var.vpc_origin.domain_name, vpc_origin_id = aws_cloudfront_vpc_origin.this[0].id } } : {},
    var.standby_origin != null ? { standby = var.standby_origin } : {},
  )

  # Every error that CloudFront would otherwise keep.
  uncached_errors = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]

  all_methods  = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
  read_methods = ["GET", "HEAD"]
}

resource "aws_cloudfront_vpc_origin" "this" {
  count = local.own_origin ? 1 : 0

  tags = merge(var.tags, { Name = var.name })

  vpc_origin_endpoint_config {
    name                   = var.name
    arn                    = var.vpc_origin.arn
    http_port              = var.vpc_origin.protocol == "http-only" ? var.vpc_origin.port : 80
    https_port             = var.vpc_origin.protocol == "https-only" ? var.vpc_origin.port : 443
    origin_protocol_policy = var.vpc_origin.protocol

    origin_ssl_protocols {
      items    = ["TLSv1.2"]
      quantity = 1
    }
  }
}

resource "aws_cloudfront_cache_policy" "never" {
  count = local.distribution ? 1 : 0

  name        = "${var.name}-never"
  comment     = "Hits and values: nothing is kept"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 0

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = false
    enable_accept_encoding_gzip   = false

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

resource "aws_cloudfront_cache_policy" "static" {
  count = local.distribution && length(var.cached_paths) > 0 ? 1 : 0

  name        = "${var.name}-static"
  comment     = "Files that change with a release only"
  min_ttl     = 0
  default_ttl = 300
  max_ttl     = 86400

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = true
    enable_accept_encoding_gzip   = true

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

resource "aws_cloudfront_origin_request_policy" "this" {
  count = local.distribution ? 1 : 0

  name    = "${var.name}-hits"
  comment = "The query, where the viewer is, and what filters and CORS look at; no cookies"

  cookies_config {
    cookie_behavior = "none"
  }

  headers_config {
    header_behavior = "whitelist"

    headers {
      items = [
        "Access-Control-Request-Headers", "Access-Control-Request-Method", "CloudFront-Viewer-Address",
        "Origin", "Referer", "User-Agent",
      ]
    }
  }

  query_strings_config {
    query_string_behavior = "all"
  }
}

resource "aws_cloudfront_response_headers_policy" "this" {
  count = local.distribution ? 1 : 0

  name    = "${var.name}-security"
  comment = "Security headers; CORS is the daemon's"

  security_headers_config {
    content_type_options {
      override = true
    }

    referrer_policy {
      referrer_policy = "strict-origin-when-cross-origin"
      override        = false
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = false
      preload                    = false
      override                   = true
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  count = local.distribution ? 1 : 0

  enabled         = true
  comment         = "Hits of ${var.name}"
  aliases         = var.aliases
  price_class     = var.price_class
  http_version    = "http2and3"
  is_ipv6_enabled = true
  web_acl_id      = aws_wafv2_web_acl.this[0].arn
  tags            = merge(var.tags, { Name = var.name })

  dynamic "origin" {
    for_each = local.origins

    content {
      origin_id           = origin.key
      domain_name         = origin.value.domain_name
      connection_attempts = 1
      connection_timeout  = 5

      vpc_origin_config {
        vpc_origin_id            = origin.value.vpc_origin_id
        origin_keepalive_timeout = var.origin_keepalive_seconds
        origin_read_timeout      = var.origin_read_timeout_seconds
      }
    }
  }

  default_cache_behavior {
    target_origin_id           = var.active_origin
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = local.all_methods
    cached_methods             = local.read_methods
    compress                   = false
    cache_policy_id            = aws_cloudfront_cache_policy.never[0].id
    min_ttl                    = 0
    default_ttl                = 0
    max_ttl                    = 0
    origin_request_policy_id   = aws_cloudfront_origin_request_policy.this[0].id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this[0].id
  }

  dynamic "ordered_cache_behavior" {
    for_each = var.cached_paths

    content {
      path_pattern               = ordered_cache_behavior.value
      target_origin_id           = var.active_origin
      viewer_protocol_policy     = "redirect-to-https"
      allowed_methods            = ["GET", "HEAD", "OPTIONS"]
      cached_methods             = local.read_methods
      compress                   = true
      cache_policy_id            = aws_cloudfront_cache_policy.static[0].id
      response_headers_policy_id = aws_cloudfront_response_headers_policy.this[0].id
    }
  }

  dynamic "custom_error_response" {
    for_each = toset([for code in local.uncached_errors : tostring(code)])

    content {
      error_code            = tonumber(custom_error_response.value)
      error_caching_min_ttl = 0
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = length(var.blocked_countries) > 0 ? "blacklist" : "none"
      locations        = var.blocked_countries
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.certificate_arn == null
    acm_certificate_arn            = var.certificate_arn
    ssl_support_method             = var.certificate_arn == null ? null : "sni-only"
    minimum_protocol_version       = var.certificate_arn == null ? null : "TLSv1.2_2021"
  }

  lifecycle {
    precondition {
      condition     = length(var.aliases) == 0 || var.certificate_arn != null
      error_message = "Names of our own need a certificate in us-east-1."
    }

    precondition {
      condition     = contains(keys(local.origins), var.active_origin)
      error_message = "active_origin must be an origin that exists: primary needs vpc_origin, standby needs standby_origin."
    }
  }
}

resource "aws_cloudfront_monitoring_subscription" "this" {
  count = local.distribution ? 1 : 0

  distribution_id = aws_cloudfront_distribution.this[0].id

  monitoring_subscription {
    realtime_metrics_subscription_config {
      realtime_metrics_subscription_status = "Enabled"
    }
  }
}

# Shield Advanced is a subscription of a year for the whole account, so only the protection is made here; the subscription is a switch of its own.
resource "aws_shield_subscription" "this" {
  count = var.create && var.shield_advanced.subscribe ? 1 : 0

  auto_renew = var.shield_advanced.auto_renew ? "ENABLED" : "DISABLED"
}

resource "aws_shield_protection" "this" {
  count = local.distribution && var.shield_advanced.protect ? 1 : 0

  name         = var.name
  resource_arn = aws_cloudfront_distribution.this[0].arn
  tags         = var.tags

  depends_on = [aws_shield_subscription.this]
}

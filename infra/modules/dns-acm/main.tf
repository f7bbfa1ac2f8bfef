# A zone (made or found), a certificate that proves itself by DNS, alias records with or without failover, and who may issue certificates.

locals {
  zone_id = var.create_zone ? one(aws_route53_zone.this[*].zone_id) : var.zone_id

  # A wildcard is validated by the same record as its parent.
  validated_names = var.create && var.create_certificate ? toset(distinct([for n in concat([var.domain_name], var.alternative_names) : trimprefix(n, "*.")])) : toset([])

  # A and AAAA for each alias.
  alias_records = var.create ? merge([
    for key, a in var.aliases : {
      for type in(a.ipv6 ? ["A", "AAAA"] : ["A"]) : "${key}/${type}" => merge(a, { type = type, key = key })
    }
  ]...) : {}
}

resource "aws_route53_zone" "this" {
  count = var.create && var.create_zone ? 1 : 0

  name    = var.zone_name
  comment = "Hits"
  tags    = var.tags
}

# Only Amazon may issue certificates. In a zone of our own that holds for all of it; in somebody else's zone for our name and what lies below it:
# a record at their apex would refuse the certificates of every other host in the zone.
resource "aws_route53_record" "caa" {
  count = var.create && var.create_caa ? 1 : 0

  zone_id = local.zone_id
  name    = var.create_zone ? var.zone_name : var.domain_name
  type    = "CAA"
  ttl     = 3600
  records = concat([for ca in ["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"] : "0 issue \"${ca}\""], var.caa_report == null ? [] : ["0 iodef \"mailto:${var.caa_report}\""])
}

resource "aws_acm_certificate" "this" {
  count = var.create && var.create_certificate ? 1 : 0

  region                    = var.certificate_region
  domain_name               = var.domain_name
  subject_alternative_names = var.alternative_names
  validation_method         = "DNS"
  key_algorithm             = "EC_prime256v1"
  tags                      = merge(var.tags, { Name = var.domain_name })

  options {
    certificate_transparency_logging_preference = "ENABLED"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = local.validated_names

  zone_id         = local.zone_id
  name            = [for o in aws_acm_certificate.this[0].domain_validation_options : o.resource_record_name if trimprefix(o.domain_name, "*.") == each.key][0]
  type            = [for o in aws_acm_certificate.this[0].domain_validation_options : o.resource_record_type if trimprefix(o.domain_name, "*.") == each.key][0]
  records         = [[for o in aws_acm_certificate.this[0].domain_validation_options : o.resource_record_value if trimprefix(o.domain_name, "*.") == each.key][0]]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  count = var.create && var.create_certificate ? 1 : 0

  region                  = var.certificate_region
  certificate_arn         = aws_acm_certificate.this[0].arn
  validation_record_fqdns = [for r in aws_route53_record.validation : r.fqdn]
}

resource "aws_route53_health_check" "this" {
  for_each = var.create ? var.health_checks : {}

  type              = "HTTPS"
  fqdn              = each.value.fqdn
  port              = 443
  resource_path     = each.value.path
  request_interval  = 30
  failure_threshold = 3
  measure_latency   = true
  enable_sni        = true
  tags              = merge(var.tags, { Name = each.key })
}

resource "aws_route53_record" "alias" {
  for_each = local.alias_records

  zone_id         = local.zone_id
  name            = each.value.name
  type            = each.value.type
  set_identifier  = each.value.failover == null ? null : each.value.key
  health_check_id = each.value.health_check == null ? null : aws_route53_health_check.this[each.value.health_check].id

  alias {
    name                   = each.value.target_name
    zone_id                = each.value.target_zone_id
    evaluate_target_health = each.value.evaluate_target_health
  }

  dynamic "failover_routing_policy" {
    for_each = each.value.failover == null ? [] : [each.value.failover]

    content {
      type = failover_routing_policy.value
    }
  }
}

# Health checks report to us-east-1 whatever they look at.
resource "aws_cloudwatch_metric_alarm" "health" {
  for_each = var.create ? var.health_checks : {}

  region              = "us-east-1"
  alarm_name          = "${each.key}-unreachable"
  alarm_description   = "https://${each.value.fqdn}${each.value.path} does not answer from outside."
  namespace           = "AWS/Route53"
  metric_name         = "HealthCheckStatus"
  statistic           = "Minimum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_actions_us_east_1
  ok_actions          = var.alarm_actions_us_east_1
  tags                = var.tags

  dimensions = {
    HealthCheckId = aws_route53_health_check.this[each.key].id
  }
}

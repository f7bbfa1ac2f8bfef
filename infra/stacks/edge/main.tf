# The third stack: from the reader to the pods.
#
#   Route 53 ──► CloudFront + WAF ──► VPC origin ──► network load balancer ──► pods                        (everybody)
#   Route 53 ──► Global Accelerator ──► application load balancer + WAF ──► the same pods   (servers that want fixed addresses; optional)

locals {
  accelerated = var.global_accelerator.enabled
  named       = var.dns != null
  host        = local.named ? var.dns.host : null
  # Names beside the host: what this environment must be able to answer for when it takes over.
  further_hosts = local.named ? var.dns.further_hosts : []
}

# CloudFront's logs, alarms and WAF live in us-east-1, and so does their key.
module "key" {
  source = "../../modules/kms"

  region                  = "us-east-1"
  name                    = "${local.prefix}-edge"
  description             = "WAF's log and the edge's alarms of ${local.prefix}"
  account_id              = var.account_id
  partition               = var.partition
  administrators          = var.key_administrators
  deletion_window_in_days = var.permanent ? 30 : 7

  services = {
    Logs = {
      principals = ["logs.us-east-1.amazonaws.com"]
      actions    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
      conditions = [{ test = "ArnLike", variable = "kms:EncryptionContext:aws:logs:arn", values = ["arn:${var.partition}:logs:us-east-1:${var.account_id}:log-group:*"] }]
    }
    Alarms = {
      principals = ["cloudwatch.amazonaws.com"]
      conditions = [{ test = "StringEquals", variable = "aws:SourceAccount", values = [var.account_id] }]
    }
  }
}

module "alarms" {
  source = "../../modules/observability"

  name              = "${local.prefix}-edge"
  region            = var.region
  account_id        = var.account_id
  partition         = var.partition
  topic_region      = "us-east-1"
  topic_kms_key_arn = module.key.arn
  subscriptions     = { for name, address in var.alarm_emails : name => { protocol = "email", endpoint = address } }
}

data "aws_ec2_managed_prefix_list" "cloudfront" {
  name = "com.amazonaws.global.cloudfront.origin-facing"
}

module "lb" {
  source = "../../modules/lb"

  name                     = local.names.load_balancer
  vpc_id                   = local.platform.vpc_id
  subnet_ids               = split(",", local.platform.balancer_subnet_ids)
  target_security_group_id = local.platform.node_security_group_id
  ingress_prefix_list_ids  = { "CloudFront VPC origin" = data.aws_ec2_managed_prefix_list.cloudfront.id }
  weights                  = var.weights
  proxy_protocol_v2        = var.proxy_protocol_v2
  deletion_protection      = var.permanent
  healthy_hosts_min        = var.healthy_hosts_min
  alarm_actions            = [local.platform.alarm_topic_arn]
}

module "dns" {
  source = "../../modules/dns-acm"

  create            = local.named
  zone_name         = local.named ? var.dns.zone_name : "example.com"
  create_zone       = local.named ? var.dns.create_zone : false
  zone_id           = local.named ? var.dns.zone_id : null
  domain_name       = local.named ? local.host : "example.com"
  alternative_names = local.further_hosts
  caa_report        = local.named ? var.dns.caa_report : null

  aliases = local.named ? merge(
    {
      for name in distinct(concat([local.host], var.dns.answer_for)) : name => {
        name           = name
        target_name    = module.edge.domain_name
        target_zone_id = module.edge.hosted_zone_id
      }
    },
    local.accelerated && var.global_accelerator.host != null && var.global_accelerator.listener_arn == null ? {
      direct = {
        name           = var.global_accelerator.host
        target_name    = module.accelerator.dns_name
        target_zone_id = module.accelerator.hosted_zone_id
        ipv6           = false
      }
    } : {},
  ) : {}

  health_checks           = local.named ? { "${local.prefix}-edge" = { fqdn = local.host } } : {}
  alarm_actions_us_east_1 = [module.alarms.topic_arn]
}

module "edge" {
  source = "../../modules/edge"

  name                    = local.prefix
  partition               = var.partition
  account_id              = var.account_id
  vpc_origin              = { arn = module.lb.arn, domain_name = module.lb.dns_name, port = module.lb.listener_port, protocol = "http-only" }
  standby_origin          = var.standby_origin
  active_origin           = var.active_origin
  aliases                 = local.named ? distinct(concat([local.host], var.dns.answer_for)) : []
  certificate_arn         = module.dns.certificate_arn
  price_class             = var.price_class
  cached_paths            = var.cached_paths
  blocked_countries       = var.blocked_countries
  rate_limit              = var.rate_limit
  batch_rate_limit        = var.batch_rate_limit
  allow_writes            = var.allow_writes
  log_bucket_name         = "${local.names.bucket_prefix}-edge-log"
  log_retention_days      = var.edge_log_retention_days
  waf_log_kms_key_arn     = module.key.arn
  shield_advanced         = var.shield_advanced
  alarm_actions_us_east_1 = [module.alarms.topic_arn]
}

# ---- The direct way, by switch.

module "regional_key" {
  source = "../../modules/kms"

  create                  = local.accelerated
  name                    = "${local.prefix}-direct"
  description             = "WAF's log of the direct way of ${local.prefix}"
  account_id              = var.account_id
  partition               = var.partition
  administrators          = var.key_administrators
  deletion_window_in_days = var.permanent ? 30 : 7

  services = {
    Logs = {
      principals = ["logs.${var.region}.amazonaws.com"]
      actions    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
      conditions = [{ test = "ArnLike", variable = "kms:EncryptionContext:aws:logs:arn", values = ["arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:*"] }]
    }
  }
}

module "direct_waf" {
  source = "../../modules/edge"

  create              = local.accelerated
  create_distribution = false
  name                = "${local.prefix}-direct"
  partition           = var.partition
  account_id          = var.account_id
  waf_scope           = "REGIONAL"
  rate_limit          = var.rate_limit
  batch_rate_limit    = var.batch_rate_limit
  allow_writes        = var.allow_writes
  log_retention_days  = var.edge_log_retention_days
  waf_log_kms_key_arn = module.regional_key.arn
}

module "direct_certificate" {
  source = "../../modules/dns-acm"

  create             = local.accelerated
  zone_name          = local.named ? var.dns.zone_name : "example.com"
  zone_id            = local.named ? module.dns.zone_id : null
  domain_name        = coalesce(var.global_accelerator.host, local.named ? var.dns.zone_name : "example.com")
  certificate_region = null
  # The direct host lies below the host, whose record counts for it.
  create_caa = !(local.named && endswith(coalesce(var.global_accelerator.host, "none"), try(".${var.dns.host}", "none")))
}

module "direct_lb" {
  source = "../../modules/lb"

  create                   = local.accelerated
  name                     = "${local.names.load_balancer}-direct"
  type                     = "application"
  listener_port            = 443
  vpc_id                   = local.platform.vpc_id
  subnet_ids               = split(",", local.platform.balancer_subnet_ids)
  target_security_group_id = local.platform.node_security_group_id
  certificate_arn          = module.direct_certificate.certificate_arn
  associate_web_acl        = true
  web_acl_arn              = module.direct_waf.web_acl_arn
  weights                  = var.weights
  deletion_protection      = var.permanent
  access_log_bucket        = module.edge.log_bucket_name
  alarm_actions            = [local.platform.alarm_topic_arn]

  # Global Accelerator keeps the reader's address, so the group sees everybody. The load balancer is internal and has no route
  # from the internet but the accelerator; the web ACL stands before it, and the module refuses this rule without one.
  ingress_cidrs = { "Readers through Global Accelerator" = "0.0.0.0/0" }
}

module "accelerator" {
  source = "../../modules/global-accelerator"

  create            = local.accelerated
  name              = local.prefix
  region            = var.region
  load_balancer_arn = module.direct_lb.arn
  listener_arn      = var.global_accelerator.listener_arn
  role              = var.global_accelerator.role
  traffic_dial      = var.global_accelerator.traffic_dial
  failed_over       = var.global_accelerator.failed_over
}

# ---- The page that shows all of it, and the alarm that says whether readers are hurt.

module "dashboard" {
  source = "../../modules/observability"

  create_topic       = false
  name               = local.prefix
  region             = var.region
  account_id         = var.account_id
  partition          = var.partition
  create_dashboard   = true
  reader_alarm_names = module.lb.alarm_names
  alarm_actions      = [local.platform.alarm_topic_arn]

  dashboard = {
    distribution_id = module.edge.distribution_id
    load_balancer   = module.lb.arn_suffix
    target_groups   = module.lb.target_group_arn_suffixes
    cluster_name    = local.platform.cluster_name
    insights_of     = local.platform.container_insights == "on" ? local.platform.namespace : null
    memorydb_name   = data.aws_ssm_parameter.memorydb_name.insecure_value
  }
}

data "aws_ssm_parameter" "memorydb_name" {
  name            = "${local.names.ssm_prefix}/data/memorydb_name"
  with_decryption = false
}

# Two anycast addresses in front of application load balancers in several regions: the way in that fails over by itself, within seconds and without DNS.
# The accelerator belongs to one environment; the standby region adds its endpoint group to the same listener with the dial at 0.
#
# Global Accelerator takes internal application load balancers and keeps the reader's address, so the load balancer's security group sees the
# whole internet and the web ACL of that load balancer is the fence. It takes no internal network load balancers.

locals {
  own_accelerator = var.create && var.listener_arn == null
  listener_arn    = local.own_accelerator ? one(aws_globalaccelerator_listener.this[*].arn) : var.listener_arn
}

resource "aws_globalaccelerator_accelerator" "this" {
  count = local.own_accelerator ? 1 : 0

  name            = var.name
  ip_address_type = "IPV4"
  enabled         = true
  tags            = merge(var.tags, { Name = var.name })

  dynamic "attributes" {
    for_each = var.flow_log_bucket == null ? [] : [var.flow_log_bucket]

    content {
      flow_logs_enabled   = true
      flow_logs_s3_bucket = attributes.value
      flow_logs_s3_prefix = "${var.name}-accelerator"
    }
  }
}

resource "aws_globalaccelerator_listener" "this" {
  count = local.own_accelerator ? 1 : 0

  accelerator_arn = aws_globalaccelerator_accelerator.this[0].arn
  protocol        = "TCP"
  client_affinity = "NONE"

  port_range {
    from_port = 443
    to_port   = 443
  }
}

resource "aws_globalaccelerator_endpoint_group" "this" {
  count = var.create ? 1 : 0

  listener_arn            = local.listener_arn
  endpoint_group_region   = var.region
  traffic_dial_percentage = var.traffic_dial
  # For load balancers the accelerator believes their own health checks (/readyz on the admin port); these say when it may.
  health_check_interval_seconds = 10
  health_check_protocol         = "TCP"
  health_check_port             = 443
  threshold_count               = 2

  endpoint_configuration {
    endpoint_id                    = var.load_balancer_arn
    weight                         = 128
    client_ip_preservation_enabled = true
  }

  lifecycle {
    precondition {
      condition     = var.role == "active" || var.traffic_dial == 0 || var.failed_over
      error_message = "A standby region has its dial at 0. Set failed_over = true to give it traffic (runbook region-failover)."
    }
  }
}

# The load balancer belongs to Terraform; pods come and go by TargetGroupBinding. So destroying a cluster never waits for a controller,
# and a release is two target groups and two weights.
#
#   network (the default)   TCP 8080 ──► blue 100 / green 0 ──► pods :8080        health: HTTP /readyz on 9090
#   application             HTTPS 443 ─► the same groups over HTTP                  behind Global Accelerator, or where weights must stick
#
# CloudFront's VPC origins take no network load balancer with a TLS listener. On that way the last hop, from CloudFront's interface in our own
# subnets to the pod, is plain TCP; whoever needs TLS up to the load balancer takes the application kind.

locals {
  application = var.type == "application"
  colours     = var.create ? toset(["blue", "green"]) : toset([])
  active      = [for colour in ["blue", "green"] : colour if var.weights[colour] > 0]
}

resource "aws_security_group" "this" {
  count = var.create ? 1 : 0

  name_prefix = "${var.name}-lb-"
  description = "Load balancer ${var.name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-lb" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "prefix_list" {
  for_each = var.create ? var.ingress_prefix_list_ids : {}

  security_group_id = aws_security_group.this[0].id
  description       = each.key
  prefix_list_id    = each.value
  ip_protocol       = "tcp"
  from_port         = var.listener_port
  to_port           = var.listener_port
  tags              = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "cidr" {
  for_each = var.create ? var.ingress_cidrs : {}

  security_group_id = aws_security_group.this[0].id
  description       = each.key
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = var.listener_port
  to_port           = var.listener_port
  tags              = var.tags
}

# Both ends of the way to the pods: out of the load balancer, into the nodes. Hits on the public port, health on the admin port.
locals {
  target_ports = { hits = var.target_port, health = var.health_port }
}

resource "aws_vpc_security_group_egress_rule" "target" {
  for_each = var.create ? local.target_ports : {}

  security_group_id            = aws_security_group.this[0].id
  description                  = "To the pods: ${each.key}"
  referenced_security_group_id = var.target_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  tags                         = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "target" {
  for_each = var.create ? local.target_ports : {}

  security_group_id            = var.target_security_group_id
  description                  = "From the load balancer ${var.name}: ${each.key}"
  referenced_security_group_id = aws_security_group.this[0].id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  tags                         = var.tags
}

resource "aws_lb" "this" {
  count = var.create ? 1 : 0

  name                             = var.name
  internal                         = true
  load_balancer_type               = var.type
  subnets                          = var.subnet_ids
  security_groups                  = [aws_security_group.this[0].id]
  ip_address_type                  = "ipv4"
  enable_deletion_protection       = var.deletion_protection
  enable_cross_zone_load_balancing = local.application ? true : var.cross_zone
  enable_zonal_shift               = true
  tags                             = merge(var.tags, { Name = var.name })

  # Only the application kind reads these.
  idle_timeout               = local.application ? var.idle_timeout_seconds : null
  drop_invalid_header_fields = local.application ? true : null
  desync_mitigation_mode     = local.application ? "strictest" : null
  xff_header_processing_mode = local.application ? "append" : null

  # A network load balancer writes access logs for TLS listeners only, so there it would be an empty promise.
  dynamic "access_logs" {
    for_each = local.application && var.access_log_bucket != null ? [var.access_log_bucket] : []

    content {
      bucket  = access_logs.value
      prefix  = var.name
      enabled = true
    }
  }

  lifecycle {
    precondition {
      condition     = !local.application || var.certificate_arn != null
      error_message = "An application load balancer needs a certificate: it listens on HTTPS only."
    }

    precondition {
      condition     = local.application || length(var.ingress_cidrs) == 0 || !contains(values(var.ingress_cidrs), "0.0.0.0/0")
      error_message = "A network load balancer is reached from CloudFront only; the whole internet as a source is for the application kind behind Global Accelerator and WAF."
    }

    precondition {
      condition     = !contains(values(var.ingress_cidrs), "0.0.0.0/0") || var.web_acl_arn != null
      error_message = "A load balancer that takes requests from anywhere must have a web ACL."
    }
  }
}

resource "aws_lb_target_group" "this" {
  for_each = local.colours

  name                              = "${var.name}-${each.key}"
  vpc_id                            = var.vpc_id
  target_type                       = "ip"
  port                              = var.target_port
  protocol                          = local.application ? "HTTP" : "TCP"
  deregistration_delay              = tostring(var.deregistration_delay_seconds)
  preserve_client_ip                = local.application ? null : "false"
  proxy_protocol_v2                 = local.application ? null : var.proxy_protocol_v2
  load_balancing_algorithm_type     = local.application ? "least_outstanding_requests" : null
  load_balancing_cross_zone_enabled = "use_load_balancer_configuration"
  # A pod that is gone closes its connections; the balancer must not keep them open for it.
  connection_termination = local.application ? null : true
  tags                   = merge(var.tags, { Name = "${var.name}-${each.key}", Colour = each.key })

  health_check {
    enabled             = true
    protocol            = "HTTP"
    port                = tostring(var.health_port)
    path                = var.health_path
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "this" {
  count = var.create ? 1 : 0

  load_balancer_arn = aws_lb.this[0].arn
  port              = var.listener_port
  protocol          = local.application ? "HTTPS" : "TCP"
  certificate_arn   = local.application ? var.certificate_arn : null
  ssl_policy        = local.application ? "ELBSecurityPolicy-TLS13-1-2-2021-06" : null
  # Longer than CloudFront keeps its side (60 s), and than the daemon's 75 s: the daemon decides when a quiet connection ends.
  tcp_idle_timeout_seconds = local.application ? null : 350
  tags                     = var.tags

  default_action {
    type = "forward"

    # Both colours always, so that a release changes a number and nothing else.
    forward {
      dynamic "target_group" {
        for_each = ["blue", "green"]

        content {
          arn    = aws_lb_target_group.this[target_group.value].arn
          weight = var.weights[target_group.value]
        }
      }
    }
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  # Whether there is one is known before its ARN is.
  count = var.create && local.application && var.associate_web_acl ? 1 : 0

  resource_arn = aws_lb.this[0].arn
  web_acl_arn  = var.web_acl_arn
}

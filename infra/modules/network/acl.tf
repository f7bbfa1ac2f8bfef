# Network ACLs are stateless: the reply to every outbound connection needs an inbound rule for ephemeral ports.
# They are the second fence; the security groups are the first.

locals {
  anywhere = "0.0.0.0/0"

  # protocol, from, to, cidr. -1 stands for every protocol.
  acl_rules = {
    public = {
      ingress = [
        ["-1", 0, 0, var.vpc_cidr],
        ["tcp", 1024, 65535, local.anywhere], # replies to what the NAT gateways asked
        ["udp", 1024, 65535, local.anywhere],
      ]
      # The gateways pass on what the private tier may send.
      egress = concat(
        [["-1", 0, 0, var.vpc_cidr], ["udp", 123, 123, local.anywhere]],
        [for p in var.egress_ports : ["tcp", p, p, local.anywhere]],
      )
    }
    private = {
      ingress = concat(
        [["-1", 0, 0, var.vpc_cidr], ["tcp", 1024, 65535, local.anywhere], ["udp", 1024, 65535, local.anywhere]],
        [for c in var.peer_cidrs : ["tcp", 0, 65535, c]],
      )
      egress = concat(
        [["-1", 0, 0, var.vpc_cidr], ["udp", 123, 123, local.anywhere]],
        [for p in var.egress_ports : ["tcp", p, p, local.anywhere]],
        [for c in var.peer_cidrs : ["tcp", 0, 65535, c]],
      )
    }
    balancer = {
      # Global Accelerator keeps the reader's address, so its balancer's subnets must let HTTPS in from anywhere. Only that balancer's security
      # group does as well.
      ingress = concat(
        [["-1", 0, 0, var.vpc_cidr]],
        [for p in var.balancer_ports : ["tcp", p, p, local.anywhere]],
      )
      egress = concat(
        [["-1", 0, 0, var.vpc_cidr]],
        # Replies to whoever opened the connection. Global Accelerator keeps the reader's address, and of a VPC origin AWS does not say whether
        # this list sees CloudFront's public address or one of the subnet. A list without state that guesses wrong drops every answer; with
        # this rule both are right, and the security groups, which know their connections, still decide who may ask.
        [["tcp", 1024, 65535, local.anywhere]],
      )
    }
    data = {
      ingress = concat(
        [for c in var.private_cidrs : ["tcp", var.data_port, var.data_port, c]],
        [for c in var.data_cidrs : ["tcp", 0, 65535, c]],
        [for c in var.peer_cidrs : ["tcp", var.data_port, var.data_port, c]],
      )
      egress = concat(
        [for c in var.private_cidrs : ["tcp", 1024, 65535, c]],
        [for c in var.data_cidrs : ["tcp", 0, 65535, c]],
        [for c in var.peer_cidrs : ["tcp", 1024, 65535, c]],
      )
    }
  }

  acl_subnets = {
    public   = [for s in aws_subnet.public : s.id]
    private  = [for s in aws_subnet.private : s.id]
    data     = [for s in aws_subnet.data : s.id]
    balancer = [for s in aws_subnet.balancer : s.id]
  }
}

resource "aws_network_acl" "this" {
  for_each = var.create ? local.acl_rules : {}

  vpc_id     = aws_vpc.this[0].id
  subnet_ids = local.acl_subnets[each.key]
  tags       = merge(var.tags, { Name = "${var.name}-${each.key}" })

  dynamic "ingress" {
    for_each = each.value.ingress

    content {
      rule_no    = 100 + 10 * ingress.key
      action     = "allow"
      protocol   = ingress.value[0]
      from_port  = ingress.value[1]
      to_port    = ingress.value[2]
      cidr_block = ingress.value[3]
    }
  }

  dynamic "egress" {
    for_each = each.value.egress

    content {
      rule_no    = 100 + 10 * egress.key
      action     = "allow"
      protocol   = egress.value[0]
      from_port  = egress.value[1]
      to_port    = egress.value[2]
      cidr_block = egress.value[3]
    }
  }
}

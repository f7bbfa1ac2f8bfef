# A peering between two VPCs of this account, in one region or two, with the routes of both sides and DNS across it.
# It exists for the standby region: restoring and comparing counters over private addresses.

locals {
  cross_region = var.peer_region != var.region

  # Routes to write: every route table of either side learns the other side's range.
  routes = var.create ? { for i, id in var.route_table_ids : tostring(i) => id } : {}
  back   = var.create ? { for i, id in var.peer_route_table_ids : tostring(i) => id } : {}
}

resource "aws_vpc_peering_connection" "this" {
  count = var.create ? 1 : 0

  region      = var.region
  vpc_id      = var.vpc_id
  peer_vpc_id = var.peer_vpc_id
  peer_region = local.cross_region ? var.peer_region : null
  # Across regions the other side accepts by a resource of its own.
  auto_accept = local.cross_region ? null : true
  tags        = merge(var.tags, { Name = var.name })

  lifecycle {
    precondition {
      condition     = var.vpc_cidr != var.peer_cidr
      error_message = "Peered VPCs must not share an address range."
    }
  }
}

resource "aws_vpc_peering_connection_accepter" "this" {
  count = var.create && local.cross_region ? 1 : 0

  region                    = var.peer_region
  vpc_peering_connection_id = aws_vpc_peering_connection.this[0].id
  auto_accept               = true
  tags                      = merge(var.tags, { Name = var.name })
}

resource "aws_vpc_peering_connection_options" "requester" {
  count = var.create ? 1 : 0

  region                    = var.region
  vpc_peering_connection_id = local.cross_region ? aws_vpc_peering_connection_accepter.this[0].id : aws_vpc_peering_connection.this[0].id

  requester {
    allow_remote_vpc_dns_resolution = true
  }
}

resource "aws_vpc_peering_connection_options" "accepter" {
  count = var.create ? 1 : 0

  region                    = var.peer_region
  vpc_peering_connection_id = local.cross_region ? aws_vpc_peering_connection_accepter.this[0].id : aws_vpc_peering_connection.this[0].id

  accepter {
    allow_remote_vpc_dns_resolution = true
  }
}

resource "aws_route" "there" {
  for_each = local.routes

  region                    = var.region
  route_table_id            = each.value
  destination_cidr_block    = var.peer_cidr
  vpc_peering_connection_id = aws_vpc_peering_connection.this[0].id
}

resource "aws_route" "back" {
  for_each = local.back

  region                    = var.peer_region
  route_table_id            = each.value
  destination_cidr_block    = var.vpc_cidr
  vpc_peering_connection_id = aws_vpc_peering_connection.this[0].id
}

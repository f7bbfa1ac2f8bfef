# A VPC in four tiers. Only the public tier has a route from the internet gateway, and only NAT gateways live there.
# The data tier and the balancer tier have no route out at all.
#
#   public   ── internet gateway
#   private  ── NAT (per zone | single | none) · gateway endpoint S3 · interface endpoints
#   data     ── nothing but the local route and the S3 gateway
#   balancer ── nothing but the local route: load balancers alone lie here, so that pods know them by their range and open the admin port,
#               which health checks ask, to nobody else. An accelerator and CloudFront come in beside the routes.

locals {
  zone_index = { for i, z in var.zones : z => i }
  zones      = var.create ? local.zone_index : {}

  nat_zones = !var.create || var.nat == "none" ? {} : (
    var.nat == "single" ? { (var.zones[0]) = 0 } : local.zone_index
  )
  nat_of_zone = { for z, i in local.zones : z => var.nat == "single" ? var.zones[0] : z if var.nat != "none" }
}

resource "aws_vpc" "this" {
  count = var.create ? 1 : 0

  cidr_block                           = var.vpc_cidr
  enable_dns_support                   = true
  enable_dns_hostnames                 = true
  enable_network_address_usage_metrics = true
  tags                                 = merge(var.tags, { Name = var.name })
}

# Whatever is started without a security group gets this one, and it lets nothing through.
resource "aws_default_security_group" "closed" {
  count = var.create ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = merge(var.tags, { Name = "${var.name}-default-closed" })
}

resource "aws_internet_gateway" "this" {
  count = var.create ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = merge(var.tags, { Name = var.name })
}

resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this[0].id
  availability_zone       = each.key
  cidr_block              = var.public_cidrs[each.value]
  map_public_ip_on_launch = false
  tags                    = merge(var.tags, { Name = "${var.name}-public-${each.key}", Tier = "public" })
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this[0].id
  availability_zone       = each.key
  cidr_block              = var.private_cidrs[each.value]
  map_public_ip_on_launch = false
  tags                    = merge(var.tags, var.private_subnet_tags, { Name = "${var.name}-private-${each.key}", Tier = "private" })
}

resource "aws_subnet" "data" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this[0].id
  availability_zone       = each.key
  cidr_block              = var.data_cidrs[each.value]
  map_public_ip_on_launch = false
  tags                    = merge(var.tags, { Name = "${var.name}-data-${each.key}", Tier = "data" })
}

resource "aws_subnet" "balancer" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this[0].id
  availability_zone       = each.key
  cidr_block              = var.balancer_cidrs[each.value]
  map_public_ip_on_launch = false
  tags                    = merge(var.tags, var.balancer_subnet_tags, { Name = "${var.name}-balancer-${each.key}", Tier = "balancer" })
}

resource "aws_eip" "nat" {
  for_each = local.nat_zones

  domain = "vpc"
  tags   = merge(var.tags, { Name = "${var.name}-nat-${each.key}" })

  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  for_each = local.nat_zones

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id
  tags          = merge(var.tags, { Name = "${var.name}-${each.key}" })
}

resource "aws_route_table" "public" {
  count = var.create ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = merge(var.tags, { Name = "${var.name}-public" })
}

resource "aws_route" "internet" {
  count = var.create ? 1 : 0

  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public" {
  for_each = local.zones

  subnet_id      = aws_subnet.public[each.key].id
  route_table_id = aws_route_table.public[0].id
}

# One table per zone, also with a single NAT gateway: moving to one per zone is then a change of routes, not of tables.
resource "aws_route_table" "private" {
  for_each = local.zones

  vpc_id = aws_vpc.this[0].id
  tags   = merge(var.tags, { Name = "${var.name}-private-${each.key}" })
}

resource "aws_route" "nat" {
  for_each = local.nat_of_zone

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[each.value].id
}

resource "aws_route_table_association" "private" {
  for_each = local.zones

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}

resource "aws_route_table" "data" {
  count = var.create ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = merge(var.tags, { Name = "${var.name}-data" })
}

resource "aws_route_table_association" "data" {
  for_each = local.zones

  subnet_id      = aws_subnet.data[each.key].id
  route_table_id = aws_route_table.data[0].id
}

resource "aws_route_table" "balancer" {
  count = var.create ? 1 : 0

  vpc_id = aws_vpc.this[0].id
  tags   = merge(var.tags, { Name = "${var.name}-balancer" })
}

resource "aws_route_table_association" "balancer" {
  for_each = local.zones

  subnet_id      = aws_subnet.balancer[each.key].id
  route_table_id = aws_route_table.balancer[0].id
}

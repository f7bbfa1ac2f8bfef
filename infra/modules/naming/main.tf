# Names, tags and addresses, computed and nothing else: no provider, no resource.
# Every other module takes its name from here, so that IAM policies can name a resource before it exists.
#
#   /16  10.20.0.0
#   ├── /18  private, zone a      pods and nodes: the VPC CNI gives every pod an address
#   ├── /18  private, zone b
#   ├── /18  private, zone c
#   └── /18  the fourth quarter
#        ├── /21 × 3  public      NAT gateways only
#        ├── /21      carved into /24 × 3: data (MemoryDB), the rest of it free for further data stores
#        ├── /21      carved into /24 × 3: balancer (load balancers alone, so that a range tells them from pods)
#        └── /21 × 3  reserved

locals {
  prefix = "${var.project}-${var.environment}"

  private_cidrs = [for i in range(var.zone_count) : cidrsubnet(var.vpc_cidr, 2, i)]
  fourth        = cidrsubnet(var.vpc_cidr, 2, 3)
  public_cidrs  = [for i in range(var.zone_count) : cidrsubnet(local.fourth, 3, i)]
  data_block    = cidrsubnet(local.fourth, 3, 3)
  data_cidrs    = [for i in range(var.zone_count) : cidrsubnet(local.data_block, 3, i)]
  balancers     = cidrsubnet(local.fourth, 3, 4)
  reserved      = [for i in range(5, 8) : cidrsubnet(local.fourth, 3, i)]

  balancer_cidrs = [for i in range(var.zone_count) : cidrsubnet(local.balancers, 3, i)]

  tags = merge(
    var.tags,
    {
      Project     = var.project
      Environment = var.environment
      ManagedBy   = "terraform"
    },
  )

  names = {
    vpc           = local.prefix
    cluster       = local.prefix
    memorydb      = local.prefix
    load_balancer = local.prefix
    secret_prefix = local.prefix
    ssm_prefix    = "/${var.project}/${var.environment}"
    iam_path      = "/${var.project}/"
    boundary      = "arn:${var.partition}:iam::${var.account_id}:policy/${var.project}/${var.project}-boundary"
    # Bucket names are global, so the account and region go in.
    bucket_prefix = "${local.prefix}-${var.account_id}-${var.region}"
  }
}

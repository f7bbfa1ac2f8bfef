module "naming" {
  source = "../../../naming"

  environment = "dev"
  region      = "eu-central-1"
  account_id  = "111122223333"
}

module "network" {
  source = "../.."

  name           = module.naming.prefix
  region         = "eu-central-1"
  account_id     = "111122223333"
  vpc_cidr       = module.naming.vpc_cidr
  zones          = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  public_cidrs   = module.naming.cidrs.public
  private_cidrs  = module.naming.cidrs.private
  data_cidrs     = module.naming.cidrs.data
  balancer_cidrs = module.naming.cidrs.balancer
  nat            = "single"
  kms_key_arn    = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"
  tags           = module.naming.tags
}

output "vpc_id" {
  description = "Id of the VPC."
  value       = module.network.vpc_id
}

output "prefix" {
  description = "Project and environment, joined by a hyphen."
  value       = local.prefix
}

output "names" {
  description = "Names by purpose."
  value       = local.names
}

output "tags" {
  description = "Tags for every resource."
  value       = local.tags
}

output "vpc_cidr" {
  description = "Address range of the VPC."
  value       = var.vpc_cidr
}

output "cidrs" {
  description = "Subnets by tier, in the order of the zones, and the reserved blocks."
  value = {
    private  = local.private_cidrs
    public   = local.public_cidrs
    data     = local.data_cidrs
    balancer = local.balancer_cidrs
    reserved = local.reserved
  }
}

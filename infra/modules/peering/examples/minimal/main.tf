module "peering" {
  source = "../.."

  name                 = "tallyd-prod-to-dr"
  region               = "eu-central-1"
  peer_region          = "eu-west-1"
  vpc_id               = "vpc-11111111"
  peer_vpc_id          = "vpc-22222222"
  vpc_cidr             = "10.20.0.0/16"
  peer_cidr            = "10.21.0.0/16"
  route_table_ids      = ["rtb-11111111"]
  peer_route_table_ids = ["rtb-22222222"]
}

output "peering_id" {
  description = "Id of the peering connection."
  value       = module.peering.peering_id
}

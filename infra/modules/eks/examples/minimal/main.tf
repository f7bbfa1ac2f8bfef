module "eks" {
  source = "../.."

  name        = "tallyd-dev"
  region      = "eu-central-1"
  account_id  = "111122223333"
  vpc_id      = "vpc-11111111"
  vpc_cidr    = "10.20.0.0/16"
  subnet_ids  = ["subnet-11111111", "subnet-22222222"]
  kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"

  access_entries = {
    operators = {
      principal_arn = "arn:aws:iam::111122223333:role/operators"
      policies      = [{ policy = "AmazonEKSClusterAdminPolicy" }]
    }
  }
}

output "endpoint" {
  description = "Address of the API, reachable from inside the VPC."
  value       = module.eks.endpoint
}

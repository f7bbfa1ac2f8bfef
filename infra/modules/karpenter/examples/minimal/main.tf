module "karpenter" {
  source = "../.."

  cluster_name = "tallyd-dev"
  region       = "eu-central-1"
  account_id   = "111122223333"
}

output "instance_profile" {
  description = "For EC2NodeClass."
  value       = module.karpenter.instance_profile
}

module "karpenter" {
  source = "../.."

  cluster_name = "tallyd-dev"
  region       = "eu-central-1"
  account_id   = "111122223333"
  kms_key_arn  = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"
}

output "instance_profile" {
  description = "For EC2NodeClass."
  value       = module.karpenter.instance_profile
}

module "ecr" {
  source = "../.."

  repositories = ["tallyd"]
  account_id   = "111122223333"
  kms_key_arn  = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"
}

output "repository_urls" {
  description = "Where to push."
  value       = module.ecr.repository_urls
}

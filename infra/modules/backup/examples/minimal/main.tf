module "backup" {
  source = "../.."

  name         = "tallyd-dev"
  region       = "eu-central-1"
  account_id   = "111122223333"
  cluster_name = "tallyd-dev"
  num_shards   = 1
  bucket_name  = "tallyd-dev-111122223333-eu-central-1-backup"
  kms_key_arn  = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"
}

output "state_machine_arn" {
  description = "Start a backup by hand with this."
  value       = module.backup.state_machine_arn
}

module "secrets" {
  source = "../.."

  name              = "tallyd-dev"
  region            = "eu-central-1"
  account_id        = "111122223333"
  secret_prefix     = "tallyd-dev"
  kms_key_arn       = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"
  vpc_id            = "vpc-11111111"
  vpc_cidr          = "10.20.0.0/16"
  subnet_ids        = ["subnet-11111111"]
  memorydb_endpoint = "clustercfg.tallyd-dev.example.memorydb.eu-central-1.amazonaws.com"

  users = {
    tallyd = { user_name = "tallyd" }
  }
}

output "secret_names" {
  description = "What External Secrets reads."
  value       = module.secrets.user_secret_names
}

variable "first_password" {
  description = "Password until the first rotation."
  type        = string
  sensitive   = true
}

module "memorydb" {
  source = "../.."

  name                      = "tallyd-dev"
  account_id                = "111122223333"
  region                    = "eu-central-1"
  vpc_id                    = "vpc-11111111"
  subnet_ids                = ["subnet-11111111", "subnet-22222222"]
  client_security_group_ids = { nodes = "sg-11111111" }
  kms_key_arn               = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"

  users = {
    tallyd = {
      keys     = ["tally:*"]
      commands = ["watch", "get", "multi", "incrby", "set", "exec", "info"]
    }
  }

  initial_passwords = { tallyd = var.first_password }
}

output "endpoint" {
  description = "Where the daemon connects to."
  value       = module.memorydb.endpoint
}

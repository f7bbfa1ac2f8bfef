module "key" {
  source = "../.."

  name        = "tallyd-dev/data"
  description = "Counters at rest"
  account_id  = "111122223333"

  services = {
    Logs = {
      principals = ["logs.eu-central-1.amazonaws.com"]
      conditions = [{
        test     = "ArnLike"
        variable = "kms:EncryptionContext:aws:logs:arn"
        values   = ["arn:aws:logs:eu-central-1:111122223333:log-group:/tallyd/dev/*"]
      }]
    }
  }
}

output "arn" {
  description = "ARN of the key."
  value       = module.key.arn
}

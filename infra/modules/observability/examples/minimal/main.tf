module "observability" {
  source = "../.."

  name              = "tallyd-dev"
  region            = "eu-central-1"
  account_id        = "111122223333"
  topic_kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"

  subscriptions = {
    operators = { protocol = "email", endpoint = "operators@example.com" }
  }
}

output "topic_arn" {
  description = "Give this to alarm_actions."
  value       = module.observability.topic_arn
}

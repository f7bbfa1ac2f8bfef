module "bucket" {
  source = "../.."

  name            = "tallyd-dev-reports"
  expiration_days = 30
  noncurrent_days = 7
}

output "arn" {
  description = "ARN of the bucket."
  value       = module.bucket.arn
}

output "name" {
  description = "Name of the bucket, which a plan knows."
  value       = var.create ? local.bucket.bucket : null
}

output "id" {
  description = "Name of the bucket once it is closed and keeps versions."
  value       = var.create ? local.bucket.id : null

  depends_on = [aws_s3_bucket_versioning.this, aws_s3_bucket_policy.this]
}

output "arn" {
  description = "ARN of the bucket."
  value       = var.create ? local.bucket.arn : null
}

output "region" {
  description = "Region of the bucket, where one was named."
  value       = var.create ? var.region : null
}

output "expiration_days" {
  description = "Days after which objects go."
  value       = var.create ? var.expiration_days : null
}

output "arn" {
  description = "ARN of the key."
  value       = one(aws_kms_key.this[*].arn)
}

output "key_id" {
  description = "Id of the key."
  value       = one(aws_kms_key.this[*].key_id)
}

output "alias" {
  description = "Alias of the key."
  value       = one(aws_kms_alias.this[*].name)
}

output "policy" {
  description = "The key policy as JSON."
  value       = local.policy
}

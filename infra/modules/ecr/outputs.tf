output "repository_urls" {
  description = "Addresses by repository."
  value       = { for k, r in aws_ecr_repository.this : k => r.repository_url }
}

output "repository_arns" {
  description = "ARNs by repository."
  value       = { for k, r in aws_ecr_repository.this : k => r.arn }
}

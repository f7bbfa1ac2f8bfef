output "role_arns" {
  description = "Roles by name, for the pipelines' settings."
  value       = { for k, r in aws_iam_role.this : k => r.arn }
}

output "provider_arns" {
  description = "Identity providers in use."
  value       = { for h in local.used_hosts : h => local.provider_arn[h] }
}

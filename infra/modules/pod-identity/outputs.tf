output "role_arns" {
  description = "Roles by workload."
  value       = { for k, r in aws_iam_role.this : k => r.arn }
}

output "policies" {
  description = "Policies by workload, as JSON."
  value       = local.policies
}

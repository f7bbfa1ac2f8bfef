output "user_secret_arns" {
  description = "Secrets of the users, by short name."
  value       = { for k, s in aws_secretsmanager_secret.user : k => s.arn }
}

output "user_secret_names" {
  description = "Names of the users' secrets, by short name, for External Secrets."
  value       = { for k, s in aws_secretsmanager_secret.user : k => s.name }
}

output "token_secret_names" {
  description = "Names of the tokens' secrets, by short name."
  value       = { for k, s in aws_secretsmanager_secret.token : k => s.name }
}

output "initial_passwords" {
  description = "First password of each user, for module memorydb. Worthless after the first rotation."
  value       = { for k, p in terraform_data.user : k => p.output }
  sensitive   = true
}

output "rotation_security_group_id" {
  description = "Security group of the rotation function; MemoryDB lets it in."
  value       = one(aws_security_group.rotation[*].id)
}

output "rotation_function_name" {
  description = "Name of the rotation function."
  value       = one(aws_lambda_function.rotation[*].function_name)
}

output "read_statement" {
  description = "IAM statements that let a workload read these secrets."
  value = [
    {
      Sid      = "ReadSecrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
      Resource = "${local.secret_arn}:${var.secret_prefix}/*"
    },
  ]
}

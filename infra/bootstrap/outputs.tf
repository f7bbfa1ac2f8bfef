output "bucket_name" {
  description = "Bucket of the states; the .s3.tfbackend files name it."
  value       = module.state.name
}

output "key_alias" {
  description = "Alias of the states' key; the .s3.tfbackend files name it."
  value       = module.key.alias
}

output "operator_policy_arns" {
  description = "Policies for whoever applies."
  value       = [for p in aws_iam_policy.operator : p.arn]
}

output "guard_policy_arn" {
  description = "Policy to attach beside it."
  value       = one(aws_iam_policy.guard[*].arn)
}

output "state_policy_arns" {
  description = "Policies for the states, by environment."
  value       = { for env, p in aws_iam_policy.state : env => p.arn }
}

output "boundary_arn" {
  description = "Permissions boundary of every role."
  value       = one(aws_iam_policy.boundary[*].arn)
}

output "pipeline_role_arns" {
  description = "Roles of the pipelines, by name."
  value       = module.pipelines.role_arns
}

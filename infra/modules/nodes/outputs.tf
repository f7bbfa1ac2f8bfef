output "role_arn" {
  description = "Role of the managed nodes."
  value       = one(aws_iam_role.node[*].arn)
}

output "group_names" {
  description = "Names of the node groups."
  value       = [for g in aws_eks_node_group.this : g.node_group_name]
}

output "user_data" {
  description = "User data by kind (plain, static), for Karpenter's EC2NodeClass as well."
  value       = local.user_data
}

output "node_config" {
  description = "NodeConfig by kind."
  value       = local.node_config
}

output "seccomp_sha256" {
  description = "Hash of the seccomp profile on the nodes."
  value       = local.seccomp_sha256
}

output "seccomp_shell" {
  description = "The shell part that writes the profile; a test runs it."
  value       = local.shell
}

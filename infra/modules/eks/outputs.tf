output "name" {
  description = "Name of the cluster."
  value       = one(aws_eks_cluster.this[*].name)
}

output "arn" {
  description = "ARN of the cluster."
  value       = one(aws_eks_cluster.this[*].arn)
}

output "endpoint" {
  description = "Address of the API."
  value       = one(aws_eks_cluster.this[*].endpoint)
}

output "certificate_authority" {
  description = "Certificate authority of the API, base64."
  value       = try(aws_eks_cluster.this[0].certificate_authority[0].data, null)
}

output "kubernetes_version" {
  description = "Version of the cluster."
  value       = one(aws_eks_cluster.this[*].version)
}

output "node_security_group_id" {
  description = "Security group of nodes and pods."
  value       = one(aws_security_group.node[*].id)
}

output "control_plane_security_group_id" {
  description = "Security group that EKS made for its control plane."
  value       = local.control_plane_group
}

output "oidc_provider_arn" {
  description = "OIDC provider for workloads that cannot use Pod Identity."
  value       = one(aws_iam_openid_connect_provider.this[*].arn)
}

output "alarm_names" {
  description = "Names of the alarms."
  value       = [for a in aws_cloudwatch_metric_alarm.this : a.alarm_name]
}

output "name" {
  description = "Full name of the Multi-Region cluster, for the regional clusters to join."
  value       = one(aws_memorydb_multi_region_cluster.this[*].multi_region_cluster_name)
}

output "arn" {
  description = "ARN of the Multi-Region cluster."
  value       = one(aws_memorydb_multi_region_cluster.this[*].arn)
}

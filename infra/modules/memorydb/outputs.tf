output "arn" {
  description = "ARN of the cluster."
  value       = one(aws_memorydb_cluster.this[*].arn)
}

output "name" {
  description = "Name of the cluster."
  value       = one(aws_memorydb_cluster.this[*].name)
}

output "endpoint" {
  description = "Address of the cluster's configuration endpoint."
  value       = try(aws_memorydb_cluster.this[0].cluster_endpoint[0].address, null)
}

output "port" {
  description = "Data port."
  value       = var.port
}

output "security_group_id" {
  description = "Security group of the cluster."
  value       = one(aws_security_group.this[*].id)
}

output "user_names" {
  description = "Full user names by short name, as the daemon must give them."
  value       = { for name in keys(var.users) : name => "${var.user_name_prefix}${name}" }
}

output "access_strings" {
  description = "Access string of each user; the test suite runs under these."
  value       = local.access_strings
}

output "alarm_arns" {
  description = "Alarms by short name."
  value       = { for k, a in aws_cloudwatch_metric_alarm.this : k => a.arn }
}

output "alarm_names" {
  description = "Names of the alarms."
  value       = [for a in aws_cloudwatch_metric_alarm.this : a.alarm_name]
}

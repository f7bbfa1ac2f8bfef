output "topic_arn" {
  description = "Topic for alarms."
  value       = one(aws_sns_topic.this[*].arn)
}

output "prometheus_endpoint" {
  description = "Address of the Prometheus workspace; remote write is this plus api/v1/remote_write."
  value       = one(aws_prometheus_workspace.this[*].prometheus_endpoint)
}

output "prometheus_arn" {
  description = "ARN of the Prometheus workspace."
  value       = one(aws_prometheus_workspace.this[*].arn)
}

output "metrics_bucket_name" {
  description = "Bucket for Thanos' blocks."
  value       = module.metrics_bucket.name
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = one(aws_cloudwatch_dashboard.this[*].dashboard_name)
}

output "composite_alarm_name" {
  description = "Alarm that says whether readers are hurt."
  value       = one(aws_cloudwatch_composite_alarm.readers[*].alarm_name)
}

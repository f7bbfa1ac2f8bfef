output "arn" {
  description = "ARN of the load balancer."
  value       = one(aws_lb.this[*].arn)
}

output "arn_suffix" {
  description = "How CloudWatch calls the load balancer."
  value       = one(aws_lb.this[*].arn_suffix)
}

output "dns_name" {
  description = "DNS name of the load balancer."
  value       = one(aws_lb.this[*].dns_name)
}

output "zone_id" {
  description = "Hosted zone of the DNS name, for alias records."
  value       = one(aws_lb.this[*].zone_id)
}

output "target_group_arns" {
  description = "Target groups by colour, for TargetGroupBinding."
  value       = { for colour, g in aws_lb_target_group.this : colour => g.arn }
}

output "target_group_arn_suffixes" {
  description = "How CloudWatch calls the target groups."
  value       = { for colour, g in aws_lb_target_group.this : colour => g.arn_suffix }
}

output "security_group_id" {
  description = "Security group of the load balancer."
  value       = one(aws_security_group.this[*].id)
}

output "listener_port" {
  description = "Port of the listener."
  value       = var.listener_port
}

output "alarm_names" {
  description = "Names of the alarms."
  value       = concat([for a in aws_cloudwatch_metric_alarm.unhealthy : a.alarm_name], [for a in aws_cloudwatch_metric_alarm.empty : a.alarm_name])
}

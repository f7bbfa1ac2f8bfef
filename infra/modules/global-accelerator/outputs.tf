output "accelerator_arn" {
  description = "ARN of the accelerator, if made here."
  value       = one(aws_globalaccelerator_accelerator.this[*].arn)
}

output "listener_arn" {
  description = "Listener, for the other region to join."
  value       = var.create ? local.listener_arn : null
}

output "dns_name" {
  description = "DNS name of the accelerator, if made here."
  value       = one(aws_globalaccelerator_accelerator.this[*].dns_name)
}

output "hosted_zone_id" {
  description = "Hosted zone of the DNS name, for alias records."
  value       = one(aws_globalaccelerator_accelerator.this[*].hosted_zone_id)
}

output "endpoint_group_arn" {
  description = "ARN of this region's endpoint group."
  value       = one(aws_globalaccelerator_endpoint_group.this[*].arn)
}

output "target_group_arns" {
  description = "Target groups by colour, for TargetGroupBinding."
  value       = module.lb.target_group_arns
}

output "direct_target_group_arns" {
  description = "Target groups of the direct way by colour; empty without it."
  value       = module.direct_lb.target_group_arns
}

output "load_balancer_dns_name" {
  description = "DNS name of the load balancer."
  value       = module.lb.dns_name
}

output "distribution_id" {
  description = "Id of the distribution."
  value       = module.edge.distribution_id
}

output "distribution_domain_name" {
  description = "CloudFront's own name."
  value       = module.edge.domain_name
}

output "vpc_origin_id" {
  description = "VPC origin of this region."
  value       = module.edge.vpc_origin_id
}

output "host" {
  description = "Where readers send their hits."
  value       = coalesce(local.host, module.edge.domain_name)
}

output "accelerator_listener_arn" {
  description = "Listener that the standby region joins."
  value       = module.accelerator.listener_arn
}

output "accelerator_endpoint_group_arn" {
  description = "Endpoint group of this region, to move the dial by hand."
  value       = module.accelerator.endpoint_group_arn
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = module.dashboard.dashboard_name
}

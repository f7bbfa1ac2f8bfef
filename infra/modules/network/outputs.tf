output "vpc_id" {
  description = "Id of the VPC."
  value       = one(aws_vpc.this[*].id)
}

output "vpc_cidr" {
  description = "Address range of the VPC."
  value       = var.vpc_cidr
}

output "public_subnet_ids" {
  description = "Public subnets, in the order of the zones."
  value       = [for z in var.zones : aws_subnet.public[z].id if var.create]
}

output "private_subnet_ids" {
  description = "Private subnets, in the order of the zones."
  value       = [for z in var.zones : aws_subnet.private[z].id if var.create]
}

output "data_subnet_ids" {
  description = "Data subnets, in the order of the zones."
  value       = [for z in var.zones : aws_subnet.data[z].id if var.create]
}

output "balancer_subnet_ids" {
  description = "Subnets of the load balancers, in the order of the zones."
  value       = [for z in var.zones : aws_subnet.balancer[z].id if var.create]
}

output "balancer_cidrs" {
  description = "Ranges of the load balancers, in the order of the zones: who may ask a pod's admin port."
  value       = var.balancer_cidrs
}

output "private_route_table_ids" {
  description = "Route tables of the private tier, by zone."
  value       = { for z, t in aws_route_table.private : z => t.id }
}

output "data_route_table_id" {
  description = "Route table of the data tier."
  value       = one(aws_route_table.data[*].id)
}

output "nat_public_ips" {
  description = "Addresses that outbound traffic comes from."
  value       = [for e in aws_eip.nat : e.public_ip]
}

output "endpoint_security_group_id" {
  description = "Security group of the interface endpoints."
  value       = one(aws_security_group.endpoints[*].id)
}

output "flow_log_group_name" {
  description = "Log group of the flow logs."
  value       = one(aws_cloudwatch_log_group.flow[*].name)
}

output "peering_id" {
  description = "Id of the peering connection."
  value       = one(aws_vpc_peering_connection.this[*].id)
}

output "cross_region" {
  description = "Whether the two sides lie in different regions."
  value       = local.cross_region
}

output "zone_id" {
  description = "Id of the zone."
  value       = local.zone_id
}

output "name_servers" {
  description = "Name servers, if the zone was made here."
  value       = try(aws_route53_zone.this[0].name_servers, [])
}

output "certificate_arn" {
  description = "ARN of the certificate, once it is valid."
  value       = one(aws_acm_certificate_validation.this[*].certificate_arn)
}

output "health_check_ids" {
  description = "Health checks by name."
  value       = { for k, h in aws_route53_health_check.this : k => h.id }
}

output "names" {
  description = "Names that have records."
  value       = distinct([for r in aws_route53_record.alias : r.name])
}

module "dns" {
  source = "../.."

  zone_name   = "example.com"
  zone_id     = "Z0000000000000000000"
  domain_name = "count.example.com"
}

output "certificate_arn" {
  description = "For CloudFront."
  value       = module.dns.certificate_arn
}

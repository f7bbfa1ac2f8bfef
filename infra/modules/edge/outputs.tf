output "distribution_id" {
  description = "Id of the distribution."
  value       = one(aws_cloudfront_distribution.this[*].id)
}

output "distribution_arn" {
  description = "ARN of the distribution."
  value       = one(aws_cloudfront_distribution.this[*].arn)
}

output "domain_name" {
  description = "CloudFront's own name."
  value       = one(aws_cloudfront_distribution.this[*].domain_name)
}

output "hosted_zone_id" {
  description = "CloudFront's hosted zone, for alias records."
  value       = one(aws_cloudfront_distribution.this[*].hosted_zone_id)
}

output "vpc_origin_id" {
  description = "VPC origin of this region."
  value       = one(aws_cloudfront_vpc_origin.this[*].id)
}

output "web_acl_arn" {
  description = "ARN of the web ACL."
  value       = one(aws_wafv2_web_acl.this[*].arn)
}

output "web_acl_name" {
  description = "Name of the web ACL."
  value       = one(aws_wafv2_web_acl.this[*].name)
}

output "log_bucket_name" {
  description = "Bucket of CloudFront's log."
  value       = module.log_bucket.name

  # Whoever is told to write there is refused until the policy stands.
  depends_on = [module.log_bucket]
}

output "alarm_names" {
  description = "Names of the alarms (us-east-1)."
  value       = concat([for a in aws_cloudwatch_metric_alarm.distribution : a.alarm_name], aws_cloudwatch_metric_alarm.blocked[*].alarm_name)
}

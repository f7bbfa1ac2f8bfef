output "bucket_name" {
  description = "Bucket of the backups."
  value       = module.bucket.name
}

output "bucket_arn" {
  description = "ARN of the bucket."
  value       = module.bucket.arn
}

output "replica_bucket_name" {
  description = "Bucket of the copy."
  value       = module.replica.name
}

output "state_machine_arn" {
  description = "The backup; start it by hand before a risky change."
  value       = one(aws_sfn_state_machine.this[*].arn)
}

output "alarm_names" {
  description = "Names of the alarms."
  value = concat(
    [for a in aws_cloudwatch_metric_alarm.machine : a.alarm_name],
    aws_cloudwatch_metric_alarm.missing[*].alarm_name,
    aws_cloudwatch_metric_alarm.dead[*].alarm_name,
  )
}

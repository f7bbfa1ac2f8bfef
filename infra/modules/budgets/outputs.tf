output "budget_name" {
  description = "Name of the budget."
  value       = one(aws_budgets_budget.this[*].name)
}

output "anomaly_monitor_arn" {
  description = "ARN of the watch."
  value       = one(aws_ce_anomaly_monitor.this[*].arn)
}

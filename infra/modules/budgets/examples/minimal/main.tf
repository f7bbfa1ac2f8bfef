module "budget" {
  source = "../.."

  name        = "tallyd-dev"
  environment = "dev"
  monthly_usd = 400
  emails      = ["operators@example.com"]
}

output "budget_name" {
  description = "Name of the budget."
  value       = module.budget.budget_name
}

module "naming" {
  source = "../.."

  environment = "dev"
  region      = "eu-central-1"
  account_id  = "111122223333"
}

output "cidrs" {
  description = "The address plan."
  value       = module.naming.cidrs
}

module "global" {
  source = "../.."

  name                    = "tallyd-prod"
  regions                 = ["eu-central-1", "eu-west-1"]
  counter_mode            = "absolute"
  accept_last_writer_wins = true
}

output "name" {
  description = "Name for the regional clusters to join."
  value       = module.global.name
}

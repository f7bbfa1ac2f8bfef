module "accelerator" {
  source = "../.."

  name              = "tallyd-prod"
  region            = "eu-central-1"
  role              = "active"
  traffic_dial      = 100
  load_balancer_arn = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/tallyd-prod/0123456789abcdef"
}

output "dns_name" {
  description = "DNS name of the accelerator."
  value       = module.accelerator.dns_name
}

module "edge" {
  source = "../.."

  name                = "tallyd-dev"
  account_id          = "111122223333"
  log_bucket_name     = "tallyd-dev-111122223333-edge-log"
  waf_log_kms_key_arn = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-0000-0000-000000000000"

  vpc_origin = {
    arn         = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/net/tallyd-dev/0123456789abcdef"
    domain_name = "tallyd-dev-0123456789abcdef.elb.eu-central-1.amazonaws.com"
  }
}

output "domain_name" {
  description = "Where to send a hit."
  value       = module.edge.domain_name
}

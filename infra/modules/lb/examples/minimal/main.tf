module "lb" {
  source = "../.."

  name                     = "tallyd-dev"
  vpc_id                   = "vpc-11111111"
  subnet_ids               = ["subnet-11111111", "subnet-22222222"]
  target_security_group_id = "sg-11111111"
  ingress_prefix_list_ids  = { cloudfront = "pl-11111111" }
}

output "target_group_arns" {
  description = "For TargetGroupBinding."
  value       = module.lb.target_group_arns
}

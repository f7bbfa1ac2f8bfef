module "nodes" {
  source = "../.."

  cluster_name         = "tallyd-dev"
  kubernetes_version   = "1.34"
  subnet_ids           = ["subnet-11111111"]
  security_group_ids   = ["sg-11111111"]
  kms_key_arn          = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"
  seccomp_profile_json = jsonencode({ defaultAction = "SCMP_ACT_ERRNO", syscalls = [] })

  groups = {
    system = { instance_types = ["t4g.medium"] }
  }
}

output "seccomp_sha256" {
  description = "Hash of the profile."
  value       = module.nodes.seccomp_sha256
}

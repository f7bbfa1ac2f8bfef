module "pod_identity" {
  source = "../.."

  name         = "tallyd-dev"
  cluster_name = "tallyd-dev"
  region       = "eu-central-1"
  account_id   = "111122223333"

  workloads = {
    external-secrets = {
      namespace       = "external-secrets"
      service_account = "external-secrets"
      statements = jsonencode([{
        Sid      = "Read"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
        Resource = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tallyd/dev/*"
      }])
    }
  }
}

output "role_arns" {
  description = "Roles by workload."
  value       = module.pod_identity.role_arns
}

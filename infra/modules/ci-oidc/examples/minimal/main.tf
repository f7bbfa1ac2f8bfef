module "ci" {
  source = "../.."

  name       = "tallyd-dev"
  account_id = "111122223333"

  roles = {
    push = {
      host                 = "github"
      subjects             = ["repo:example/tallyd:ref:refs/heads/main"]
      push_repository_arns = ["arn:aws:ecr:eu-central-1:111122223333:repository/tallyd"]
    }
  }
}

output "role_arns" {
  description = "Roles by name."
  value       = module.ci.role_arns
}

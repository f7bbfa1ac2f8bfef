output "controller_role_arn" {
  description = "Role of the controller."
  value       = one(aws_iam_role.controller[*].arn)
}

output "node_role_arn" {
  description = "Role of the nodes."
  value       = one(aws_iam_role.node[*].arn)
}

output "instance_profile" {
  description = "Instance profile for EC2NodeClass."
  value       = one(aws_iam_instance_profile.node[*].name)
}

output "queue_name" {
  description = "Interruption queue for the controller's settings."
  value       = one(aws_sqs_queue.this[*].name)
}

output "controller_policy" {
  description = "The controller's policy as JSON."
  value       = local.controller_policy
}

output "host_security_group_id" {
  description = "Security group of the operations host; the cluster and MemoryDB let it in."
  value       = one(aws_security_group.host[*].id)
}

output "host_role_arn" {
  description = "Role of the operations host; give it an access entry in the cluster."
  value       = one(aws_iam_role.host[*].arn)
}

output "operator_policy_arn" {
  description = "Policy that lets a person start a session."
  value       = one(aws_iam_policy.operator[*].arn)
}

output "session_document" {
  description = "Name of the session document."
  value       = one(aws_ssm_document.session[*].name)
}

output "autoscaling_group_name" {
  description = "Group of the operations host."
  value       = one(aws_autoscaling_group.host[*].name)
}

output "instance_connect_endpoint_id" {
  description = "Id of the Instance Connect endpoint."
  value       = one(aws_ec2_instance_connect_endpoint.this[*].id)
}

output "tunnel_document" {
  description = "Session document of the tunnel to the cluster's API."
  value       = one(aws_ssm_document.tunnel[*].name)
}

output "person_role_arns" {
  description = "Roles of people, by name."
  value       = { for name, r in aws_iam_role.person : name => r.arn }
}

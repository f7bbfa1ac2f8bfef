output "cluster_name" {
  description = "Name of the cluster."
  value       = module.eks.name
}

output "cluster_endpoint" {
  description = "Address of the cluster's API."
  value       = module.eks.endpoint
}

output "vpc_id" {
  description = "Id of the VPC."
  value       = module.network.vpc_id
}

output "vpc_cidr" {
  description = "Range of the VPC."
  value       = module.network.vpc_cidr
}

output "balancer_cidrs" {
  description = "Ranges of the load balancers: who may ask a pod's admin port."
  value       = module.network.balancer_cidrs
}

output "nat_public_ips" {
  description = "Addresses that outbound traffic comes from."
  value       = module.network.nat_public_ips
}

output "repository_urls" {
  description = "Image repositories."
  value       = module.ecr.repository_urls
}

output "karpenter_instance_profile" {
  description = "Instance profile for EC2NodeClass."
  value       = module.karpenter.instance_profile
}

output "karpenter_queue" {
  description = "Interruption queue for Karpenter."
  value       = module.karpenter.queue_name
}

output "node_user_data_static" {
  description = "User data for EC2NodeClass: NodeConfig with static CPUs, and the seccomp profile."
  value       = module.nodes.user_data.static
}

output "node_release" {
  description = "Release of the nodes' image, for EC2NodeClass as well."
  value       = var.node_release
}

output "node_security_group_id" {
  description = "Security group of nodes and pods."
  value       = module.eks.node_security_group_id
}

output "key_arn" {
  description = "Key of disks, images and logs."
  value       = module.key.arn
}

output "seccomp_sha256" {
  description = "Hash of the seccomp profile on the nodes."
  value       = module.nodes.seccomp_sha256
}

output "workload_role_arns" {
  description = "Roles by workload."
  value       = module.pod_identity.role_arns
}

output "prometheus_endpoint" {
  description = "Managed Prometheus workspace, if any."
  value       = module.observability.prometheus_endpoint
}

output "metrics_bucket_name" {
  description = "Bucket for Thanos, if any."
  value       = module.observability.metrics_bucket_name
}

output "alarm_topic_arn" {
  description = "Topic for alarms."
  value       = module.observability.topic_arn
}

output "session_document" {
  description = "Session document of the operations host."
  value       = module.access.session_document
}

output "ops_autoscaling_group" {
  description = "Group of the operations host."
  value       = module.access.autoscaling_group_name
}

output "image_pipeline_role_arns" {
  description = "Roles of the pipelines that push images."
  value       = module.ci.role_arns
}

output "tunnel_document" {
  description = "Session document of the tunnel to the cluster's API."
  value       = module.access.tunnel_document
}

output "person_role_arns" {
  description = "Roles of people: read, operate, break-glass."
  value       = module.access.person_role_arns
}

output "region" {
  description = "Region of the stack."
  value       = var.region
}

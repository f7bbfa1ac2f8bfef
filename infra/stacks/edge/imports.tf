# What the platform stack left for us. On the real AWS a missing parameter stops the plan: apply the platform first.

locals {
  imports  = toset(["vpc_id", "balancer_subnet_ids", "cluster_name", "node_security_group_id", "alarm_topic_arn", "container_insights", "namespace"])
  platform = { for key, p in data.aws_ssm_parameter.platform : key => p.insecure_value }
}

data "aws_ssm_parameter" "platform" {
  for_each = local.imports

  name            = "${local.names.ssm_prefix}/platform/${each.key}"
  with_decryption = false
}

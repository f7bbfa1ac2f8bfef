# What the next stacks need to know, where they look for it.

locals {
  exports = {
    vpc_id                 = module.network.vpc_id
    private_subnet_ids     = join(",", module.network.private_subnet_ids)
    data_subnet_ids        = join(",", module.network.data_subnet_ids)
    balancer_subnet_ids    = join(",", module.network.balancer_subnet_ids)
    route_table_ids        = join(",", concat(values(module.network.private_route_table_ids), [module.network.data_route_table_id]))
    cluster_name           = module.eks.name
    node_security_group_id = module.eks.node_security_group_id
    ops_security_group_id  = module.access.host_security_group_id
    alarm_topic_arn        = module.observability.topic_arn
    container_insights     = var.container_insights == null ? "off" : "on"
    namespace              = var.namespace
  }
}

resource "aws_ssm_parameter" "export" {
  for_each = local.exports

  name        = "${local.names.ssm_prefix}/platform/${each.key}"
  description = "From the platform stack"
  type        = "String"
  value       = each.value
}

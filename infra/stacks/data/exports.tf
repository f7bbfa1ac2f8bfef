locals {
  exports = {
    memorydb_name = module.memorydb.name
    memorydb_host = module.memorydb.endpoint
  }
}

resource "aws_ssm_parameter" "export" {
  for_each = local.exports

  name        = "${local.names.ssm_prefix}/data/${each.key}"
  description = "From the data stack"
  type        = "String"
  value       = each.value
}

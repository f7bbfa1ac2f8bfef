# Container Insights: CPU, memory and restarts of nodes, namespaces and pods, and what pods write to their standard output, in CloudWatch.
# The groups are made here: the add-on would make them unencrypted and for ever.

locals {
  insights = var.container_insights == null ? {} : {
    amazon-cloudwatch-observability = {
      version         = var.container_insights.version
      service_account = "cloudwatch-agent"
      managed_policy  = "CloudWatchAgentServerPolicy"

      configuration = jsonencode({
        agent         = { config = { logs = { metrics_collected = { kubernetes = { enhanced_container_insights = true } } } } }
        containerLogs = { enabled = true }
        # Nodes for hits are tainted, and what runs there is what matters most.
        tolerations = [{ operator = "Exists" }]
      })
    }
  }

  insights_logs = toset(["application", "dataplane", "host", "performance"])
}

resource "aws_cloudwatch_log_group" "insights" {
  for_each = var.create && var.container_insights != null ? local.insights_logs : toset([])

  name              = "/aws/containerinsights/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

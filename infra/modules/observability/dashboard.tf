# The page, from top to bottom the way of a hit: edge, load balancer, pods, store. What an environment does not have is left out.
# The widgets differ in shape, so they are joined as text.

locals {
  edge_widgets = [for w in [
    {
      title = "Edge: requests", region = "us-east-1", stat = "Sum"
      metrics = [
        ["AWS/CloudFront", "Requests", "DistributionId", var.dashboard.distribution_id, "Region", "Global"],
      ]
    },
    {
      title = "Edge: errors, percent", region = "us-east-1", stat = "Average"
      metrics = [
        ["AWS/CloudFront", "4xxErrorRate", "DistributionId", var.dashboard.distribution_id, "Region", "Global"],
        ["AWS/CloudFront", "5xxErrorRate", "DistributionId", var.dashboard.distribution_id, "Region", "Global"],
      ]
    },
  ] : jsonencode(w) if var.dashboard.distribution_id != null]

  lb_widgets = [for w in [
    {
      title = "Load balancer: connections", region = var.region, stat = "Sum"
      metrics = [
        ["AWS/NetworkELB", "NewFlowCount", "LoadBalancer", var.dashboard.load_balancer],
        ["AWS/NetworkELB", "TCP_Target_Reset_Count", "LoadBalancer", var.dashboard.load_balancer],
      ]
    },
    {
      title = "Load balancer: healthy pods", region = var.region, stat = "Minimum"
      metrics = [
        for colour, group in var.dashboard.target_groups :
        ["AWS/NetworkELB", "HealthyHostCount", "TargetGroup", group, "LoadBalancer", var.dashboard.load_balancer, { label = colour }]
      ]
    },
  ] : jsonencode(w) if var.dashboard.load_balancer != null]

  cluster_widgets = [for w in [
    {
      title = "Cluster: pods without a node", region = var.region, stat = "Maximum"
      metrics = [
        ["AWS/EKS", "scheduler_pending_pods_UNSCHEDULABLE", "ClusterName", var.dashboard.cluster_name],
        ["AWS/EKS", "apiserver_request_total_5XX", "ClusterName", var.dashboard.cluster_name],
      ]
    },
  ] : jsonencode(w) if var.dashboard.cluster_name != null]

  # With Container Insights: the nodes, every namespace, and our pods against their limits.
  insights_widgets = [for w in [
    {
      title   = "Nodes: CPU, memory and disk, percent", region = var.region, stat = "Maximum"
      metrics = [for m in ["node_cpu_utilization", "node_memory_utilization", "node_filesystem_utilization"] : ["ContainerInsights", m, "ClusterName", var.dashboard.cluster_name]]
    },
    {
      title   = "Nodes: how many, and how many have failed", region = var.region, stat = "Maximum"
      metrics = [for m in ["cluster_node_count", "cluster_failed_node_count"] : ["ContainerInsights", m, "ClusterName", var.dashboard.cluster_name]]
    },
    {
      title = "Namespaces: CPU of the cluster's, percent", region = var.region, stat = "Average"
      metrics = [
        [{ expression = "SEARCH('{ContainerInsights,ClusterName,Namespace} ClusterName=\"${coalesce(var.dashboard.cluster_name, "none")}\" MetricName=\"pod_cpu_utilization\"', 'Average', 60)" }],
      ]
    },
    {
      title = "Namespaces: memory of the cluster's, percent", region = var.region, stat = "Average"
      metrics = [
        [{ expression = "SEARCH('{ContainerInsights,ClusterName,Namespace} ClusterName=\"${coalesce(var.dashboard.cluster_name, "none")}\" MetricName=\"pod_memory_utilization\"', 'Average', 60)" }],
      ]
    },
    {
      title = "Pods of ${coalesce(var.dashboard.insights_of, "none")}: CPU and memory of their limits, percent", region = var.region, stat = "Maximum"
      metrics = [
        for m in ["pod_cpu_utilization_over_pod_limit", "pod_memory_utilization_over_pod_limit"] :
        ["ContainerInsights", m, "ClusterName", var.dashboard.cluster_name, "Namespace", var.dashboard.insights_of]
      ]
    },
    {
      title = "Pods of ${coalesce(var.dashboard.insights_of, "none")}: running, restarts", region = var.region, stat = "Maximum"
      metrics = [
        for m in ["namespace_number_of_running_pods", "pod_number_of_container_restarts"] :
        ["ContainerInsights", m, "ClusterName", var.dashboard.cluster_name, "Namespace", var.dashboard.insights_of]
      ]
    },
  ] : jsonencode(w) if var.dashboard.insights_of != null]

  store_widgets = [for w in [
    {
      title = "MemoryDB: engine CPU and memory, percent", region = var.region, stat = "Maximum"
      metrics = [
        ["AWS/MemoryDB", "EngineCPUUtilization", "ClusterName", var.dashboard.memorydb_name],
        ["AWS/MemoryDB", "DatabaseMemoryUsagePercentage", "ClusterName", var.dashboard.memorydb_name],
      ]
    },
    {
      title = "MemoryDB: write latency p99, µs", region = var.region, stat = "p99"
      metrics = [
        ["AWS/MemoryDB", "SuccessfulWriteRequestLatency", "ClusterName", var.dashboard.memorydb_name],
      ]
    },
    {
      title = "MemoryDB: connections, refused logins, evictions", region = var.region, stat = "Sum"
      metrics = [
        ["AWS/MemoryDB", "CurrConnections", "ClusterName", var.dashboard.memorydb_name],
        ["AWS/MemoryDB", "AuthenticationFailures", "ClusterName", var.dashboard.memorydb_name],
        ["AWS/MemoryDB", "Evictions", "ClusterName", var.dashboard.memorydb_name],
      ]
    },
  ] : jsonencode(w) if var.dashboard.memorydb_name != null]

  # The widgets differ in shape, so they meet as text.
  widgets = [for w in concat(local.edge_widgets, local.lb_widgets, local.cluster_widgets, local.insights_widgets, local.store_widgets) : jsondecode(w)]

  dashboard_body = jsonencode({
    widgets = [
      for i, w in local.widgets : {
        type   = "metric"
        x      = 12 * (i % 2)
        y      = 6 * floor(i / 2)
        width  = 12
        height = 6
        properties = {
          title   = w.title
          region  = w.region
          stat    = w.stat
          period  = 60
          view    = "timeSeries"
          metrics = w.metrics
        }
      }
    ]
  })
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.create && var.create_dashboard ? 1 : 0

  dashboard_name = var.name
  dashboard_body = local.dashboard_body
}

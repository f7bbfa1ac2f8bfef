# Three groups: the API's (who may call it), the one EKS makes for its control plane, and the nodes'.
#
#   api clients ──443──► api        control plane ──443, 1025-65535──► nodes       nodes ──443──► control plane
#   nodes ──► nodes (pods share the nodes' group), ──443──► AWS, ──data port──► VPC

resource "aws_security_group" "api" {
  count = var.create ? 1 : 0

  name_prefix = "${var.name}-api-"
  description = "Who may call the cluster's API from inside the VPC"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-api" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "api" {
  for_each = var.create ? var.api_client_security_group_ids : {}

  security_group_id            = aws_security_group.api[0].id
  description                  = "API from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = var.tags
}

resource "aws_security_group" "node" {
  count = var.create ? 1 : 0

  name_prefix = "${var.name}-node-"
  description = "Nodes and pods"
  vpc_id      = var.vpc_id

  tags = merge(var.tags, {
    Name                                = "${var.name}-node"
    "kubernetes.io/cluster/${var.name}" = "owned"
    "karpenter.sh/discovery"            = var.name
  })

  lifecycle {
    create_before_destroy = true
  }
}

locals {
  control_plane_group = try(aws_eks_cluster.this[0].vpc_config[0].cluster_security_group_id, null)

  # Webhooks (KEDA, External Secrets, the load balancer controller), the kubelet and the metrics server listen above 1024.
  from_control_plane = {
    https    = { from = 443, to = 443 }
    services = { from = 1025, to = 65535 }
  }
}

resource "aws_vpc_security_group_ingress_rule" "node_from_control_plane" {
  for_each = var.create ? local.from_control_plane : {}

  security_group_id            = aws_security_group.node[0].id
  description                  = "Control plane: ${each.key}"
  referenced_security_group_id = local.control_plane_group
  ip_protocol                  = "tcp"
  from_port                    = each.value.from
  to_port                      = each.value.to
  tags                         = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "node_from_node" {
  count = var.create ? 1 : 0

  security_group_id            = aws_security_group.node[0].id
  description                  = "Pods to pods; network policies narrow it down"
  referenced_security_group_id = aws_security_group.node[0].id
  ip_protocol                  = "-1"
  tags                         = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "control_plane_from_node" {
  count = var.create ? 1 : 0

  security_group_id            = local.control_plane_group
  description                  = "Nodes to the API"
  referenced_security_group_id = aws_security_group.node[0].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = var.tags
}

resource "aws_vpc_security_group_egress_rule" "node_to_node" {
  count = var.create ? 1 : 0

  security_group_id            = aws_security_group.node[0].id
  description                  = "Pods to pods"
  referenced_security_group_id = aws_security_group.node[0].id
  ip_protocol                  = "-1"
  tags                         = var.tags
}

# HTTPS to the API, AWS, registries and Git; further ports only where an environment names them.
resource "aws_vpc_security_group_egress_rule" "node_out" {
  for_each = var.create ? toset([for p in var.egress_ports : tostring(p)]) : toset([])

  security_group_id = aws_security_group.node[0].id
  description       = "Out on port ${each.key}"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
  tags              = var.tags
}

resource "aws_vpc_security_group_egress_rule" "node_data" {
  count = var.create ? 1 : 0

  security_group_id = aws_security_group.node[0].id
  description       = "MemoryDB"
  cidr_ipv4         = var.vpc_cidr
  ip_protocol       = "tcp"
  from_port         = var.data_port
  to_port           = var.data_port
  tags              = var.tags
}

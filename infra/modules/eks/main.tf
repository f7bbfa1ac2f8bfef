# The cluster. Its API has no public address unless somebody names the addresses that may reach it; secrets are encrypted with our key;
# all five logs are on; who may do what is an access entry here, not a config map inside.

resource "aws_cloudwatch_log_group" "this" {
  count = var.create ? 1 : 0

  # EKS writes to this name and would create the group itself, unencrypted and kept for ever.
  name              = "/aws/eks/${var.name}/cluster"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "cluster" {
  count = var.create ? 1 : 0

  name                 = "${var.name}-cluster"
  path                 = var.iam_path
  description          = "Control plane of ${var.name}"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
    }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  count = var.create ? 1 : 0

  role       = aws_iam_role.cluster[0].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_iam_role_policy" "cluster_key" {
  count = var.create ? 1 : 0

  name = "encrypt-secrets"
  role = aws_iam_role.cluster[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"]
      Resource = var.kms_key_arn
    }]
  })
}

resource "aws_eks_cluster" "this" {
  count = var.create ? 1 : 0

  name                          = var.name
  role_arn                      = aws_iam_role.cluster[0].arn
  version                       = var.kubernetes_version
  enabled_cluster_log_types     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  bootstrap_self_managed_addons = false
  deletion_protection           = var.deletion_protection
  tags                          = merge(var.tags, { Name = var.name })

  access_config {
    authentication_mode = "API"
    # Whoever runs Terraform gets no hidden rights: access entries name everybody.
    bootstrap_cluster_creator_admin_permissions = false
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = var.kms_key_arn
    }
  }

  kubernetes_network_config {
    ip_family         = "ipv4"
    service_ipv4_cidr = var.service_cidr
  }

  upgrade_policy {
    support_type = var.support_type
  }

  vpc_config {
    subnet_ids              = var.subnet_ids
    security_group_ids      = [aws_security_group.api[0].id]
    endpoint_private_access = true
    endpoint_public_access  = length(var.public_access_cidrs) > 0
    public_access_cidrs     = length(var.public_access_cidrs) > 0 ? var.public_access_cidrs : null
  }

  zonal_shift_config {
    enabled = true
  }

  depends_on = [
    aws_cloudwatch_log_group.this,
    aws_iam_role_policy_attachment.cluster,
    aws_iam_role_policy.cluster_key,
  ]
}

# For workloads that cannot use Pod Identity.
resource "aws_iam_openid_connect_provider" "this" {
  count = var.create ? 1 : 0

  url            = aws_eks_cluster.this[0].identity[0].oidc[0].issuer
  client_id_list = ["sts.amazonaws.com"]
  tags           = merge(var.tags, { Name = var.name })
}

resource "aws_eks_access_entry" "this" {
  for_each = var.create ? var.access_entries : {}

  cluster_name      = aws_eks_cluster.this[0].name
  principal_arn     = each.value.principal_arn
  type              = each.value.type
  kubernetes_groups = each.value.type == "STANDARD" ? each.value.kubernetes_groups : null
  tags              = var.tags
}

locals {
  access_policies = merge([
    for name, e in var.access_entries : {
      for p in e.policies : "${name}/${p.policy}" => merge(p, { principal_arn = e.principal_arn, entry = name })
    }
  ]...)
}

resource "aws_eks_access_policy_association" "this" {
  for_each = var.create ? local.access_policies : {}

  cluster_name  = aws_eks_cluster.this[0].name
  principal_arn = aws_eks_access_entry.this[each.value.entry].principal_arn
  policy_arn    = "arn:${var.partition}:eks::aws:cluster-access-policy/${each.value.policy}"

  access_scope {
    type       = length(each.value.namespaces) > 0 ? "namespace" : "cluster"
    namespaces = length(each.value.namespaces) > 0 ? each.value.namespaces : null
  }
}

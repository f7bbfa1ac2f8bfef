# Add-ons, each with a role of its own where it calls AWS; nodes carry no rights for them.

locals {
  addons      = merge(var.addons, local.insights)
  addon_roles = { for name, a in local.addons : name => a if a.service_account != null }
}

resource "aws_iam_role" "addon" {
  for_each = var.create ? local.addon_roles : {}

  name                 = "${var.name}-addon-${each.key}"
  path                 = var.iam_path
  description          = "Add-on ${each.key} of ${var.name}"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnEquals    = { "aws:SourceArn" = "arn:${var.partition}:eks:${var.region}:${var.account_id}:cluster/${var.name}" }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "addon" {
  for_each = var.create ? local.addon_roles : {}

  role       = aws_iam_role.addon[each.key].name
  policy_arn = "arn:${var.partition}:iam::aws:policy/${each.value.managed_policy}"
}

resource "aws_eks_addon" "this" {
  for_each = var.create ? local.addons : {}

  cluster_name                = aws_eks_cluster.this[0].name
  addon_name                  = each.key
  addon_version               = each.value.version
  configuration_values        = each.value.configuration
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"
  preserve                    = false
  tags                        = var.tags

  dynamic "pod_identity_association" {
    for_each = each.value.service_account == null ? [] : [each.value.service_account]

    content {
      service_account = pod_identity_association.value
      role_arn        = aws_iam_role.addon[each.key].arn
    }
  }

  depends_on = [aws_iam_role_policy_attachment.addon, aws_cloudwatch_log_group.insights]
}

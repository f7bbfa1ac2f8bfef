# One role per workload, handed out by EKS Pod Identity to exactly one service account of exactly one cluster.

locals {
  workloads = var.create ? var.workloads : {}

  # Statements differ in shape, so they are joined as text.
  policies = {
    for name, w in var.workloads : name => jsonencode({
      Version   = "2012-10-17"
      Statement = jsondecode(w.statements)
    })
  }
}

resource "aws_iam_role" "this" {
  for_each = local.workloads

  name                 = "${var.name}-${each.key}"
  path                 = var.iam_path
  description          = "${each.value.namespace}/${each.value.service_account} in ${var.cluster_name}"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        StringEquals = {
          "aws:SourceAccount"                         = var.account_id
          "aws:RequestTag/kubernetes-namespace"       = each.value.namespace
          "aws:RequestTag/kubernetes-service-account" = each.value.service_account
        }
        ArnEquals = { "aws:SourceArn" = "arn:${var.partition}:eks:${var.region}:${var.account_id}:cluster/${var.cluster_name}" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.workloads

  name   = each.key
  role   = aws_iam_role.this[each.key].id
  policy = local.policies[each.key]
}

resource "aws_eks_pod_identity_association" "this" {
  for_each = local.workloads

  cluster_name    = var.cluster_name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.this[each.key].arn
  tags            = var.tags
}

# Settings of the account that everything else leans on.

resource "aws_s3_account_public_access_block" "this" {
  count = var.once_per_account ? 1 : 0

  account_id              = var.account_id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_ebs_encryption_by_default" "this" {
  for_each = var.once_per_account ? toset(var.regions) : toset([])

  region  = each.value
  enabled = true
}

resource "aws_ec2_instance_metadata_defaults" "this" {
  for_each = var.once_per_account ? toset(var.regions) : toset([])

  region                      = each.value
  http_tokens                 = "required"
  http_put_response_hop_limit = 1
}

# Roles that services make for themselves on first use. Key policies name one of them, and operators may not make any, so they are made here.
resource "aws_iam_service_linked_role" "this" {
  for_each = var.once_per_account ? toset(var.service_linked_roles) : toset([])

  aws_service_name = each.value
}

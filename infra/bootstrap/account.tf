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

# Billing can filter by a tag only after it was activated, and it knows a tag about a day after the first resource carries it. So the first
# run leaves the list empty; cost_tag_active of the environments becomes true with the second.
resource "aws_ce_cost_allocation_tag" "this" {
  for_each = var.once_per_account ? toset(var.cost_allocation_tags) : toset([])

  tag_key = each.value
  status  = "Active"
}

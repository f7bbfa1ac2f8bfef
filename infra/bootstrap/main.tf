# Once per account: the bucket that holds every state, with its key. Locking is S3's own (use_lockfile), so there is no table.

locals {
  bucket_name = "${var.project}-state-${var.account_id}-${var.region}"
  bucket_arn  = "arn:${var.partition}:s3:::${local.bucket_name}"
}

module "key" {
  source = "../modules/kms"

  name           = "${var.project}-state"
  description    = "Terraform state of ${var.project}"
  account_id     = var.account_id
  partition      = var.partition
  administrators = var.key_administrators
}

module "state" {
  source = "../modules/bucket"

  name        = local.bucket_name
  partition   = var.partition
  keep        = true
  kms_key_arn = module.key.arn
  # A year of old states, and always the last fifty.
  lifecycle_name  = "old-versions"
  noncurrent_days = 365
  noncurrent_kept = 50

  statements = jsonencode([
    {
      Sid       = "OnlyThisAccount"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
      Condition = { StringNotEquals = { "aws:PrincipalAccount" = var.account_id } }
    },
    {
      # A lost state is found again in the versions, if they are still there.
      Sid       = "VersionsStay"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:DeleteBucket", "s3:DeleteObjectVersion", "s3:PutBucketVersioning"]
      Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
      Condition = { ArnNotLike = { "aws:PrincipalArn" = length(var.key_administrators) > 0 ? var.key_administrators : ["arn:${var.partition}:iam::${var.account_id}:root"] } }
    },
  ])
}

# A closed bucket: private in all four ways, over TLS only, without ACLs, encrypted, with versions, and with an end to what is old.
# Whoever needs more brings statements, transitions or a lock.

locals {
  arn      = "arn:${var.partition}:s3:::${var.name == null ? "none" : var.name}"
  made     = var.create && !var.keep ? 1 : 0
  kept     = var.create && var.keep ? 1 : 0
  bucket   = one(concat(aws_s3_bucket.this, aws_s3_bucket.kept))
  policy   = jsonencode({ Version = "2012-10-17", Statement = concat([local.tls_only], jsondecode(var.statements)) })
  tls_only = { Sid = "TlsOnly", Effect = "Deny", Principal = "*", Action = "s3:*", Resource = [local.arn, "${local.arn}/*"], Condition = { Bool = { "aws:SecureTransport" = "false" } } }
}

resource "aws_s3_bucket" "this" {
  count = local.made

  region              = var.region
  bucket              = var.name
  object_lock_enabled = var.object_lock_days > 0
  tags                = var.tags
}

# Terraform reads no variable in prevent_destroy, so a bucket that it must never destroy is another resource.
resource "aws_s3_bucket" "kept" {
  count = local.kept

  region              = var.region
  bucket              = var.name
  object_lock_enabled = var.object_lock_days > 0
  tags                = var.tags

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "this" {
  count = var.create ? 1 : 0

  region = var.region
  bucket = local.bucket.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  count = var.create ? 1 : 0

  region                  = var.region
  bucket                  = local.bucket.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  count = var.create ? 1 : 0

  region = var.region
  bucket = local.bucket.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  count = var.create ? 1 : 0

  region = var.region
  bucket = local.bucket.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count = var.create ? 1 : 0

  region = var.region
  bucket = local.bucket.id

  rule {
    id     = var.lifecycle_name
    status = "Enabled"

    filter {}

    dynamic "transition" {
      for_each = var.transitions

      content {
        days          = transition.value.days
        storage_class = transition.value.storage_class
      }
    }

    dynamic "expiration" {
      for_each = var.expiration_days[*]

      content {
        days = expiration.value
      }
    }

    noncurrent_version_expiration {
      noncurrent_days           = var.noncurrent_days
      newer_noncurrent_versions = var.noncurrent_kept
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_object_lock_configuration" "this" {
  count = var.create && var.object_lock_days > 0 ? 1 : 0

  region = var.region
  bucket = local.bucket.id

  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = var.object_lock_days
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  count = var.create ? 1 : 0

  region = var.region
  bucket = local.bucket.id
  policy = local.policy

  depends_on = [aws_s3_bucket_public_access_block.this]
}

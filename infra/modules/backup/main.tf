# A snapshot on a schedule, exported to S3, kept for three years, and copied to another region if one is named.
#
#   EventBridge Scheduler ──► Step Functions: create snapshot → wait → export to S3 → wait → look that the files are there → delete the snapshot
#                                                    └── any failure → the execution fails → alarm
#   S3: versioned, own key, 30 d Standard → Infrequent Access → 180 d Glacier → 365 d Deep Archive → gone after 1096 d
#
# Restore: give the exported files to module memorydb as restore_snapshot_arns (runbook restore).

locals {
  bucket_arn   = "arn:${var.partition}:s3:::${var.bucket_name}"
  replicate    = var.create && var.replica_region != null
  service      = "${var.region}.memorydb-snapshot.amazonaws.com"
  machine_name = "${var.name}-backup"
  machine_arn  = "arn:${var.partition}:states:${var.region}:${var.account_id}:stateMachine:${local.machine_name}"
  snapshot_arn = "arn:${var.partition}:memorydb:${var.region}:${var.account_id}:snapshot"
  cluster_arn  = "arn:${var.partition}:memorydb:${var.region}:${var.account_id}:cluster/${var.cluster_name}"
}

resource "aws_s3_bucket" "this" {
  count = var.create ? 1 : 0

  bucket              = var.bucket_name
  object_lock_enabled = var.object_lock_days > 0
  tags                = var.tags
}

resource "aws_s3_bucket_versioning" "this" {
  count = var.create ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  count = var.create ? 1 : 0

  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  count = var.create ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  count = var.create ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count = var.create ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  rule {
    id     = "three-years"
    status = "Enabled"

    filter {}

    transition {
      days          = 30
      storage_class = "STANDARD_IA"
    }

    transition {
      days          = 180
      storage_class = "GLACIER"
    }

    transition {
      days          = 365
      storage_class = "DEEP_ARCHIVE"
    }

    expiration {
      days = var.retention_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 90
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_object_lock_configuration" "this" {
  count = var.create && var.object_lock_days > 0 ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = var.object_lock_days
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  count = var.create ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [local.bucket_arn, "${local.bucket_arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "MemoryDbWritesAndReadsSnapshots"
        Effect    = "Allow"
        Principal = { Service = local.service }
        Action = [
          "s3:GetBucketAcl", "s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads",
          "s3:ListMultipartUploadParts", "s3:PutObject",
        ]
        Resource = [local.bucket_arn, "${local.bucket_arn}/*"]
        # IfExists: AWS documents this export without a condition and does not say that the service sends its account. Where it does, it must be
        # ours; where it does not, the backup must not fail for it. The lock, the versions and the key keep what is there.
        Condition = { StringEqualsIfExists = { "aws:SourceAccount" = var.account_id } }
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# The copy in another region: what the standby region restores from when the first one is gone.

resource "aws_s3_bucket" "replica" {
  count = local.replicate ? 1 : 0

  region = var.replica_region
  bucket = "${var.bucket_name}-replica"
  # S3 replicates from a locked bucket into a locked bucket only.
  object_lock_enabled = var.object_lock_days > 0
  tags                = var.tags
}

resource "aws_s3_bucket_object_lock_configuration" "replica" {
  count = local.replicate && var.object_lock_days > 0 ? 1 : 0

  region = var.replica_region
  bucket = aws_s3_bucket.replica[0].id

  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = var.object_lock_days
    }
  }
}

resource "aws_s3_bucket_versioning" "replica" {
  count = local.replicate ? 1 : 0

  region = var.replica_region
  bucket = aws_s3_bucket.replica[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "replica" {
  count = local.replicate ? 1 : 0

  region                  = var.replica_region
  bucket                  = aws_s3_bucket.replica[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "replica" {
  count = local.replicate ? 1 : 0

  region = var.replica_region
  bucket = aws_s3_bucket.replica[0].id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.replica_kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "replica" {
  count = local.replicate ? 1 : 0

  region = var.replica_region
  bucket = aws_s3_bucket.replica[0].id

  rule {
    id     = "three-years"
    status = "Enabled"

    filter {}

    transition {
      days          = 30
      storage_class = "STANDARD_IA"
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
  }

  depends_on = [aws_s3_bucket_versioning.replica]
}

resource "aws_s3_bucket_policy" "replica" {
  count = local.replicate ? 1 : 0

  region = var.replica_region
  bucket = aws_s3_bucket.replica[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = ["${local.bucket_arn}-replica", "${local.bucket_arn}-replica/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "MemoryDbOfThatRegionReadsSnapshots"
        Effect    = "Allow"
        Principal = { Service = "${coalesce(var.replica_region, var.region)}.memorydb-snapshot.amazonaws.com" }
        Action    = ["s3:GetBucketAcl", "s3:GetObject", "s3:ListBucket"]
        Resource  = ["${local.bucket_arn}-replica", "${local.bucket_arn}-replica/*"]
        # IfExists: AWS documents this export without a condition and does not say that the service sends its account. Where it does, it must be
        # ours; where it does not, the backup must not fail for it. The lock, the versions and the key keep what is there.
        Condition = { StringEqualsIfExists = { "aws:SourceAccount" = var.account_id } }
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.replica]
}

resource "aws_iam_role" "replica" {
  count = local.replicate ? 1 : 0

  name                 = "${var.name}-backup-replica"
  path                 = var.iam_path
  description          = "Copies backups to ${var.replica_region}"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id }, ArnEquals = { "aws:SourceArn" = local.bucket_arn } }
    }]
  })
}

resource "aws_iam_role_policy" "replica" {
  count = local.replicate ? 1 : 0

  name = "replicate"
  role = aws_iam_role.replica[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadConfiguration"
        Effect   = "Allow"
        Action   = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
        Resource = local.bucket_arn
      },
      {
        # The last two read the lock of an object, which its copy must get as well.
        Sid    = "ReadVersions"
        Effect = "Allow"
        Action = [
          "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging", "s3:GetObjectRetention", "s3:GetObjectLegalHold",
        ]
        Resource = "${local.bucket_arn}/*"
      },
      {
        Sid      = "WriteReplica"
        Effect   = "Allow"
        Action   = ["s3:ReplicateObject", "s3:ReplicateTags"]
        Resource = "${local.bucket_arn}-replica/*"
      },
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = var.kms_key_arn
      },
      {
        Sid      = "Encrypt"
        Effect   = "Allow"
        Action   = ["kms:Encrypt", "kms:GenerateDataKey"]
        Resource = var.replica_kms_key_arn
      },
    ]
  })
}

resource "aws_s3_bucket_replication_configuration" "this" {
  count = local.replicate ? 1 : 0

  bucket = aws_s3_bucket.this[0].id
  role   = aws_iam_role.replica[0].arn

  rule {
    id       = "everything"
    status   = "Enabled"
    priority = 1

    filter {
      prefix = ""
    }

    # A deletion in the first region, by accident or malice, must not reach the copy.
    delete_marker_replication {
      status = "Disabled"
    }

    source_selection_criteria {
      sse_kms_encrypted_objects {
        status = "Enabled"
      }
    }

    destination {
      bucket        = aws_s3_bucket.replica[0].arn
      storage_class = "STANDARD"

      encryption_configuration {
        replica_kms_key_id = var.replica_kms_key_arn
      }

      metrics {
        status = "Enabled"

        event_threshold {
          minutes = 15
        }
      }

      replication_time {
        status = "Enabled"

        time {
          minutes = 15
        }
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this, aws_s3_bucket_versioning.replica]
}

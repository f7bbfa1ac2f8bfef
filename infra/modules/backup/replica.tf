# The copy in another region: what the standby region restores from when the first one is gone.

module "replica" {
  source = "../bucket"

  create      = local.replicate
  name        = "${var.bucket_name}-replica"
  region      = var.replica_region
  partition   = var.partition
  kms_key_arn = var.replica_kms_key_arn
  # S3 replicates from a locked bucket into a locked bucket only.
  object_lock_days = var.object_lock_days
  lifecycle_name   = "three-years"
  expiration_days  = var.retention_days
  noncurrent_days  = 90
  tags             = var.tags

  transitions = [
    { days = 30, storage_class = "STANDARD_IA" },
    { days = 365, storage_class = "DEEP_ARCHIVE" },
  ]

  statements = jsonencode([{
    Sid       = "MemoryDbOfThatRegionReadsSnapshots"
    Effect    = "Allow"
    Principal = { Service = "${coalesce(var.replica_region, var.region)}.memorydb-snapshot.amazonaws.com" }
    Action    = ["s3:GetBucketAcl", "s3:GetObject", "s3:ListBucket"]
    Resource  = ["${local.bucket_arn}-replica", "${local.bucket_arn}-replica/*"]
    # IfExists: as for the first bucket.
    Condition = { StringEqualsIfExists = { "aws:SourceAccount" = var.account_id } }
  }])
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

  bucket = module.bucket.id
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
      bucket        = module.replica.arn
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

  depends_on = [module.replica]
}

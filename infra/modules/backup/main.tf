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

module "bucket" {
  source = "../bucket"

  create           = var.create
  name             = var.bucket_name
  partition        = var.partition
  kms_key_arn      = var.kms_key_arn
  object_lock_days = var.object_lock_days
  lifecycle_name   = "three-years"
  expiration_days  = var.retention_days
  noncurrent_days  = 90
  tags             = var.tags

  transitions = [
    { days = 30, storage_class = "STANDARD_IA" },
    { days = 180, storage_class = "GLACIER" },
    { days = 365, storage_class = "DEEP_ARCHIVE" },
  ]

  statements = jsonencode([{
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
  }])
}

# The steps as data: no code to patch, and each call is an AWS API by its name.

locals {
  definition = {
    Comment        = "Snapshot of ${var.cluster_name}, exported to ${var.bucket_name}"
    QueryLanguage  = "JSONata"
    TimeoutSeconds = var.timeout_seconds
    StartAt        = "Name"

    States = {
      Name = {
        Type   = "Pass"
        Assign = { snapshot = "{% '${var.cluster_name}-' & $fromMillis($toMillis($states.context.Execution.StartTime), '[Y0001][M01][D01]-[H01][m01][s01]') %}" }
        Next   = "Create"
      }
      Create = {
        Type      = "Task"
        Resource  = "arn:${var.partition}:states:::aws-sdk:memorydb:createSnapshot"
        Arguments = { ClusterName = var.cluster_name, SnapshotName = "{% $snapshot %}", KmsKeyId = var.kms_key_arn }
        # Errors are named as the Java SDK names them: MemoryDB's InvalidClusterStateFault is InvalidClusterStateException there.
        # A snapshot of the daily window or a failover may be under way. An answer may be lost: then the snapshot is there already.
        Retry = [
          { ErrorEquals = ["MemoryDb.InvalidClusterStateException"], IntervalSeconds = 300, MaxAttempts = 6, BackoffRate = 1.5 },
          { ErrorEquals = ["MemoryDb.SnapshotAlreadyExistsException"], MaxAttempts = 0 },
          { ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 60, MaxAttempts = 3, BackoffRate = 2 },
        ]
        Catch = [{ ErrorEquals = ["MemoryDb.SnapshotAlreadyExistsException"], Next = "WaitForSnapshot" }]
        Next  = "WaitForSnapshot"
      }
      WaitForSnapshot = { Type = "Wait", Seconds = 60, Next = "LookAtSnapshot" }
      LookAtSnapshot = {
        Type      = "Task"
        Resource  = "arn:${var.partition}:states:::aws-sdk:memorydb:describeSnapshots"
        Arguments = { SnapshotName = "{% $snapshot %}" }
        Assign    = { status = "{% $states.result.Snapshots[0].Status %}" }
        Retry     = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 30, MaxAttempts = 5, BackoffRate = 2 }]
        Next      = "IsSnapshotThere"
      }
      IsSnapshotThere = {
        Type = "Choice"
        Choices = [
          { Condition = "{% $status = 'available' %}", Next = "Export" },
          { Condition = "{% $status = 'failed' %}", Next = "SnapshotFailed" },
        ]
        Default = "WaitForSnapshot"
      }
      SnapshotFailed = { Type = "Fail", Error = "SnapshotFailed", Cause = "MemoryDB reports the snapshot as failed" }
      Export = {
        Type      = "Task"
        Resource  = "arn:${var.partition}:states:::aws-sdk:memorydb:copySnapshot"
        Arguments = { SourceSnapshotName = "{% $snapshot %}", TargetSnapshotName = "{% $snapshot %}", TargetBucket = var.bucket_name }
        Retry     = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 60, MaxAttempts = 3, BackoffRate = 2 }]
        Next      = "WaitForExport"
      }
      WaitForExport = { Type = "Wait", Seconds = 60, Next = "LookAtBucket" }
      LookAtBucket = {
        Type      = "Task"
        Resource  = "arn:${var.partition}:states:::aws-sdk:s3:listObjectsV2"
        Arguments = { Bucket = var.bucket_name, Prefix = "{% $snapshot %}" }
        Assign    = { files = "{% $count($states.result.Contents[$contains(Key, '.rdb')]) %}" }
        Retry     = [{ ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 30, MaxAttempts = 5, BackoffRate = 2 }]
        Next      = "IsExportComplete"
      }
      IsExportComplete = {
        # One file per shard. Until then wait; the time limit of the whole machine ends it.
        Type    = "Choice"
        Choices = [{ Condition = "{% $files >= ${var.num_shards} %}", Next = "WaitUntilFree" }]
        Default = "WaitForExport"
      }
      # The snapshot stays busy for a moment after its last file is written; deleting is retried.
      WaitUntilFree = { Type = "Wait", Seconds = 120, Next = "DeleteSnapshot" }
      DeleteSnapshot = {
        Type      = "Task"
        Resource  = "arn:${var.partition}:states:::aws-sdk:memorydb:deleteSnapshot"
        Arguments = { SnapshotName = "{% $snapshot %}" }
        Retry = [
          { ErrorEquals = ["MemoryDb.SnapshotNotFoundException"], MaxAttempts = 0 },
          { ErrorEquals = ["States.TaskFailed"], IntervalSeconds = 120, MaxAttempts = 10, BackoffRate = 1.2 },
        ]
        # An earlier try deleted it, and its answer was lost.
        Catch = [{ ErrorEquals = ["MemoryDb.SnapshotNotFoundException"], Next = "Done" }]
        Next  = "Done"
      }
      Done = { Type = "Succeed" }
    }
  }
}

resource "aws_cloudwatch_log_group" "machine" {
  count = var.create ? 1 : 0

  name              = "/aws/vendedlogs/states/${local.machine_name}"
  retention_in_days = 365
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "machine" {
  count = var.create ? 1 : 0

  name                 = local.machine_name
  path                 = var.iam_path
  description          = "Takes and exports snapshots of ${var.cluster_name}"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = local.machine_arn }
      }
    }]
  })
}

resource "aws_iam_role_policy" "machine" {
  count = var.create ? 1 : 0

  name = "back-up"
  role = aws_iam_role.machine[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "TakeSnapshot"
        Effect   = "Allow"
        Action   = ["memorydb:CreateSnapshot"]
        Resource = [local.cluster_arn, "${local.snapshot_arn}/${var.cluster_name}-*"]
      },
      {
        Sid      = "OwnSnapshots"
        Effect   = "Allow"
        Action   = ["memorydb:CopySnapshot", "memorydb:DeleteSnapshot", "memorydb:DescribeSnapshots", "memorydb:TagResource"]
        Resource = "${local.snapshot_arn}/${var.cluster_name}-*"
      },
      {
        Sid      = "LookAtBucket"
        Effect   = "Allow"
        Action   = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:ListBucket"]
        Resource = local.bucket_arn
      },
      {
        # CopySnapshot writes with the caller's rights as well as with the service's.
        Sid      = "Export"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = "${local.bucket_arn}/${var.cluster_name}-*"
      },
      {
        # The one call of S3 that knows no resource; CopySnapshot makes it to find the bucket.
        Sid      = "FindBucket"
        Effect   = "Allow"
        Action   = ["s3:ListAllMyBuckets"]
        Resource = "*"
      },
      {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
      },
      {
        Sid      = "Trace"
        Effect   = "Allow"
        Action   = ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        Resource = "*"
      },
      {
        # Delivery of the machine's log is set up by calls that know no resource.
        Sid    = "Log"
        Effect = "Allow"
        Action = [
          "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
          "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
        ]
        Resource = "*"
      },
    ]
  })
}

resource "aws_sfn_state_machine" "this" {
  count = var.create ? 1 : 0

  name       = local.machine_name
  role_arn   = aws_iam_role.machine[0].arn
  type       = "STANDARD"
  definition = jsonencode(local.definition)
  tags       = var.tags

  logging_configuration {
    level                  = "ERROR"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.machine[0].arn}:*"
  }

  tracing_configuration {
    enabled = true
  }

  depends_on = [aws_iam_role_policy.machine]
}

resource "aws_iam_role" "schedule" {
  count = var.create ? 1 : 0

  name                 = "${var.name}-backup-start"
  path                 = var.iam_path
  description          = "Starts the backup on its schedule"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "schedule" {
  count = var.create ? 1 : 0

  name = "start"
  role = aws_iam_role.schedule[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Start"
        Effect   = "Allow"
        Action   = ["states:StartExecution"]
        Resource = local.machine_arn
      },
      {
        Sid      = "DeadLetters"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${var.name}-backup-dead"
      },
      {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.kms_key_arn
      },
    ]
  })
}

resource "aws_sqs_queue" "dead" {
  count = var.create ? 1 : 0

  name                      = "${var.name}-backup-dead"
  message_retention_seconds = 1209600
  kms_master_key_id         = var.kms_key_arn
  tags                      = var.tags
}

resource "aws_scheduler_schedule" "this" {
  count = var.create ? 1 : 0

  name                         = local.machine_name
  description                  = "Backup of ${var.cluster_name}"
  schedule_expression          = var.schedule_expression
  schedule_expression_timezone = "UTC"
  kms_key_arn                  = var.kms_key_arn
  state                        = var.enabled ? "ENABLED" : "DISABLED"

  flexible_time_window {
    mode                      = "FLEXIBLE"
    maximum_window_in_minutes = 15
  }

  target {
    arn      = aws_sfn_state_machine.this[0].arn
    role_arn = aws_iam_role.schedule[0].arn
    input    = jsonencode({ reason = "schedule" })

    dead_letter_config {
      arn = aws_sqs_queue.dead[0].arn
    }

    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 5
    }
  }
}

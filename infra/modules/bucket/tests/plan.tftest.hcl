mock_provider "aws" {}

variables {
  name            = "tallyd-test-things"
  noncurrent_days = 7
}

run "closed_in_every_way" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this[0].block_public_acls, aws_s3_bucket_public_access_block.this[0].block_public_policy,
      aws_s3_bucket_public_access_block.this[0].ignore_public_acls, aws_s3_bucket_public_access_block.this[0].restrict_public_buckets,
    ])
    error_message = "Private in all four ways."
  }

  assert {
    condition     = one(aws_s3_bucket_ownership_controls.this[0].rule).object_ownership == "BucketOwnerEnforced"
    error_message = "No ACLs."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this[0].policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "Plain HTTP is refused."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this[0].versioning_configuration[0].status == "Enabled"
    error_message = "Versions are kept."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this[0].rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "Without a key of ours, S3's own."
  }
}

run "with_a_key_of_ours" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/test"
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this[0].rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms" && one(aws_s3_bucket_server_side_encryption_configuration.this[0].rule).bucket_key_enabled
    error_message = "Encrypted with our key, and the key is asked once a bucket."
  }
}

run "kept_things_go_to_cheaper_classes_and_end" {
  command = plan

  variables {
    transitions      = [{ days = 30, storage_class = "STANDARD_IA" }, { days = 365, storage_class = "DEEP_ARCHIVE" }]
    expiration_days  = 1096
    object_lock_days = 30
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this[0].rule[0].transition) == 2 && aws_s3_bucket_lifecycle_configuration.this[0].rule[0].expiration[0].days == 1096
    error_message = "As asked for."
  }

  assert {
    condition     = aws_s3_bucket.this[0].object_lock_enabled && length(aws_s3_bucket_object_lock_configuration.this) == 1
    error_message = "The bucket is born with its lock."
  }
}

run "one_that_terraform_must_not_destroy" {
  command = plan

  variables {
    keep = true
  }

  assert {
    condition     = length(aws_s3_bucket.kept) == 1 && length(aws_s3_bucket.this) == 0
    error_message = "The kept one, and only that."
  }
}

run "statements_come_after_the_refusal" {
  command = plan

  variables {
    statements = "[{\"Sid\": \"More\", \"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"s3:DeleteBucket\", \"Resource\": \"arn:aws:s3:::tallyd-test-things\"}]"
  }

  assert {
    condition     = [for s in jsondecode(aws_s3_bucket_policy.this[0].policy).Statement : s.Sid] == ["TlsOnly", "More"]
    error_message = "Both are there."
  }
}

run "refuses_statements_that_are_none" {
  command = plan

  variables {
    statements = "{}x"
  }

  expect_failures = [var.statements]
}

run "refuses_a_name_that_s3_refuses" {
  command = plan

  variables {
    name = "Tallyd_Things"
  }

  expect_failures = [var.name]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
    name   = null
  }

  assert {
    condition     = length(aws_s3_bucket.this) + length(aws_s3_bucket.kept) + length(aws_s3_bucket_policy.this) + length(aws_s3_bucket_versioning.this) == 0
    error_message = "create = false must create nothing."
  }
}

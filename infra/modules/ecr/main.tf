# Repositories whose tags never move: a tag names one image for ever, so what was tested is what runs, and :latest cannot exist twice.

resource "aws_ecr_repository" "this" {
  for_each = var.create ? var.repositories : toset([])

  name                 = "${var.name_prefix}${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.force_delete
  tags                 = var.tags

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = var.create ? var.repositories : toset([])

  repository = aws_ecr_repository.this[each.key].name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Untagged images go after a week"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
        action       = { type = "expire" }
      },
      {
        # Releases (1.2.3, and its parts 1.2.3-arm64) are matched first and kept apart, so that builds cannot push them out.
        rulePriority = 2
        description  = "The last releases stay"
        selection    = { tagStatus = "tagged", tagPatternList = ["*.*.*"], countType = "imageCountMoreThan", countNumber = var.keep_releases }
        action       = { type = "expire" }
      },
      {
        rulePriority = 3
        description  = "The last builds stay"
        selection    = { tagStatus = "tagged", tagPatternList = ["sha-*"], countType = "imageCountMoreThan", countNumber = var.keep_builds }
        action       = { type = "expire" }
      },
    ]
  })
}

resource "aws_ecr_repository_policy" "this" {
  for_each = var.create && length(var.pull_account_ids) > 0 ? var.repositories : toset([])

  repository = aws_ecr_repository.this[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PullFromOtherAccounts"
      Effect    = "Allow"
      Principal = { AWS = [for id in var.pull_account_ids : "arn:${var.partition}:iam::${id}:root"] }
      Action    = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}

# Registry-wide, so one environment of an account owns it.
resource "aws_ecr_registry_scanning_configuration" "this" {
  count = var.create && var.manage_registry ? 1 : 0

  scan_type = var.enhanced_scanning ? "ENHANCED" : "BASIC"

  rule {
    scan_frequency = var.enhanced_scanning ? "CONTINUOUS_SCAN" : "SCAN_ON_PUSH"

    repository_filter {
      filter      = "*"
      filter_type = "WILDCARD"
    }
  }
}

resource "aws_ecr_replication_configuration" "this" {
  count = var.create && var.manage_registry && length(var.replica_regions) > 0 ? 1 : 0

  replication_configuration {
    rule {
      dynamic "destination" {
        for_each = var.replica_regions

        content {
          region      = destination.value
          registry_id = var.account_id
        }
      }

      dynamic "repository_filter" {
        for_each = var.repositories

        content {
          filter      = "${var.name_prefix}${repository_filter.value}"
          filter_type = "PREFIX_MATCH"
        }
      }
    }
  }
}

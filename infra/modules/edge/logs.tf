# CloudFront's log (v2) goes to a private bucket and leaves it again after a while: it holds readers' addresses.
# An application load balancer of the same environment may write there too.

locals {
  log_bucket_arn = "arn:${var.partition}:s3:::${var.log_bucket_name == null ? "none" : var.log_bucket_name}"
}

module "log_bucket" {
  source = "../bucket"

  create          = local.distribution
  name            = var.log_bucket_name
  partition       = var.partition
  lifecycle_name  = "forget"
  expiration_days = var.log_retention_days
  noncurrent_days = 7
  tags            = var.tags

  statements = jsonencode([
    {
      Sid       = "LogDelivery"
      Effect    = "Allow"
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Action    = ["s3:PutObject"]
      Resource  = "${local.log_bucket_arn}/*"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${var.partition}:logs:us-east-1:${var.account_id}:delivery-source:${var.name}-*" }
      }
    },
    {
      Sid       = "LoadBalancerLog"
      Effect    = "Allow"
      Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
      Action    = ["s3:PutObject"]
      Resource  = "${local.log_bucket_arn}/${var.name}*/AWSLogs/${var.account_id}/*"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    },
  ])
}

resource "aws_cloudwatch_log_delivery_source" "this" {
  count = local.distribution ? 1 : 0

  region       = "us-east-1"
  name         = "${var.name}-access"
  log_type     = "ACCESS_LOGS"
  resource_arn = aws_cloudfront_distribution.this[0].arn
  tags         = var.tags
}

resource "aws_cloudwatch_log_delivery_destination" "this" {
  count = local.distribution ? 1 : 0

  region        = "us-east-1"
  name          = "${var.name}-access"
  output_format = "json"
  tags          = var.tags

  delivery_destination_configuration {
    destination_resource_arn = module.log_bucket.arn
  }

  depends_on = [module.log_bucket]
}

resource "aws_cloudwatch_log_delivery" "this" {
  count = local.distribution ? 1 : 0

  region                   = "us-east-1"
  delivery_source_name     = aws_cloudwatch_log_delivery_source.this[0].name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.this[0].arn
  tags                     = var.tags

  s3_delivery_configuration {
    suffix_path = "/{DistributionId}/{yyyy}/{MM}/{dd}/{HH}"
  }
}

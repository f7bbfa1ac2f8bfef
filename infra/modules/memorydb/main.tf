# The store behind the counters. What is not a variable is a promise: TLS is on, there is an ACL of our own,
# the data is encrypted with our key, nothing is evicted, and snapshots are taken.

resource "aws_memorydb_subnet_group" "this" {
  count = var.create ? 1 : 0

  name        = var.name
  description = "Data tier of ${var.name}"
  subnet_ids  = var.subnet_ids
  tags        = var.tags
}

# noeviction: an evicted counter would be a silent loss. With it, a full store answers OOM and tallyd keeps the counts.
resource "aws_memorydb_parameter_group" "this" {
  count = var.create ? 1 : 0

  name        = var.name
  family      = var.parameter_family
  description = "No eviction, and dead connections found early"
  tags        = var.tags

  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }

  parameter {
    name  = "tcp-keepalive"
    value = "60"
  }
}

resource "aws_security_group" "this" {
  count = var.create ? 1 : 0

  name_prefix = "${var.name}-memorydb-"
  description = "MemoryDB: in from the named clients on the data port, nothing out"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.name}-memorydb" })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "client" {
  for_each = var.create ? var.client_security_group_ids : {}

  security_group_id            = aws_security_group.this[0].id
  description                  = "RESP over TLS from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
  tags                         = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "peer" {
  for_each = var.create ? var.client_cidrs : {}

  security_group_id = aws_security_group.this[0].id
  description       = "RESP over TLS from ${each.key}"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = var.port
  to_port           = var.port
  tags              = var.tags
}

# When this life of the cluster began. Its last snapshot is named after it: a constant name would be taken when the next cluster of that name goes.
resource "terraform_data" "born" {
  count = var.create ? 1 : 0

  input            = formatdate("YYYYMMDDhhmm", timestamp())
  triggers_replace = [var.name, var.engine, var.port, var.kms_key_arn, aws_memorydb_subnet_group.this[0].name]

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_memorydb_cluster" "this" {
  count = var.create ? 1 : 0

  name        = var.name
  description = "Counters of ${var.name}"

  engine                     = var.engine
  engine_version             = var.engine_version
  parameter_group_name       = aws_memorydb_parameter_group.this[0].name
  auto_minor_version_upgrade = true
  maintenance_window         = var.maintenance_window

  node_type                 = var.node_type
  num_shards                = var.num_shards
  num_replicas_per_shard    = var.num_replicas_per_shard
  multi_region_cluster_name = var.multi_region_cluster_name

  port               = var.port
  subnet_group_name  = aws_memorydb_subnet_group.this[0].name
  security_group_ids = [aws_security_group.this[0].id]
  tls_enabled        = true
  acl_name           = aws_memorydb_acl.this[0].name
  kms_key_arn        = var.kms_key_arn
  sns_topic_arn      = aws_sns_topic.events[0].arn

  snapshot_retention_limit = var.snapshot_retention_limit
  snapshot_window          = var.snapshot_window
  final_snapshot_name      = "${var.name}-final-${terraform_data.born[0].output}"
  snapshot_name            = var.restore_snapshot_name
  snapshot_arns            = var.restore_snapshot_arns

  tags = merge(var.tags, { Name = var.name })

  lifecycle {
    # What the cluster was once restored from is history; changing it would replace the cluster.
    ignore_changes = [snapshot_name, snapshot_arns]

    precondition {
      condition     = var.restore_snapshot_name == null || length(coalesce(var.restore_snapshot_arns, [])) == 0
      error_message = "Restore from a snapshot or from files in S3, not from both."
    }
  }
}

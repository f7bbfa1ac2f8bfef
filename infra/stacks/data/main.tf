# The second stack: where the counts are kept, who may touch them, and how they come back.

module "key" {
  source = "../../modules/kms"

  name                    = "${local.prefix}-data"
  description             = "Counters, their snapshots and backups, and the secrets of ${local.prefix}"
  account_id              = var.account_id
  partition               = var.partition
  administrators          = var.key_administrators
  deletion_window_in_days = var.permanent ? 30 : 7

  services = {
    Logs = {
      principals = ["logs.${var.region}.amazonaws.com"]
      actions    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
      conditions = [{ test = "ArnLike", variable = "kms:EncryptionContext:aws:logs:arn", values = ["arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:*"] }]
    }
    Snapshots = {
      principals = ["memorydb.amazonaws.com", "${var.region}.memorydb-snapshot.amazonaws.com"]
      actions    = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"]
      conditions = [{ test = "StringEqualsIfExists", variable = "aws:SourceAccount", values = [var.account_id] }]
    }
  }
}

# The copy of the backups is encrypted where it lies.
module "replica_key" {
  source = "../../modules/kms"

  create                  = var.backup_replica_region != null
  region                  = var.backup_replica_region
  name                    = "${local.prefix}-backup-replica"
  description             = "Copies of the backups of ${local.prefix}"
  account_id              = var.account_id
  partition               = var.partition
  administrators          = var.key_administrators
  deletion_window_in_days = var.permanent ? 30 : 7

  services = {
    Snapshots = {
      principals = ["memorydb.amazonaws.com", "${coalesce(var.backup_replica_region, var.region)}.memorydb-snapshot.amazonaws.com"]
      actions    = ["kms:Decrypt", "kms:DescribeKey"]
      conditions = [{ test = "StringEqualsIfExists", variable = "aws:SourceAccount", values = [var.account_id] }]
    }
  }
}

module "secrets" {
  source = "../../modules/secrets"

  name                    = local.prefix
  region                  = var.region
  partition               = var.partition
  account_id              = var.account_id
  iam_path                = local.names.iam_path
  permissions_boundary    = local.names.boundary
  secret_prefix           = local.names.secret_prefix
  kms_key_arn             = module.key.arn
  recovery_window_in_days = var.permanent ? 30 : 7
  rotation_schedule       = var.rotation_schedule
  users                   = { for name, u in local.users : name => { user_name = name } if u.auth == "password" }
  tokens                  = ["admin"]
  memorydb_endpoint       = module.memorydb.endpoint
  vpc_id                  = local.platform.vpc_id
  vpc_cidr                = module.naming.vpc_cidr
  subnet_ids              = split(",", local.platform.private_subnet_ids)
  alarm_actions           = [local.platform.alarm_topic_arn]
}

module "memorydb" {
  source = "../../modules/memorydb"

  name                      = local.names.memorydb
  engine                    = var.memorydb.engine
  engine_version            = var.memorydb.engine_version
  parameter_family          = var.memorydb.engine == "valkey" ? "memorydb_valkey7" : "memorydb_redis7"
  node_type                 = var.memorydb.node_type
  num_shards                = var.memorydb.num_shards
  num_replicas_per_shard    = var.memorydb.num_replicas_per_shard
  multi_region_cluster_name = var.memorydb_global.create ? module.memorydb_global.name : var.memorydb_global.join
  vpc_id                    = local.platform.vpc_id
  subnet_ids                = split(",", local.platform.data_subnet_ids)
  kms_key_arn               = module.key.arn
  event_subscriptions       = var.alarm_emails
  account_id                = var.account_id
  region                    = var.region
  partition                 = var.partition
  users                     = local.users_granted
  initial_passwords         = module.secrets.initial_passwords
  maintenance_window        = var.memorydb.maintenance_window
  snapshot_retention_limit  = var.memorydb.snapshot_retention_limit
  snapshot_window           = var.memorydb.snapshot_window
  restore_snapshot_name     = var.restore.snapshot_name
  restore_snapshot_arns     = var.restore.snapshot_arns
  alarm_actions             = [local.platform.alarm_topic_arn]
  connections_alarm         = var.memorydb.connections_alarm

  client_security_group_ids = {
    nodes           = local.platform.node_security_group_id
    rotation        = module.secrets.rotation_security_group_id
    operations-host = local.platform.ops_security_group_id
  }

  client_cidrs = var.peer == null ? {} : { peer = var.peer.vpc_cidr }
}

module "memorydb_global" {
  source = "../../modules/memorydb-global"

  create                  = var.memorydb_global.create
  name                    = local.prefix
  regions                 = var.memorydb_global.regions
  counter_mode            = var.counter_mode
  accept_last_writer_wins = var.memorydb_global.accept_last_writer_wins
  node_type               = var.memorydb.node_type
  num_shards              = var.memorydb.num_shards
  engine_version          = var.memorydb.engine_version
}

module "backup" {
  source = "../../modules/backup"

  create               = var.backup_enabled
  name                 = local.prefix
  region               = var.region
  partition            = var.partition
  account_id           = var.account_id
  iam_path             = local.names.iam_path
  permissions_boundary = local.names.boundary
  cluster_name         = module.memorydb.name
  num_shards           = var.memorydb.num_shards
  bucket_name          = "${local.names.bucket_prefix}-backup"
  kms_key_arn          = module.key.arn
  replica_region       = var.backup_replica_region
  replica_kms_key_arn  = module.replica_key.arn
  schedule_expression  = var.backup_schedule
  daily                = endswith(var.backup_schedule, " * * ? *)")
  object_lock_days     = var.backup_object_lock_days
  alarm_actions        = [local.platform.alarm_topic_arn]
}

# Towards the other region: to compare counters and to restore over private addresses.
module "peering" {
  source = "../../modules/peering"

  create               = var.peer == null ? false : var.peer.connect
  name                 = local.prefix
  region               = var.region
  peer_region          = try(var.peer.region, var.region)
  vpc_id               = local.platform.vpc_id
  peer_vpc_id          = try(coalesce(var.peer.vpc_id), "")
  vpc_cidr             = module.naming.vpc_cidr
  peer_cidr            = try(var.peer.vpc_cidr, "192.168.0.0/16")
  route_table_ids      = split(",", local.platform.route_table_ids)
  peer_route_table_ids = try(var.peer.route_table_ids, [])
}

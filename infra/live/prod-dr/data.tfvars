key_administrators = ["arn:aws:iam::777788889999:role/break-glass-admin"]

# As large as prod's: the shards of a backup must fit, and nobody wants to wait for a resharding in a failover.
memorydb = {
  node_type                = "db.r7g.large"
  num_shards               = 2
  num_replicas_per_shard   = 2
  snapshot_retention_limit = 35
  maintenance_window       = "wed:03:00-wed:04:30"
}

# It counts nothing until it is needed; after a failover its own backups begin.
backup_enabled = false

# connect = true with vpc_id and route_table_ids once prod's platform stands (runbook region-failover).
peer = { region = "eu-central-1", vpc_cidr = "10.30.0.0/16" }

alarm_emails = { on-call = "tallyd-on-call@example.com" }

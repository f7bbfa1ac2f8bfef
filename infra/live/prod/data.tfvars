key_administrators = ["arn:aws:iam::777788889999:role/break-glass-admin"]

memorydb = {
  node_type                = "db.r7g.large"
  num_shards               = 2
  num_replicas_per_shard   = 2
  snapshot_retention_limit = 35
  # Tuesday morning is outside every event of the calendar.
  maintenance_window = "tue:03:00-tue:04:30"
}

backup_schedule         = "cron(30 2 * * ? *)"
backup_replica_region   = "eu-west-1"
backup_object_lock_days = 30

# The standby region may look at our counters; it makes the peering from its side.
peer = { region = "eu-west-1", vpc_cidr = "10.40.0.0/16" }

alarm_emails = { on-call = "tallyd-on-call@example.com" }

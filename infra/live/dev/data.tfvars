memorydb = {
  node_type                = "db.t4g.small"
  num_shards               = 1
  num_replicas_per_shard   = 1
  snapshot_retention_limit = 3
}

# Snapshots of MemoryDB are enough for counts that nobody reads.
backup_enabled = false

alarm_emails = { team = "tallyd-dev@example.com" }

memorydb = {
  node_type                = "db.r7g.large"
  num_shards               = 2
  num_replicas_per_shard   = 1
  snapshot_retention_limit = 7
}

# Weekly, so that the path of a restore is walked before prod needs it.
backup_schedule = "cron(30 2 ? * SUN *)"

alarm_emails = { team = "tallyd-staging@example.com" }

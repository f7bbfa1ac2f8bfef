# No name of our own: CloudFront's is enough.
edge_log_retention_days = 7

alarm_emails = { team = "tallyd-dev@example.com" }

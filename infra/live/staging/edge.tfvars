dns = {
  zone_name = "staging.example.com"
  zone_id   = "Z0STAGING00000000000"
  host      = "count.staging.example.com"
}

alarm_emails = { team = "tallyd-staging@example.com" }

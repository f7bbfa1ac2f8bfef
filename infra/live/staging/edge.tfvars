dns = {
  zone_name = "staging.example.com"
  zone_id   = "Z0STAGING00000000000"
  host      = "count.staging.example.com"
}

key_administrators = ["arn:aws:iam::777788889999:role/break-glass-admin"]

dns = {
  zone_name  = "example.com"
  zone_id    = "Z0PRODUCTION00000000"
  host       = "count.example.com"
  caa_report = "tallyd-on-call@example.com"
}

price_class       = "PriceClass_All"
healthy_hosts_min = 3
rate_limit        = 3000
batch_rate_limit  = 600

# Shield Advanced costs 3000 USD a month for a year. The protection is ready to be switched on.
shield_advanced = { subscribe = false, protect = false }

# The direct way, for servers that send batches and want fixed addresses.
global_accelerator = {
  enabled      = true
  host         = "direct.count.example.com"
  role         = "active"
  traffic_dial = 100
}

alarm_emails = { on-call = "tallyd-on-call@example.com" }

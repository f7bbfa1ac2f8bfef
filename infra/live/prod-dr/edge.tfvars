key_administrators = ["arn:aws:iam::777788889999:role/break-glass-admin"]

# Its own name, by which it is tested; prod's name is on its certificate already, and answer_for takes it over (runbook region-failover).
dns = {
  zone_name     = "example.com"
  zone_id       = "Z0PRODUCTION00000000"
  host          = "count-dr.example.com"
  further_hosts = ["count.example.com"]
  answer_for    = []
}

price_class = "PriceClass_All"

global_accelerator = {
  enabled      = true
  host         = "direct.count.example.com"
  role         = "standby"
  traffic_dial = 0
  # Output accelerator_listener_arn of prod's edge stack.
  listener_arn = "arn:aws:globalaccelerator::777788889999:accelerator/00000000-0000-0000-0000-000000000000/listener/00000000"
}

alarm_emails = { on-call = "tallyd-on-call@example.com" }

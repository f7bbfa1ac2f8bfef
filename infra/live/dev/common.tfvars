environment = "dev"
region      = "eu-central-1"
account_id  = "111122223333"
vpc_cidr    = "10.10.0.0/16"
zone_count  = 2
permanent   = false

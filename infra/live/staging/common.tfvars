environment = "staging"
region      = "eu-central-1"
account_id  = "444455556666"
vpc_cidr    = "10.20.0.0/16"
zone_count  = 3

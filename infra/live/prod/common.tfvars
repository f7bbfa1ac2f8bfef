environment = "prod"
region      = "eu-central-1"
account_id  = "777788889999"
vpc_cidr    = "10.30.0.0/16"
zone_count  = 3

# The standby region of prod: the same account, another region, another range, its own state bucket.
environment = "prod-dr"
region      = "eu-west-1"
account_id  = "777788889999"
vpc_cidr    = "10.40.0.0/16"
zone_count  = 3

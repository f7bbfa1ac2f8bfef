mock_provider "aws" {}

variables {
  name                 = "tallyd-test"
  region               = "eu-central-1"
  peer_region          = "eu-west-1"
  vpc_id               = "vpc-1"
  peer_vpc_id          = "vpc-2"
  vpc_cidr             = "10.20.0.0/16"
  peer_cidr            = "10.21.0.0/16"
  route_table_ids      = ["rtb-1", "rtb-2"]
  peer_route_table_ids = ["rtb-3"]
}

run "across_regions_the_other_side_accepts" {
  command = plan

  assert {
    condition     = length(aws_vpc_peering_connection_accepter.this) == 1 && aws_vpc_peering_connection_accepter.this[0].region == "eu-west-1"
    error_message = "The accepter lives in the other region."
  }

  assert {
    condition     = length(aws_route.there) == 2 && length(aws_route.back) == 1 && aws_route.back["0"].destination_cidr_block == "10.20.0.0/16"
    error_message = "Both sides must learn a route."
  }
}

run "within_a_region_it_accepts_itself" {
  command = plan

  variables {
    peer_region = "eu-central-1"
  }

  assert {
    condition     = length(aws_vpc_peering_connection_accepter.this) == 0 && aws_vpc_peering_connection.this[0].auto_accept
    error_message = "No accepter within one region."
  }
}

run "refuses_equal_ranges" {
  command = plan

  variables {
    peer_cidr = "10.20.0.0/16"
  }

  expect_failures = [aws_vpc_peering_connection.this[0]]
}

run "create_false_creates_nothing" {
  command = plan

  variables {
    create = false
  }

  assert {
    condition     = length(aws_vpc_peering_connection.this) + length(aws_route.there) + length(aws_route.back) == 0
    error_message = "create = false must create nothing."
  }
}

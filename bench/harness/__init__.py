"""What bench/run stands on: processes and their CPU time, peers, profiles, books, reports. Each module has one job."""

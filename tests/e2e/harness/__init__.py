"""What the end-to-end tests stand on: servers, load, faults and the checker. Each module has one job."""

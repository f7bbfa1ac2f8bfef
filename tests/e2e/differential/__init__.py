"""A second reader of HTTP/1.1 requests, and streams of bytes to try both on."""

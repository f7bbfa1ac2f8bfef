# Who may say what to MemoryDB. The daemon's list is every command that it sends (DESIGN.md 4.2, 4.3, 4.6), and no more;
# a test compares it with the code, and the suite runs under the access string that comes of it (output access_strings).

locals {
  users = {
    tallyd = {
      auth = var.memorydb_auth
      keys = ["tally:*"]
      commands = [
        # the fenced transaction
        "watch", "unwatch", "multi", "exec", "discard", "get", "set", "incrby",
        # windows, leaders, uniques, absolute mode
        "pexpireat", "expire", "zadd", "zrevrange", "pfadd", "pfcount", "hset", "hvals", "hgetall",
        # reads, seeding and resetting
        "mget", "del",
        # the link
        "ping", "info", "hello", "client|setname", "cluster|slots", "readonly",
      ]
    }
    # People, during a restore: look, and nothing else.
    auditor = {
      auth     = "password"
      keys     = ["tally:*"]
      commands = ["get", "mget", "hgetall", "zrevrange", "pfcount", "ttl", "type", "scan", "dbsize", "ping", "info", "cluster|slots", "cluster|info"]
    }
  }
}

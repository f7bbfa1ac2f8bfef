# Who may say what to MemoryDB. The daemon's list is every command that it sends, and no more: infra/tests/rules/memorydb.py reads them
# from src/, and tests/e2e/test_084_acl.py runs the daemon as this user.

locals {
  # What a daemon sends as well that is started with --top.
  top_commands = ["zadd", "zrem", "zremrangebyrank", "zcount", "zrevrange"]

  users_granted = merge(local.users, {
    tallyd = merge(local.users.tallyd, {
      commands = concat(local.users.tallyd.commands, var.memorydb_tops ? local.top_commands : [])
    })
  })

  users = {
    tallyd = {
      auth = var.memorydb_auth
      keys = ["tally:*"]
      commands = [
        # the fenced transaction
        "watch", "multi", "exec", "discard", "get", "set", "incrby", "incr",
        # reads
        "getrange",
        # DELETE /v1/counters, for who has a token; PUT is a SET
        "del",
        # GET and DELETE /v1/keys
        "scan",
        # the link
        "client|setname", "info", "cluster|slots",
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

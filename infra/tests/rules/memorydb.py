"""The store: encryption on the wire, users, snapshots, zones, alarms."""
import pathlib
import re

from .base import REDIS_PORT, fail_if, rule
from .network import sg_rules


@rule(seed="TLS verification off")
def memorydb_speaks_tls(env):
    """TLS is on; switching it off would also force the open-access ACL."""
    for r in env.all("aws_memorydb_cluster"):
        yield r, fail_if(r["tls_enabled"] is not True, "speaks plain text")
    for r in env.all("aws_memorydb_multi_region_cluster"):
        yield r, fail_if(r["tls_enabled"] is False, "speaks plain text")


@rule(seed="open-access ACL beside a client with a password")
def memorydb_has_its_own_acl(env):
    """The ACL is ours and lists only users of ours."""
    acls = {r["name"]: r for r in env.all("aws_memorydb_acl")}
    users = {r["user_name"] for r in env.all("aws_memorydb_user")}
    for r in env.all("aws_memorydb_cluster"):
        acl = acls.get(r["acl_name"])
        yield r, (fail_if(r["acl_name"] == "open-access", "lets everybody in without a password")
                  or fail_if(not acl, "names an ACL that no stack creates: %s" % r["acl_name"])
                  or fail_if(not acl.get("user_names"), "its ACL has no users")
                  or fail_if(set(acl["user_names"]) - users, "its ACL names unknown users"))


@rule()
def memorydb_users_can_do_little(env):
    """Users are switched on with a key pattern and exactly the commands they need: no categories, no all keys, no nopass."""
    for r in env.all("aws_memorydb_user"):
        words = (r["access_string"] or "").split()
        keys = [w for w in words if w[0] in "~%"]
        bad = [w for w in words if w in ("+@all", "allcommands", "nopass", "allkeys", "~*", "allchannels", "&*") or w.startswith("+@")]
        danger = {"+flushall", "+flushdb", "+config", "+debug", "+eval", "+evalsha", "+script", "+keys", "+shutdown", "+acl", "+replicaof", "+slaveof", "+monitor", "+module"} & {w.lower() for w in words}
        mode = r.block("authentication_mode").get("type")
        yield r, (fail_if(words[:1] != ["on"], "is not switched on first")
                  or fail_if(bad, "has %s" % bad)
                  or fail_if(danger, "may %s" % sorted(danger))
                  or fail_if("-@all" not in words, "does not start from nothing")
                  or fail_if(not keys or not all(re.match(r"^(~|%R~|%RW~|%W~)tally:", k) for k in keys), "is not confined to tally:* (%s)" % keys)
                  or fail_if(mode not in ("password", "iam"), "needs no password"))


def daemon_commands():
    """What src/ sends to the store, as an ACL names it. Not in it: AUTH, which needs no permission, and SELECT, because MemoryDB has one database."""
    found = set()
    for source in sorted((pathlib.Path(__file__).parents[3] / "src").glob("*/*.c")):
        text = source.read_text()
        for command, second in re.findall(r'\(struct slice\[\]\)\{\s*SLICE\("([A-Z]+)"\)(?:,\s*SLICE\("([A-Z]+)"\))?', text):
            found.add((command + "|" + second if second else command).lower())
        for either in re.findall(r'\(struct slice\[\]\)\{\s*[^,"]+\? SLICE\("([A-Z]+)"\) : SLICE\("([A-Z]+)"\)', text):
            found.update(word.lower() for word in either)
    return found - {"auth", "select"}


# Only with the variable memorydb_tops.
TOP_COMMANDS = {"zadd", "zrem", "zremrangebyrank", "zcount", "zrevrange"}


@rule()
def the_daemon_may_do_its_work(env):
    """The daemon's user may send exactly what the daemon sends: an ACL can neither lock it out nor let in more."""
    sent = daemon_commands()
    assert TOP_COMMANDS <= sent, "src/ does not send %s" % sorted(TOP_COMMANDS - sent)
    assert {"watch", "incrby", "incr", "exec", "getrange", "del", "client|setname"} <= sent, "src/ writes its commands in another way now: %s" % sorted(sent)
    for cluster in env.all("aws_memorydb_cluster"):
        mine = [u for u in env.all("aws_memorydb_user") if u["user_name"].endswith("tallyd")]
        granted = {w[1:].lower() for u in mine for w in u["access_string"].split() if w.startswith("+")}
        yield cluster, (fail_if(lacks := sent - granted - (set() if granted & TOP_COMMANDS else TOP_COMMANDS), "the daemon may not send %s" % sorted(lacks))
                        or fail_if(granted - sent, "the daemon never sends %s" % sorted(granted - sent)))


@rule(seed="snapshots off")
def memorydb_takes_snapshots(env):
    """Snapshots daily, kept 35 days in production; outside the maintenance window; and a last one before deletion."""
    for r in env.all("aws_memorydb_cluster"):
        days = r["snapshot_retention_limit"] or 0
        yield r, (fail_if(days < (35 if env.production else 1), "keeps snapshots for %d days" % days)
                  or fail_if(not r["snapshot_window"], "has no snapshot window")
                  or fail_if(not r["maintenance_window"], "has no maintenance window")
                  or fail_if(env.production and not r["final_snapshot_name"], "goes without a last snapshot"))


@rule()
def memorydb_never_evicts(env):
    """maxmemory-policy is noeviction: an evicted counter is a silent loss."""
    groups = {r["name"]: r for r in env.all("aws_memorydb_parameter_group")}
    for r in env.all("aws_memorydb_cluster"):
        g = groups.get(r["parameter_group_name"])
        params = {p["name"]: p["value"] for p in (g.blocks("parameter") if g else [])}
        family = (g["family"] if g else "") or ""
        yield r, (fail_if(not g, "has no parameter group of ours")
                  or fail_if(params.get("maxmemory-policy") != "noeviction", "may evict (%s)" % params.get("maxmemory-policy"))
                  or fail_if(family != "memorydb_%s%s" % (r["engine"], (r["engine_version"] or "").split(".")[0]), "%s %s with parameters of %s" % (r["engine"], r["engine_version"], family)))


@rule()
def memorydb_survives_a_zone(env):
    """Production: at least two shards with two replicas each, on nodes meant for production."""
    for r in env.all("aws_memorydb_cluster"):
        if env.production:
            yield r, (fail_if((r["num_shards"] or 1) < 2, "has %s shards" % r["num_shards"])
                      or fail_if((r["num_replicas_per_shard"] or 0) < 2, "has %s replicas" % r["num_replicas_per_shard"]))
        yield r, fail_if((r["num_replicas_per_shard"] or 0) < 1, "has no replica, so a failover is an outage")


@rule()
def memorydb_admits_only_its_clients(env):
    """Port 6379 only, from security groups or private addresses that are named."""
    groups = {g for r in env.all("aws_memorydb_cluster") for g in r.get("security_group_ids", [])}
    for r in env.all("aws_memorydb_cluster"):
        yield r, fail_if((r["port"] or REDIS_PORT) != REDIS_PORT, "listens on %s" % r["port"]) or fail_if(not r.get("security_group_ids"), "has no security group")
    for r, direction, lo, hi, sources in sg_rules(env):
        if r["security_group_id"] in groups and direction == "ingress":
            yield r, (fail_if((lo, hi) != (REDIS_PORT, REDIS_PORT), "opens ports %s-%s" % (lo, hi)) or fail_if(not sources, "has no source"))


MEMORYDB_ALARMS = {
    "EngineCPUUtilization": lambda a: a["threshold"] == 80 and a["comparison_operator"] == "GreaterThanThreshold",
    "DatabaseMemoryUsagePercentage": lambda a: a["threshold"] == 75 and a["comparison_operator"] == "GreaterThanThreshold",
    "AuthenticationFailures": lambda a: a["threshold"] == 1 and a["comparison_operator"] == "GreaterThanOrEqualToThreshold" or a["threshold"] == 0 and a["comparison_operator"] == "GreaterThanThreshold",
    "ReplicationLag": lambda a: a["comparison_operator"].startswith("GreaterThan"),
    "SuccessfulWriteRequestLatency": lambda a: a["extended_statistic"] == "p99",
    "Evictions": lambda a: a["threshold"] == 0 and a["comparison_operator"] == "GreaterThanThreshold",
    "CurrConnections": lambda a: a["comparison_operator"].startswith("GreaterThan"),
}


@rule()
def memorydb_alarms_are_complete(env):
    """The seven alarms of DEPLOY.md, with its thresholds, on every cluster."""
    alarms = [a for a in env.all("aws_cloudwatch_metric_alarm") if a["namespace"] == "AWS/MemoryDB"]
    for c in env.all("aws_memorydb_cluster"):
        for metric, fits in MEMORYDB_ALARMS.items():
            mine = [a for a in alarms if a["metric_name"] == metric and c["name"] in (a["dimensions"] or {}).values()]
            yield "%s %s" % (c, metric), fail_if(not mine, "no alarm") or fail_if(not any(fits(a) for a in mine), "another threshold than agreed")


@rule(needs="some")
def multi_region_needs_the_absolute_mode(env):
    """Last writer wins there: a multi-region cluster only together with the daemon's absolute mode, which a precondition asks for."""
    text = "".join(p.read_text() for p in (env.tree / "infra" / "modules" / "memorydb-global").glob("*.tf"))
    yield "modules/memorydb-global", fail_if("precondition" not in text and "validation" not in text or "writer" not in text.lower(), "has no precondition about last-writer-wins")


@rule()
def memorydb_can_tell_its_events(env):
    """The store publishes its events to a topic without a key of ours, which it could not use, and somebody listens."""
    topics = {t["arn"]: t for t in env.all("aws_sns_topic")}
    for r in env.all("aws_memorydb_cluster"):
        topic = topics.get(r["sns_topic_arn"])
        yield r, (fail_if(not topic, "tells nobody") or fail_if(topic["kms_master_key_id"], "tells an encrypted topic")
                  or fail_if(not [s for s in env.all("aws_sns_topic_subscription") if s["topic_arn"] == topic["arn"]], "nobody listens"))

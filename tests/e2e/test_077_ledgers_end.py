"""An orderly end removes its ledgers from the store. A process that was killed, or has hits left, keeps its ledger there."""

import pytest
from harness import checker, wait
from harness.cluster import BusPort
from harness.scenarios import settle, state_dir

DAY_S = 24 * 3600


def ledgers(redis):
    return {key: redis.command("TTL", key) for key in redis.command("KEYS", "*!ledger:*")}


def counted(lab, redis, **options):
    server = lab.tallyd(redis, **options)
    for i in range(40):
        server.hit("ledgers", f"page-{i}")
    settle(server)
    return server


def lone_cluster(lab):
    redis = lab.redis(settings=["cluster-enabled yes"], port=BusPort())
    redis.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    wait.until(lambda: b"cluster_state:ok" in redis.command("CLUSTER", "INFO"), "the cluster is up", 20)
    return redis


@pytest.mark.short
@pytest.mark.parametrize("mode, count", [("standalone", 1), ("cluster", 4)])
def test_an_orderly_end_takes_its_ledgers_along(lab, mode, count):
    redis = lone_cluster(lab) if mode == "cluster" else lab.redis()
    options = {"redis_mode": mode, "partitions": count}
    server, other = counted(lab, redis, **options), counted(lab, redis, **options)
    before = ledgers(redis)
    assert len(before) == 2 * count
    assert all(0 < left <= DAY_S for left in before.values()), before
    assert server.stop() == 0
    assert len(ledgers(redis)) == count, "the other's are there"
    assert server.log_lines("ledger_missing") == []
    other.hit("ledgers", "page-1")
    settle(other)
    checker.checked_metrics(other)
    assert other.stop() == 0
    assert ledgers(redis) == {}
    assert sum(checker.redis_counts(redis).values()) == 81


def test_who_is_killed_leaves_a_ledger_that_tells_of_it(lab):
    redis = lab.redis()
    server, other = counted(lab, redis), counted(lab, redis)
    server.kill()
    assert other.stop() == 0
    left = ledgers(redis)
    assert len(left) == 1 and all(0 < ttl <= DAY_S for ttl in left.values()), left


def test_a_ledger_waits_a_month_for_the_next_process_of_a_state_file(lab):
    redis, folder = lab.redis(), state_dir(lab)
    server = counted(lab, redis, state_dir=folder)
    before = ledgers(redis)
    assert len(before) == 1 and all(DAY_S < ttl <= 30 * DAY_S for ttl in before.values()), before
    assert server.stop() == 0
    assert list(ledgers(redis)) == list(before)
    again = counted(lab, redis, state_dir=folder)
    assert list(ledgers(redis)) == list(before), "it is the same one that goes on"
    assert again.metrics().get("alarms_total", kind="ledger_missing") == 0


def test_what_could_not_be_stored_keeps_its_ledger(lab):
    redis = lab.redis()
    server = counted(lab, redis)
    redis.command("LPUSH", "tally:ledgers:list", "x")
    server.hit("ledgers", "list")
    wait.until(lambda: server.metrics()["hits_poisoned"] == 1, "the key is refused")
    assert server.stop() == 1
    assert len(ledgers(redis)) == 1


def test_a_store_that_is_away_does_not_hold_up_the_end(lab):
    redis = lab.redis()
    server = counted(lab, redis)
    redis.kill()
    wait.until(lambda: server.metrics()["redis_connected"] == 0, "it is lost")
    assert server.stop() == 0

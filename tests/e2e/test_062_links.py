"""tallyd stores all hits over a thin link, comes back after an idle one was closed, and does not hammer a store that refuses."""

import pytest
from harness import checker, wait
from harness.cluster import BusPort, LoneNode
from harness.scenarios import settle

THIN = 20000  # bytes a second


@pytest.mark.ci
def test_a_thin_link_drains_what_an_outage_left(lab):
    """The batch of 2000 keys takes longer than the 5 s in which a byte must move."""
    redis = lab.redis()
    proxy = lab.proxy(redis)
    server = lab.tallyd(redis, via=proxy, flush_interval="1s")
    server.hit("thin", "first")
    settle(server)
    proxy.rate(THIN)
    proxy.refuse()
    proxy.end_links("rst")
    for i in range(2000):
        server.hit("thin", f"{i:04}-{'x' * 40}")
    proxy.accept()
    wait.until(lambda: server.metrics()["hits_stored_total"] == 2001, "all is stored", 60, 0.1)
    checker.wait_drained(server)
    assert sum(redis.read_all(b"tally:thin:").values()) == 2001


@pytest.mark.short
def test_an_idle_link_that_the_server_closes_comes_back_without_a_warning(lab):
    redis = lab.redis(settings=["timeout 1"])
    server = lab.tallyd(redis)
    server.hit("idle", "a")
    settle(server)
    wait.until(lambda: server.metrics()["redis_reconnects_total"] >= 2, "the server has closed the link twice", 20)
    assert not server.log_lines("redis_lost")
    assert len(server.log_lines("redis_connected")) == 1
    assert server.metrics()["redis_link_errors_total"] == 0
    server.hit("idle", "a", 2)
    checker.wait_drained(server)
    redis.kill()
    wait.until(lambda: server.log_lines("redis_lost"), "an outage is said")
    redis.start()
    wait.until(lambda: len(server.log_lines("redis_connected")) == 2, "and its end", 20)


@pytest.mark.short
def test_a_slot_that_is_left_open_is_not_hammered(lab):
    source = lab.keep(LoneNode(lab))
    other = lab.redis(settings=["cluster-enabled yes"], port=BusPort())
    server = lab.tallyd(source, redis_mode="cluster", partitions=1)
    server.hit("open", "a")
    settle(server)
    ledger, = [key for key in source.command("KEYS", "*!ledger:*")]
    slot = source.command("CLUSTER", "KEYSLOT", ledger)
    source.command("CLUSTER", "MEET", "127.0.0.1", other.port)
    id = other.command("CLUSTER", "MYID").decode()
    wait.until(lambda: id in source.view(), "the nodes know each other", 20)
    source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", id)
    server.hit("open", "b")

    def asks():
        return server.metrics().get("redis_errors_total", **{"class": "ask"})

    # 100, 200, … 3200 ms, each half of it chance: the 7th refusal comes no sooner than after 3 s
    wait.until(lambda: asks() >= 1, "the slot is refused", 20)
    sent = server.metrics()["flush_batches_retried_total"]
    wait.until(lambda: asks() >= 7, "it is tried again", 40)
    retried = server.metrics()["flush_batches_retried_total"] - sent
    assert retried <= asks()
    source.command("CLUSTER", "SETSLOT", slot, "STABLE")
    checker.wait_drained(server, seconds=20)
    assert source.read_all(b"tally:")[b"open:b"] == 1

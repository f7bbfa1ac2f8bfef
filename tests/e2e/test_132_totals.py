"""The total of a namespace is the sum of its hits, in the answer of every process, whatever happens to the store."""

import pytest
from harness import checker, http_load, wait
from harness.event_stream import EventStream
from harness.http_client import fetch
from harness.scenarios import state_dir


def total(server, ns="blog"):
    answer = server.read(f"/v1/counters/{ns}?total=1")
    assert answer.status == 200, answer.body
    one = answer.json()
    assert sorted(one) == ["ns", "pending", "stale_ms", "total"] and one["ns"] == ns
    assert 0 <= one["pending"] <= one["total"]
    return one["total"]


def held(redis, ns=b"blog"):
    return {key: value for key, value in redis.read_all(b"tally:").items() if key.startswith(b"!total:")}


@pytest.mark.short
@pytest.mark.parametrize("store", ["redis", "alone"])
def test_every_hit_is_in_the_total_as_soon_as_it_is_answered(lab, store):
    server = lab.tallyd(lab.redis() if store == "redis" else None)
    for n in range(1, 30):
        server.hit("blog", f"k{n % 5}", n)
        server.hit("shop", "a")
        assert total(server) == n * (n + 1) // 2
        assert total(server, "shop") == n
    checker.wait_drained(server)
    assert (total(server), total(server, "shop")) == (435, 29)
    assert server.read("/v1/counters/blog/?total=1").json()["total"] == 435


def test_hits_of_other_processes_are_in_the_total_too(lab):
    redis = lab.redis()
    here, there, new = lab.tallyd(redis), lab.tallyd(redis), lab.tallyd(redis)
    here.hit("blog", "a", 3)
    there.hit("blog", "b", 4)
    checker.wait_drained(here)
    checker.wait_drained(there)
    wait.until(lambda: total(here) == 7, "what the other one stored is heard of")
    wait.until(lambda: total(there) == 7, "and there")
    assert total(new) == 7, "one that has counted nothing asks the store"
    new.hit("blog", "c")
    assert total(new) == 8
    checker.check_totals(redis.read_all(b"tally:"))


def test_without_redis_the_total_survives_a_restart(lab):
    server = lab.tallyd(state_dir=state_dir(lab), workers=2)
    for key in range(50):
        server.hit("blog", f"k{key}", 2)
    server.kill()
    server.start()
    assert total(server) == 100
    server.hit("blog", "k0")
    assert total(server) == 101


def test_keys_that_the_store_refuses_count_in_the_total_once(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, state_dir=state_dir(lab))
    redis.command("RPUSH", "tally:blog:list", "x")
    server.hit("blog", "list", 10)
    server.hit("blog", "a", 5)
    wait.until(lambda: server.metrics()["hits_poisoned"] == 10, "it is refused")
    assert total(server) == 15
    server.hit("blog", "a")
    wait.until(lambda: redis.command("GET", "tally:blog:a") == b"6", "the next flush is stored")
    assert (total(server), held(redis)) == (16, {b"!total:0:blog": 6}), "what was refused is taken off again"
    server.kill()
    redis.command("DEL", "tally:blog:list")
    server.start()
    server.hit("blog", "a")
    checker.wait_drained(server)
    assert total(server) == 17
    checker.check_totals(redis.read_all(b"tally:"))


def test_a_total_that_is_something_else_is_owed_and_holds_no_hit_up(lab):
    redis = lab.redis()
    server = lab.tallyd(redis)
    redis.command("RPUSH", "tally:!total:0:blog", "x")
    server.hit("blog", "a", 5)
    checker.wait_drained(server)
    assert redis.command("GET", "tally:blog:a") == b"5"
    server.hit("blog", "a")
    checker.wait_drained(server)
    assert redis.command("GET", "tally:blog:a") == b"6"


def test_a_store_that_goes_back_takes_keys_and_total_together(lab):
    redis = lab.redis(appendonly=True, appendfsync="everysec")
    server = lab.tallyd(redis, state_dir=state_dir(lab))
    load = lab.load(server, http_load.make_pool(lab.seed, keys=20), rate=2000)
    wait.until(lambda: server.metrics()["flush_batches_total"] > 5, "a ledger that no cut takes away")
    redis.kill()
    redis.lose(redis.log_bytes() // 3)
    redis.start()
    wait.until(lambda: server.metrics().get("alarms_total", kind="rollback") == 1, "it is noticed")
    server.kill()
    server.start()
    load.stop()
    checker.wait_drained(server)
    checker.check_exact(redis, [load])


@pytest.mark.parametrize("store", ["redis", "alone"])
def test_a_stream_of_a_namespace_follows_its_total(lab, store):
    server = lab.tallyd(lab.redis() if store == "redis" else None)
    server.hit("blog", "a", 7)
    with EventStream(server.port, "/v1/stream/blog") as stream, EventStream(server.port, "/v1/stream/blog/") as other:
        assert stream.until_value(7)[-1] == 7
        server.hit("blog", "b", 5)
        assert stream.until_value(12) == [12]
        assert stream.event()[1]["rate"] > 0, "the rate follows"
        assert other.until_value(12)[-1] == 12
    wait.until(lambda: server.metrics()["streams"] == 0, "all streams are closed")


def test_a_stream_of_a_namespace_hears_what_other_processes_count(lab):
    redis = lab.redis()
    here, there = lab.tallyd(redis), lab.tallyd(redis)
    with EventStream(here.port, "/v1/stream/blog") as stream:
        assert stream.event() == ("count", {"value": 0, "rate": 0.0})
        there.hit("blog", "a", 3)
        stream.until_value(3)
        here.hit("blog", "b")
        stream.until_value(4)


@pytest.mark.parametrize("store", ["redis", "alone"])
def test_a_namespace_that_comes_too_late_has_no_total_and_is_told_so(lab, store):
    server = lab.tallyd(lab.redis() if store == "redis" else None)
    for i in range(256):
        server.hit(f"n{i}", "a")
    checker.wait_drained(server)
    assert server.metrics()["namespaces_untotalled"] == 0
    assert (total(server, "n0"), total(server, "n255")) == (1, 1)
    for ns in ("late", "later"):
        server.hit(ns, "a", 5)
    checker.wait_drained(server)
    wait.until(lambda: server.metrics()["namespaces_untotalled"] == 2, "two are said to have none")
    assert len(server.log_lines("event=namespaces_without_total")) == 1
    for ns in ("late", "later"):
        answer = server.read(f"/v1/counters/{ns}?total=1")
        assert (answer.status, answer.json()["error"]) == (404, "no_total")
        assert server.value(ns, "a") == 5, "its keys are counted"
    assert server.read("/v1/counters/empty?total=1").json()["error"] == "not_found"
    assert server.fetch("/v1/stream/late").json()["error"] == "no_total"
    assert (total(server, "n0"), total(server, "n255")) == (1, 1)


def test_a_stream_that_was_there_before_its_namespace_came_too_late_ends(lab):
    server = lab.tallyd()
    with EventStream(server.port, "/v1/stream/late") as stream:
        assert stream.event() == ("count", {"value": 0, "rate": 0.0})
        for i in range(256):
            server.hit(f"n{i}", "a")
        checker.wait_drained(server)  # which of two that are new at once comes first is not said
        server.hit("late", "a")
        assert stream.end()[-1][0] == "no_total"
    wait.until(lambda: server.metrics()["streams"] == 0, "it is gone")


def test_more_totals_owed_than_outlive_a_kill_are_said_once(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, state_dir=state_dir(lab))
    for i in range(17):
        redis.command("RPUSH", f"tally:!total:0:n{i}", "x")
    for i in range(16):
        server.hit(f"n{i}", "a")
    checker.wait_drained(server)
    wait.until(lambda: server.metrics()["totals_owed"] == 16, "what they lack is owed")
    assert not server.log_lines("event=totals_owed")
    server.hit("n16", "a")
    server.hit("n16", "b")
    wait.until(lambda: server.log_lines("event=totals_owed"), "one more than a kill leaves is said")
    server.hit("n16", "c")
    checker.wait_drained(server)
    wait.until(lambda: server.metrics()["totals_owed"] == 17, "all are owed")
    assert len(server.log_lines("event=totals_owed")) == 1
    wait.until(lambda: server.fetch("/v1/counters/n16?total=1").json()["error"] == "total_refused", "it says so")
    redis.command("DEL", "tally:!total:0:n16")
    assert total(server, "n16") == 3, "what is said here has it"


def test_what_is_wrong_has_a_clear_answer(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, namespaces="blog,shop")
    for target, status, token in [("blog?total=1", 404, "not_found"), ("other?total=1", 404, "no_such_namespace"),
                                  ("b!?total=1", 400, "bad_namespace"), ("blog?total=2", 400, "bad_total"),
                                  ("blog?total=", 400, "bad_total"), ("blog?total=1&total=1", 400, "bad_total"),
                                  ("blog?total=1&key=a", 400, "bad_total"), ("?total=1", 400, "bad_namespace")]:
        answer = server.read(f"/v1/counters/{target}")
        assert (answer.status, answer.json()["error"]) == (status, token), target
    server.hit("blog", "a")
    assert server.read("/v1/counters/blog?total=1", "HEAD").status == 200
    redis.kill()
    wait.until(lambda: server.metrics()["redis_connected"] == 0, "the loss is noticed")
    answer = server.fetch("/v1/counters/shop?total=1")
    assert (answer.status, answer.json()["error"], answer["retry-after"]) == (503, "store_unreachable", "1")
    server.hit("blog", "a")
    redis.start()
    checker.wait_drained(server)
    assert total(server) == 2
    assert fetch(server.admin_port, "/v1/counters/blog?total=1").status == 404

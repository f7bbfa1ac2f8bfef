"""The highest keys of a namespace: which they are, with the counters' own numbers, whatever befalls the store."""

import os
import re
from types import SimpleNamespace

import pytest
from harness import checker, secrets, wait
from harness.cluster import Cluster
from harness.http_client import fetch
from harness.scenarios import state_dir

README = os.path.join(os.path.dirname(__file__), "../../README.md")
READ, WRITE, OTHER = "read-token-of-the-tests-1", "write-token-of-the-tests-2", "other-token-of-the-tests-3"


def bearer(token):
    return [f"Authorization: Bearer {token}"] if token else []


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = Cluster(tmp_path_factory.mktemp("cluster"), secrets.PASSWORD)
    yield made
    made.close()


@pytest.fixture
def tokens(lab):
    path = os.path.join(lab.folder, "tokens")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"{READ} read\n{WRITE} write\n{OTHER} read:other\n")
    return path


def ask(server, query="", ns="blog", token=READ, port=None):
    return fetch(port or server.port, f"/v1/top/{ns}{query}", fields=bearer(token))


def top(server, n=10, ns="blog"):
    """[(key, value), …] as it is shown now, by the admin port."""
    answer = ask(server, f"?n={n}", ns, None, server.admin_port)
    assert answer.status == 200, answer.body
    body = answer.json()
    assert sorted(body) == ["as_of", "ns", "top", "window"] and (body["ns"], body["window"]) == (ns, "all")
    assert body["as_of"].endswith("Z")
    return [(one["key"], one["value"]) for one in body["top"]]


def highest(counts, n=10):
    return sorted(counts.items(), key=lambda one: (-one[1], one[0].encode()))[:n]


def wait_top(server, counts, n=10):
    """What was counted last is offered with the next flush."""
    wait.until(lambda: top(server, n) == highest(counts, n), f"the highest are shown, not {top(server, n)}")


def start(lab, store, **options):
    return lab.tallyd(lab.redis() if store == "redis" else None, top="blog,shop", **options)


@pytest.mark.short
@pytest.mark.parametrize("store", ["redis", "alone"])
@pytest.mark.parametrize("io", ["uring", "epoll"])
def test_the_highest_keys_are_shown_highest_first(lab, store, io):
    server = start(lab, store, io=io)
    counts = {f"page-{i:03}": i % 50 + 1 for i in range(300)}
    for key, n in counts.items():
        server.hit("blog", key, n)
    server.hit("shop", "only", 7)
    server.hit("other", "page", 9)
    for n in (1, 10, 100):
        wait_top(server, counts, n)
    wait.until(lambda: top(server, ns="shop") == [("only", 7)], "the other namespace has its own")
    server.hit("blog", "page-000", 1000)
    counts["page-000"] += 1000
    wait_top(server, counts)


def test_in_a_cluster_the_partitions_are_merged(lab, cluster):
    server = lab.tallyd(cluster, prefix=f"t{lab.seed}:", redis_mode="cluster", top="blog")
    counts = {f"page{i}": i + 1 for i in range(400)}
    for key, n in counts.items():
        server.hit("blog", key, n)
    wait_top(server, counts, 100)
    checker.wait_drained(server)


@pytest.mark.parametrize("store", ["redis", "alone"])
def test_who_may_not_read_sees_no_top(lab, tokens, store):
    server = start(lab, store, token_file=tokens)
    server.hit("blog", "a", 3)
    for token, status in ((None, 401), ("wrong", 401), (WRITE, 403), (OTHER, 403), (READ, 200)):
        assert ask(server, token=token).status == status, token
    assert ask(server, port=server.admin_port, token=None).status == 200


@pytest.mark.parametrize("query, token", [
    ("?n=0", "bad_n"), ("?n=101", "bad_n"), ("?n=x", "bad_n"), ("?n=", "bad_n"), ("?n=1&n=2", "bad_n"),
    ("?window=week", "bad_window"), ("?window=day", "bad_window"), ("?window=", "bad_window"),
    ("?window=all&window=all", "bad_window"),
])
def test_a_wrong_question_is_refused_by_name(lab, query, token):
    server = start(lab, "alone")
    answer = ask(server, query, port=server.admin_port)
    assert (answer.status, answer.json()["error"]) == (400, token)


def test_a_namespace_without_the_option_is_told_of_it(lab):
    server = start(lab, "alone")
    server.hit("other", "a")
    answer = ask(server, ns="other", port=server.admin_port)
    assert (answer.status, answer.json()["error"]) == (404, "no_top") and "--top" in answer.json()["detail"]
    assert ask(server, ns="a b", port=server.admin_port).status == 400
    assert top(server) == [], "nothing was counted, which is an answer"


def test_what_other_processes_count_is_in_the_top(lab):
    redis = lab.redis()
    here, there = lab.tallyd(redis, top="blog"), lab.tallyd(redis, top="blog")
    for i in range(1, 40):
        here.hit("blog", f"h{i}", i)
        there.hit("blog", f"t{i}", i)
        there.hit("blog", "both", i)
        here.hit("blog", "both", i)
    counts = {f"{who}{i}": i for who in "ht" for i in range(1, 40)} | {"both": 2 * sum(range(1, 40))}
    for server in (here, there, lab.tallyd(redis, top="blog")):
        wait_top(server, counts, 20)


def test_a_key_that_is_set_or_deleted_is_where_it_belongs(lab, tokens):
    redis = lab.redis()
    here, there = (lab.tallyd(redis, top="blog", token_file=tokens) for _ in range(2))
    counts = {f"k{i}": 10 * i for i in range(1, 20)}
    for key, n in counts.items():
        here.hit("blog", key, n)
    wait_top(here, counts)
    for server, method, key, body in ((here, "PUT", "k19", '{"value":5}'), (there, "PUT", "k1", '{"value":777}'),
                                      (there, "DELETE", "k18", ""), (here, "PUT", "new", '{"value":300}')):
        answer = fetch(server.port, f"/v1/counters/blog/{key}", method, body=body.encode(), fields=bearer(WRITE))
        assert answer.status in (200, 204), answer.body
    counts |= {"k19": 5, "k1": 777, "new": 300}
    del counts["k18"]
    assert {k.decode(): int(v) for k, v in redis_set(redis).items()} == counts
    for server in (here, there):
        wait_top(server, counts, 30)


def test_keys_come_up_when_others_have_deleted_higher_ones(lab, tokens):
    redis = lab.redis()
    here, there = (lab.tallyd(redis, top="blog", token_file=tokens) for _ in range(2))
    counts = {f"k{i:03}": 10 * (300 - i) for i in range(300)}  # the highest first, so that those far below are never offered
    for key, n in counts.items():
        here.hit("blog", key, n)
    wait_top(here, counts, 100)
    for key, _ in highest(counts, 90):
        assert fetch(there.port, f"/v1/counters/blog/{key}", "DELETE", fields=bearer(WRITE)).status == 204
        del counts[key]
    for key in counts:
        here.hit("blog", key)
        counts[key] += 1
    wait_top(here, counts, 100)


def redis_set(redis, key="tally:!top:0:blog"):
    flat = redis.command("ZRANGE", key, "0", "-1", "WITHSCORES")
    return dict(zip(flat[::2], flat[1::2]))


def test_the_set_keeps_the_highest_and_no_more_than_it_must(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, top="blog", flush_interval="50ms")
    counts = {}
    for step in range(6):
        for i in range(200):
            key = f"s{step}-{i}"
            counts[key] = 1 + (i * 37 + step * 11) % 1000
            server.hit("blog", key, counts[key])
        wait_top(server, counts, 100)
    assert len(redis_set(redis)) <= 256
    before = redis.calls("zadd")
    for _ in range(3):
        server.hit("blog", "s0-0")
        checker.wait_drained(server)
    assert redis.calls("zadd") == before, "what is far below the floor is not offered"


def test_a_set_that_is_something_else_holds_no_hit_up(lab):
    redis = lab.redis()
    redis.command("SET", "tally:!top:0:blog", "x")
    server = lab.tallyd(redis, top="blog")
    server.hit("blog", "a", 5)
    checker.wait_drained(server)
    server.hit("blog", "a", 5)
    checker.wait_drained(server)
    assert redis.command("GET", "tally:blog:a") == b"10"
    answer = ask(server, port=server.admin_port)
    assert (answer.status, answer.json()["error"]) == (503, "store_refuses")


def test_a_user_without_sorted_sets_counts_as_ever(lab):
    redis = lab.redis()
    redis.command("ACL", "SETUSER", "default", "-@sortedset")
    server = lab.tallyd(redis, top="blog")
    for _ in range(3):
        server.hit("blog", "a", 5)
        checker.wait_drained(server)
    assert redis.command("GET", "tally:blog:a") == b"15"
    assert len(server.log_lines("event=top_refused")) == 1
    assert ask(server, port=server.admin_port).json()["error"] == "store_refuses"


def test_the_commands_that_the_readme_names_are_enough(lab):
    with open(README, encoding="utf-8") as file:
        text = file.read()
    base = re.search(r"^on ~tally:.*$", text, re.M)[0]
    more = re.search(r"The ACL user needs `(.*?)` as well", text)[1]
    redis = lab.redis(settings=[f"user tallyd {base} {more} >{secrets.PASSWORD}"])
    server = lab.tallyd(redis, via=SimpleNamespace(url=redis.url.replace("//", "//tallyd@")), top="blog")
    counts = {f"k{i}": i for i in range(1, 20)}
    for key, n in counts.items():
        server.hit("blog", key, n)
    wait_top(server, counts)
    assert redis.command("ACL", "LOG") == [] and not server.log_lines("event=top_refused")


@pytest.mark.parametrize("kill", [True, False])
def test_a_restart_keeps_the_top(lab, kill):
    redis = lab.redis()
    server = lab.tallyd(redis, top="blog", state_dir=state_dir(lab))
    counts = {f"k{i}": i for i in range(1, 30)}
    for key, n in counts.items():
        server.hit("blog", key, n)
    wait_top(server, counts)
    if kill:
        redis.pause()  # so that the last hits are not stored before
    server.hit("blog", "last", 1000)
    counts["last"] = 1000
    if kill:
        server.kill()
        redis.resume()
    else:
        server.stop()
    server.start()
    wait_top(server, counts)


def test_what_is_counted_last_is_offered_before_the_end(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, top="blog", flush_interval="10s")
    server.hit("blog", "a", 5)
    server.stop()
    assert redis_set(redis) == {b"a": b"5"}


@pytest.mark.rollbacks
def test_after_a_rollback_the_top_is_that_of_the_store(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, top="blog", replay_window="60s")
    counts = {f"k{i}": i for i in range(1, 30)}
    for key, n in counts.items():
        server.hit("blog", key, n)
    wait_top(server, counts)
    redis.command("FLUSHALL")
    server.hit("blog", "k1", 500)
    counts["k1"] += 500
    wait.until(lambda: server.metrics().get("alarms_total", kind="ledger_missing") == 1, "it is noticed")
    wait.until(lambda: top(server, 1)[:1] == [("k1", int(redis.command("GET", "tally:blog:k1") or 0))], "its top is shown")
    checker.wait_drained(server)
    held = {k.removeprefix(b"blog:").decode(): v for k, v in redis.read_all(b"tally:").items() if k.startswith(b"blog:")}
    wait_top(server, held, 100)

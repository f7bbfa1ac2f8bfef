"""A hit is counted once, and every route of both ports answers right requests and refuses wrong ones as documented."""

import json
import re
import shutil
import subprocess

import pytest
from harness import checker, names, wait
from harness.http_client import HttpConnection

pytestmark = pytest.mark.short


@pytest.fixture
def pair(lab):
    redis = lab.redis()
    return redis, lab.tallyd(redis)


def stored(redis, name):
    return lambda: redis.read_all(names.PREFIX).get(name)


def wait_stored(redis, name, value):
    wait.until(lambda: stored(redis, name)() == value, f"{name!r} is {value} in Redis")


def accepted(server):
    return checker.checked_metrics(server)["hits_accepted_total"]


def test_a_hit_is_answered_204_and_lands_in_redis(pair):
    redis, server = pair
    answer = server.fetch("/v1/hit/blog/first")
    assert answer.status == 204 and answer["X-Hit-Status"] == "counted"
    assert answer["Cache-Control"] == "no-cache, no-store"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    wait_stored(redis, b"blog:first", 1)


def test_get_and_post_count_alike_and_n_adds_up(pair):
    redis, server = pair
    assert server.fetch("/v1/hit/blog/a?n=5").status == 204
    assert server.fetch("/v1/hit/blog/a", "POST", body=b"").status == 204
    beacon = server.fetch("/v1/hit/blog/a?n=2", "POST", ["Content-Type: text/plain;charset=UTF-8"], b"any small body")
    assert beacon.status == 204
    assert server.fetch("/v1/hit/blog/a?n=2147483647").status == 204
    wait_stored(redis, b"blog:a", 8 + 2147483647)


def test_value_1_answers_the_count_with_this_hit_in_it(pair):
    redis, server = pair
    redis.command("SET", "tally:blog:seeded", 1000)
    for _ in range(3):
        answer = server.fetch("/v1/hit/blog/seeded?value=1")
        assert answer.status == 200 and {"value", "pending", "stale_ms"} <= set(answer.json())
    wait_stored(redis, b"blog:seeded", 1003)
    assert server.fetch("/v1/hit/blog/seeded?value=1&n=7").json()["value"] == 1010
    assert server.value("blog", "seeded") == 1010


def test_a_counter_that_only_another_process_counted_is_read_from_redis(pair):
    redis, server = pair
    redis.command("SET", "tally:blog:elsewhere", 41)
    assert server.value("blog", "elsewhere") == 41
    answer = server.fetch("/v1/counters/blog/elsewhere")
    assert answer.status == 200 and answer.json()["value"] == 41 and answer.json()["pending"] == 0
    assert {"ns", "key", "value", "pending", "as_of", "stale_ms"} <= set(answer.json())
    assert (answer.json()["ns"], answer.json()["key"]) == ("blog", "elsewhere")


def test_a_counter_that_nobody_counted_is_404(pair):
    _, server = pair
    assert server.read("/v1/counters/blog/nobody").status == 404
    assert server.read("/v1/counters/blog/nobody").status == 404


def test_many_counters_are_read_at_once(pair):
    redis, server = pair
    for key, n in (("a", 3), ("b", 4)):
        server.hit("blog", key, n)
    redis.command("SET", "tally:blog:far away", 9)
    assert server.value("blog", "far%20away") == 9
    answer = server.fetch("/v1/counters/blog?key=a&key=b&key=far%20away&key=none")
    assert answer.status == 200
    found = {item["key"]: item for item in answer.json()["counters"]}
    assert {key: found[key]["value"] for key in ("a", "b", "far away")} == {"a": 3, "b": 4, "far away": 9}
    assert "none" not in found or found["none"]["value"] in (0, None)


def test_many_hits_in_one_post_are_counted_and_errors_named_by_index(pair):
    redis, server = pair
    hits = [{"ns": "blog", "key": "a", "n": 3}, {"ns": "!bad", "key": "a"}, {"ns": "blog", "key": "b"},
            {"ns": "blog", "key": "c", "n": 0}, {"ns": "blog", "key": "naïve ключ \" \\ /x", "n": 2}, {"ns": "blog"}]
    answer = server.fetch("/v1/hits", "POST", ["Content-Type: application/json"],
                          json.dumps({"hits": hits}).encode())
    assert answer.status == 202, answer.body
    result = answer.json()
    assert (result["accepted"], result["rejected"]) == (3, 3)
    assert [error["index"] for error in result["errors"]] == [1, 3, 5]
    wait_stored(redis, b"blog:a", 3)
    wait_stored(redis, b"blog:b", 1)
    wait_stored(redis, "blog:naïve ключ \" \\ /x".encode(), 2)
    checker.wait_drained(server)
    assert len(checker.redis_counts(redis)) == 3


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b'{"hits":{}}', b'{"hits":[1]}', b'{"hits":[{"ns":"a","key":"b"}]', b'{"hits":[{"ns":"a","key":"b"}]}x',
    b'{"hits":[{"ns":"a","key":"b","n":1.5}]}', b'{"hits":[{"ns":"a","key":"b","n":"5"}]}',
    b'{"hits":[{"ns":"a","key":"b","n":-1}]}', b'{"hits":[{"ns":"a","key":"b","n":2147483648}]}',
    b'{"hits":[{"ns":"a","key":"\\ud800"}]}', b'{"hits":[{"ns":"a","key":"\xff"}]}', b"[" * 60000,
    b'{"hits":[' + b",".join([b'{"ns":"a","key":"b"}'] * 1001) + b"]}"])
def test_a_wrong_post_of_hits_counts_nothing(pair, body):
    _, server = pair
    before = accepted(server)
    answer = server.fetch("/v1/hits", "POST", ["Content-Type: application/json"], body)
    assert answer.status in (400, 413) or (answer.status == 202 and answer.json()["accepted"] == 0), answer.body
    assert accepted(server) == before


@pytest.mark.parametrize("n", ["%2B5", "+5", "-1", "0", "1e3", "9223372036854775808", "2147483648", "00", "01", "0x10",
                               "", "5.0", "%205", "5%00", "18446744073709551617", "%D9%A1", "1_0"])
def test_a_wrong_n_is_400_and_not_counted(pair, n):
    redis, server = pair
    answer = server.fetch(f"/v1/hit/blog/a?n={n}")
    assert answer.status == 400 and answer["X-Hit-Status"].startswith("refused;reason=")
    assert accepted(server) == 0
    server.hit("blog", "a")
    checker.wait_drained(server)
    assert checker.redis_counts(redis) == {b"blog:a": 1}


def test_n_given_twice_does_not_count_twice(pair):
    _, server = pair
    answer = server.fetch("/v1/hit/blog/a?n=2&n=3")
    assert (answer.status, accepted(server)) in ((400, 0), (204, 2), (204, 3))


@pytest.mark.parametrize("path", [
    "!x/a", "/a", "bl%20og/a", "blog/", "blog", "blog/a%00b", "blog/a%0Ab", "blog/a%0D%0Ab", "blog/a%7Fb", "blog/%7Ba%7D",
    "blog/a%7B", "blog/a%", "blog/a%4", "blog/a%zz", "blog/" + "k" * 257, "n" * 65 + "/a", "blog/" + "%61" * 257,
    "bl%2Fog/a", "bl%C3%B6g/a", "b:g/a"])
def test_a_bad_name_is_400_and_not_counted(pair, path):
    _, server = pair
    before = accepted(server)
    answer = server.fetch(f"/v1/hit/{path}")
    assert answer.status in (400, 404), answer.status
    if answer.status == 400:
        assert answer["X-Hit-Status"].startswith("refused;reason=")
    assert accepted(server) == before


@pytest.mark.parametrize("key", names.AWKWARD, ids=lambda key: repr(key)[:20])
def test_an_awkward_key_is_stored_byte_for_byte_in_every_spelling(pair, key):
    redis, server = pair
    for spell in (names.quoted, names.quoted_fully):
        assert server.fetch(names.path("odd", key, spell)).status == 204
    wait_stored(redis, b"odd:" + key, 2)
    assert checker.redis_counts(redis) == {b"odd:" + key: 2}


def test_an_internal_key_cannot_be_counted(pair):
    redis, server = pair
    server.hit("blog", "a")
    checker.wait_drained(server)
    internal = {key for key in redis.read_all() if key.startswith(b"tally:!")}
    assert internal, "the ledger is there"
    assert server.fetch("/v1/hit/%21ledger/a").status in (400, 404)
    assert server.fetch("/v1/hit/!ledger/a").status in (400, 404)


def test_over_the_key_limit_new_keys_are_503_and_old_keys_go_on(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, max_keys=3)
    for key in "abc":
        server.hit("blog", key)
    for key in "defg":
        answer = server.fetch(f"/v1/hit/blog/{key}")
        assert (answer.status, answer["X-Hit-Status"]) == (503, "refused;reason=key_limit")
    for key in "abc":
        server.hit("blog", key)
    checker.wait_drained(server)
    assert checker.redis_counts(redis) == {b"blog:a": 2, b"blog:b": 2, b"blog:c": 2}
    metrics = server.metrics()
    assert metrics.get("hits_refused_total", reason="key_limit") == 4
    assert (metrics["keys"], metrics["keys_max"]) == (3, 3)


def test_a_sum_over_the_limit_is_refused_and_never_wraps(pair):
    redis, server = pair
    redis.command("SET", "tally:blog:full", 2**63 - 10)
    server.hit("blog", "full", 9)
    wait_stored(redis, b"blog:full", 2**63 - 1)


def test_the_page_counts_its_own_visit_and_shows_the_number(pair):
    _, server = pair
    before = accepted(server)
    for visit in (1, 2):
        answer = server.fetch("/")
        assert answer.status == 200 and answer["content-type"].startswith("text/html")
        assert accepted(server) - before in (0, visit), "counted by the server or by the page's own script"


def test_head_has_the_same_head_and_no_body(pair):
    _, server = pair
    with HttpConnection(server.port) as connection:
        get = connection.request("GET", "/")
        head = connection.request("HEAD", "/")
        assert head.status == get.status == 200 and head.body == b""
        assert connection.request("GET", "/v1/counters/blog/none").status == 404
        assert connection.request("HEAD", "/v1/counters/blog/none").status == 404


def test_an_unknown_path_is_404_and_a_wrong_method_405_with_allow(pair):
    _, server = pair
    before = accepted(server)
    for path in ("/nope", "/v1", "/v1/hit", "/v2/hit/blog/a", "/v1/hits/extra"):
        assert server.fetch(path).status in (400, 404), path
    answer = server.fetch("/v1/hit/blog/a", "PUT", body=b"")
    assert answer.status == 405 and {"GET", "POST"} <= set(re.split(r",\s*", answer["Allow"]))
    answer = server.fetch("/v1/hits")
    assert answer.status == 405 and "POST" in answer["Allow"]
    assert server.fetch("/v1/counters/blog/a", "POST", body=b"").status == 405
    assert server.fetch("/v1/hit/blog/a", "BREW").status == 501
    assert accepted(server) == before


def test_a_preflight_is_answered_and_counts_nothing(pair):
    _, server = pair
    before = accepted(server)
    answer = server.fetch("/v1/hit/blog/a", "OPTIONS", ["Origin: https://example.org",
                          "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"])
    assert answer.status in (200, 204) and answer["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer["Access-Control-Allow-Methods"]
    assert accepted(server) == before


# ---- the admin port ----
def test_metrics_are_strict_text_and_balance(pair):
    redis, server = pair
    for i in range(50):
        server.hit("blog", f"k{i % 7}", i + 1)
        if i % 10 == 0:
            checker.check_books(server.metrics())
    checker.wait_drained(server)
    metrics = checker.checked_metrics(server)
    assert metrics["hits_accepted_total"] == metrics["hits_stored_total"] == sum(range(1, 51))
    assert metrics["http_requests_total"] >= 50 and metrics.get("http_responses_total", **{"class": "2xx"}) >= 50
    assert (metrics["redis_connected"], metrics["ready"], metrics["draining"], metrics["keys"]) == (1, 1, 0, 7)
    assert metrics["flushes_total"] >= 1 and metrics["redis_commands_total"] >= 7
    assert redis.read_all(names.PREFIX)[b"blog:k0"] == sum(range(1, 51, 7))


def test_metrics_hold_every_name_of_the_contract(pair):
    _, server = pair
    server.fetch("/ HTTP/1.1\r\nBroken : field")
    metrics = server.metrics()
    wanted = """hits_accepted_total hits_stored_total hits_in_flight hits_pending hits_poisoned hits_lost_total
        hits_refused_total http_requests_total http_responses_total http_bad_requests_total http_timeouts_total connections
        connections_accepted_total connections_max connection_resets_total received_bytes_total sent_bytes_total
        sends_total io_engine_info io_batches_total io_completions_total io_recv_no_buffers_total
        io_stale_completions_total io_accept_errors_total io_cq_overflows_total redis_connected redis_reconnects_total
        redis_link_errors_total redis_errors_total redis_commands_total redis_sent_bytes_total redis_received_bytes_total
        flushes_total flush_batches_total flush_batches_retried_total flush_batches_reconciled_total
        flush_duration_seconds flush_lag_seconds flush_interval_seconds alarms_total keys keys_max
        keys_poisoned build_info ready draining start_time_seconds workers books_imbalance""".split()
    missing = [name for name in wanted if not metrics.has(name)]
    assert not missing, missing


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (package prometheus) is not installed")
def test_promtool_finds_nothing_wrong_with_the_metrics(pair):
    _, server = pair
    server.hit("blog", "a")
    check = subprocess.run(["promtool", "check", "metrics"], input=server.admin("/metrics"), capture_output=True,
                           timeout=30, check=False)
    assert check.returncode == 0, (check.stdout + check.stderr).decode()


def test_metrics_have_bounded_labels_whatever_clients_send(pair):
    _, server = pair
    before = set(server.metrics().samples)
    for i in range(40):
        server.fetch(f"/v1/hit/ns{i}/key{i}")
        server.fetch(f"/v1/hit/blog/a?n=x{i}")
        server.fetch(f"/nope{i}", f"METHOD{i}")
    checker.wait_drained(server)
    assert len(set(server.metrics().samples) - before) < 10


def test_health_pages_answer(pair):
    _, server = pair
    for page in ("/livez", "/readyz", "/statusz"):
        assert server.admin(page)


def test_readiness_does_not_depend_on_redis(lab):
    redis = lab.redis(start=False)
    server = lab.tallyd(redis)
    server.hit("blog", "a")
    assert server.metrics()["redis_connected"] == 0


def test_admin_pages_are_not_on_the_public_port_nor_hits_on_the_admin_port(pair):
    _, server = pair
    for page in ("/metrics", "/livez", "/readyz", "/statusz", "/configz"):
        assert server.fetch(page).status == 404, page
    with HttpConnection(server.admin_port) as admin:
        assert admin.request("GET", "/v1/hit/blog/a").status == 404


def test_embedded_mode_counts_without_redis(lab):
    server = lab.tallyd()
    for _ in range(3):
        server.hit("blog", "a", 2)
    assert server.value("blog", "a") == 6
    assert server.fetch("/v1/counters/blog/b").status == 404
    assert server.fetch("/v1/hit/blog/a?value=1").json()["value"] == 7
    metrics = server.metrics()
    checker.check_books(metrics)
    assert not any("redis_" in name for name, _ in metrics.samples), "no Redis, no metric of one"


def test_the_prefix_is_put_before_every_key(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, prefix="site-1:")
    server.hit("blog", "a")
    checker.wait_drained(server)
    keys = set(redis.read_all())
    assert b"site-1:blog:a" in keys and all(key.startswith(b"site-1:") for key in keys)


def test_log_lines_are_logfmt_or_json(lab):
    redis = lab.redis()
    for form in ("logfmt", "json"):
        server = lab.tallyd(redis, log_format=form)
        assert server.stop() == 0
        lines = server.log().splitlines()
        assert lines, "it says that it started and ended"
        for line in lines:
            assert isinstance(json.loads(line), dict) if form == "json" else re.search(r"(^| )event=\S", line), line

"""A hit may be a pixel, a badge, a beacon or the snippet, and may wait until it is stored. Pages of others may make each."""

import json
import xml.etree.ElementTree as xml

import pytest
from harness import checker, wait
from harness.http_client import HttpConnection, request_bytes
from harness.tallyd import ENGINES

pytestmark = pytest.mark.short
NO_STORE = "no-cache, no-store"


def assert_for_any_origin(answer):
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"


def assert_hit_headers(answer):
    assert_for_any_origin(answer)
    assert answer["Cache-Control"] == NO_STORE


def badge_texts(answer):
    assert answer.status == 200 and answer["Content-Type"] == "image/svg+xml"
    return [text.text for text in xml.fromstring(answer.body).iter("{http://www.w3.org/2000/svg}text")]


def test_a_pixel_counts_and_is_a_gif_of_43_bytes(lab):
    server = lab.tallyd()
    answer = server.fetch("/v1/hit/blog/a.gif?n=3&utm_source=x")
    assert (answer.status, answer["Content-Type"], answer["X-Hit-Status"]) == (200, "image/gif", "counted")
    assert len(answer.body) == 43 and answer.body[:10] == b"GIF89a\1\0\1\0" and answer.body[-1:] == b";"
    assert_hit_headers(answer)
    assert server.value("blog", "a") == 3


def test_a_badge_counts_and_shows_the_number_with_its_own_hit_in_it(lab):
    server = lab.tallyd()
    assert badge_texts(server.fetch("/v1/hit/blog/a.svg")) == ["hits", "1"]
    answer = server.fetch("/v1/hit/blog/a.svg?label=%3Cscript%3E%26+x&color=fff&label_color=navy")
    assert badge_texts(answer) == ["<script>& x", "2"]
    assert_hit_headers(answer)
    assert server.value("blog", "a") == 2


def test_the_badge_shows_what_redis_holds_of_others(lab):
    redis = lab.redis()
    redis.command("SET", "tally:blog:seeded", 1000)
    server = lab.tallyd(redis)
    shown = []

    def has_what_others_counted():
        shown.append(badge_texts(server.fetch("/v1/hit/blog/seeded.svg")))
        return shown[-1] == ["hits", str(1000 + len(shown))]

    wait.until(has_what_others_counted, "the store has answered in time")


@pytest.mark.parametrize("target,reason", [
    ("blog/%7B.gif", "bad_key"), ("b!/a.svg", "bad_namespace"), ("blog/a.gif?n=0", "bad_n"),
    ("blog/a.svg?ack=stored", "bad_query"), ("blog/a.gif?ack=stored", "bad_query")])
def test_a_refused_image_is_an_image_with_the_reason_and_counts_nothing(lab, target, reason):
    server = lab.tallyd()
    answer = server.fetch(f"/v1/hit/{target}")
    assert answer.status == 200 and answer["Content-Type"].startswith("image/")
    assert answer["X-Hit-Status"] == f"refused;reason={reason}"
    metrics = checker.checked_metrics(server)
    assert metrics["hits_accepted_total"] == 0
    assert metrics.get("hits_refused_total", reason=reason) == 1


@pytest.mark.parametrize("query,reason", [
    ("label=%zz", "bad_label"), (f"label={'x' * 65}", "bad_label"), ("label=%ff", "bad_label"), ("label=a%0Ab", "bad_label"),
    ("color=%22", "bad_color"), ("color=reddish", "bad_color"), ("label_color=12345", "bad_color"), ("color=", "bad_color"),
    ("format=long", "bad_format"), ("format=", "bad_format")])
def test_a_badge_that_cannot_be_drawn_is_refused_with_what_to_write_instead(lab, query, reason):
    server = lab.tallyd()
    answer = server.fetch(f"/v1/hit/blog/a.svg?{query}")
    assert (answer.status, answer["X-Hit-Status"]) == (400, f"refused;reason={reason}")
    assert answer.json()["error"] == reason and query.split("=")[0] in answer.json()["detail"]
    for form in ("", ".gif"):  # there it is the page's own
        assert server.fetch(f"/v1/hit/blog/a{form}?{query}")["X-Hit-Status"] == "counted"
    assert server.value("blog", "a") == 2


def test_a_badge_shows_large_numbers_as_people_write_them(lab):
    server = lab.tallyd()
    assert server.fetch("/v1/hit/blog/a?n=246912344").status == 204
    assert badge_texts(server.fetch("/v1/hit/blog/a.svg?format=short")) == ["hits", "246.9M"]
    assert badge_texts(server.fetch("/v1/hit/blog/a.svg?format=grouped&label=")) == ["246,912,346"]
    light = server.fetch("/v1/hit/blog/a.svg?color=LightGoldenrodYellow&label_color=abc").body
    assert b'fill="#fafad2"' in light and b'fill="#aabbcc"' in light and light.count(b'fill="#1c1917"') == 2


def test_a_key_that_ends_in_a_form_is_written_with_2e(lab):
    server = lab.tallyd()
    assert server.fetch("/v1/hit/blog/logo%2Egif").status == 204
    assert server.value("blog", "logo.gif") == 1


def test_head_counts_nothing_in_any_form(lab):
    server = lab.tallyd()
    for target in ("a", "a.gif", "a.svg"):
        assert server.fetch(f"/v1/hit/blog/{target}", "HEAD")["X-Hit-Status"] == "filtered;reason=head"
    assert server.value("blog", "a") is None


def test_beacons_of_text_count_at_both_addresses(lab):
    server = lab.tallyd()
    text = ["Content-Type: text/plain;charset=UTF-8", "Origin: https://example.org"]
    assert server.fetch("/v1/hit/blog/a", "POST", text, b'{"any":"body"}').status == 204
    hits = {"hits": [{"ns": "blog", "key": "a", "n": 2}, {"ns": "blog", "key": "b"}]}
    answer = server.fetch("/v1/hits", "POST", text, json.dumps(hits).encode())
    assert (answer.status, answer.json()["accepted"]) == (202, 2)
    assert_hit_headers(answer)
    assert (server.value("blog", "a"), server.value("blog", "b")) == (3, 1)


def test_ack_stored_is_answered_when_redis_has_the_hit(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, flush_interval="300ms")
    for total in (1, 2):
        answer = server.fetch("/v1/hit/blog/a?ack=stored")
        assert (answer.status, answer["X-Hit-Status"]) == (204, "stored")
        assert redis.command("GET", "tally:blog:a") == str(total).encode()


def test_ack_stored_without_redis_says_that_it_is_only_counted(lab):
    redis = lab.redis()
    server = lab.tallyd(redis)
    redis.kill()
    answer = server.fetch("/v1/hit/blog/a?ack=stored")
    assert (answer.status, answer["X-Hit-Status"]) == (202, "counted")
    assert server.value("blog", "a") == 1


@pytest.mark.parametrize("io", ENGINES)
def test_who_waits_for_a_flush_that_is_far_away_is_answered_at_the_end(lab, io):
    redis = lab.redis()
    server = lab.tallyd(redis, io=io, flush_interval="1h")
    with HttpConnection(server.port) as connection:
        connection.send(request_bytes("GET", "/v1/hit/blog/a?ack=stored"))
        wait.until(lambda: server.metrics()["hits_accepted_total"] == 1, "it is counted")
        server.terminate()
        answer = connection.answer()
        assert answer["X-Hit-Status"] == "stored" and answer["Connection"] == "close"
    assert server.join() == 0
    assert checker.redis_counts(redis) == {b"blog:a": 1}


def test_a_client_that_leaves_while_it_waits_for_the_flush_costs_nothing(lab):
    server = lab.tallyd(flush_interval="1h")
    for _ in range(50):
        connection = HttpConnection(server.port)
        connection.send(request_bytes("GET", "/v1/hit/blog/a?ack=stored"))
        connection.reset()
    wait.until(lambda: server.metrics()["hits_accepted_total"] == 50, "all 50 are counted")
    assert server.stop() == 0


def test_ack_stored_works_without_a_store(lab):
    assert lab.tallyd().fetch("/v1/hit/blog/a?ack=stored")["X-Hit-Status"] == "stored"


def test_the_snippet_is_small_and_may_be_used_by_any_page(lab):
    answer = lab.tallyd().fetch("/tally.js")
    assert answer.status == 200 and answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert len(answer.body) <= 2048
    assert_for_any_origin(answer)

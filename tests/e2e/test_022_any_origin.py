"""Pages of any origin may read every answer, and each says what to do. HEAD is GET without counting and without a body."""

import os
import re

import pytest
from harness import wait
from harness.http_client import HttpConnection, request_bytes

pytestmark = pytest.mark.short
TOKEN = "token-for-hits-of-any-origin-1"
SOURCE = os.path.join(os.path.dirname(__file__), "../../src")
ROUTES = ["/v1/hit/blog/a", "/v1/hit/blog?key=a", "/v1/hit/blog/a?n=5", "/v1/hit/blog/a?value=1", "/v1/hit/blog?key=a&value=1",
          "/v1/hit/blog/a?n=0", "/v1/hit/blog/a?ack=stored", "/v1/hit/blog/%7B", "/v1/hit/b!/a", "/v1/hit/blog", "/v1/hit/shop/a",
          "/v1/hit/blog/a.gif", "/v1/hit/blog.gif?key=a", "/v1/hit/blog/a.gif?n=0", "/v1/hit/shop/a.gif", "/v1/hit/blog/a.svg",
          "/v1/hit/blog.svg?key=a&label=x", "/v1/hit/shop/a.svg", "/v1/hits", "/v1/counters/blog/a", "/v1/counters/blog?key=a&key=b",
          "/v1/counters/blog", "/v1/counters/blog/none", "/", "/page.js", "/tally.js", "/hit.js", "/live.js", "/embed", "/embed.js", "/openapi.json", "/none"]
CHANGES = {"date", "x-hit-status", "content-length"}


@pytest.fixture
def server(lab):
    return lab.tallyd(token_file=lab.write("tokens", f"{TOKEN} hit:shop\n"), access_file=lab.write("access", "shop token\n"),
                      filter="prefetch,gpc,dnt", bots_file=lab.write("bots", "ExampleBot\n"))


def assert_for_any_origin(answer, where):
    assert answer["Access-Control-Allow-Origin"] == "*", where
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin", where


def assert_error(answer, where):
    assert_for_any_origin(answer, where)
    assert {"X-Hit-Status", "Retry-After"} <= set(answer["Access-Control-Expose-Headers"].split(", ")), where
    assert set(answer.json()) == {"error", "detail"} and len(answer.json()["detail"]) > 10, where


def test_head_is_get_without_counting_on_every_route(server):
    accepted = 0
    for target in ROUTES:
        head = server.fetch(target, "HEAD")
        assert server.metrics()["hits_accepted_total"] == accepted, target
        get = server.fetch(target)
        accepted = server.metrics()["hits_accepted_total"]
        assert head.status == get.status and head.body == b"", target
        assert set(head.head.fields) == set(get.head.fields), target
        for name in set(head.head.fields) - CHANGES:
            assert head[name] == get[name], (target, name)
        counted = get["X-Hit-Status"] in ("counted", "stored")
        assert head["X-Hit-Status"] == ("filtered;reason=head" if counted else get["X-Hit-Status"]), target
        assert_for_any_origin(get, target)
    assert accepted > 0


def test_a_page_may_read_what_became_of_its_hit(server):
    for target in ("/v1/hit/blog/a", "/v1/hit/blog/a.gif", "/v1/hit/blog/a.svg", "/v1/hit/blog/a?value=1", "/v1/hit/shop/a"):
        answer = server.fetch(target, "POST")
        assert answer["X-Hit-Status"] and "X-Hit-Status" in answer["Access-Control-Expose-Headers"].split(", "), target


@pytest.mark.parametrize("request_, status", [
    (b"BAD\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\nHost: h\n\n", 400), (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
    (request_bytes("GET", "/" + "x" * 9000), 414), (request_bytes("GET", "/", ["Cookie: " + "x" * 20000]), 431),
    (request_bytes("GET", "/", [f"X-{i}: y" for i in range(200)]), 431), (request_bytes("POST", "/v1/hits", ["Content-Length: 99999999"]), 413),
    (request_bytes("POST", "/v1/hits", ["Transfer-Encoding: gzip, chunked"]), 501), (request_bytes("GET", "/", ["Expect: tea"]), 417),
    (request_bytes("POST", "/v1/hits", ["Transfer-Encoding: chunked"]) + b"zz\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: h\r\n", 408), (request_bytes("POST", "/v1/hits", ["Content-Length: 5"]), 408),
    (request_bytes("PUT", "/v1/hit/blog/a"), 405), (request_bytes("GET", "/v1/hits"), 405), (request_bytes("BREW", "/"), 501),
    (request_bytes("GET", "/none"), 404)])
def test_every_error_may_be_read_by_any_page_and_says_what_to_do(lab, request_, status):
    server = lab.tallyd(head_timeout="100ms", body_timeout="100ms")
    with HttpConnection(server.port) as connection:
        connection.send(request_)
        answer = connection.answer()
    assert answer.status == status
    assert_error(answer, request_[:60])


def test_every_reason_why_a_request_cannot_be_read_has_its_sentence():
    def text_of(*path):
        with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
            return file.read()

    read = "".join(text_of("http", name) for name in ("parser.c", "body.c", "field.c"))
    reasons = set(re.findall(r'(?:[1-5]\d\d, (?:[^;"]*\? )?|return (?:[^;"]*\? )?|: )"([a-z_0-9]+)"', read)) - {"100-continue"}
    reasons |= set(re.findall(r'conn_refuse\(cs, c, \d+, "([a-z_]+)"', text_of("net", "conns.c") + text_of("net", "conn_input.c") + text_of("net", "hold.c")))
    assert {"bare_lf", "obs_fold", "chunk_size", "host_missing", "memory", "proxy_header", "body_timeout", "chunk_ext"} <= reasons
    told = set(re.findall(r'^    \{"([a-z_0-9]+)", "', text_of("net", "refuse.c"), re.MULTILINE))
    assert told == reasons


@pytest.mark.parametrize("asked, allowed", [
    ("baggage, sentry-trace, traceparent, tracestate", None), ("content-type,authorization", None), ("x-datadog-trace-id", None),
    ("", "Authorization, Content-Type"), ('a"b', "Authorization, Content-Type"), ("x" * 2000, "Authorization, Content-Type")])
def test_a_preflight_allows_the_fields_that_tracers_add(server, asked, allowed):
    for target in ("/v1/hit/blog/a", "/v1/hits", "/v1/counters/blog/a"):
        answer = server.fetch(target, "OPTIONS", ["Origin: https://example.org", "Access-Control-Request-Method: POST",
                                                  f"Access-Control-Request-Headers: {asked}"])
        assert answer.status == 204 and answer["Access-Control-Allow-Headers"] == (allowed or asked)
        assert answer["Vary"] == "Access-Control-Request-Headers"
        assert_for_any_origin(answer, target)


@pytest.mark.parametrize("field, reason", [
    ("Sec-GPC: 1", "gpc"), ("DNT: 1", "dnt"), ("User-Agent: examplebot", "bot"), ("Sec-Purpose: prefetch;prerender", "prefetch"),
    ("Sec-Purpose: prefetch, x", "prefetch"), ("Purpose: preview", "prefetch"), ("X-Purpose: preview", "prefetch"), ("X-Moz: prefetch", "prefetch")])
def test_who_is_not_counted_sees_the_number_all_the_same(lab, server, field, reason):
    server.fetch("/v1/hit/blog/a?n=1234")
    for target in ("blog/a?value=1", "blog?key=a&value=1&n=3"):
        answer = server.fetch(f"/v1/hit/{target}", "POST", [field])
        assert (answer.status, answer["X-Hit-Status"], answer.json()["value"]) == (200, f"filtered;reason={reason}", 1234)
    badge = server.fetch("/v1/hit/blog/a.svg?label=x&color=red", "GET", [field])
    assert badge["X-Hit-Status"] == f"filtered;reason={reason}" and b">1234<" in badge.body and b">x<" in badge.body
    plain = server.fetch("/v1/hit/blog/a", "GET", [field])
    assert (plain.status, plain["X-Hit-Status"]) == (204, f"filtered;reason={reason}")
    assert server.fetch("/v1/hit/blog/new?value=1", "GET", [field]).json()["value"] == 0
    metrics = server.metrics()
    assert metrics["hits_accepted_total"] == 1234 and metrics.get("hits_refused_total", reason=reason) == 5
    assert server.fetch("/v1/counters/blog/new").status == 404


def test_the_number_that_a_filtered_visitor_sees_is_asked_of_the_store_once(lab):
    redis = lab.redis()
    redis.command("SET", "tally:blog:seeded", 1000)
    server = lab.tallyd(redis, filter="dnt")
    asked = []

    def shown(target, method):
        answer = server.fetch(f"/v1/hit/blog/{target}", method, ["DNT: 1"])
        assert (answer.status, answer["X-Hit-Status"]) == (200, "filtered;reason=dnt")
        asked.append(answer)
        return method == "HEAD" or b"1000" in answer.body

    for method in ("GET", "HEAD"):
        for target in ("seeded?value=1", "seeded.svg"):
            wait.until(lambda to=target, by=method: shown(to, by), "the store has answered in time")
    metrics = server.metrics()
    assert metrics["hits_accepted_total"] == 0 and metrics.get("hits_refused_total", reason="dnt") == len(asked)

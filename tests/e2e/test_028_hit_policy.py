"""A hit that is not wanted or not allowed changes no count. Its answer and a metric say why."""

import json
import socket
import struct

import pytest
from harness import wait
from harness.http_client import HttpConnection, request_bytes
from harness.tallyd import ENGINES

pytestmark = pytest.mark.short
HIT_TOKEN = "token-for-hits-of-the-tests-1"


@pytest.fixture
def server(lab):
    return lab.tallyd(
        filter="prefetch,gpc,dnt", bots_file=lab.write("bots", "# bots\nExampleBot\n"),
        token_file=lab.write("tokens", f"{HIT_TOKEN} hit:shop\n"),
        access_file=lab.write("access", "blog key a\nblog key posts/*\nshop token\nsite origin https://example.org\n"))


@pytest.mark.parametrize("target,field,status,state", [
    ("blog/a", "Sec-Purpose: prefetch;prerender", 204, "filtered;reason=prefetch"),
    ("blog/a", "Purpose: prefetch", 204, "filtered;reason=prefetch"),
    ("blog/a", "X-Moz: prefetch", 204, "filtered;reason=prefetch"),
    ("blog/a", "Sec-GPC: 1", 204, "filtered;reason=gpc"),
    ("blog/a", "DNT: 1", 204, "filtered;reason=dnt"),
    ("blog/a", "User-Agent: Mozilla/5.0 (compatible; examplebot/1)", 204, "filtered;reason=bot"),
    ("blog/b", "DNT: 0", 403, "refused;reason=key_not_allowed"),
    ("shop/a", "DNT: 0", 401, "refused;reason=token"),
    ("shop/a", "Authorization: Bearer wrong", 401, "refused;reason=token"),
    ("site/a", "Origin: https://example.com", 403, "refused;reason=origin"),
    ("site/a", "DNT: 0", 403, "refused;reason=origin")])
def test_a_hit_that_is_not_taken_says_why_and_counts_nothing_in_any_form(server, target, field, status, state):
    answer = server.fetch(f"/v1/hit/{target}?n=3", "GET", [field])
    assert (answer.status, answer["X-Hit-Status"]) == (status, state)
    assert answer["Access-Control-Allow-Origin"] == "*" and (answer["WWW-Authenticate"] is not None) == (status == 401)
    image = server.fetch(f"/v1/hit/{target}.gif", "GET", [field])
    assert (image.status, len(image.body), image["X-Hit-Status"]) == (200, 43, state)
    ns, key = target.split("/")
    batch = server.fetch("/v1/hits", "POST", [field], json.dumps({"hits": [{"ns": ns, "key": key}]}).encode())
    reason = state.split("=")[1]
    assert batch.json() == {"accepted": 0, "rejected": 1, "errors": [{"index": 0, "error": reason}]}
    assert server.fetch(f"/v1/counters/{target}").status == 404
    metrics = server.metrics()
    assert metrics["hits_accepted_total"] == 0
    assert metrics.get("hits_refused_total", reason=reason) == 3


@pytest.mark.parametrize("target,field", [
    ("blog/a", "DNT: 0"), ("blog/posts/1", "User-Agent: Mozilla/5.0"), ("other/anything", "Sec-Purpose: fetch"),
    ("shop/a", f"Authorization: Bearer {HIT_TOKEN}"), ("site/a", "Origin: https://example.org")])
def test_hits_that_no_rule_or_filter_meets_are_counted(server, target, field):
    assert server.fetch(f"/v1/hit/{target}", "GET", [field]).status == 204
    assert server.value(*target.split("/", 1)) == 1


def test_rules_that_change_are_followed(lab, server):
    assert server.fetch("/v1/hit/blog/b").status == 403
    lab.write("access", "blog key b\n")
    wait.until(lambda: server.fetch("/v1/hit/blog/b").status == 204, "the new rule is in force")
    wait.until(lambda: server.fetch("/v1/hit/blog/a").status == 403, "at each worker")


@pytest.mark.parametrize("io", ENGINES)
def test_a_client_that_hits_too_often_is_told_when_to_come_back_and_not_counted(lab, io):
    server = lab.tallyd(io=io, workers=1, rate_limit=1, rate_burst=3)
    answers = [server.fetch("/v1/hit/blog/a") for _ in range(8)]
    counted = [answer for answer in answers if answer.status == 204]
    refused = [answer for answer in answers if answer.status == 429]
    assert len(counted) >= 3 and refused and len(counted) + len(refused) == 8
    for answer in refused:
        assert answer["X-Hit-Status"] == "refused;reason=rate" and answer["Retry-After"] == "1"
    batch = server.fetch("/v1/hits", "POST", (), json.dumps({"hits": [{"ns": "blog", "key": "a"}] * 9}).encode()).json()
    assert batch["rejected"] >= 5 and {error["error"] for error in batch["errors"]} == {"rate"}
    assert server.value("blog", "a") == len(counted) + batch["accepted"]
    assert server.metrics().get("hits_refused_total", reason="rate") == len(refused) + batch["rejected"]
    wait.until(lambda: server.fetch("/v1/hit/blog/a").status == 204, "the client may hit again")


def at_once(server, *heads):
    """The statuses of hits that the server takes in one go, so that no time passes between them."""
    with HttpConnection(server.port) as connection:
        connection.send(b"".join(request_bytes("GET", "/v1/hit/blog/a", fields) for fields in heads))
        return [connection.answer().status for _ in heads]


def test_only_a_trusted_proxy_says_who_the_client_is(lab):
    trusting = lab.tallyd(workers=1, rate_limit=1, rate_burst=1, trusted_proxies="127.0.0.0/8,10.0.0.0/8")
    for client in ("192.0.2.1", "192.0.2.2", "66.66.66.66, 192.0.2.3", "192.0.2.4, 10.1.2.3", "2001:db8::1"):
        assert trusting.fetch("/v1/hit/blog/a", "GET", [f"X-Forwarded-For: {client}"]).status == 204, client
    spoofed = ["X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 192.0.2.9"]  # the last line is the proxy's
    first, *later = at_once(trusting, spoofed, *[[f"X-Forwarded-For: 198.51.100.{i}", spoofed[1]] for i in range(2, 10)])
    assert first == 204 and 429 in later
    # Two proxies in a row, each with a line of its own; empty elements and lines; the RFC's field.
    for fields in (["X-Forwarded-For: 192.0.2.20", "X-Forwarded-For: 10.0.0.2"],
                   ["X-Forwarded-For: 192.0.2.21,", "Accept: x", "x-forwarded-for: ,10.0.0.2 , ", "X-Forwarded-For:"],
                   ["Forwarded: for=192.0.2.22;proto=https", 'Forwarded: for="10.0.0.2:80"'],
                   ['Forwarded: For="[2001:db8:0:2::2]:4711"'], ["X-Forwarded-For: 192.0.2.23", "Forwarded: for=192.0.2.22"]):
        first, *later = at_once(trusting, *[fields] * 10)
        assert first == 204 and 429 in later, fields  # a client that nobody was yet
    alone = lab.tallyd(workers=1, rate_limit=1, rate_burst=1)
    statuses = at_once(alone, *[[f"X-Forwarded-For: 192.0.2.{i}"] for i in range(5)])
    assert statuses[0] == 204 and 429 in statuses


def proxy_header(client):
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H4s4sHH", 12, socket.inet_aton(client), bytes(4), 4711, 80)


@pytest.mark.parametrize("io", ENGINES)
def test_a_proxy_header_of_a_trusted_proxy_names_the_client_however_it_is_cut(lab, io):
    server = lab.tallyd(io=io, workers=1, rate_limit=1, rate_burst=1, trusted_proxies="127.0.0.1", proxy_protocol="v2")
    request = request_bytes("GET", "/v1/hit/blog/a")
    counted = 0
    for number, cut in enumerate((0, 1, 12, 15, 16, 27, 28, 30)):
        with HttpConnection(server.port) as connection:
            whole = proxy_header(f"192.0.2.{number}") + request
            connection.send(whole[:cut])
            connection.send(whole[cut:])
            counted += connection.answer().status == 204
            connection.send(request * 10)  # the header comes once
            later = [connection.answer().status for _ in range(10)]
            assert 429 in later
            counted += later.count(204)
    with HttpConnection(server.port) as connection:
        connection.send(request)
        assert connection.answer().status == 400
        connection.expect_closed()
    assert server.metrics()["hits_accepted_total"] == counted >= 8


def test_a_proxy_header_of_a_stranger_is_no_request(lab):
    server = lab.tallyd(workers=1, trusted_proxies="10.0.0.0/8", proxy_protocol="v2")
    with HttpConnection(server.port) as connection:
        connection.send(proxy_header("192.0.2.1") + request_bytes("GET", "/v1/hit/blog/a"))
        assert connection.answer().status == 400
    assert server.value("blog", "a") is None

"""Who follows a counter hears each number that stays, whoever counts, and costs little."""

import http.client
import json
import subprocess

import pytest
from harness import checker, wait
from harness.event_stream import EventStream
from harness.http_client import HttpConnection, request_bytes
from harness.ports import HOST
from harness.tallyd import ENGINES

CROWD = 5000 if wait.LONG else 600


def hit(server, name="blog/a", n=1):
    assert server.fetch(f"/v1/hit/{name}?n={n}", "POST").status == 204


def open_streams(server, count):
    wait.until(lambda: server.metrics()["streams"] == count, f"{count} streams are open")


@pytest.mark.short
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("target", ["/v1/stream/blog/a", "/v1/stream/blog?key=a"])
def test_a_stream_tells_the_number_and_its_changes(lab, engine, target):
    server = lab.tallyd(io=engine)
    hit(server, n=7)
    with EventStream(server.port, target) as stream:
        head = stream.head
        assert (head.status, head["content-type"], head["content-length"]) == (200, "text/event-stream", None)
        assert head["access-control-allow-origin"] == "*" and "no-store" in head["cache-control"]
        assert stream.event() == ("count", {"value": 7, "rate": 0.0})
        assert stream.retry_ms == [2000] and stream.last_id == "7"
        hit(server, n=5)
        assert stream.until_value(12) == [12]
        assert stream.event()[1]["rate"] > 0, "the rate follows"
    open_streams(server, 0)
    checker.checked_metrics(server)


@pytest.mark.parametrize("store", ["redis", "alone"])
def test_a_counter_that_nobody_hit_is_nought_until_somebody_does(lab, store):
    server = lab.tallyd(lab.redis() if store == "redis" else None)
    with EventStream(server.port, "/v1/stream/blog/new") as stream:
        assert stream.event() == ("count", {"value": 0, "rate": 0.0})
        hit(server, "blog/new")
        assert stream.until_value(1) == [1]


def test_hits_of_other_processes_are_heard_too(lab):
    redis = lab.redis()
    here, there = lab.tallyd(redis), lab.tallyd(redis)
    hit(there, n=3)
    wait.until(lambda: here.value("blog", "a") == 3, "it is stored")
    with EventStream(here.port, "/v1/stream/blog/a") as stream:
        stream.until_value(3)
        hit(there, n=4)
        stream.until_value(7)
        hit(here)
        stream.until_value(8)


def test_streams_of_one_key_share_the_questions_to_the_store(lab):
    redis = lab.redis()
    here, there = lab.tallyd(redis, workers=1), lab.tallyd(redis, workers=1)
    hit(there)
    streams = [EventStream(here.port, "/v1/stream/blog/a", source=f"127.0.0.{1 + i % 2}") for i in range(80)]
    for stream in streams:
        stream.until_value(1)
    before = here.metrics()["redis_commands_total"]
    for value in (2, 3):
        hit(there)
        for stream in streams:
            stream.until_value(value)
    # A few questions a change, not one of each stream.
    assert here.metrics()["redis_commands_total"] - before < 150
    for stream in streams:
        stream.close()


def test_who_comes_again_with_the_newest_number_is_told_only_the_next(lab):
    server = lab.tallyd()
    hit(server, n=5)
    with EventStream(server.port, "/v1/stream/blog/a", ["Last-Event-ID: 5"]) as stream:
        hit(server)
        assert stream.until_value(6) == [6]
    for other in ("4", "x", "", "99999999999999999999999999"):
        with EventStream(server.port, "/v1/stream/blog/a", [f"Last-Event-ID: {other}"]) as stream:
            assert stream.event()[1]["value"] == 6


@pytest.mark.parametrize("engine", ENGINES)
def test_head_http_1_0_and_what_is_wrong(lab, engine):
    server = lab.tallyd(io=engine, namespaces="blog")
    with HttpConnection(server.port) as connection:
        connection.send(request_bytes("HEAD", "/v1/stream/blog/a"))
        assert connection.answer("HEAD")["content-type"] == "text/event-stream"
        connection.expect_closed()
    with HttpConnection(server.port) as connection:
        connection.send(request_bytes("GET", "/v1/stream/blog/a", version="1.0"))
        text = b""
        while b"\n\n" not in text.partition(b"\r\n\r\n")[2]:
            text += connection.sock.recv(1000)
        assert b"Transfer-Encoding" not in text and b"Connection: close" in text
    for target, status, token in [("/v1/stream/", 400, "bad_namespace"), ("/v1/stream/b!", 400, "bad_namespace"), ("/v1/stream/shop", 404, "no_such_namespace"),
                                  ("/v1/stream/blog?key=", 400, "no_key"), ("/v1/stream/b!?key=a", 400, "bad_namespace"),
                                  ("/v1/stream/blog/%7B", 400, "bad_key"), ("/v1/stream/blog/%4", 400, "bad_escape"),
                                  ("/v1/stream/blog?key=%zz", 400, "bad_escape"), ("/v1/stream/shop/a", 404, "no_such_namespace")]:
        answer = server.fetch(target)
        assert (answer.status, answer.json()["error"]) == (status, token), target
    assert server.fetch("/v1/stream/blog/a", "POST").status == 405
    assert server.fetch("/v1/stream/blog/a", "OPTIONS")["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    open_streams(server, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_client_sends_behind_its_request_is_not_read(lab, engine):
    server = lab.tallyd(io=engine)
    with EventStream(server.port, "/v1/stream/blog/a") as stream:
        assert stream.event()[1]["value"] == 0
        stream.connection.send(request_bytes("POST", "/v1/hit/blog/a") * 50)
        hit(server)
        assert stream.until_value(1) == [1]
    open_streams(server, 0)
    assert server.value("blog", "a") == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_worker_has_so_many_streams_and_a_place_again_when_one_ends(lab, engine):
    server = lab.tallyd(io=engine, workers=1, max_conns=40)
    assert server.metrics()["streams_max"] == 10
    # A client has a quarter of them, where clients are told apart.
    addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"]
    streams = []
    while len(streams) < 10:
        stream = EventStream(server.port, "/v1/stream/blog/a", source=addresses[len(streams) // 3])
        assert stream.event()[1]["value"] == 0
        streams.append(stream)
    answer = server.fetch("/v1/stream/blog/a")
    assert (answer.status, answer.json()["error"], answer["retry-after"]) == (503, "streams", "30")
    assert answer["access-control-allow-origin"] == "*"
    hit(server)
    for stream in streams:
        assert stream.until_value(1) == [1]
    assert server.metrics()["streams_refused_total"] == 1
    for stream in streams:
        stream.close()
    open_streams(server, 0)
    with EventStream(server.port, "/v1/stream/blog/a") as stream:
        assert stream.event()[1]["value"] == 1


def test_one_client_does_not_take_all_streams(lab):
    server = lab.tallyd(io="epoll", workers=1, max_conns=64)
    mine = [EventStream(server.port, "/v1/stream/blog/a") for _ in range(4)]
    assert server.fetch("/v1/stream/blog/a").json()["error"] == "streams"
    with EventStream(server.port, "/v1/stream/blog/a", source="127.0.0.2") as other:
        assert other.event()[1]["value"] == 0
    for stream in mine:
        stream.close()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_drain_ends_streams_and_spreads_those_who_come_again(lab, engine):
    server = lab.tallyd(io=engine)
    streams = [EventStream(server.port, f"/v1/stream/blog/{i}") for i in range(24)]
    for stream in streams:
        assert stream.event()[1]["value"] == 0
    assert server.stop() == 0
    for stream in streams:
        assert stream.end() == []
    again = [stream.retry_ms[-1] for stream in streams]
    assert all(1000 <= retry < 10_000 for retry in again) and max(again) - min(again) > 2000, again


@pytest.mark.parametrize("engine", ENGINES)
def test_who_comes_during_the_drain_is_sent_away_at_once(lab, engine):
    server = lab.tallyd(io=engine, drain_timeout="600s")
    with HttpConnection(server.port) as slow:
        slow.send(b"GET /v1/str")
        server.metrics()
        server.terminate()
        wait.until(lambda: server.log_lines("event=draining"), "it drains")
        wait.until(lambda: refused(server), "it takes no new connections")
        slow.send(b"eam/blog/a HTTP/1.1\r\nHost: h\r\n\r\n")
        text = slow.rest()
        assert b"text/event-stream" in text and b"\nretry: " in text and b"event:" not in text
    assert server.join() == 0


def refused(server):
    try:
        HttpConnection(server.port).close()
        return False
    except OSError:
        return True


@pytest.mark.crowd
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("end", ["fin", "reset"])
def test_clients_that_vanish_leave_nothing_behind(lab, engine, end):
    server = lab.tallyd(io=engine, workers=2, max_conns=800, max_conns_client=1_000_000, trusted_proxies="127.0.0.1")
    descriptors, resident, gone = None, None, 0
    while gone < CROWD:
        streams = [EventStream(server.port, f"/v1/stream/blog/{i % 20}", ["X-Forwarded-For: 192.0.2.%d" % (i % 200)]) for i in range(100)]
        hit(server, "blog/1")
        for stream in streams:
            assert stream.head.status == 200
            stream.connection.reset() if end == "reset" else stream.close()
        gone += len(streams)
        open_streams(server, 0)
        wait.until(lambda: server.metrics()["connections"] == 0, "all are closed")
        if descriptors is None and gone >= CROWD / 2:  # all places and buffers of the rings were used once
            descriptors, resident = server.descriptors_open(), server.resident_kib()
    assert server.descriptors_open() <= descriptors + 2
    if not wait.INSTRUMENTED:
        assert server.resident_kib() <= resident + 2048
    assert server.metrics()["streams_opened_total"] == gone
    assert server.stop() == 0


def test_curl_and_pythons_client_read_it_as_it_comes(lab):
    server = lab.tallyd()
    hit(server, n=3)
    curl = subprocess.Popen(["curl", "-sN", f"http://{HOST}:{server.port}/v1/stream/blog?key=a"], stdout=subprocess.PIPE, text=True)
    try:
        lines = iter(curl.stdout.readline, "")
        assert next(line for line in lines if line.startswith("data:")) == 'data: {"value":3,"rate":0.0}\n'
        connection = http.client.HTTPConnection(HOST, server.port, timeout=10 * wait.PATIENCE)
        connection.request("GET", "/v1/stream/blog/a", headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        assert answer.status == 200
        data = (json.loads(line[6:]) for line in answer if line.startswith(b"data: "))
        assert next(data)["value"] == 3
        hit(server)
        assert next(item for item in data if item["value"] != 3)["value"] == 4
        assert json.loads(next(line for line in lines if line.startswith("data:") and '"value":3' not in line)[6:])["value"] == 4
        connection.close()
    finally:
        curl.kill()
        curl.communicate()

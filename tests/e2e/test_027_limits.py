"""What clients can make the server keep has a limit that is an option, and a client at its limit does not harm the others."""

import os
import resource
import socket
import time

import pytest
from harness import checker, wait
from harness.http_client import HttpConnection, request_bytes
from harness.tallyd import ENGINES

pytestmark = pytest.mark.short
HIT = request_bytes("GET", "/v1/hit/blog/a")
TCP_REPAIR = 19  # linux/tcp.h
CROWD = 15_000 if wait.LONG else 3_000


def refused(server, reason):
    return server.metrics().get("http_bad_requests_total", reason=reason)


def head_of(size):
    """A hit whose head has just so many bytes."""
    return request_bytes("GET", "/v1/hit/blog/a", ["X: " + "y" * (size - len(HIT) - 5)])


@pytest.mark.parametrize("option, at_the_limit, over_it, status, reason", [
    ({"max_head_bytes": 1024}, head_of(1024), head_of(1025), 431, "head_bytes"),
    ({"max_head_bytes": 1024}, HIT, request_bytes("GET", "/v1/hit/blog/a?" + "x" * 1024), 414, "line_bytes"),
    ({"max_body_bytes": 10}, request_bytes("POST", "/v1/hit/blog/a", (), b"x" * 10),
     request_bytes("POST", "/v1/hit/blog/a", (), b"x" * 11), 413, "body_bytes")], ids=["head", "line", "body"])
def test_a_request_of_just_the_limit_is_taken_and_a_longer_one_refused(lab, option, at_the_limit, over_it, status, reason):
    server = lab.tallyd(workers=1, **option)
    with HttpConnection(server.port) as connection:
        connection.send(at_the_limit)
        assert connection.answer().status == 204
        connection.send(over_it)
        assert connection.answer().status == status
        connection.expect_closed()
    assert refused(server, reason) == 1
    assert server.metrics()["hits_accepted_total"] == 1


def test_a_client_with_endless_requests_does_not_hold_up_the_others(lab):
    """It never reads: what it is owed is bounded, and everybody else has a turn."""
    server = lab.tallyd(workers=1)
    server.hit("blog", "a")
    before = server.resident_kib()
    with HttpConnection(server.port, receive_buffer=4096) as greedy:
        greedy.sock.setblocking(False)
        flood = request_bytes("GET", "/") * 10_000
        sent = 0
        for _ in range(50):
            try:
                sent += greedy.sock.send(flood[sent % len(flood):])
            except BlockingIOError:
                pass
            server.hit("blog", "a")
        assert server.resident_kib() - before < 16 * 1024 or wait.INSTRUMENTED
    assert server.metrics()["hits_accepted_total"] == 51


# OUT_HIGH and an answer, ENGINE_RECV_MAX of requests, and what malloc makes of it. Before Linux 6.17 the kernel decides how
# much a receive takes before it can be stopped (io/engine.h).
GREEDY = 100
KERNEL = tuple(int(number) for number in os.uname().release.split(".")[:2])


@pytest.mark.crowd
@pytest.mark.parametrize("engine, kib_each", [pytest.param("uring", 120, marks=pytest.mark.uring), ("epoll", 95)])
@pytest.mark.parametrize("target", ["/v1/counters/blog/a", "/openapi.json"], ids=["small", "large"])
def test_clients_that_pipeline_and_never_read_cost_little_memory(lab, engine, kib_each, target):
    if engine == "uring" and KERNEL < (6, 17):
        pytest.skip("a multishot receive cannot be limited here")
    server = lab.tallyd(io=engine, workers=1)
    server.hit("blog", "a")
    flood = memoryview(request_bytes("GET", target) * 10_000)
    crowd = [HttpConnection(server.port, receive_buffer=4096) for _ in range(1 + GREEDY)]
    try:
        push(crowd[:1], flood)  # by now every receive buffer has been used once
        before = server.resident_kib()
        push(crowd[1:], flood)
        cost = (server.resident_kib() - before) / GREEDY
        print(f"{engine}: {GREEDY} greedy clients, {cost:.1f} KiB each")
        assert cost <= kib_each or wait.INSTRUMENTED
        server.hit("blog", "a")
    finally:
        disconnect(crowd)


def push(connections, data):
    """As much of it into each as the server takes: until nobody's bytes have been taken for so many rounds."""
    sent, stuck = dict.fromkeys(connections, 0), 0
    while stuck < 10:
        taken = 0
        for connection in connections:
            count = send_some(connection.sock, data[sent[connection]:])
            sent[connection] += count
            taken += count
        stuck = 0 if taken else stuck + 1
        time.sleep(0.02)


def send_some(sock, data):
    try:
        return sock.send(data, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return 0


def test_a_flood_of_keys_ends_at_the_limit_and_old_keys_count_on(lab):
    server = lab.tallyd(workers=1, max_keys=500, max_keys_ns=500)
    flood = [request_bytes("GET", f"/v1/hit/flood/{i * 7919:x}") for i in range(40_000)]
    with HttpConnection(server.port) as connection:
        statuses = []
        for i in range(0, len(flood), 500):
            connection.send(b"".join(flood[i:i + 500]))
            statuses += [connection.answer().status for _ in range(500)]
            if i == 500:
                before = server.resident_kib()
        connection.send(flood[0] * 100)
        assert [connection.answer().status for _ in range(100)] == [204] * 100
    assert statuses == [204] * 500 + [503] * 39_500
    # Remembered, they would take 5 MiB; all receive buffers take 2. (A sanitizer's own memory is not the server's.)
    assert server.resident_kib() - before < 3 * 1024 or wait.INSTRUMENTED
    metrics = checker.checked_metrics(server)
    assert metrics.get("hits_refused_total", reason="key_limit") == 39_500
    assert (metrics["hits_accepted_total"], metrics["keys"]) == (600, 500)


@pytest.fixture
def crowd_limit():
    """Descriptors of this process for a crowd of clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CROWD + 500:
        pytest.skip(f"{hard} descriptors are too few")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connected(server, text, count):
    """Connections that have sent that text, and have their answer when it was a hit."""
    group = [HttpConnection(server.port) for _ in range(count)]
    for connection in group:
        connection.send(text)
    for connection in group if text == HIT else ():
        assert connection.answer().status == 204
    return group


def disconnect(connections):
    for connection in connections:
        connection.close()


@pytest.mark.crowd
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text, kib_each", [(HIT, 1.0), (HIT[:20], 4.0)], ids=["idle", "half-a-head"])
def test_a_crowd_of_connections_costs_little_memory(lab, crowd_limit, engine, text, kib_each):
    # Nearly full, it has a tenth of the patience.
    server = lab.tallyd(io=engine, workers=1, max_conns=CROWD + 100, descriptors=CROWD + 200, max_conns_client=1_000_000,
                        head_timeout="10m", idle_timeout="1h")
    for _ in range(12):
        disconnect(connected(server, HIT, 100))  # by now every buffer has been used once
    wait.until(lambda: server.metrics()["connections"] == 0, "the first ones are gone")
    before = server.resident_kib()
    crowd = []
    try:
        for _ in range(CROWD // 100):
            crowd += connected(server, text, 100)
        wait.until(lambda: server.metrics()["connections"] == CROWD, f"{CROWD} connections are there")
        cost = (server.resident_kib() - before) / CROWD
        print(f"{engine}: {CROWD} connections, {cost:.2f} KiB each")
        # A sanitizer's own memory is not the server's.
        assert cost <= kib_each or wait.INSTRUMENTED
    finally:
        disconnect(crowd)
    wait.until(lambda: server.metrics()["connections"] == 0, "all are gone", 20)


def test_running_out_of_descriptors_is_counted_and_survived(lab):
    """Only on epoll: the connections of the other engine are no descriptors."""
    server = lab.tallyd(io="epoll", workers=1, env={"TALLYD_ALLOW_CORE": "true"})  # else only root sees its descriptors
    few = server.descriptors_open() + 5
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (few, hard))
    held = [HttpConnection(server.port) for _ in range(20)]
    try:
        assert held[0].request("GET", "/v1/hit/blog/a").status == 204
    finally:
        disconnect(held)
    wait.until(lambda: try_hit(server), "it serves again when descriptors are free", 10, 0.1)
    wait.until(lambda: server.metrics()["io_accept_errors_total"] >= 1, "the shortage was counted")
    assert len(server.log().splitlines()) < 50, "it is counted, not logged again and again"


def try_hit(server):
    try:
        return server.fetch("/v1/hit/blog/a").status == 204
    except OSError:
        return False


@pytest.mark.parametrize("text, kind", [(HIT, "idle"), (HIT[:20], "head")], ids=["idle", "half-a-head"])
def test_a_client_that_vanished_without_a_word_is_ended(lab, text, kind):
    """As when its machine lost power: no FIN, no reset."""
    server = lab.tallyd(workers=1, idle_timeout="500ms", head_timeout="500ms")
    with HttpConnection(server.port) as connection:
        connection.send(text)
        if text == HIT:
            assert connection.answer().status == 204
        wait.until(lambda: server.metrics()["connections"] == 1, "it is connected")
        try:
            connection.sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)  # a socket under repair is closed in silence
        except PermissionError:
            pytest.skip("needs CAP_NET_ADMIN")
    wait.until(lambda: server.metrics()["connections"] == 0, "the server has given it up")
    assert server.metrics().get("http_timeouts_total", kind=kind) == 1

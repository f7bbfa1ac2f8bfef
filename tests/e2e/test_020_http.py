"""Requests are answered whole and in order, whether they come in pieces, thousands at once, or too slowly."""

import contextlib
import re
import socket
import time

import pytest
from harness import checker, http_load, wait
from harness.http_client import HttpConnection, request_bytes
from harness.ports import HOST
from harness.tallyd import ENGINES

pytestmark = pytest.mark.short
HIT = request_bytes("GET", "/v1/hit/blog/a")
VALUE = request_bytes("GET", "/v1/hit/blog/a?value=1")


@pytest.fixture
def server(lab):
    """Embedded: HTTP needs no Redis here."""
    return lab.tallyd(head_timeout="500ms", body_timeout="500ms", idle_timeout="2s", workers=1)


def connect(server, **options):
    return HttpConnection(server.port, **options)


def accepted(server):
    return checker.checked_metrics(server)["hits_accepted_total"]


def connections(server):
    """The public workers' connections."""
    return server.metrics()["connections"]


def wait_base(server, base):
    wait.until(lambda: connections(server) <= base, f"connections are back to {base}", 10, 0.05)


def test_pipelined_answers_come_in_the_order_of_the_requests(server):
    with connect(server) as connection:
        plan = [("GET", "/v1/hit/blog/a", 204), ("GET", "/v1/hit/blog/a?value=1", 200), ("GET", "/nope", 404),
                ("HEAD", "/", 200), ("PUT", "/v1/hit/blog/a", 405), ("GET", "/v1/hit/blog/a?n=0", 400)] * 20
        connection.send(b"".join(request_bytes(method, target) for method, target, _ in plan))
        assert [connection.answer(method).status for method, _, _ in plan] == [status for _, _, status in plan]


def test_ten_thousand_pipelined_requests_in_one_write_are_answered_in_order(server):
    with connect(server, timeout=30) as connection:
        expected = 0
        connection.sock.setblocking(False)
        to_send, received = memoryview(VALUE * 10_000), bytearray()
        deadline = time.monotonic() + 60 * wait.PATIENCE
        while received.count(b"}\n") < 10_000:
            assert time.monotonic() < deadline, f"{received.count(b'HTTP/1.1 200')} of 10000 answers"
            to_send = to_send[send_some(connection.sock, to_send):]
            received += receive_some(connection.sock)
        for value in re.findall(rb'"value":(\d+)', received):
            expected += 1
            assert int(value) == expected
        assert expected == 10_000


def send_some(sock, data):
    try:
        return sock.send(data) if data else 0
    except BlockingIOError:
        return 0


def receive_some(sock):
    try:
        data = sock.recv(1 << 18)
        assert data, "closed"
        return data
    except BlockingIOError:
        time.sleep(0.001)
        return b""


def test_ten_thousand_requests_are_answered_to_a_client_that_reads_only_after_sending(server):
    with connect(server, timeout=30) as connection:
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        connection.sock.settimeout(1)
        try:
            connection.send(HIT * 10_000)
        except TimeoutError:
            pytest.skip("the kernel's buffers are too small for this client")
        connection.sock.settimeout(30)
        for _ in range(10_000):
            assert connection.answer().status == 204
    assert accepted(server) == 10_000


@pytest.mark.parametrize("request_, status", [
    (HIT, 204), (request_bytes("POST", "/v1/hit/blog/%61?n=3", ["X-Filler: y"], b"body!"), 204),
    (b"POST /v1/hit/blog/a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: x\r\n\r\n", 204),
    (b"GET http://t/v1/hit/blog/a HTTP/1.1\r\nHost: t\r\n\r\n", 204),
    (b"GET /v1/hit/blog/a HTTP/1.1\r\nHost : t\r\n\r\n", 400)], ids=["get", "post", "chunked", "absolute", "bad"])
def test_a_request_cut_at_any_byte_is_read_the_same(server, request_, status):
    for cut in range(1, len(request_)):
        with connect(server) as connection:
            connection.send(request_[:cut])
            time.sleep(0.001)
            connection.send(request_[cut:])
            assert connection.answer().status == status, f"cut at {cut}"
    assert accepted(server) % (len(request_) - 1) == 0


def test_a_request_that_comes_byte_by_byte_is_read(server):
    with connect(server) as connection:
        for byte in request_bytes("POST", "/v1/hit/blog/a?n=4", (), b"xyz") + HIT:
            connection.send(bytes([byte]))
        assert [connection.answer().status for _ in range(2)] == [204, 204]
    assert accepted(server) == 5


def test_a_slow_head_is_answered_408_or_closed(server):
    with connect(server) as connection:
        began = time.monotonic()
        connection.send(b"GET /v1/hit/blog/a HT")
        rest = connection.rest()
        assert rest == b"" or rest.startswith(b"HTTP/1.1 408 "), rest
        assert time.monotonic() - began > 0.3, "closed before the time was up"
    assert server.metrics().get("http_timeouts_total", kind="head") == 1


def test_a_head_that_trickles_does_not_outlive_its_deadline(server):
    with connect(server) as connection:
        connection.sock.settimeout(0.1)
        until = time.monotonic() + 5 * wait.PATIENCE
        while time.monotonic() < until:
            try:
                connection.send(b"G")
                if not connection.sock.recv(1000):
                    return
            except TimeoutError:
                continue
            except OSError:
                return
    pytest.fail("the connection outlived ten deadlines")


def test_a_slow_body_and_an_idle_connection_are_ended(server):
    with connect(server) as connection:
        connection.send(b"POST /v1/hit/blog/a HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc")
        rest = connection.rest()
        assert rest == b"" or rest.startswith(b"HTTP/1.1 408 "), rest
    with connect(server) as connection:
        connection.request("GET", "/v1/hit/blog/a")
        connection.expect_closed()
    metrics = server.metrics()
    assert metrics.get("http_timeouts_total", kind="body") == 1
    assert metrics.get("http_timeouts_total", kind="idle") == 1
    assert accepted(server) == 1


def test_a_client_that_reads_nothing_is_ended(lab):
    server = lab.tallyd(send_timeout="500ms", workers=1)
    with connect(server, receive_buffer=4096) as connection:
        connection.sock.settimeout(0.2)
        try:
            for _ in range(4000):
                connection.send(request_bytes("GET", "/") * 10)
        except (TimeoutError, OSError):
            pass
        wait.until(lambda: server.metrics().get("http_timeouts_total", kind="send") >= 1, "the send timeout", 10)
    wait_base(server, 0)


def test_chunked_bodies_and_absolute_targets_are_read_in_a_pipeline(server):
    chunked = (b"POST /v1/hits HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"9\r\n{\"hits\":[\r\n17;x=\"y z\"\r\n{\"ns\":\"blog\",\"key\":\"a\"}\r\n2\r\n]}\r\n0\r\nTrailer: x\r\n\r\n")
    absolute = b"GET http://other:80/v1/hit/blog/a?n=2 HTTP/1.1\r\nHost: t\r\n\r\n"
    with connect(server) as connection:
        connection.send(b"\r\n" + chunked + absolute + b"\r\n" + HIT)
        assert [connection.answer().status for _ in range(3)] == [202, 204, 204]
    assert accepted(server) == 4


def test_a_half_closed_client_still_gets_its_answers(server):
    with connect(server) as connection:
        connection.send(HIT * 300 + VALUE)
        connection.finish()
        assert [connection.answer().status for _ in range(301)] == [204] * 300 + [200]
        connection.expect_closed()
    assert accepted(server) == 301
    wait_base(server, 0)


def test_a_request_that_was_not_finished_counts_nothing(server):
    for cut in (1, 10, len(HIT) - 1):
        with connect(server) as connection:
            connection.send(HIT[:cut])
            connection.finish()
            connection.rest()
    assert accepted(server) == 0


def test_reset_storms_leave_no_connections_and_no_descriptors(lab):
    server = lab.tallyd(env={"TALLYD_ALLOW_CORE": "true"})  # else only root sees its descriptors
    with connect(server) as connection:
        connection.request("GET", "/v1/hit/blog/a")
    wait_base(server, 0)
    descriptors = server.descriptors_open()
    for round_ in range(10):
        storm = [connect(server) for _ in range(50)]
        for i, connection in enumerate(storm):
            connection.send((HIT * 5)[:(i * 7 + round_) % (5 * len(HIT))])
        for connection in storm:
            connection.reset()
    wait_base(server, 0)
    assert server.descriptors_open() <= descriptors + 1
    assert len(server.log().splitlines()) < 50, "a reset is counted, not logged"
    server.hit("blog", "still-alive")


def test_connections_over_the_limit_wait_or_are_refused_and_the_others_are_served(lab):
    server = lab.tallyd(workers=1, max_conns=8, max_conns_client=8)
    held = [connect(server) for _ in range(8)]
    assert all(connection.request("GET", "/v1/hit/blog/a").status == 204 for connection in held)
    extra = connect(server, timeout=1)
    waits = refused_or_silent(extra)
    assert all(connection.request("GET", "/v1/hit/blog/a").status == 204 for connection in held)
    held.pop().close()
    if waits:
        extra.sock.settimeout(10 * wait.PATIENCE)
        assert extra.answer().status == 204, "a place is free: its turn"
    for connection in held + [extra]:
        connection.close()
    wait_base(server, 0)
    assert accepted(server) == 16 + waits


def refused_or_silent(connection):
    """True when the server leaves it waiting, False when it was refused."""
    try:
        connection.send(HIT)
        refused = connection.sock.recv(1000)
        assert refused == b"" or refused.startswith(b"HTTP/1.1 503 "), refused
    except TimeoutError:
        return True
    except OSError:
        pass
    return False


@pytest.mark.crowd
def test_more_bytes_at_once_than_there_are_buffers_are_all_read(lab):
    """While the process stands still the kernel gathers more than all of a worker's receive buffers hold."""
    server = lab.tallyd(workers=1)
    pool = http_load.make_pool(lab.seed, values=False)
    load = lab.load(server, pool, hits=150_000, connections=100, depths=(1500,))
    for _ in range(3):
        server.pause()
        time.sleep(0.1)
        server.resume()
        time.sleep(0.1)
    load.finish()
    assert not load.refused and not load.breaks and accepted(server) == load.acked_hits()
    if not server.metrics()["io_recv_no_buffers_total"]:
        pytest.skip("the buffers sufficed")


def test_many_connections_with_mixed_requests_all_get_their_answers(lab, server):
    load = lab.load(server, http_load.make_pool(lab.seed), hits=20_000, connections=100, depths=(1, 3, 32))
    load.finish()
    assert not load.refused and not load.breaks
    assert accepted(server) == load.acked_hits()
    checker.check_books(server.metrics())


@pytest.mark.parametrize("io", ENGINES)
def test_the_last_answer_reaches_a_client_that_sends_more(lab, io):
    """A line end behind a body, as old browsers send it: the server may close before it has read that, and the kernel resets then."""
    server = lab.tallyd(io=io, workers=1)
    target = request_bytes("GET", "/v1/hit/blog/a", ["Connection: close"])
    for number in range(1500):
        with socket.create_connection((HOST, server.port), 10) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.sendall(target)
            begun = time.perf_counter()
            while time.perf_counter() - begun < number % 150 * 1e-6:
                pass  # at some of these times it comes between the server's send and its close
            with contextlib.suppress(ConnectionError):
                client.sendall(b"\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 204"), number
    assert accepted(server) == 1500

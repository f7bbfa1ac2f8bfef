"""--defer-accept: a connection is taken with its first bytes, and none that a client believes in is lost when a drain comes."""

import contextlib
import socket
import threading

import pytest
from harness import checker, wait
from harness.http_client import fetch, request_bytes
from harness.ports import HOST
from harness.tallyd import ENGINES

HIT = request_bytes("GET", "/v1/hit/blog/a")
SHORT = request_bytes("GET", "/v1/hit/blog/a", ["Connection: close"])
THREADS = 4
SHORTS = 10_000 if wait.LONG else 2000


def connect(server):
    return socket.create_connection((HOST, server.port), timeout=15 * wait.PATIENCE)


def accepted(server):
    return server.metrics()["connections_accepted_total"]


@contextlib.contextmanager
def silent(server, count):
    with contextlib.ExitStack() as open_ones:
        yield [open_ones.enter_context(connect(server)) for _ in range(count)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_silent_connection_is_left_to_the_kernel_for_a_moment(lab, engine):
    server = lab.tallyd(io=engine, workers=1, defer_accept="on")

    def one_overtakes():
        before = accepted(server)
        with silent(server, 1):
            server.hit("blog", "a")
            return accepted(server) == before + 1

    wait.until(one_overtakes, "a later connection with bytes is taken first")
    before = accepted(server)
    with silent(server, 3) as socks:
        wait.until(lambda: accepted(server) >= before + 3, "the silent ones are taken after a second")
        for sock in socks:
            sock.sendall(HIT)
            assert sock.recv(100).startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize("engine", ENGINES)
def test_health_checks_that_only_connect_leave_nothing(lab, engine):
    server = lab.tallyd(io=engine, workers=1, defer_accept="on")
    for _ in range(200):
        connect(server).close()
    server.hit("blog", "a")
    wait.until(lambda: server.metrics()["connections"] == 0, "no connection is left")
    assert server.value("blog", "a") == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_drain_ends_silent_connections_in_order(lab, engine):
    server = lab.tallyd(io=engine, defer_accept="on")
    with silent(server, 30) as socks:
        server.terminate()
        for sock in socks:
            assert sock.recv(1) == b"", "closed, not reset"
    assert server.join() == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_client_that_speaks_first_while_it_drains_is_answered(lab, engine):
    server = lab.tallyd(io=engine, defer_accept="on", drain_delay="30m", drain_timeout="1h")
    with silent(server, 30) as socks:
        server.terminate()
        wait.until(lambda: server.log_lines("event=draining"), "it drains")
        for sock in socks:
            sock.sendall(HIT)
            assert sock.recv(100).startswith(b"HTTP/1.1 204 ")
    assert server.metrics()["hits_accepted_total"] == 30


def short(servers):
    """A connection for one request, as a balancer would open it: at one that says that it is ready."""
    server = next(server for server in servers if server.ready_now)
    with connect(server) as sock:
        sock.sendall(SHORT)
        answer = b"".join(iter(lambda: sock.recv(1000), b""))
    assert answer.startswith(b"HTTP/1.1 204 "), answer


def look(servers, done):
    while not done.is_set():
        for server in servers:
            try:
                server.ready_now = fetch(server.admin_port, "/readyz", timeout=5).status == 200
            except OSError:
                server.ready_now = False
        done.wait(0.02)


@pytest.mark.parametrize("engine", ENGINES)
def test_short_connections_over_a_rolling_restart_all_count(lab, engine):
    redis = lab.redis()
    servers = [lab.tallyd(redis, io=engine, defer_accept="on", drain_delay="2s") for _ in range(2)]
    failed, made, done = [], [0] * THREADS, threading.Event()
    for server in servers:
        server.ready_now = True

    def client(i):
        while made[i] < SHORTS // THREADS:
            try:
                short(servers)
            except (OSError, AssertionError, StopIteration) as error:
                failed.append(repr(error))
            made[i] += 1

    threads = [threading.Thread(target=look, args=(servers, done))] + [threading.Thread(target=client, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for server, part in zip(servers, (4, 2)):
        wait.until(lambda part=part: sum(made) >= SHORTS // part, "some are made", 60)
        assert server.stop() == 0
        server.start()
    for thread in threads[1:]:
        thread.join()
    done.set()
    threads[0].join()
    assert not failed, failed[:5]
    checker.wait_drained(*servers)
    assert checker.redis_counts(redis) == {b"blog:a": SHORTS}

"""No client can take all connections: each has a share, and the one that was idle longest gives way."""

import os
import re
import socket

import pytest
from harness import checker, wait
from harness.crowd import Crowd
from harness.http_client import HttpConnection, request_bytes
from harness.ports import HOST
from harness.tallyd import ENGINES

HIT = request_bytes("GET", "/v1/hit/honest/a")
ROOM, CROWD = (8192, 12_000) if wait.LONG else (512, 1500)


@pytest.mark.crowd
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", [b"", HIT[:20]], ids=["silent", "half-a-head"])
def test_an_honest_hit_is_answered_while_one_address_takes_all_connections(lab, engine, text):
    server = lab.tallyd(io=engine, workers=1, max_conns=ROOM, max_conns_client=1_000_000)
    hits = 0
    with Crowd(server.port) as crowd:
        for _ in range(15):
            crowd.join(CROWD // 15, text or b"\r\n")
            with HttpConnection(server.port) as connection:
                connection.send(HIT)
                assert connection.answer().status == 204
                hits += 1
        assert server.metrics()["connections"] <= ROOM
        assert server.metrics().get("connections_shed_total", reason="full") > 0
    assert server.value("honest", "a") == hits
    lines = wait.until(lambda: server.log_lines("limit=--max-conns "), "it is said in the log")
    assert len(lines) == 1
    checker.checked_metrics(server)


def connect(server, source):
    return socket.create_connection((HOST, server.port), timeout=10 * wait.PATIENCE, source_address=(source, 0))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_client_has_its_share_of_connections_and_others_theirs(lab, engine):
    server = lab.tallyd(io=engine, workers=1, max_conns_client=20)
    held = [connect(server, "127.0.0.1") for _ in range(20)]
    try:
        held[0].sendall(HIT)
        assert held[0].recv(100).startswith(b"HTTP/1.1 204 ")
        with connect(server, "127.0.0.1") as refused:
            assert ended(refused)
        with connect(server, "127.0.0.2") as other:
            other.sendall(HIT)
            assert other.recv(100).startswith(b"HTTP/1.1 204 ")
        held.pop().close()
        wait.until(lambda: served(server), "a place is free again")
    finally:
        for sock in held:
            sock.close()
    assert server.metrics().get("connections_shed_total", reason="client") >= 1
    assert wait.until(lambda: server.log_lines("limit=--max-conns-client"), "it is said in the log")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_lone_client_has_half_of_the_places_and_its_share_of_the_rest(lab, engine):
    """Without any option: where addresses are looked at anyway, and where they are asked for when it is time."""
    server = lab.tallyd(io=engine, workers=1, max_conns=64)
    if engine == "uring" and tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2]) < (6, 7):
        pytest.skip("this kernel's rings do not say who is at the other end")
    held = [connect(server, "127.0.0.1") for _ in range(32)]
    try:
        for sock in held:
            sock.sendall(HIT)
        for sock in held:
            assert sock.recv(100).startswith(b"HTTP/1.1 204 ")
        with connect(server, "127.0.0.1") as refused:
            assert ended(refused)
        with connect(server, "127.0.0.2") as other:
            other.sendall(HIT)
            assert other.recv(100).startswith(b"HTTP/1.1 204 ")
    finally:
        for sock in held:
            sock.close()


def ended(sock):
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def served(server):
    with connect(server, "127.0.0.1") as sock:
        try:
            sock.sendall(HIT)
            return sock.recv(100).startswith(b"HTTP/1.1 204 ")
        except OSError:
            return False


@pytest.mark.parametrize("engine", ENGINES)
def test_a_trusted_proxy_brings_as_many_connections_as_it_wants(lab, engine):
    server = lab.tallyd(io=engine, workers=1, max_conns_client=5, trusted_proxies="127.0.0.1")
    held = [connect(server, "127.0.0.1") for _ in range(10)]
    try:
        for sock in held:
            sock.sendall(HIT)
            assert sock.recv(100).startswith(b"HTTP/1.1 204 ")
    finally:
        for sock in held:
            sock.close()

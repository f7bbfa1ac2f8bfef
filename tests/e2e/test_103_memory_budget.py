"""A crowd that fills the memory for clients cannot end the process or keep the others from being answered."""

import pytest
from harness import checker, wait
from harness.crowd import Crowd
from harness.http_client import HttpConnection, request_bytes
from harness.memory_group import MemoryGroup
from harness.tallyd import ENGINES

pytestmark = pytest.mark.crowd
MIB = 1 << 20
CROWD, GROUP = (14_000, 512 * MIB) if wait.LONG else (3_000, 120 * MIB)
BODY = request_bytes("POST", "/v1/hits", ["Content-Type: application/json"], b" " * 65_000)[:-1]
HEAD = request_bytes("GET", "/v1/hit/blog/a", [f"X-{i}: {'y' * 1000}" for i in range(15)])[:-2]
UNREAD = request_bytes("GET", "/") * 200
HIT = request_bytes("GET", "/v1/hit/honest/a")
BATCH = request_bytes("POST", "/v1/hits", (), b'{"hits":[{"ns":"honest","key":"b"}]}' + b" " * 20_000)


def honest(server, text, wanted):
    """Asked again when it is told to come back, as Retry-After says; true when it was counted."""
    with HttpConnection(server.port) as connection:
        connection.send(text)
        answer = connection.answer()
        if answer.status == wanted:
            return True
        assert (answer.status, answer["retry-after"]) == (503, "1"), answer.head.text
        return False


@pytest.mark.ci
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text, receive_buffer", [(BODY, None), (HEAD, None), (UNREAD, 4096)],
                         ids=["bodies", "heads", "unread"])
def test_a_crowd_that_fills_the_memory_ends_nobody_else(lab, engine, text, receive_buffer):
    group = lab.keep(MemoryGroup("tallyd-crowd", GROUP))
    server = lab.tallyd(io=engine, workers=2, max_keys=10_000, wrapper=group.wrapper, body_timeout="60s", head_timeout="60s",
                        send_timeout="60s", max_conns_client=1_000_000)
    hits = batches = 0
    with Crowd(server.port) as crowd, HttpConnection(server.port) as kept:
        for _ in range(10):
            crowd.join(CROWD // 10, text, receive_buffer)
            for _ in range(20):
                kept.send(HIT)
                assert kept.answer().status == 204
                hits += 1
            hits += honest(server, HIT, 204)
            wait.until(lambda: honest(server, BATCH, 202), "a batch has its turn")
            batches += 1
        metrics = server.metrics()
        assert metrics["buffer_bytes"] <= 1.02 * metrics["buffer_bytes_max"] <= 1.02 * GROUP / 4
        assert metrics["buffer_shortages_total"] > 0
    wait.until(lambda: server.metrics()["connections"] == 0, "the crowd is gone", 30)
    metrics = checker.checked_metrics(server)
    assert server.value("honest", "a") == hits
    assert server.value("honest", "b") == batches
    # What is left is the pool of free blocks.
    assert metrics["buffer_bytes"] <= 2 * 128 * 32 * 1024
    print(f"{engine}: {CROWD} connections, {group.peak_bytes / MIB:.0f} of {GROUP / MIB:.0f} MiB at most, {hits} hits and {batches} "
          f"batches exact, {metrics['buffer_shortages_total']:.0f} gave way")
    assert server.stop() == 0


def test_the_budget_is_a_quarter_of_the_group_unless_it_is_named(lab):
    group = lab.keep(MemoryGroup("tallyd-quarter", 256 * MIB))
    assert lab.tallyd(wrapper=group.wrapper).metrics()["buffer_bytes_max"] == 64 * MIB
    assert lab.tallyd(wrapper=group.wrapper, max_buffer_bytes="7M").metrics()["buffer_bytes_max"] == 7 * MIB


def test_a_body_that_no_memory_is_left_for_is_told_to_come_back_and_a_hit_goes_on(lab):
    """Without a group, too: the budget is our own account."""
    server = lab.tallyd(workers=1, max_buffer_bytes="1M", body_timeout="5m")
    with Crowd(server.port) as crowd, HttpConnection(server.port) as late:
        crowd.join(40, BODY)
        late.send(HIT)
        assert late.answer().status == 204
        wait.until(lambda: server.metrics()["buffer_shortages_total"] > 0, "somebody gave way")
        metrics = server.metrics()
        assert metrics["buffer_bytes"] <= metrics["buffer_bytes_max"] == MIB
        assert metrics.get("http_bad_requests_total", reason="memory") > 0
        wait.until(lambda: honest(server, BATCH, 202), "the longest idle give way")

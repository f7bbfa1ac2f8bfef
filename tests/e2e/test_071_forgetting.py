"""Keys that are idle give their room to new ones, and no count is lost or doubled by it."""

import json

import pytest
from harness import checker, wait
from harness.http_client import HttpConnection, request_bytes
from harness.scenarios import settle, state_dir
from harness.tallyd import ENGINES
from harness.wait import LONG

KEYS = 1000
IDLE = {"key_idle": "300ms", "replay_window": "0"}
ROUNDS = 20 if LONG else 5


def count(connection, keys, n=1):
    """How many of them were taken."""
    body = json.dumps({"hits": [{"ns": "idle", "key": key, "n": n} for key in keys]}).encode()
    connection.send(request_bytes("POST", "/v1/hits", (), body))
    return connection.answer().json()["accepted"]


def names(first, amount):
    return [f"page-{i}" for i in range(first, first + amount)]


def forgotten(server):
    return server.metrics()["keys_forgotten_total"]


def stored(redis):
    return {key.decode(): value for key, value in checker.redis_counts(redis, b"tally:idle:").items()}


def full_server(lab, redis, **options):
    """Its room is taken by keys that were hit once."""
    server = lab.tallyd(redis, max_keys=KEYS, max_keys_ns=KEYS, **{**IDLE, **options})
    with HttpConnection(server.port) as connection:
        assert count(connection, names(0, KEYS)) == KEYS
    return server


@pytest.mark.short
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("keeps", [False, True], ids=["in memory", "state file"])
def test_a_new_key_is_taken_once_old_ones_were_idle(lab, engine, keeps):
    redis = lab.redis()
    server = full_server(lab, redis, io=engine, **({"state_dir": state_dir(lab)} if keeps else {}))
    wait.until(lambda: forgotten(server) == KEYS, "all of them are forgotten", 30)
    assert server.metrics()["keys"] == 0
    with HttpConnection(server.port) as connection:
        assert count(connection, names(KEYS // 2, KEYS), n=3) == KEYS, "as many as ever"
    wait.until(lambda: forgotten(server) == 2 * KEYS, "these are forgotten, too", 30)
    settle(server)
    expected = {key: 1 for key in names(0, KEYS)}
    for key in names(KEYS // 2, KEYS):
        expected[key] = expected.get(key, 0) + 3
    assert stored(redis) == expected
    checker.checked_metrics(server)
    assert server.stop() == 0


def test_a_key_that_is_hit_now_and_then_is_never_refused(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, max_keys=40, max_keys_ns=40, workers=2, **IDLE)
    rounds = 0
    with HttpConnection(server.port) as connection:
        while forgotten(server) < 400:
            assert count(connection, ["regular"]) == 1
            rounds += 1
            count(connection, names(40 * rounds, 40))
    checker.wait_drained(server)
    assert stored(redis)["regular"] == rounds
    checker.checked_metrics(server)


@pytest.mark.parametrize("form", ["/v1/counters/idle/page-7", "/v1/hit/idle/page-7?value=1"])
def test_what_was_forgotten_is_read_from_the_store(lab, form):
    redis = lab.redis()
    server = full_server(lab, redis)
    wait.until(lambda: forgotten(server) == KEYS, "all of them are forgotten", 30)
    redis.command("INCRBY", "tally:idle:page-7", 41)  # another process
    hits = 1 if "hit" in form else 0
    counted = 0

    def value():
        nonlocal counted
        counted += hits
        return server.fetch(form).json()["value"]

    wait.until(lambda: value() == 42 + counted, "both are in it")


def test_kill_9_while_keys_come_and_go(lab):
    """On its state file it goes on with all that was answered, whatever was being forgotten."""
    redis = lab.redis()
    server = lab.tallyd(redis, max_keys=4 * KEYS, max_keys_ns=4 * KEYS, state_dir=state_dir(lab), flush_interval="20ms",
                        key_idle="20ms", replay_window="0")
    expected = dict.fromkeys(names(0, 4 * KEYS), 0)
    for turn in range(ROUNDS):
        with HttpConnection(server.port) as connection:
            before = 0
            for first in (0, KEYS, 0, 2 * KEYS, KEYS, 3 * KEYS):
                keys = names(first, KEYS)
                assert count(connection, keys, n=turn + 1) == KEYS
                for key in keys:
                    expected[key] += turn + 1
                before += 100
                wait.until(lambda before=before: forgotten(server) >= before, "some were forgotten", 30)
        server.kill()
        server.start()
    settle(server)
    wait.until(lambda: server.metrics()["keys"] == 0, "all of them are forgotten", 30)
    assert stored(redis) == expected
    assert not server.log_lines("state_damaged")
    checker.checked_metrics(server)
    assert server.stop() == 0


def test_what_is_counted_while_it_ends_is_stored(lab):
    """Keys are on their way out when they are hit again and the workers end."""
    redis = lab.redis()
    for _ in range(ROUNDS):
        server = lab.tallyd(redis, flush_interval="20ms", key_idle="20ms", replay_window="0")
        with HttpConnection(server.port) as connection:
            assert count(connection, names(0, KEYS)) == KEYS
            wait.until(lambda server=server: forgotten(server) > 0, "they are being forgotten", 30)
            assert count(connection, names(0, KEYS)) == KEYS
        assert server.stop() == 0
    assert stored(redis) == dict.fromkeys(names(0, KEYS), 2 * ROUNDS)


def test_nothing_is_forgotten_when_it_is_off_or_when_the_memory_is_the_store(lab):
    redis = lab.redis()
    for server in (lab.tallyd(redis, key_idle="0", replay_window="0"), lab.tallyd(None, key_idle="50ms")):
        with HttpConnection(server.port) as connection:
            assert count(connection, names(0, 10)) == 10
            for n in range(1, 11):  # each waits for a flush: as many idle times and more go by
                assert count(connection, ["other"]) == 1
                wait.until(lambda n=n, server=server: server.metrics()["hits_stored_total"] == 10 + n, "it is stored")
        metrics = server.metrics()
        assert (metrics["keys"], metrics["keys_forgotten_total"]) == (11, 0)
        assert [server.value("idle", key) for key in names(0, 10)] == [1] * 10

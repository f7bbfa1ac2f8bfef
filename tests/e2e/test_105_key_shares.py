"""No namespace, client or worker can take all room for new keys, and a key that is known counts on."""

import json

import pytest
from harness import checker, wait
from harness.http_client import HttpConnection, request_bytes
from harness.tallyd import ENGINES, run


def batch(connection, ns, keys):
    """(accepted, reasons of those that were not)."""
    body = json.dumps({"hits": [{"ns": ns, "key": key} for key in keys]}).encode()
    connection.send(request_bytes("POST", "/v1/hits", (), body))
    answer = connection.answer().json()
    return answer["accepted"], {error["error"] for error in answer["errors"]}


def names(first, count):
    return [f"{i * 7919:x}" for i in range(first, first + count)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_flood_of_keys_in_one_namespace_leaves_room_for_the_others(lab, engine):
    server = lab.tallyd(io=engine, workers=2, max_keys=800)
    with HttpConnection(server.port) as connection:
        accepted, reasons = batch(connection, "flood", names(0, 1000))
        assert (accepted, reasons) == (700, {"namespace_keys"})
        assert batch(connection, "honest", names(0, 50)) == (50, set())
        assert batch(connection, "flood", names(0, 700)) == (700, set()), "known keys count on"
    answer = server.fetch("/v1/hit/flood/one-more")
    assert (answer.status, answer["X-Hit-Status"], answer["Retry-After"]) == (503, "refused;reason=namespace_keys", "60")
    metrics = checker.checked_metrics(server)
    assert metrics.get("hits_refused_total", reason="namespace_keys") == 301
    assert metrics["hits_accepted_total"] == 1450
    assert len(wait.until(lambda: server.log_lines("limit=--max-keys-ns"), "it is said in the log")) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("option", ["new_keys", "new_keys_client"])
def test_new_keys_have_a_budget_and_known_ones_need_none(lab, engine, option):
    server = lab.tallyd(io=engine, workers=1, max_conns_client=1000, **{option: 1})
    with HttpConnection(server.port) as connection:
        accepted, reasons = batch(connection, "flood", names(0, 1000))
        assert 100 <= accepted < 1000 and reasons == {"new_key_rate"}
        assert batch(connection, "flood", names(0, 100)) == (100, set()), "known keys count on"
        connection.send(b"".join(request_bytes("GET", f"/v1/hit/flood/{i}") for i in range(1000)))
        answers = [connection.answer() for _ in range(1000)]
    refused = [answer for answer in answers if answer.status != 204]
    assert refused and {(answer.status, answer["X-Hit-Status"]) for answer in refused} == {(429, "refused;reason=new_key_rate")}
    assert all(int(answer["Retry-After"]) >= 1 for answer in refused)
    wait.until(lambda: server.fetch("/v1/hit/flood/late").status == 204, "the budget fills up again")
    checker.checked_metrics(server)


def test_the_budget_of_one_client_is_not_anothers(lab):
    """Behind a trusted proxy, which says who they are."""
    server = lab.tallyd(workers=1, new_keys_client=1, max_conns_client=1000, trusted_proxies="127.0.0.1")

    def statuses(client, count):
        with HttpConnection(server.port) as connection:
            connection.send(b"".join(request_bytes("GET", f"/v1/hit/{client}/{i}", [f"X-Forwarded-For: {client}"])
                                     for i in range(count)))
            return [connection.answer().status for _ in range(count)]

    assert 429 in statuses("192.0.2.1", 1000)
    assert statuses("192.0.2.2", 50) == [204] * 50


def test_a_key_that_another_worker_counts_is_not_new(lab):
    server = lab.tallyd(workers=2, new_keys=1)
    with HttpConnection(server.port) as connection:
        batch(connection, "flood", names(0, 1000))
    for _ in range(20):  # connections spread over the workers
        with HttpConnection(server.port) as connection:
            assert batch(connection, "flood", names(0, 100)) == (100, set())


def test_only_the_namespaces_that_exist_take_hits(lab):
    server = lab.tallyd(workers=1, namespaces="blog,shop")
    server.hit("blog", "a")
    server.hit("shop", "a")
    answer = server.fetch("/v1/hit/blo/a")
    assert (answer.status, answer["X-Hit-Status"]) == (403, "refused;reason=no_such_namespace")
    with HttpConnection(server.port) as connection:
        assert batch(connection, "other", ["a"]) == (0, {"no_such_namespace"})
    assert server.metrics().get("hits_refused_total", reason="no_such_namespace") == 2


@pytest.mark.parametrize("value", ["blog,", ",blog", "blog,,shop", "bl/og", "!x"])
def test_a_list_with_something_that_is_no_namespace_is_refused(tmp_path, value):
    code, _, err = run(tmp_path, ["--namespaces", value, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
    assert code == 64 and "--namespaces" in err, err

"""Reads that only the store can answer cost it little: an answer holds for two seconds, and a budget bounds the rest."""

import pytest
from harness import wait
from harness.http_client import HttpConnection, request_bytes
from harness.tallyd import ENGINES


def questions(redis):
    text = redis.command("INFO", "commandstats").decode()
    lines = [line for line in text.splitlines() if line.startswith("cmdstat_getrange:")]
    return int(lines[0].split("calls=")[1].split(",")[0]) if lines else 0


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("key, status", [("theirs", 200), ("nobodys", 404)])
def test_a_key_that_is_not_counted_here_costs_the_store_few_questions(lab, engine, key, status):
    redis = lab.redis()
    lab.tallyd(redis, prefix="tally:").hit("blog", "theirs", 5)
    reader = lab.tallyd(redis, prefix="tally:", io=engine, workers=1)
    wait.until(lambda: reader.value("blog", "theirs") == 5, "it is stored")
    before, started = questions(redis), reader.admin("/statusz")
    with HttpConnection(reader.port) as connection:
        connection.send(request_bytes("GET", f"/v1/counters/blog/{key}") * 500)
        assert {connection.answer().status for _ in range(500)} == {status}
    # One every two seconds, however long a busy machine takes for it; without a memory it is one a read.
    assert started and questions(redis) - before <= 50


@pytest.mark.parametrize("engine", ENGINES)
def test_reads_beyond_the_budget_are_told_that_we_are_busy(lab, engine):
    redis = lab.redis()
    server = lab.tallyd(redis, io=engine, workers=1, reads=10)
    server.hit("blog", "known")
    with HttpConnection(server.port) as connection:
        answers = []
        for i in range(200):
            connection.send(request_bytes("GET", f"/v1/counters/blog/unknown-{i}"))
            answers.append(connection.answer())
        refused = [answer for answer in answers if answer.status == 503]
        assert refused and all((a.json()["error"], a["Retry-After"]) == ("busy", "1") for a in refused)
        assert {answer.status for answer in answers} == {404, 503}
    assert server.metrics()["reads_busy_total"] == len(refused)
    wait.until(lambda: server.fetch("/v1/counters/blog/another").status == 404, "the budget fills up again")

"""The store gets no command for nothing, and with --flush-interval-max hits wait so that several share a flush."""

import pytest
from harness import checker, wait
from harness.http_client import HttpConnection, request_bytes
from harness.proxy import REQUEST
from harness.scenarios import settle, state_dir
from harness.tallyd import ENGINES

READERS = 40


def questions(redis):
    text = redis.command("INFO", "commandstats").decode()
    lines = [line for line in text.splitlines() if line.startswith("cmdstat_getrange:")]
    return int(lines[0].split("calls=")[1].split(",")[0]) if lines else 0


def commands(server):
    return server.metrics()["redis_commands_total"]


def settled_reader(lab, redis, **options):
    """It has counted nothing, so what it sends from here on is for reads."""
    server = lab.tallyd(redis, replay_window="0", **options)
    settle(server)
    return server


@pytest.mark.short
@pytest.mark.parametrize("engine", ENGINES)
def test_a_read_costs_the_store_one_command(lab, engine):
    redis = lab.redis()
    server = settled_reader(lab, redis, io=engine)
    for i in range(20):
        redis.command("SET", f"tally:blog:page-{i}", i)
    assert server.value("blog", "page-0") == 0  # after it no transaction is open
    before = commands(server)
    assert [server.value("blog", f"page-{i}") for i in range(1, 20)] == list(range(1, 20))
    assert commands(server) - before == 19


@pytest.mark.parametrize("engine", ENGINES)
def test_many_who_ask_at_once_make_one_question(lab, engine):
    redis = lab.redis()
    redis.command("SET", "tally:blog:theirs", 5)
    proxy = lab.proxy(redis)
    server = settled_reader(lab, redis, via=proxy, io=engine)
    before = questions(redis)
    readers = [HttpConnection(server.port) for _ in range(READERS)]
    proxy.hold(REQUEST)  # so that others ask while the first question is under way
    for reader in readers:
        reader.send(request_bytes("GET", "/v1/counters/blog/theirs"))
    proxy.release()
    answers = [reader.answer() for reader in readers]
    for reader in readers:
        reader.close()
    told = [answer for answer in answers if answer.status == 200]
    assert all(answer.json()["value"] == 5 for answer in told)
    assert {answer.status for answer in answers} <= {200, 503}, "a store that was away for too long is said to be"
    wait.until(lambda: server.value("blog", "theirs") == 5, "it is told in the end")
    assert questions(redis) - before <= READERS // 2


@pytest.mark.short
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("keeps", [False, True], ids=["in memory", "state file"])
def test_few_hits_wait_for_more_and_many_do_not(lab, engine, keeps):
    redis = lab.redis()
    folder = {"state_dir": state_dir(lab)} if keeps else {}
    server = lab.tallyd(redis, io=engine, workers=1, flush_interval_max="1h", **folder)
    server.hit("rest", "few", 3)
    server.hit("rest", "many", 16)
    wait.until(lambda: server.metrics()["hits_stored_total"] == 16, "the many are stored")
    assert server.metrics()["hits_pending"] == 3
    assert server.value("rest", "few") == 3, "what is shown here knows no rest"
    server.hit("rest", "few", 12)
    server.hit("rest", "few", 1)
    wait.until(lambda: server.metrics()["hits_stored_total"] == 32, "together they are enough")
    server.hit("rest", "last")
    checker.checked_metrics(server)
    assert server.stop() == 0, "the end waits for nobody"
    assert checker.redis_counts(redis) == {b"rest:few": 16, b"rest:many": 16, b"rest:last": 1}


def test_a_hit_rests_no_longer_than_it_may(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, flush_interval_max="300ms")
    for i in range(5):
        server.hit("rest", "seldom")
        wait.until(lambda i=i: redis.read_all().get(b"tally:rest:seldom") == i + 1, "it is stored")


@pytest.mark.parametrize("engine", ENGINES)
def test_who_waits_until_it_is_stored_does_not_wait_for_more_hits(lab, engine):
    redis = lab.redis()
    server = lab.tallyd(redis, io=engine, flush_interval_max="1h")
    for i in range(3):
        answer = server.fetch("/v1/hit/rest/waits?ack=stored")
        assert answer.status == 204, answer
        assert redis.read_all()[b"tally:rest:waits"] == i + 1


def test_a_seed_takes_along_what_rests(lab):
    redis, token = lab.redis(), f"{lab.folder}/tokens"
    with open(token, "w", encoding="ascii") as file:
        file.write("token-of-this-test write\n")
    server = lab.tallyd(redis, flush_interval_max="1h", token_file=token)
    server.hit("rest", "seeded", 2)
    answer = server.fetch("/v1/counters/rest/seeded", "PUT", ["Authorization: Bearer token-of-this-test"], b'{"value": 100}')
    assert answer.status == 200, answer
    server.hit("rest", "seeded", 1)
    assert server.value("rest", "seeded") == 101
    assert server.stop() == 0
    assert checker.redis_counts(redis) == {b"rest:seeded": 101}


def test_an_interval_that_is_longer_than_the_longest_is_refused(lab):
    server = lab.tallyd(None, start=False, flush_interval="2s", flush_interval_max="1s")
    server.spawn()
    assert server.join() == 64
    assert server.log_lines("--flush-interval-max is shorter than --flush-interval")

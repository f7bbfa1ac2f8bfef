"""The harness passes a right program and catches each bug that is planted into a stand-in. It needs no tallyd."""

import os
import signal
import time

import pytest
from harness import checker, http_load, scenarios, secrets, wait
from harness.http_client import BadAnswer, fetch, parse_head
from harness.lab import Lab
from harness.metrics import Metrics
from harness.ports import Port
from harness.process import Process
from harness.proxy import ENDINGS, REPLY, REQUEST, RST
from harness.resp import RespClient, encode

pytestmark = pytest.mark.harness
FAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fake_tallyd")
HITS = 3000


@pytest.fixture
def fake(tmp_path, seed, monkeypatch):
    """Makes a laboratory around the stand-in with a planted bug; the test must close it."""
    labs = []

    def make(bug=None):
        monkeypatch.setenv("FAKE_BUG", bug or "")
        labs.append(Lab(tmp_path / str(len(labs)), seed, FAKE))
        return labs[-1]

    yield make
    for lab in labs:
        try:
            lab.close()
        except AssertionError:
            pass


def test_what_a_wrapper_has_started_ends_with_it(tmp_path):
    process = Process(["sh", "-c", "sleep 1000 & echo $!; wait"], tmp_path, "wrapper")
    child = int(wait.until(lambda: process.out().strip(), "the child's number"))
    process.kill()
    wait.until(lambda: not os.path.exists(f"/proc/{child}") or open(f"/proc/{child}/stat", encoding="ascii").read().split()[2] == "Z",
               "the child has ended")


def play(lab, scenario):
    """A scenario with its ending, as a test of tallyd has it."""
    scenario(lab)
    lab.close()


def load_through_restarts(lab):
    redis = lab.redis(appendonly=True)
    server = lab.tallyd(redis)

    def harm(load):
        for _ in scenarios.during(load, 2, HITS):
            redis.restart()

    scenarios.count_exactly(lab, HITS, harm, redis, server, rate=3000)


def load_while_reading(lab):
    redis = lab.redis()
    server = lab.tallyd(redis)
    load = lab.load(server, http_load.make_pool(lab.seed, keys=3), rate=3000, connections=4)
    reader = checker.LiveReader(server, [load], "load", [b"page-0", b"page-1"])
    for _ in range(40):
        reader.read()
        time.sleep(0.01)
    load.stop()


def load_without_redis(lab):
    redis = lab.redis(appendonly=True)
    server = lab.tallyd(redis)
    redis.kill()
    server.fetch("/v1/hit/load/before")
    wait.until(lambda: server.metrics()["redis_connected"] == 0, "it knows that Redis is away")
    load = lab.load(server, hits=500)
    load.finish()
    assert not load.refused, "a timid program: it refused hits because Redis is away"
    checker.check_books(server.metrics())
    redis.start()


def load_over_the_limit(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, max_keys=5)
    load = lab.load(server, hits=1000)
    load.finish()
    checker.wait_drained(server)
    checker.check_exact(redis, [load])


def load_then_terminate(lab):
    redis = lab.redis()
    server = lab.tallyd(redis)
    load = lab.load(server, hits=500)
    load.finish()
    assert server.stop() == 0
    checker.check_exact(redis, [load])


def plain_load(lab):
    scenarios.count_exactly(lab, HITS)


SCENARIOS = [plain_load, load_through_restarts, load_while_reading, load_without_redis, load_over_the_limit,
             load_then_terminate, scenarios.late_delivery, scenarios.early_late_delivery]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_right_program_passes(fake, scenario):
    play(fake(), scenario)


@pytest.mark.parametrize("bug, scenario, said", [
    ("drop", plain_load, "keys differ"), ("garbage", plain_load, "status line"), ("order", plain_load, "answered"),
    ("leak", plain_load, "secret shows"), ("books", load_without_redis, "is not the sum"),
    ("backwards", load_while_reading, "went backwards|: read"), ("timid", load_without_redis, "timid"),
    ("refused", load_over_the_limit, "keys differ"), ("drain", load_then_terminate, "keys differ"),
    ("resend", scenarios.late_delivery, "counted again"), ("unfenced", scenarios.late_delivery, "counted again"),
    ("resend", scenarios.early_late_delivery, "counted again"),
    ("unfenced", scenarios.early_late_delivery, "counted again")])
def test_a_planted_bug_is_caught(fake, bug, scenario, said):
    with pytest.raises(AssertionError, match=said):
        play(fake(bug), scenario)


@pytest.mark.parametrize("text", [
    b"HTTP/1.0 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT",
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0",
    b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT",
    b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: +3",
    b"HTTP/1.1 200 OK\r\nDate: 1994-11-06\r\nContent-Length: 3",
    b"HTTP/1.1 200 OK\r\nDate : Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 3",
    b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\nX: y\r\nContent-Length: 3"])
def test_the_client_refuses_a_malformed_head(text):
    with pytest.raises(BadAnswer):
        parse_head(text)


@pytest.mark.parametrize("text", [
    "tallyd_x 1\n", "# HELP tallyd_x a\n# TYPE tallyd_x gauge\ntallyd_x 1",
    "# HELP tallyd_x a\n# TYPE tallyd_x counter\ntallyd_x 1\n",
    "# HELP tallyd_x a\n# TYPE tallyd_x gauge\ntallyd_x 1\ntallyd_x 2\n",
    "# HELP tallyd_x a\n# TYPE tallyd_x gauge\ntallyd_x{l=\"a\nb\"} 1\n",
    "# HELP tallyd_x a\n# TYPE tallyd_x gauge\ntallyd_x{l=\"a\",l=\"b\"} 1\n",
    "# HELP tallyd_x a\n# TYPE tallyd_x gauge\ntallyd_x{} 1\n"])
def test_the_metrics_reader_refuses_malformed_text(text):
    with pytest.raises(AssertionError):
        Metrics(text)


def test_the_metrics_reader_sums_over_labels():
    metrics = Metrics('# HELP tallyd_x a\n# TYPE tallyd_x gauge\ntallyd_x{w="0"} 1\ntallyd_x{w="1\\n"} 2\n')
    assert metrics["x"] == 3 and metrics.get("x", w="0") == 1 and metrics.label_values("x", "w") == {"0", "1\\n"}


def test_a_held_port_refuses_connections_and_can_be_listened_on():
    port = Port()
    with pytest.raises(ConnectionRefusedError):
        fetch(port.number, "/")
    port.release()


def test_redis_keeps_its_data_over_kill_and_restart(lab):
    redis = lab.redis(appendonly=True)
    redis.command("SET", "a", "1")
    redis.restart()
    assert redis.read_all() == {b"a": 1}


def test_a_torn_transaction_in_the_log_of_redis_is_gone_for_good(lab):
    redis = lab.redis(appendonly=True)
    redis.command("SET", "a", "1")
    redis.kill()
    transaction = b"".join(encode(words) for words in (("MULTI",), ("INCRBY", "a", "5"), ("INCRBY", "b", "5"), ("EXEC",)))
    (path,) = (os.path.join(redis.folder, "appendonlydir", name)
               for name in os.listdir(os.path.join(redis.folder, "appendonlydir")) if name.endswith(".incr.aof"))
    with open(path, "ab") as file:
        file.write(transaction[:-30])
    redis.start()
    with redis.client() as client:
        client.pipeline([("MULTI",), ("INCRBY", "a", "10"), ("INCRBY", "b", "10"), ("EXEC",)])
    redis.restart()
    assert redis.read_all() == {b"a": 11, b"b": 10}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("way", (REQUEST, REPLY))
def test_the_proxy_cuts_at_the_exact_byte(lab, way, ending):
    redis = lab.redis(password=None)
    for at in (0, 1, 5, 13):
        proxy = lab.proxy(redis)
        client = RespClient("127.0.0.1", proxy.port)
        client.command("PING")
        client.wait_at_most(0.5 if ending == "silence" else 10)
        proxy.cut(way, at, ending)
        before = redis.calls("echo")
        with pytest.raises((OSError, ConnectionError)) as failure:
            client.pipeline([("ECHO", "one"), ("ECHO", "two")])
        assert isinstance(failure.value, TimeoutError) == (ending == "silence")
        executed = 2 if way == REPLY else 0
        time.sleep(0.02)  # what is not to be executed has had its time
        wait.until(lambda: redis.calls("echo") - before == executed, f"{executed} are executed")
        client.close()


def test_the_proxy_delivers_late_what_it_held(lab):
    redis = lab.redis(password=None)
    proxy = lab.proxy(redis)
    client = RespClient("127.0.0.1", proxy.port)
    client.command("PING")
    proxy.cut(REQUEST, 7, RST, zombie=True)
    with pytest.raises(OSError):
        client.command("INCRBY", "late", "5")
    assert redis.read_all() == {}
    assert proxy.deliver() > 0
    wait.until(lambda: redis.read_all() == {b"late": 5}, "the late bytes are executed")


def test_the_proxy_holds_releases_and_corrupts(lab):
    redis = lab.redis(password=None)
    proxy = lab.proxy(redis)
    client = RespClient("127.0.0.1", proxy.port, timeout=0.5)
    proxy.hold(REQUEST)
    with pytest.raises(TimeoutError):
        client.command("SET", "held", "1")
    assert redis.read_all() == {}
    proxy.release()
    wait.until(lambda: redis.read_all() == {b"held": 1}, "what was held is executed")
    wait.until(lambda: proxy.seen[REPLY] == b"+OK\r\n", "its reply is not the next one")
    other = RespClient("127.0.0.1", proxy.port)
    proxy.corrupt(REPLY, 0)
    with pytest.raises(ConnectionError):
        other.command("PING")


def test_the_search_for_secrets_finds_one(tmp_path):
    (tmp_path / "a.err").write_text("password=" + secrets.PASSWORD)
    (tmp_path / "a.password").write_text(secrets.PASSWORD)
    assert secrets.leaks(tmp_path) == [str(tmp_path / "a.err")]


def test_a_failure_before_the_first_start_can_be_told(lab):
    lab.tallyd(start=False)
    assert "code None" in lab.tails()


def test_a_killed_program_leaves_hits_indeterminate(fake):
    lab = fake()
    redis = lab.redis()
    server = lab.tallyd(redis)
    load = scenarios.small_load(lab, server)
    wait.until(lambda: load.answers >= 1000, "the load is under way", 60)
    server.pause()
    wait.until(lambda: sum(load.sent) > load.answers, "a hit is on its way")
    server.kill()
    load.stop(0.5)
    assert server.code == -signal.SIGKILL
    assert sum(load.indeterminate) > 0
    assert sum(load.sent) == sum(load.acked) + sum(load.indeterminate)

"""No hit is lost and none is stored twice, whether Redis is well, slow, stopped, killed or restarted."""

import random
import re
import time

import pytest
from harness import checker, http_load, names, scenarios, wait
from harness.scenarios import count_exactly, during, settle, small_load
from harness.wait import LONG

HITS = 200_000
STOPS = 200 if LONG else 10
MODERATE = 200_000 if LONG else 60_000


def stop_and_check(redis, server, loads):
    """SIGTERM, exit 0, and every key equals what was answered."""
    assert server.stop() == 0
    checker.check_exact(redis, loads)


@pytest.mark.short
def test_a_few_thousand_hits_are_exact_after_sigterm(lab):
    redis, server, load = count_exactly(lab, 5000, connections=16)
    stop_and_check(redis, server, [load])


def test_200_000_hits_over_64_connections_are_exact_after_sigterm(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, flush_interval="200ms")
    load = lab.load(server, hits=HITS, connections=64).finish()
    assert load.answers == HITS and not load.refused and not any(load.indeterminate)
    stop_and_check(redis, server, [load])


def test_200_000_hits_are_exact_while_redis_is_killed_and_restarted_five_times(lab):
    redis = lab.redis(appendonly=True, appendfsync="always")

    def harm(load):
        for _ in during(load, 5, HITS):
            redis.kill()
            time.sleep(0.2)
            redis.start()

    server = lab.tallyd(redis)
    _, _, load = count_exactly(lab, HITS, harm, redis, server, connections=64, rate=30_000)
    assert not load.refused and not any(load.indeterminate)
    stop_and_check(redis, server, [load])


def test_hits_are_exact_when_redis_comes_up_later(lab):
    redis = lab.redis(start=False)
    server = lab.tallyd(redis)

    def harm(load):
        for _ in during(load, 1, MODERATE):
            redis.start()

    _, _, load = count_exactly(lab, MODERATE, harm, redis, server, rate=30_000)
    assert not load.refused
    stop_and_check(redis, server, [load])


def test_without_redis_hits_are_answered_2xx_and_memory_stays_flat(lab):
    """Flat after a warm-up in which every connection has had its longest pipeline. Few keys, because the ring of touched
    cells becomes resident as it is used, 4 bytes of --max-keys at most."""
    redis = lab.redis(appendonly=True)
    server = lab.tallyd(redis, max_keys=1000)
    load = lab.load(server)
    wait.until(lambda: load.answers > 60_000, "all is warm", 60)
    load.limit(5000)
    redis.kill()
    time.sleep(1)
    before, answers = server.resident_kib(), load.answers
    time.sleep(30 if LONG else 8)
    grown = server.resident_kib() - before
    assert load.running and load.answers > answers and not load.refused and not load.breaks
    assert grown < 512 or wait.INSTRUMENTED, f"resident memory grew by {grown} KiB"  # sanitizers keep books of their own
    checker.check_books(server.metrics())
    redis.start()
    load.stop()
    checker.wait_drained(server)
    stop_and_check(redis, server, [load])


@pytest.mark.parametrize("seconds", [0.5, 3])
def test_hits_are_exact_when_redis_is_stopped_and_continued(lab, seconds):
    redis = lab.redis()
    server = lab.tallyd(redis)
    load = small_load(lab, server, rate=4000)
    for _ in range(2):
        time.sleep(0.3)
        redis.pause()
        time.sleep(seconds)
        redis.resume()
    time.sleep(0.5)
    load.stop()
    assert not load.refused and not load.breaks
    checker.wait_drained(server)
    stop_and_check(redis, server, [load])


def test_three_processes_on_one_redis_add_up(lab):
    redis = lab.redis(appendonly=True)
    servers = [lab.tallyd(redis) for _ in range(3)]
    pool = http_load.make_pool(lab.seed)
    loads = [lab.load(server, pool, seed=i, hits=10_000, connections=16, rate=8000) for i, server in enumerate(servers)]
    wait.until(lambda: loads[0].answers > 3000, "the load is under way")
    redis.restart()
    for load in loads:
        load.finish()
    checker.wait_drained(*servers)
    checker.check_exact(redis, loads)
    checker.check_stored_is_in_redis(redis, servers)
    assert servers[0].stop() == 0
    servers[1].hit("load", "page-1", 1)
    checker.wait_drained(servers[1])
    checker.check_stored_is_in_redis(redis, servers[1:], before=loads[0].acked_hits())


def test_reads_of_three_processes_meet_at_the_same_total(lab):
    redis = lab.redis()
    servers = [lab.tallyd(redis) for _ in range(3)]
    for i, server in enumerate(servers):
        server.hit("blog", "shared", 10 ** i)
    checker.wait_drained(*servers)
    for server in servers:
        server.hit("blog", "shared", 1)
    checker.wait_drained(*servers)
    last = servers[2]
    wait.until(lambda: redis.read_all(names.PREFIX)[b"blog:shared"] == 114, "all is stored")
    last.hit("blog", "shared", 1)
    checker.wait_drained(last)
    assert last.value("blog", "shared") == 115


@pytest.mark.stops
def test_sigterm_under_load_ends_with_0_and_is_exact_every_time(lab, tried):
    redis = lab.redis()
    draw = random.Random(lab.seed)
    loads = []
    for _ in range(STOPS):
        server = lab.tallyd(redis)
        loads.append(small_load(lab, server, depths=(1, 8, 32)))
        wait.until(lambda: loads[-1].answers > 100, "the load is under way")
        time.sleep(draw.uniform(0, 0.2))
        assert server.stop() == 0, server.log()[-2000:]
        loads[-1].stop(0)
        checker.check_exact(redis, loads)
    unsure = sum(sum(load.indeterminate) for load in loads)
    answered = sum(load.answers for load in loads)
    assert unsure <= answered / 100, f"{unsure} hits without an answer, {answered} answered: a drain says Connection: close"
    tried(STOPS, sum(load.acked_hits() for load in loads))


def test_sigterm_while_redis_is_down_ends_with_1_and_says_what_is_left(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, drain_timeout="1s")
    settle(server)
    redis.kill()
    server.hit("blog", "a", 77)
    server.hit("blog", "b", 1)
    assert server.stop() == 1
    assert re.search(r"\b78\b", "\n".join(server.log().splitlines()[-3:])), server.log()


def test_sigterm_waits_for_a_redis_that_comes_back_in_time(lab):
    redis = lab.redis(appendonly=True)
    server = lab.tallyd(redis, drain_timeout="20s")
    settle(server)
    redis.kill()
    server.hit("blog", "a", 77)
    server.terminate()
    time.sleep(0.5)
    redis.start()
    assert server.join() == 0
    assert checker.redis_counts(redis) == {b"blog:a": 77}


@pytest.mark.short
def test_a_poisoned_key_is_set_aside_and_named_and_the_others_are_stored(lab):
    redis = lab.redis()
    redis.command("RPUSH", "tally:blog:list", "x")
    redis.command("SET", "tally:blog:full", 2**63 - 5)
    redis.command("SET", "tally:blog:text", "hello")
    server = lab.tallyd(redis)
    for round_ in range(3):
        for key in ("list", "full", "text", "good", "fine"):
            server.hit("blog", key, 10)
        checker.wait_drained(server)
    assert (redis.read_all()[b"tally:blog:good"], redis.read_all()[b"tally:blog:fine"]) == (30, 30)
    assert redis.read_all()[b"tally:blog:full"] == 2**63 - 5 and redis.read_all()[b"tally:blog:text"] == b"hello"
    metrics = checker.checked_metrics(server)
    assert metrics["hits_poisoned"] == 90 and metrics["keys_poisoned"] == 3
    for key in ("list", "full", "text"):
        assert server.log_lines(f"blog:{key}") or server.log_lines(f"blog/{key}"), f"{key} is not named"
    assert len(server.log().splitlines()) < 100, "the line is rate-limited"
    assert redis.calls("exec") < 50, "what is refused is tried again and again"


def test_a_reset_between_exec_and_its_reply_counts_once(lab):
    redis = lab.redis()
    proxy = lab.proxy(redis)
    server = lab.tallyd(redis, via=proxy)
    for round_ in range(1, 6):
        settle(server)
        proxy.hold_replies_to(b"INCRBY")  # not before: without the answers to what arms it no batch would be sent
        server.hit("blog", "a", 7)
        wait.until(lambda: checker.redis_counts(redis) == {b"blog:a": 7 * round_}, "Redis executed the transaction")
        proxy.end_links("rst")
        proxy.release()
        checker.wait_drained(server)
        assert checker.redis_counts(redis) == {b"blog:a": 7 * round_}
    assert server.metrics()["flush_batches_reconciled_total"] >= 5


def test_a_late_copy_that_overtakes_what_replaced_its_batch_counts_once(lab):
    """Two hits travel in a batch whose bytes are held. Sent again it is refused for one key, and so replaced by one of the
    same seq. Before that comes, the old bytes are executed after all: only the nonce tells the two apart."""
    redis = lab.redis()
    proxy = lab.proxy(redis)
    server = lab.tallyd(redis, via=proxy)
    scenarios.server_settled_with_a_first_hit(server, proxy)
    proxy.hold_replies_to(b"INCR")  # one batch is on its way at a time: behind this one the two come together
    server.hit("late", "a", 1)
    wait.until(lambda: proxy.holding, "a batch is on its way")
    server.hit("late", "a", 10)
    server.hit("late", "b", 100)
    redis.command("ACL", "SETUSER", "default", "resetkeys", "~tally:!*", "~tally:late:a")
    proxy.cut("request", b"INCR", "rst", zombie=True)
    proxy.release()
    assert proxy.triggered.wait(10 * wait.PATIENCE)
    proxy.hold_replies_to(b"INCRBY")  # none of its two is one hit: that would be an INCR
    wait.until(lambda: proxy.holding, "it is sent again")
    time.sleep(0.1)
    redis.command("ACL", "SETUSER", "default", "allkeys")
    assert proxy.deliver() > 0
    wait.until(lambda: redis.read_all().get(b"tally:late:b") == 100, "the old bytes are executed")
    proxy.release()
    checker.wait_drained(server)
    assert checker.redis_counts(redis) == {b"late:a": 12, b"late:b": 100}


GARBAGE = {"huge string": b"$999999999999\r\n", "huge array": b"*2000000000\r\n", "negative array": b"*-7\r\n",
           "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n", "zeros": bytes(1000), "deep arrays": b"*1\r\n" * 10000,
           "too many replies": b"+OK\r\n" * 1000, "an endless line": b"+" + b"x" * 2_000_000, "half a reply": b"*4\r\n:1"}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_instead_of_the_reply_counts_once(lab, what):
    redis = lab.redis()
    proxy = lab.proxy(redis)
    server = lab.tallyd(redis, via=proxy)
    server.hit("blog", "a", 1)
    settle(server)
    memory = server.resident_kib()
    proxy.replace(GARBAGE[what])
    server.hit("blog", "a", 2)
    assert proxy.triggered.wait(10 * wait.PATIENCE)
    server.hit("blog", "a", 4)
    checker.wait_drained(server, seconds=20)
    assert checker.redis_counts(redis) == {b"blog:a": 7}
    assert server.resident_kib() - memory < 8192


@pytest.mark.short
def test_late_bytes_of_a_resent_flush_count_once(lab):
    redis, server = scenarios.late_delivery(lab)
    assert server.stop() == 0


def test_late_bytes_that_overtake_the_resent_flush_count_once(lab):
    scenarios.early_late_delivery(lab)


def test_reads_never_go_backwards_while_redis_is_killed_and_restarted(lab):
    redis = lab.redis(appendonly=True)
    server = lab.tallyd(redis)
    load = lab.load(server, http_load.make_pool(lab.seed, keys=5), rate=3000, connections=8)
    reader = checker.LiveReader(server, [load], "load", [f"page-{i}".encode() for i in range(5)] + [b"a b"])
    for _ in range(4):
        read_on(reader)
        redis.kill()
        read_on(reader)
        redis.start()
        read_on(reader)
    load.stop()
    checker.wait_drained(server)
    reader.read()
    stop_and_check(redis, server, [load])


def read_on(reader, seconds=0.4, reads=25):
    """For so long, and so often."""
    until, enough = time.monotonic() + seconds, reader.reads + reads
    while time.monotonic() < until or reader.reads < enough:
        reader.read()


def test_a_read_across_processes_never_goes_backwards(lab):
    redis = lab.redis()
    counting, reading = lab.tallyd(redis), lab.tallyd(redis)
    load = small_load(lab, counting, rate=2000)
    values = [0]

    def grown():
        values.append(reading.value("load", "page-1") or values[-1])  # it may be unknown for a while
        assert values[-1] >= values[-2], f"{values[-2]}, then {values[-1]}"
        return len(values) > 100 and len(set(values)) > 3

    wait.until(grown, "the value is seen to grow, by another process", 60)
    load.stop()
    checker.wait_drained(counting)
    stored = checker.redis_counts(redis)[b"load:page-1"]
    # What the store said is believed for two seconds.
    wait.until(lambda: reading.value("load", "page-1") == stored, "the other process learns of the rest")


@pytest.mark.parametrize("loss", ["FLUSHALL", "DEL of the ledger"])
def test_a_lost_ledger_doubles_nothing_and_raises_an_alarm(lab, loss):
    redis = lab.redis()
    server = lab.tallyd(redis)
    server.hit("blog", "a", 5)
    settle(server)
    if loss == "FLUSHALL":
        redis.command("FLUSHALL")
    else:
        redis.command("DEL", *[key for key in redis.read_all() if b"!ledger" in key])
    server.hit("blog", "a", 3)
    checker.wait_drained(server)
    time.sleep(0.2)
    held = checker.redis_counts(redis)[b"blog:a"]
    assert held == (3 if loss == "FLUSHALL" else 8), f"{held} in Redis"
    metrics = checker.checked_metrics(server)
    assert metrics.get("alarms_total", kind="ledger_missing") >= 1
    assert server.log_lines("ledger"), "an error line says so"
    server.hit("blog", "a", 1)
    checker.wait_drained(server)
    assert checker.redis_counts(redis)[b"blog:a"] == held + 1


def test_a_redis_that_refuses_writes_for_a_while_costs_nothing(lab):
    """OOM, READONLY and a paused server: nothing is applied, all is kept, all is stored later."""
    redis = lab.redis()
    server = lab.tallyd(redis)
    settle(server)
    load = small_load(lab, server, rate=2000)
    for error, refuse, heal in (("oom", ("CONFIG", "SET", "maxmemory", 1), ("CONFIG", "SET", "maxmemory", 0)),
                                ("readonly", ("REPLICAOF", "127.0.0.1", 1), ("REPLICAOF", "NO", "ONE")),
                                (None, ("CLIENT", "PAUSE", 800, "WRITE"), ("CLIENT", "UNPAUSE"))):
        redis.command(*refuse)
        if error:
            wait.until(lambda error=error: server.metrics().get("redis_errors_total", **{"class": error}), f"{error} is seen")
        time.sleep(0.5)
        redis.command(*heal)
        time.sleep(0.3)
    load.stop()
    assert not load.refused and not load.breaks
    checker.wait_drained(server)
    stop_and_check(redis, server, [load])


def test_two_processes_with_kill_9_lose_at_most_what_was_not_flushed(lab):
    """Without a state file (promise P4): nothing is doubled, and only the last moment is missing."""
    redis = lab.redis()
    server = lab.tallyd(redis)
    load = small_load(lab, server, rate=5000)
    time.sleep(1)
    stored_before = sum(checker.redis_counts(redis).values())
    server.kill()
    load.stop(0)
    acked, sent = checker.sums([load], "acked"), checker.sums([load], "sent")
    held = checker.redis_counts(redis)
    assert all(value <= sent[key] for key, value in held.items())
    assert stored_before <= sum(held.values()) and sum(acked.values()) > 0

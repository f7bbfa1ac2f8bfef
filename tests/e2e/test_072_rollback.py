"""Hits that a Redis acknowledged and forgot are stored again, or are counted as lost and logged."""

import os
import random
import re
import shutil
import time

import pytest
from harness import checker, http_load, wait
from harness.scenarios import state_dir
from harness.wait import LONG

POWER_CUTS = 50 if LONG else 3


def rolled_back(lab, server, redis, loads):
    """The data of Redis as it is now, brought back after another second of load."""
    saved = os.path.join(lab.folder, "saved")
    shutil.rmtree(saved, ignore_errors=True)
    shutil.copytree(os.path.join(redis.folder, "appendonlydir"), saved)
    before = server.metrics()["hits_stored_total"]
    wait.until(lambda: server.metrics()["hits_stored_total"] > before + 1000, "more is stored")
    redis.kill()
    shutil.rmtree(os.path.join(redis.folder, "appendonlydir"))
    shutil.copytree(saved, os.path.join(redis.folder, "appendonlydir"))
    redis.start()


@pytest.mark.rollbacks
@pytest.mark.parametrize("window", ("60s", "0s"))
def test_what_a_power_cut_takes_from_the_log_is_stored_again_within_the_window_and_counted_beyond(lab, tried, window):
    redis = lab.redis(appendonly=True, appendfsync="everysec")
    server = lab.tallyd(redis, state_dir=state_dir(lab), replay_window=window)
    load = lab.load(server, http_load.make_pool(lab.seed, keys=20), rate=3000)
    draw = random.Random(lab.seed)
    wait.until(lambda: server.metrics()["flush_batches_total"] > 10, "a ledger that no cut takes away")
    for cut in range(1, POWER_CUTS + 1):
        before = server.metrics()["hits_stored_total"]
        wait.until(lambda before=before: server.metrics()["hits_stored_total"] > before + 500, "more is stored")
        redis.kill()
        redis.lose(draw.randrange(1, redis.log_bytes() // 3))
        redis.start()
        wait.until(lambda cut=cut: server.metrics().get("alarms_total", kind="rollback") == cut, "it is noticed")
    load.stop()
    checker.wait_drained(server)
    metrics = checker.checked_metrics(server)
    lost, replayed = metrics["hits_lost_total"], metrics["replayed_hits_total"]
    assert metrics["hits_rolled_back_total"] == lost + replayed > 0
    if window == "0s":
        assert replayed == 0 and sum(checker.redis_counts(redis).values()) == load.acked_hits() - lost
    else:
        assert lost == 0
        checker.check_exact(redis, [load])
    tried(POWER_CUTS, load.acked_hits())


@pytest.mark.rollbacks
def test_a_redis_restarted_from_an_older_file_gets_the_replay_window_again(lab):
    redis = lab.redis(appendonly=True, appendfsync="everysec")
    server = lab.tallyd(redis, state_dir=state_dir(lab))
    load = lab.load(server, rate=5000)
    wait.until(lambda: server.metrics()["hits_stored_total"] > 1000, "something is stored")
    for _ in range(3):
        rolled_back(lab, server, redis, [load])
    wait.until(lambda: server.metrics().get("alarms_total", kind="rollback") >= 3, "it is noticed")
    load.stop()
    checker.wait_drained(server)
    checker.check_exact(redis, [load])
    metrics = server.metrics()
    assert metrics["replayed_hits_total"] == metrics["hits_rolled_back_total"] >= 3000
    assert metrics["hits_lost_total"] == 0


@pytest.mark.rollbacks
def test_a_lagging_replica_that_takes_over_gets_the_replay_window_again(lab):
    primary = lab.redis(appendonly=True, appendfsync="everysec")
    server = lab.tallyd(primary)
    load = lab.load(server, rate=5000)
    replica = lab.redis(appendonly=True, settings=[f"masterauth {primary.password}"])
    replica.command("REPLICAOF", "127.0.0.1", str(primary.port))
    wait.until(lambda: b"master_link_status:up" in replica.command("INFO", "replication"), "the replica is in sync")
    wait.until(lambda: server.metrics()["hits_stored_total"] > 2000, "something is stored")
    wait.until(lambda: any(b"!ledger" in key for key in replica.read_all()), "and replicated")
    replica.command("REPLICAOF", "NO", "ONE")  # from here on it lags
    before = server.metrics()["hits_stored_total"]
    wait.until(lambda: server.metrics()["hits_stored_total"] > before + 3000, "more is stored")
    wait.until(lambda: re.search(rb"aof_rewrite_in_progress:0\s+aof_rewrite_scheduled:0", replica.command("INFO", "persistence")),
               "the replica's log holds what came by the sync")
    primary.kill()
    replica.kill()
    shutil.rmtree(os.path.join(primary.folder, "appendonlydir"))
    shutil.copytree(os.path.join(replica.folder, "appendonlydir"), os.path.join(primary.folder, "appendonlydir"))
    primary.start()  # the same address, the replica's data
    wait.until(lambda: server.metrics().get("alarms_total", kind="rollback") == 1, "it is noticed")
    load.stop()
    checker.wait_drained(server)
    checker.check_exact(primary, [load])
    assert server.metrics()["hits_lost_total"] == 0 and server.metrics()["replayed_hits_total"] >= 3000


@pytest.mark.rollbacks
def test_what_was_rolled_back_beyond_the_window_is_counted_as_lost(lab):
    redis = lab.redis(appendonly=True)
    server = lab.tallyd(redis, replay_window="1s")
    server.hit("n", "a", 1)
    checker.wait_drained(server)
    saved = os.path.join(lab.folder, "saved")
    shutil.copytree(os.path.join(redis.folder, "appendonlydir"), saved)
    server.hit("n", "a", 10)
    checker.wait_drained(server)
    time.sleep(1.5)
    server.hit("n", "a", 100)
    checker.wait_drained(server)
    redis.kill()
    shutil.rmtree(os.path.join(redis.folder, "appendonlydir"))
    shutil.copytree(saved, os.path.join(redis.folder, "appendonlydir"))
    redis.start()
    wait.until(lambda: server.metrics().get("alarms_total", kind="rollback") == 1, "it is noticed")
    checker.wait_drained(server)
    metrics = server.metrics()
    lost = metrics.get("hits_lost_total", reason="rollback")
    assert lost in (10, 110), "on a slow machine the last batch is beyond the window as well when it is noticed"
    assert metrics["hits_rolled_back_total"] == 110 and metrics["replayed_hits_total"] == 110 - lost
    assert redis.read_all(b"tally:")[b"n:a"] == 111 - lost
    assert server.stop() == 0


@pytest.mark.rollbacks
def test_what_redis_forgets_while_tallyd_is_down_is_counted_as_lost(lab):
    redis = lab.redis(appendonly=True)
    server = lab.tallyd(redis, state_dir=state_dir(lab))
    server.hit("n", "a", 1)
    checker.wait_drained(server)
    saved = os.path.join(lab.folder, "saved")
    shutil.copytree(os.path.join(redis.folder, "appendonlydir"), saved)
    for hits in (10, 100):
        server.hit("n", "a", hits)
        checker.wait_drained(server)
    server.kill()
    redis.kill()
    shutil.rmtree(os.path.join(redis.folder, "appendonlydir"))
    shutil.copytree(saved, os.path.join(redis.folder, "appendonlydir"))
    redis.start()
    server.start()
    wait.until(lambda: server.metrics().get("alarms_total", kind="rollback") == 1, "it is noticed")
    server.hit("n", "a", 1000)
    checker.wait_drained(server)
    assert redis.read_all(b"tally:")[b"n:a"] == 1001
    assert checker.checked_metrics(server).get("hits_lost_total", reason="rollback") == 110
    assert re.search(r"redis_rolled_back.* hits_replayed=0 hits_lost=110", server.log())
    assert server.stop() == 0


@pytest.mark.parametrize("policy,held", (("resume", 3), ("replay", 10), ("halt", None)))
def test_flushall_is_met_by_the_policy(lab, policy, held):
    redis = lab.redis()
    server = lab.tallyd(redis, state_dir=state_dir(lab), on_ledger_loss=policy, drain_timeout="500ms")
    server.hit("n", "a", 7)
    checker.wait_drained(server)
    redis.command("FLUSHALL")
    server.hit("n", "a", 3)
    wait.until(lambda: server.metrics().get("alarms_total", kind="ledger_missing") == 1, "it is noticed")
    assert len(server.log_lines("ledger_missing")) == 1
    if held is None:
        time.sleep(0.5)
        assert b"n:a" not in redis.read_all(b"tally:")
        assert server.metrics()["hits_pending"] + server.metrics()["hits_in_flight"] == 3
        assert server.stop() == 1
        return
    checker.wait_drained(server)
    assert redis.read_all(b"tally:")[b"n:a"] == held
    assert server.stop() == 0

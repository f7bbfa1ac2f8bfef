"""On a cluster of six nodes every hit is counted once while slots move, masters die and masters step down.

The cluster is made once for all tests of this file; each has a prefix, and so a data set, of its own.
"""

import random
import time

import pytest
from harness import checker, http_load, secrets, wait
from harness.cluster import BusPort, Cluster
from harness.cluster_scene import RATE, Scene
from harness.http_client import fetch
from harness.scenarios import settle


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), secrets.PASSWORD)
    yield cluster
    cluster.close()


@pytest.fixture
def cluster(nodes):
    nodes.heal()
    return nodes


def other_master(cluster, node):
    return next(master for master in cluster.masters() if master is not node)


def walk(server, limit, between=lambda page: None):
    """All keys of namespace "walk", with those that a page showed again."""
    keys, cursor, pages = [], None, 0
    while True:
        answer = fetch(server.admin_port, f"/v1/keys/walk?limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status == 200, answer.body
        keys += [one["key"] for one in answer.json()["keys"]]
        cursor, pages = answer.json()["cursor"], pages + 1
        if cursor is None:
            return keys
        between(pages)


@pytest.fixture
def walked(lab, cluster):
    server = lab.tallyd(cluster, prefix=f"w{lab.seed}:", redis_mode="cluster")
    names = {f"k{n}" for n in range(400)}
    for name in names:
        server.hit("walk", name)
    settle(server)
    return server, names


def test_a_list_has_every_key_of_every_node_once(walked):
    server, names = walked
    for limit in (1000, 60):
        keys = walk(server, limit)
        assert set(keys) == names and len(keys) == len(names)


def test_a_list_that_is_read_while_a_partition_moves_has_every_key(cluster, walked):
    server, names = walked
    prefix = server.options["prefix"]
    with cluster.masters()[0].client() as client:
        source = cluster.masters()[0]
        key = next(key for key in client.command("KEYS", prefix + "{*") if b"walk:" in key)
        slot = client.command("CLUSTER", "KEYSLOT", key)
    target = other_master(cluster, source)

    def move(page):
        if page != 3:
            return
        cluster.open_slot(slot, source, target)
        cluster.move_keys(slot, source, target)
        cluster.close_slot(slot, target)
        server.hit("walk", "k0")  # to a partition that may have moved: the map is asked for
        for name in sorted(names):
            server.hit("walk", name)
        settle(server)

    assert set(walk(server, 30, move)) == names


# ---- while all is well ----
@pytest.mark.short
def test_the_load_is_spread_over_all_masters_and_exact(lab, cluster):
    scene = Scene(lab, cluster)
    scene.run(1)
    scene.load.stop()
    settle(scene.server)
    metrics = scene.server.metrics()
    ports = {str(node.port) for node in cluster.masters()}
    assert {label.rsplit(":", 1)[1] for label in metrics.label_values("redis_node_connected", "node")} == ports
    assert metrics["redis_node_connected"] == 3 and metrics["redis_connected"] == 1
    assert (metrics["redis_partitions"], metrics["redis_masters"]) == (16, 3)
    slots = scene.slots()
    assert len(slots) == 16 and {slot * 16 // 16384 for slot in slots} == set(range(16))
    assert metrics["redis_errors_total"] == 0 and metrics["alarms_total"] == 0
    scene.finish()


def test_names_that_are_new_all_the_time_are_stored_whole(lab, cluster):
    """A name that was read half would be hashed to another partition, and so be two keys."""
    scene = Scene(lab, cluster, pool=http_load.make_pool(lab.seed, keys=4000), flush_interval="10ms")
    scene.run(1)
    scene.finish()


def test_reads_find_what_another_process_stored_on_any_node(lab, cluster):
    scene = Scene(lab, cluster)
    scene.run()
    scene.load.stop()
    checker.wait_drained(scene.server)
    reader = lab.tallyd(cluster, prefix=scene.prefix, redis_mode="cluster")
    settle(reader)
    totals = checker.sums([scene.load], "acked")
    for i in range(40):
        assert (reader.value("load", f"page-{i}") or 0) == totals[f"load:page-{i}".encode()]
    scene.finish()


def test_another_number_of_partitions_is_refused(lab, cluster):
    scene = Scene(lab, cluster)
    scene.finish()
    other = lab.tallyd(cluster, start=False, prefix=scene.prefix, redis_mode="cluster", partitions=8).spawn()
    assert other.join() == 78
    assert "cut into 16 partitions, not 8" in other.log()


def test_a_number_of_partitions_that_is_found_wrong_later_stops_the_flush_with_an_alarm(lab, cluster):
    scene = Scene(lab, cluster)
    scene.finish()
    for node in cluster.nodes:
        node.pause()
    other = lab.tallyd(cluster, prefix=scene.prefix, redis_mode="cluster", partitions=8)
    other.hit("load", "late", 5)
    cluster.heal()
    wait.until(lambda: other.metrics().get("alarms_total", kind="partitions_differ") == 1, "the alarm", 20)
    assert other.fetch("/v1/hit/load/late").status == 204
    assert other.metrics()["hits_stored_total"] == 0
    assert b"load:late" not in cluster.read_all(scene.prefix.encode())
    other.kill()


def test_a_cluster_in_standalone_mode_is_named_in_the_log(lab, cluster):
    server = lab.tallyd(cluster.masters()[0], prefix=f"s{lab.seed}:", redis_mode="standalone")
    for i in range(20):
        server.hit("load", f"page-{i}")
    wait.until(lambda: server.log_lines("redis_is_a_cluster"), "a line in the log")
    server.kill()


def test_a_cluster_of_one_node_in_standalone_mode_is_said(lab):
    """It serves every key and moves none away; but no transaction may span two slots."""
    redis = lab.redis(settings=["cluster-enabled yes"], port=BusPort())
    redis.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    wait.until(lambda: b"cluster_state:ok" in redis.command("CLUSTER", "INFO"), "the cluster is up", 20)
    server = lab.tallyd(redis, redis_mode="standalone")
    server.hit("load", "page")
    wait.until(lambda: server.log_lines("redis_is_a_cluster"), "a line in the log")
    server.kill()


# ---- slots move ----
def test_slots_that_move_under_load_lose_and_double_nothing(lab, cluster):
    scene = Scene(lab, cluster)
    scene.run()
    draw = random.Random(lab.seed)
    for slot in draw.sample(scene.slots(), 3):
        source = cluster.owner(slot)
        target = other_master(cluster, source)
        cluster.open_slot(slot, source, target)
        scene.run(0.2)
        moved = cluster.move_keys(slot, source, target, draw.randrange(8))
        scene.run(0.3)
        moved += cluster.move_keys(slot, source, target)
        scene.run(0.2)
        cluster.close_slot(slot, target)
        assert moved
        scene.run(0.2)
    assert scene.errors("ask") + scene.errors("tryagain") > 0 and scene.errors("moved") > 0
    scene.wait_stores()
    scene.finish()


def test_resharding_by_redis_cli_is_survived(lab, cluster):
    scene = Scene(lab, cluster)
    scene.run()
    source, target = cluster.masters()[:2]
    slots = 2000 if wait.LONG else 100
    # The slots next to the ones that hold our keys, and some of those: the first of the source's range.
    cluster.cli("--cluster", "reshard", source.url.removeprefix("redis://"), "--cluster-from", source.id(),
                "--cluster-to", target.id(), "--cluster-slots", str(slots), "--cluster-yes")
    scene.wait_stores()
    scene.finish()


# ---- masters die and step down ----
def test_a_graceful_failover_under_load_loses_and_doubles_nothing(lab, cluster):
    scene = Scene(lab, cluster)
    scene.run()
    master = random.Random(lab.seed).choice(cluster.masters())
    replica = cluster.replica_of(master)
    replica.command("CLUSTER", "FAILOVER")
    wait.until(lambda: replica.role() == "master", "the replica is master")
    scene.run(1)
    scene.wait_stores()
    scene.finish()


def test_a_takeover_under_load_loses_nothing_silently_and_doubles_nothing(lab, cluster):
    scene = Scene(lab, cluster)
    scene.run()
    replica = cluster.replica_of(random.Random(lab.seed).choice(cluster.masters()))
    replica.command("CLUSTER", "FAILOVER", "TAKEOVER")
    scene.run(1)
    scene.wait_stores()
    scene.finish(lost=True)


def test_what_a_replica_that_lags_has_not_seen_is_stored_again_after_its_takeover(lab, cluster):
    scene = Scene(lab, cluster)
    scene.run()
    master = random.Random(lab.seed).choice(cluster.masters())
    replica = cluster.replica_of(master)
    replica.command("CONFIG", "SET", "masterauth", "wrong")
    master.command("CLIENT", "KILL", "TYPE", "replica")
    scene.run(0.6)
    replica.command("CLUSTER", "FAILOVER", "TAKEOVER")
    replica.command("CONFIG", "SET", "masterauth", cluster.password)
    scene.run(1)
    scene.wait_stores()
    lost = scene.finish(lost=True)
    assert lost == 0 and scene.server.log_lines("redis_rolled_back")
    assert any("hits_replayed=0 " not in line for line in scene.server.log_lines("redis_rolled_back"))


def test_a_master_that_is_killed_and_comes_back_is_survived(lab, cluster):
    scene = Scene(lab, cluster)
    scene.run()
    master = random.Random(lab.seed).choice(cluster.masters())
    master.kill()
    time.sleep(2.5)
    master.start()
    scene.wait_stores(20)
    cluster.wait_well()
    scene.finish(lost=True)


def test_all_nodes_down_and_up_again_is_survived(lab, cluster):
    scene = Scene(lab, cluster)
    scene.run()
    scene.load.stop()
    checker.wait_drained(scene.server)
    time.sleep(1.2)  # appendfsync everysec
    for node in cluster.nodes:
        node.kill()
    scene.server.hit("load", "page-1", 7)
    time.sleep(0.5)
    assert scene.server.metrics()["redis_connected"] == 0
    cluster.heal()
    wait.until(lambda: scene.server.metrics()["redis_connected"] == 1, "connected", 15)
    checker.wait_drained(scene.server)
    held = checker.redis_counts(cluster, scene.prefix.encode())
    totals = checker.sums([scene.load], "acked")
    totals[b"load:page-1"] += 7
    assert held == {key: value for key, value in totals.items() if value}
    assert scene.server.stop() == 0

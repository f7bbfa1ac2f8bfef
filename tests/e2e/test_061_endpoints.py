"""The nodes of a cluster are reached by the endpoint that it prefers. Announced names serve certificates, and come second."""

import os
import signal

import pytest
from harness import secrets, wait
from harness.certificates import Authority
from harness.cluster import BusPort, Cluster, LoneNode
from harness.cluster_scene import Scene
from harness.ports import HOST
from harness.tls_redis import TlsRedis

NOWHERE = "x" * 64 + ".invalid"  # no label is that long, so no name server is asked
TYPES = "ip", "hostname", "unknown-endpoint"


def announce(node, name, kind):
    node.command("CONFIG", "SET", "cluster-announce-ip", HOST)  # a node that has met no other does not know its own
    node.command("CONFIG", "SET", "cluster-announce-hostname", name)
    node.command("CONFIG", "SET", "cluster-preferred-endpoint-type", kind)


def count(node, server, n):
    before = server.metrics()["hits_stored_total"]
    for i in range(n):
        server.hit("load", f"page-{i}")
    wait.until(lambda: server.metrics()["hits_stored_total"] == before + n, "all hits are stored", 20)
    assert sum(value for key, value in node.read_all(b"tally:").items() if key.startswith(b"load:")) == before + n


@pytest.mark.short
@pytest.mark.parametrize("kind", TYPES)
def test_a_name_that_does_not_resolve_is_in_nobodys_way(lab, kind):
    node = lab.keep(LoneNode(lab))
    announce(node, NOWHERE, kind)
    count(node, lab.tallyd(node, redis_mode="cluster"), 120)


@pytest.mark.parametrize("kind", TYPES)
def test_a_name_may_be_announced_while_tallyd_runs(lab, kind):
    node = lab.keep(LoneNode(lab))
    server = lab.tallyd(node, redis_mode="cluster")
    count(node, server, 20)
    announce(node, NOWHERE, kind)
    os.kill(server.pid, signal.SIGHUP)  # the map is asked for at once
    wait.until(lambda: server.metrics()["redis_reconnects_total"] > 0, "the links are new")
    count(node, server, 20)
    node.command("CONFIG", "SET", "cluster-announce-hostname", "")
    count(node, server, 20)


@pytest.mark.short
def test_a_preferred_name_is_used(lab):
    node = lab.keep(LoneNode(lab))
    announce(node, "localhost", "hostname")
    server = lab.tallyd(node, redis_mode="cluster")
    count(node, server, 20)
    assert server.metrics().label_values("redis_node_connected", "node") == {f"localhost:{node.port}"}


def test_slots_that_move_between_nodes_with_names_lose_and_double_nothing(lab, tmp_path):
    cluster = lab.keep(Cluster(tmp_path / "cluster", secrets.PASSWORD))
    for node in cluster.nodes:
        announce(node, "localhost", "hostname")
    scene = Scene(lab, cluster)
    scene.run()
    slot = scene.slots()[0]
    source = cluster.owner(slot)
    target = next(master for master in cluster.masters() if master is not source)
    cluster.open_slot(slot, source, target)
    scene.run(0.2)
    assert cluster.move_keys(slot, source, target)
    cluster.close_slot(slot, target)
    wait.until(lambda: scene.errors("moved") + scene.errors("ask") + scene.errors("tryagain") > 0, "the move is felt")
    scene.wait_stores()
    scene.finish()


# ---- certificates ----
def tls_node(lab, authority, alternative):
    redis = TlsRedis(lab, authority, alternative, host="localhost", settings=["cluster-enabled yes"], port=BusPort())
    redis.plain.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    redis.plain.command("CONFIG", "SET", "cluster-announce-port", redis.port)
    wait.until(lambda: b"cluster_state:ok" in redis.plain.command("CLUSTER", "INFO"), "the cluster is up", 20)
    return redis


@pytest.mark.short
@pytest.mark.parametrize("kind", TYPES)
def test_a_certificate_for_the_announced_name_will_do_at_the_nodes_address(lab, tmp_path, kind):
    authority = Authority(tmp_path, "authority")
    redis = tls_node(lab, authority, "DNS:localhost")
    announce(redis.plain, "localhost", kind)
    server = lab.tallyd(redis, redis_mode="cluster", redis_ca=authority.cert)
    server.hit("tls", "a", 3)
    wait.until(lambda: server.metrics()["hits_stored_total"] == 3, "the hits are stored", 20)


@pytest.mark.short
def test_a_certificate_for_neither_name_nor_address_is_refused(lab, tmp_path):
    authority = Authority(tmp_path, "authority")
    redis = tls_node(lab, authority, "DNS:localhost")
    announce(redis.plain, "elsewhere.example", "ip")
    server = lab.tallyd(redis, redis_mode="cluster", redis_ca=authority.cert)
    server.hit("tls", "a", 3)
    wait.until(lambda: "neither for 127.0.0.1 nor for elsewhere.example" in server.log(), "the log says why", 20)
    assert server.metrics()["hits_stored_total"] == 0
    server.kill()

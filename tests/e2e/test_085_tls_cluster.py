"""A cluster of six nodes works over TLS with an ACL user that may do only what tallyd needs."""

import pytest
from harness import secrets, wait
from harness.certificates import Authority
from harness.cluster import Cluster
from harness.cluster_scene import Scene

USER, PASSWORD = "tallyd", secrets.PASSWORD + "-of-the-user"
COMMANDS = ("watch", "multi", "exec", "discard", "get", "getrange", "set", "incrby", "incr", "info", "select", "client|setname",
            "cluster|slots")


class AsUser:
    """The cluster as the user reaches it."""

    password = PASSWORD

    def __init__(self, cluster):
        self.url = cluster.url.replace("://", f"://{USER}@")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, authority):
    made = Cluster(tmp_path_factory.mktemp("cluster"), secrets.PASSWORD, authority)
    yield made
    made.close()


def scene_of(lab, cluster, authority):
    cluster.heal()
    for node in cluster.nodes:
        node.command("ACL", "SETUSER", USER, "reset", "on", f">{PASSWORD}", f"~t{lab.seed}:*",
                     *(f"+{command}" for command in COMMANDS))
    scene = Scene(lab, cluster, AsUser(cluster), redis_ca=authority.cert)
    scene.run()
    return scene


def test_a_failover_is_survived_over_tls(lab, cluster, authority):
    scene = scene_of(lab, cluster, authority)
    replica = cluster.replica_of(cluster.masters()[lab.seed % 3])
    replica.command("CLUSTER", "FAILOVER")
    wait.until(lambda: replica.role() == "master", "the replica is master")
    scene.run(1)
    scene.wait_stores()
    assert scene.errors("noperm") == 0
    scene.finish()


def test_slots_that_move_over_tls_lose_and_double_nothing(lab, cluster, authority):
    scene = scene_of(lab, cluster, authority)
    slots = scene.slots()
    slot = slots[lab.seed % len(slots)]
    source = cluster.owner(slot)
    target = next(node for node in cluster.masters() if node is not source)
    cluster.open_slot(slot, source, target)
    scene.run(0.2)
    assert cluster.move_keys(slot, source, target)
    cluster.close_slot(slot, target)
    scene.wait_stores()
    assert scene.errors("moved") + scene.errors("ask") + scene.errors("tryagain") > 0 and scene.errors("noperm") == 0
    scene.finish()


def test_a_cluster_of_another_authority_is_refused_and_gets_no_password(lab, cluster, tmp_path):
    server = lab.tallyd(AsUser(cluster), redis_mode="cluster", redis_ca=Authority(tmp_path, "other").cert)
    server.hit("tls", "a")
    wait.until(lambda: "certificate was refused" in server.log(), "the log says why")
    assert server.metrics()["redis_connected"] == 0
    for node in cluster.nodes:
        assert f"user={USER}".encode() not in node.command("CLIENT", "LIST")
    server.kill()

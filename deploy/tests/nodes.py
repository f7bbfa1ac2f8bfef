"""Nodes as infra/live would give them to an overlay: what the kubelet of each would report. None of them really exists."""
import math

import pools
import reading
from conftest import get, objects_of

ZONES = ("a", "b", "c")
ZONE = "topology.kubernetes.io/zone"


def node(pool, number):
    """As the kubelet would report it; the agents' part is not given away."""
    cpus, most = pool.allocatable()
    name = f"{pool.name.replace(' ', '-').replace('.', '-').lower()}-{number}"
    labels = {**pool.labels, "kubernetes.io/hostname": name, "kubernetes.io/arch": pool.arch, "kubernetes.io/os": "linux", ZONE: ZONES[number % len(ZONES)]}
    room = {"cpu": f"{int(cpus * 1000)}m", "memory": str(int(most)), "pods": "110", "ephemeral-storage": "20Gi"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {"taints": pool.taints},
            "status": {"capacity": room, "allocatable": room, "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}}


def pool_of(overlay):
    """The static pool that takes the pods, and that of the system beside it, which must not."""
    groups = list(pools.groups(overlay))
    spec = get(objects_of(overlay), "Deployment")["spec"]["template"]["spec"]
    return next(p for p in groups if p.takes(spec)), next(p for p in groups if not p.takes(spec))


def floors(overlay):
    """(what, how many pods): the least, and each event's."""
    spec = get(objects_of(overlay), "ScaledObject")["spec"]
    return [("least", spec["minReplicaCount"]), *((t["name"], int(t["metadata"]["desiredReplicas"])) for t in spec["triggers"] if t["type"] == "cron")]


def nodes_for(overlay, pods_wanted, spare=0):
    """As many nodes as Terraform or Karpenter must have made for so many pods, in whole rounds over the zones, and spare rounds."""
    pool, system = pool_of(overlay)
    template = next(w for w in reading.workloads(objects_of(overlay)) if reading.is_tallyd(w))
    cpu, memory = pools.asked(template)
    cpus, most = pool.allocatable()
    each = math.floor(min(cpus / cpu, most / memory))
    wanted = (math.ceil(pods_wanted / each / len(ZONES)) + spare) * len(ZONES)
    return [*(node(pool, i) for i in range(min(wanted, pool.most) if not spare else wanted)), *(node(system, i) for i in range(3))]

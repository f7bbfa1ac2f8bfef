"""The real kube-scheduler places every overlay's pods on the nodes that infra/live gives it: `make check-nodes`. All the pods of
the least and of each event's floor get a node of the pool, spread over the zones; what would not fit is seen not to."""
import json
import os

import pytest

from conftest import CACHE, CLOUD, DEPLOY, get, objects_of, run
from nodes import ZONE, floors, node, nodes_for, pool_of

HASH = {"pod-template-hash": "abc"}


def pod(overlay, number, change=lambda spec: None):
    template = get(objects_of(overlay), "Deployment")["spec"]["template"]
    spec = template["spec"]
    change(spec)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"tallyd-{number}", "labels": {**template["metadata"]["labels"], **HASH}}, "spec": spec}


QUESTIONS = {(overlay, what): (nodes_for(overlay, wanted), [pod(overlay, i) for i in range(wanted)], wanted) for overlay in CLOUD for what, wanted in floors(overlay)}
SMALL = {"cpu": "1900m", "memory": "3Gi", "pods": "110"}
REFUSED = {
    "two cores on a node of two": (lambda: [dict(node(pool_of("dev")[0], 0), status={"capacity": SMALL, "allocatable": SMALL, "conditions": [{"type": "Ready", "status": "True"}]})],
                                   lambda: [pod("dev", 0, lambda s: s["containers"][0]["resources"].update(requests={"cpu": "2", "memory": "512Mi"}, limits={"cpu": "2", "memory": "512Mi"}))],
                                   "Insufficient cpu"),
    "no toleration": (lambda: nodes_for("prod", 3), lambda: [pod("prod", 0, lambda s: s.pop("tolerations"))], "untolerated taint"),
    "another pool": (lambda: nodes_for("prod", 3), lambda: [pod("prod", 0, lambda s: s["nodeSelector"].update({"tallyd.io/pool": "other"}))], "didn't match Pod's node affinity/selector"),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    if not (CACHE / "bin/kube-scheduler").exists():
        pytest.skip("kube-scheduler is not built (make check-nodes builds it)")
    folder = tmp_path_factory.mktemp("nodes")
    asked = {f"{overlay}-{what}": question for (overlay, what), question in QUESTIONS.items()}
    asked.update({what.replace(" ", "-"): (nodes(), pods_(), 0) for what, (nodes, pods_, _) in REFUSED.items()})
    steps = ["set -eu", "kubectl create namespace tallyd > /dev/null", "kubectl -n tallyd create serviceaccount tallyd > /dev/null"]
    for name, (nodes, pods_, expect) in asked.items():
        (folder / f"{name}.json").write_text(json.dumps({"nodes": nodes, "pods": pods_, "expect": expect}))
        steps.append(f"{DEPLOY}/tests/place.py tallyd {folder}/{name}.json")
    (folder / "steps").write_text("\n".join(steps))
    run(DEPLOY / "tools/server", CACHE / "bin", DEPLOY / "tools/scheduler", CACHE / "bin", "bash", folder / "steps", seconds=3000, env={**os.environ, "HOME": str(folder)})
    return lambda name: json.loads((folder / f"{name}.answer").read_text())


@pytest.mark.parametrize("overlay, what", QUESTIONS)
def test_pods_get_nodes_of_their_pool_spread_over_the_zones(answers, overlay, what):
    nodes, pods_, _ = QUESTIONS[overlay, what]
    found, zone = answers(f"{overlay}-{what}"), {n["metadata"]["name"]: n["metadata"]["labels"][ZONE] for n in nodes}
    assert len(found) == len(pods_) and not [why for why in found.values() if why.startswith("none: ")]
    pool, _ = pool_of(overlay)
    mine = {n["metadata"]["name"] for n in nodes if n["metadata"]["labels"].get("tallyd.io/pool") == pool.labels["tallyd.io/pool"]}
    assert set(found.values()) <= mine
    counts = {z: sum(zone[n] == z for n in found.values()) for z in {zone[n] for n in mine}}
    print(f"{overlay:8} {what:13} {len(found):3} pods on {len(set(found.values())):2} of {len(mine):2} nodes, by zone {counts}")
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("what", REFUSED)
def test_scheduler_refuses(answers, what):
    found = answers(what.replace(" ", "-"))
    assert list(found.values()) and all(REFUSED[what][2] in why for why in found.values()), found

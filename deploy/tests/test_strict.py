"""Every object against the types of its authors: an unknown field, at any depth, is a failure."""
import json

import pytest
import yaml

from conftest import CACHE, CLOUD, DEPLOY, OVERLAYS, container, get, objects_of, run, tool

MODULES = CACHE / "schemas" / "node_modules"


def judge(entries):
    if not MODULES.is_dir():
        pytest.skip("the npm packages of the types are not installed")
    return run(tool("node"), DEPLOY / "tools/schemas/strict.mjs", MODULES, check=False, input=json.dumps(entries))


def entries(overlay):
    return [{"where": overlay, "object": o} for o in objects_of(overlay)]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_overlay_has_only_known_fields(overlay):
    done = judge(entries(overlay))
    assert done.returncode == 0, done.stdout + done.stderr


def test_kind_cluster_has_only_known_fields():
    cluster = yaml.safe_load((DEPLOY / "overlays/local/kind.yaml").read_text(encoding="utf-8"))
    cluster["metadata"] = {}
    done = judge([{"where": "kind", "object": {k: v for k, v in cluster.items() if k != "metadata"}}])
    assert done.returncode == 0, done.stdout


def cluster_objects():
    return list(yaml.safe_load_all(run("kubectl", "kustomize", DEPLOY / "cluster").stdout))


def test_node_pool_has_only_known_fields():
    done = judge([{"where": "cluster", "object": o} for o in cluster_objects()])
    assert done.returncode == 0, done.stdout


def test_node_pool_with_a_misspelt_field_is_refused():
    objects = cluster_objects()
    objects[0]["spec"]["template"]["spec"]["taint"] = []
    assert judge([{"where": "cluster", "object": o} for o in objects]).returncode == 1


@pytest.mark.parametrize("overlay", ["prod", "prod-dr"])
def test_pods_and_node_pool_agree(overlay):
    """The pods ask for the pool's label and tolerate its taint, and one fits on the smallest node."""
    pool = cluster_objects()[0]["spec"]["template"]
    pod = get(objects_of(overlay), "Deployment")["spec"]["template"]["spec"]
    assert pod["nodeSelector"].items() <= pool["metadata"]["labels"].items()
    assert [(t["key"], t["value"], t["effect"]) for t in pod["tolerations"]] == [(t["key"], t["value"], t["effect"]) for t in pool["spec"]["taints"]]
    smallest = min(int(v) for r in pool["spec"]["requirements"] if r["key"].endswith("/instance-cpu") for v in r["values"])
    assert int(container(objects_of(overlay))["resources"]["limits"]["cpu"]) < smallest


WRONG = [
    ("Deployment", "unknown at the top", lambda o: get(o, "Deployment")["spec"].update(replica=3)),
    ("Deployment", "unknown and deep", lambda o: container(o)["livenessProbe"].update(periodSecond=3)),
    ("Deployment", "a string for a number", lambda o: container(o)["ports"][0].update(containerPort="8080")),
    ("Deployment", "no such policy", lambda o: container(o).update(imagePullPolicy="Sometimes")),
    ("Deployment", "no selector", lambda o: get(o, "Deployment")["spec"].pop("selector")),
    ("Service", "no port", lambda o: get(o, "Service")["spec"]["ports"][0].pop("port")),
    ("NetworkPolicy", "a misspelt list", lambda o: get(o, "NetworkPolicy")["spec"].update(policyType=["Ingress"])),
    ("PodDisruptionBudget", "a misspelt field", lambda o: get(o, "PodDisruptionBudget")["spec"].update(maxUnavailabe=1)),
    ("ScaledObject", "an unknown field", lambda o: get(o, "ScaledObject")["spec"].update(minReplicas=3)),
    ("ScaledObject", "a number in the metadata", lambda o: get(o, "ScaledObject")["spec"]["triggers"][0]["metadata"].update(threshold=3)),
    ("ScaledObject", "no target", lambda o: get(o, "ScaledObject")["spec"].pop("scaleTargetRef")),
    ("PrometheusRule", "expression for expr", lambda o: get(o, "PrometheusRule")["spec"]["groups"][0]["rules"][0].update(expression="x")),
    ("ServiceMonitor", "an interval that is none", lambda o: get(o, "ServiceMonitor")["spec"]["endpoints"][0].update(interval="often")),
    ("ExternalSecret", "an unknown field", lambda o: get(o, "ExternalSecret")["spec"]["data"][0].update(remote="x")),
    ("Rollout", "an unknown field", lambda o: get(o, "Rollout")["spec"]["strategy"]["blueGreen"].update(active="x")),
    ("AnalysisTemplate", "an unknown field", lambda o: get(o, "AnalysisTemplate")["spec"]["metrics"][0].update(query="x")),
    ("TargetGroupBinding", "Arn for ARN", lambda o: get(o, "TargetGroupBinding")["spec"].update(targetGroupArn="x")),
]


@pytest.mark.parametrize("kind, what, change", WRONG, ids=[f"{w[0]}: {w[1]}" for w in WRONG])
def test_fault_is_refused(kind, what, change):
    objects = objects_of("prod")
    change(objects)
    done = judge([{"where": "prod", "object": o} for o in objects])
    assert done.returncode == 1 and f"prod {kind}/" in done.stdout, f"{what}: {done.stdout}"


def test_kind_that_does_not_exist_is_refused():
    done = judge([{"where": "x", "object": {"apiVersion": "apps/v1", "kind": "Deploymnt", "metadata": {"name": "x"}}}])
    assert done.returncode == 1


def test_every_kind_of_the_overlays_has_a_fault_here():
    kinds = {o["kind"] for overlay in CLOUD for o in objects_of(overlay)} - {"Namespace", "ServiceAccount", "ConfigMap"}
    assert kinds == {w[0] for w in WRONG}

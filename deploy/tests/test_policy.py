"""The real kube-apiserver with our admission policy, quota and roles: what it refuses and says, and who may do what."""
import copy
import json
import os

import pytest
import yaml

from conftest import CACHE, CLOUD, DEPLOY, objects_of, run, tool

READER, OPERATOR, RELEASER = "tallyd:readers", "tallyd:operators", "tallyd:releasers"

# The policy is enforced some moments after it is there: awaited with an object that it must refuse. What of the quota is used the
# controller manager would write down, which is not here.
ASK = r"""
set -u
kubectl apply -f "$1/namespace.json" > /dev/null
kubectl -n tallyd create serviceaccount tallyd > /dev/null
kubectl apply -f "$1/policy.yaml" -f "$1/team.yaml" > "$1/applied" 2>&1 || { cat "$1/applied" >&2; exit 1; }
kubectl -n tallyd patch resourcequota tallyd --subresource=status --type=merge --patch-file "$1/used.json" > /dev/null
until kubectl apply --dry-run=server -f "$1/ask-tag.json" 2>&1 | grep -q "is not pinned"; do sleep 0.2; done
for file in "$1"/ask-*.json; do
    kubectl apply --dry-run=server -f "$file" > "${file%.json}.out" 2>&1
    echo $? > "${file%.json}.rc"
done
kubectl create -f "$1/rights.json" -o jsonpath='{.status.allowed}{"\n"}' > "$1/can"
"""


def deployment_of(overlay, name="tallyd"):
    return next(o for o in objects_of(overlay) if o["kind"] == "Deployment" and o["metadata"]["name"] == name)


def changed(change, kind="Deployment"):
    """prod's Deployment, or a pod of it, with one mistake."""
    o = copy.deepcopy(deployment_of("prod"))
    change(o["spec"]["template"]["spec"])
    if kind == "Pod":
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "by-hand", "namespace": "tallyd"}, "spec": o["spec"]["template"]["spec"]}
    return o


def tallyd_of(spec):
    return next(c for c in spec["containers"] if c["name"] == "tallyd")


def mistakes():
    """{what: (change of a pod's spec, what the server must say)}"""
    sidecar = {"name": "look", "image": "busybox:1.36", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
    return {
        "tag": (lambda s: tallyd_of(s).update(image="registry.example/tallyd:1.0"), "registry.example/tallyd:1.0 is not pinned"),
        "short-digest": (lambda s: tallyd_of(s).update(image="registry.example/tallyd@sha256:0000"), "is not pinned"),
        "sidecar-by-tag": (lambda s: s["containers"].append(sidecar), "busybox:1.36 is not pinned"),
        "init-by-tag": (lambda s: s.setdefault("initContainers", []).append(sidecar), "busybox:1.36 is not pinned"),
        "runtime-default": (lambda s: tallyd_of(s)["securityContext"].update(seccompProfile={"type": "RuntimeDefault"}), "seccompProfile Localhost"),
        "another-profile": (lambda s: tallyd_of(s)["securityContext"].update(
            seccompProfile={"type": "Localhost", "localhostProfile": "other.json"}), "seccompProfile Localhost"),
        "no-profile": (lambda s: tallyd_of(s)["securityContext"].pop("seccompProfile"), "seccompProfile Localhost"),
        "half-a-cpu": (lambda s: tallyd_of(s)["resources"].update(
            requests={"cpu": "2500m", "memory": "4Gi"}, limits={"cpu": "2500m", "memory": "4Gi"}), "whole CPUs"),
        "request-below-limit": (lambda s: tallyd_of(s)["resources"]["requests"].update(cpu="1"), "whole CPUs"),
        "no-resources": (lambda s: tallyd_of(s).pop("resources"), "whole CPUs"),
        "counted-probe": (lambda s: tallyd_of(s)["readinessProbe"]["httpGet"].update(path="/v1/hit/probe/ready", port="http"), "must not be counted"),
    }


RIGHTS = [
    (READER, "get", "pods", True), (READER, "get", "pods/log", True), (READER, "list", "rollouts.argoproj.io", True),
    (READER, "get", "secrets", False), (READER, "delete", "pods", False), (READER, "patch", "deployments.apps", False), (READER, "create", "pods/exec", False),
    (OPERATOR, "get", "pods", True), (OPERATOR, "delete", "pods", True), (OPERATOR, "patch", "deployments.apps", True),
    (OPERATOR, "patch", "scaledobjects.keda.sh", True), (OPERATOR, "create", "pods/portforward", True),
    (OPERATOR, "get", "secrets", False), (OPERATOR, "create", "pods", False), (OPERATOR, "create", "deployments.apps", False),
    (OPERATOR, "delete", "networkpolicies.networking.k8s.io", False), (OPERATOR, "create", "pods/exec", False),
    (RELEASER, "get", "pods", True), (RELEASER, "get", "secrets", False), (RELEASER, "create", "secrets", False),
    (RELEASER, "create", "roles.rbac.authorization.k8s.io", False), (RELEASER, "patch", "resourcequotas", False), (RELEASER, "delete", "pods", False),
    (RELEASER, "create", "pods", False), ("tallyd:others", "get", "pods", False),
]


def quota():
    return next(o for o in yaml.safe_load_all((DEPLOY / "team/limits.yaml").read_text(encoding="utf-8")) if o["kind"] == "ResourceQuota")["spec"]["hard"]


def review(group, verb, what):
    resource, _, api = what.partition(".")
    resource, _, part = resource.partition("/")
    attributes = {"namespace": "tallyd", "verb": verb, "group": api, "resource": resource} | ({"subresource": part} if part else {})
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": "someone", "groups": [group], "resourceAttributes": attributes}}


def plural(kind):
    return {"NetworkPolicy": "networkpolicies"}.get(kind, kind.lower() + "s")


def released():
    """What the pipeline applies: every kind of every environment, but the namespace, which the cluster's owner makes."""
    kinds = {(o["apiVersion"], o["kind"]) for overlay in CLOUD for o in objects_of(overlay)} - {("v1", "Namespace")}
    return sorted(plural(kind) + ("." + version.split("/")[0] if "/" in version else "") for version, kind in kinds)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    if not (CACHE / "bin" / "kube-apiserver").exists():
        pytest.skip("kube-apiserver is not built (deploy/check builds it unless DEPLOY_SERVER=no)")
    tool("etcd")
    folder = tmp_path_factory.mktemp("policy")
    namespace = next(o for o in objects_of("prod") if o["kind"] == "Namespace")
    (folder / "namespace.json").write_text(json.dumps(namespace))
    (folder / "policy.yaml").write_text(run("kubectl", "kustomize", DEPLOY / "policy").stdout)
    (folder / "team.yaml").write_text(run("kubectl", "kustomize", DEPLOY / "team").stdout)
    (folder / "used.json").write_text(json.dumps({"status": {"hard": quota(), "used": dict.fromkeys(quota(), "0")}}))
    questions = {f"overlay-{overlay}": deployment_of(overlay) for overlay in CLOUD}
    for name, (change, _) in mistakes().items():
        questions |= {name: changed(change), f"pod-{name}": changed(change, "Pod")}
    questions |= {"pod": changed(lambda s: None, "Pod"), "volume": {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "disk", "namespace": "tallyd"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}, "balancer": {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "open", "namespace": "tallyd"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "x"}}}}
    for name, question in questions.items():
        (folder / f"ask-{name}.json").write_text(json.dumps(question))
    asked = [(group, verb, what) for group, verb, what, _ in RIGHTS] + [(RELEASER, verb, what) for what in released() for verb in ("create", "patch", "delete")]
    (folder / "rights.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [review(*one) for one in asked]}))
    (folder / "ask").write_text(ASK)
    run(DEPLOY / "tools/server", CACHE / "bin", "bash", folder / "ask", folder, env={**os.environ, "HOME": str(folder), "AUTHORIZATION": "RBAC"})
    can = dict(zip(asked, (folder / "can").read_text().splitlines(), strict=True))
    return lambda name: (int((folder / f"ask-{name}.rc").read_text()), (folder / f"ask-{name}.out").read_text()), can


@pytest.mark.parametrize("overlay", CLOUD)
def test_the_policy_takes_every_environment(answers, overlay):
    status, said = answers[0](f"overlay-{overlay}")
    assert status == 0, said


@pytest.mark.parametrize("kind", ["", "pod-"])
@pytest.mark.parametrize("name", mistakes())
def test_the_policy_refuses_and_says_why(answers, kind, name):
    status, said = answers[0](kind + name)
    assert status != 0 and mistakes()[name][1] in said and "tallyd-pods" in said, said


def test_a_pod_as_it_should_be_is_taken(answers):
    status, said = answers[0]("pod")
    assert status == 0, said


@pytest.mark.parametrize("name", ["volume", "balancer"])
def test_the_quota_refuses_what_tallyd_never_needs(answers, name):
    status, said = answers[0](name)
    assert status != 0 and "exceeded quota" in said, said


@pytest.mark.parametrize("group, verb, what, may", RIGHTS)
def test_who_may_do_what(answers, group, verb, what, may):
    assert answers[1][group, verb, what] == ("true" if may else "false")


@pytest.mark.parametrize("what", released())
def test_the_pipeline_may_apply_all_of_an_environment(answers, what):
    assert {answers[1][RELEASER, verb, what] for verb in ("create", "patch", "delete")} == {"true"}


def test_the_quota_has_room_for_the_largest_event():
    """With a quarter more, which a rollout needs."""
    hard = quota()
    for overlay in CLOUD:
        scaled = next(o for o in objects_of(overlay) if o["kind"] == "ScaledObject")
        pods = scaled["spec"]["maxReplicaCount"] * 1.25
        asked = tallyd_of(deployment_of(overlay)["spec"]["template"]["spec"])["resources"]["requests"]
        assert pods <= int(hard["pods"]) and pods * int(asked["cpu"]) <= int(hard["requests.cpu"]), overlay
        assert pods * int(asked["memory"].removesuffix("Mi")) <= int(hard["requests.memory"].removesuffix("Gi")) * 1024, overlay

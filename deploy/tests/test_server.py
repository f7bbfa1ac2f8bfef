"""The real kube-apiserver judges what is Kubernetes' own: strict decoding, validation, Pod Security `restricted`.

It has no CRDs; objects of KEDA, Argo, the Prometheus operator and others are judged in test_strict.py only.
"""
import json
import os

import pytest
import yaml

from conftest import CACHE, DEPLOY, OVERLAYS, objects_of, run, tool

GROUPS = ("v1", "apps/v1", "policy/v1", "networking.k8s.io/v1")

# Applies each file of a folder as a dry run and writes down what the server said. One server for all questions.
ASK = r"""
set -u
kubectl create namespace tallyd > /dev/null
kubectl label namespace tallyd pod-security.kubernetes.io/enforce=restricted > /dev/null
kubectl -n tallyd create serviceaccount tallyd > /dev/null
for file in "$1"/*.json; do
    kubectl apply --dry-run=server --validate=strict -f "$file" > "${file%.json}.out" 2>&1
    echo $? > "${file%.json}.rc"
done
"""


def own(overlay):
    return [o for o in objects_of(overlay) if o["apiVersion"] in GROUPS]


def pod_of(overlay):
    """The pod that the Deployment would make: Pod Security enforces on pods, and only warns about Deployments."""
    template = next(o for o in objects_of(overlay) if o["kind"] == "Deployment" and o["metadata"]["name"] == "tallyd")["spec"]["template"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "tallyd-x", "namespace": "tallyd", "labels": template["metadata"]["labels"]},
            "spec": template["spec"]}


def broken():
    """(what, object, what the server must say)"""
    def pod(change):
        result = pod_of("prod")
        change(result["spec"])
        return result
    def deployment(change):
        result = next(o for o in own("prod") if o["kind"] == "Deployment")
        change(result["spec"])
        return result
    return {
        "root": (pod(lambda s: s["securityContext"].update(runAsNonRoot=False)), "violates PodSecurity"),
        "unconfined": (pod(lambda s: s["containers"][0]["securityContext"].update(seccompProfile={"type": "Unconfined"})), "violates PodSecurity"),
        "capabilities": (pod(lambda s: s["containers"][0]["securityContext"].pop("capabilities")), "violates PodSecurity"),
        "hostpath": (pod(lambda s: s["volumes"].append({"name": "h", "hostPath": {"path": "/run"}})), "violates PodSecurity"),
        "sysctl": (pod(lambda s: s["securityContext"].update(sysctls=[{"name": "net.core.somaxconn", "value": "1"}])), "violates PodSecurity"),
        "unknown": (deployment(lambda s: s["template"]["spec"].update(terminationGracePeriod=75)), "unknown field"),
        "selector": (deployment(lambda s: s["selector"]["matchLabels"].update(app="x")), "does not match template"),
        "port": (deployment(lambda s: s["template"]["spec"]["containers"][0]["ports"][0].update(containerPort=80800)), "must be between 1 and 65535"),
        "unavailable": (deployment(lambda s: s["strategy"]["rollingUpdate"].update(maxSurge=0)), "may not be 0"),
        "limit": (deployment(lambda s: s["template"]["spec"]["containers"][0]["resources"]["limits"].update(cpu="1")), "must be less than or equal to cpu limit"),
        "sleep": (deployment(lambda s: s["template"]["spec"]["containers"][0].update(lifecycle={"preStop": {"sleep": {"seconds": 200}}})), "less than terminationGracePeriodSeconds"),
    }


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    if not (CACHE / "bin" / "kube-apiserver").exists():
        pytest.skip("kube-apiserver is not built (deploy/check builds it unless DEPLOY_SERVER=no)")
    tool("etcd")
    folder = tmp_path_factory.mktemp("server")
    questions = {**{f"overlay-{o}": {"apiVersion": "v1", "kind": "List", "items": own(o)} for o in OVERLAYS},
                 **{f"pod-{o}": pod_of(o) for o in OVERLAYS}, **{f"broken-{name}": o for name, (o, _) in broken().items()}}
    for name, question in questions.items():
        (folder / f"{name}.json").write_text(json.dumps(question))
    (folder / "ask").write_text(ASK)
    run(DEPLOY / "tools/server", CACHE / "bin", "bash", folder / "ask", folder, env={**os.environ, "HOME": str(folder)})
    return lambda name: (int((folder / f"{name}.rc").read_text()), (folder / f"{name}.out").read_text())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_server_accepts_the_overlay_without_a_warning(answers, overlay):
    status, said = answers(f"overlay-{overlay}")
    said = "\n".join(line for line in said.splitlines() if "last-applied-configuration" not in line)
    assert status == 0 and "Warning" not in said, said
    assert said.count("(server dry run)") == len(own(overlay))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pod_passes_pod_security_restricted(answers, overlay):
    status, said = answers(f"pod-{overlay}")
    assert status == 0, said


@pytest.mark.parametrize("name", broken())
def test_server_refuses(answers, name):
    status, said = answers(f"broken-{name}")
    assert status != 0 and broken()[name][1] in said, said


def test_what_the_server_does_not_know_is_judged_elsewhere():
    foreign = {o["apiVersion"].split("/")[0] for overlay in OVERLAYS for o in objects_of(overlay) if o["apiVersion"] not in GROUPS}
    assert foreign == {"argoproj.io", "elbv2.k8s.aws", "external-secrets.io", "keda.sh", "monitoring.coreos.com"}
    assert yaml

"""The chart against the real kube-apiserver: what users set is accepted as it is; a release is installed, tested, upgraded
from the last one, rolled back and removed. Kinds of other projects are only known by name there; test_strict.py's judge
holds their fields to their authors' types."""
import json
import os
from pathlib import Path

import pytest
import yaml

from chart_values import COMBINATIONS
from conftest import CACHE, DEPLOY, run, tool
from test_helm import CHART
from test_strict import judge

IMAGE = ["--set", "image.repository=registry.example/tallyd", "--set", "image.digest=sha256:" + "a" * 64]
LAST = sorted((DEPLOY / "tests/releases").glob("*.yaml"), key=lambda p: [int(n) for n in p.stem.split(".")])[-1]
FOREIGN = [("monitoring.coreos.com", "v1", "ServiceMonitor"), ("monitoring.coreos.com", "v1", "PodMonitor"), ("monitoring.coreos.com", "v1", "PrometheusRule"),
           ("keda.sh", "v1alpha1", "ScaledObject"), ("external-secrets.io", "v1", "ExternalSecret"), ("elbv2.k8s.aws", "v1beta1", "TargetGroupBinding"),
           ("argoproj.io", "v1alpha1", "Rollout"), ("argoproj.io", "v1alpha1", "AnalysisTemplate"), ("gateway.networking.k8s.io", "v1", "HTTPRoute")]


def definition(group, version, kind):
    """A kind that the server then knows by name; it keeps whatever fields it is given."""
    plural = kind.lower() + "s"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    annotations = {"api-approved.kubernetes.io": "https://example.com"} if group.endswith("k8s.io") else {}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": f"{plural}.{group}", "annotations": annotations},
            "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": kind + "List"},
                     "versions": [{"name": version, "served": True, "storage": True, "schema": schema}]}}


# What the server must notice: an unknown field, a pod that Pod Security only warns about, a port that is none.
BROKEN = {"extraContainers": [{"name": "loose", "image": "x"}], "extraObjects": [
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "dataa": {}},
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "y"}, "spec": {"ports": [{"port": 80800}]}}]}

# Asks one server everything, in order, and writes down status and words of each step.
STEPS = r"""
set -u
cd "$1"; chart=$2; image=$3; ask=$4
step() { local name=$1; shift; "$@" > "$name.out" 2>&1; echo $? > "$name.rc"; }
kubectl apply -f definitions.json > /dev/null
kubectl wait --for condition=Established crd --all --timeout=600s > /dev/null
for namespace in matrix tallyd; do
    kubectl create namespace $namespace
    kubectl label namespace $namespace pod-security.kubernetes.io/enforce=restricted pod-security.kubernetes.io/warn=restricted
    kubectl -n $namespace create serviceaccount default
done > /dev/null
for values in combination-*.values; do
    helm template tallyd "$chart" --namespace matrix --kube-version 1.34.0 $image --values "$values" > "${values%.values}.yaml" 2> "${values%.values}.error"
done
"$ask" matrix combination-*.yaml

step last helm install tallyd last --namespace tallyd
step upgrade helm upgrade --install tallyd "$chart" --namespace tallyd $image --values upgrade.values
step upgraded kubectl -n tallyd get deployment,horizontalpodautoscaler,ingress,servicemonitor,configmap -o json
step rollback helm rollback tallyd 1 --namespace tallyd
step back kubectl -n tallyd get deployment,horizontalpodautoscaler,ingress,servicemonitor,configmap -o json
step again helm upgrade tallyd "$chart" --namespace tallyd $image --values upgrade.values
step uninstall helm uninstall tallyd --namespace tallyd
step left kubectl -n tallyd get all,configmap,secret,networkpolicy,poddisruptionbudget,ingress,servicemonitor,serviceaccount -o name

# As the README has it, into a namespace that is not there; and a second release beside it.
step install helm upgrade --install tallyd "$chart" --namespace fresh --create-namespace $image --set settings.TALLYD_REDIS=redis://redis:6379 --set network.cidr=10.0.0.0/16
step second helm install other "$chart" --namespace fresh $image --set network.defaultDeny=false
step second-third helm install third "$chart" --namespace fresh $image
kubectl -n fresh create serviceaccount default > /dev/null
end_of_pod() { # There is no kubelet: the pod of `helm test` ends as it is told.
    until kubectl -n fresh get pod tallyd-test > /dev/null 2>&1; do sleep 0.2; done
    kubectl -n fresh patch pod tallyd-test --subresource=status -p "{\"status\":{\"phase\":\"$1\"}}" > /dev/null
}
for phase in Succeeded Failed; do
    end_of_pod $phase & step "test-$phase" helm test tallyd --namespace fresh --timeout 600s; wait $!
done
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    if not (CACHE / "bin" / "kube-apiserver").exists():
        pytest.skip("kube-apiserver is not built (deploy/check builds it unless DEPLOY_SERVER=no)")
    tool("etcd"), tool("helm")
    folder = tmp_path_factory.mktemp("chart")
    (folder / "definitions.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [definition(*f) for f in FOREIGN]}))
    for number, values in enumerate(COMBINATIONS.values()):
        (folder / f"combination-{number}.values").write_text(json.dumps(values))
    (folder / "combination-broken.values").write_text(json.dumps(BROKEN))
    (folder / "upgrade.values").write_text(json.dumps({"hpa": {"enabled": True}, "ingress": {"enabled": True, "hosts": [{"host": "hits.example"}]}, "monitoring": {"serviceMonitor": True},
                                                       "settings": {"TALLYD_REDIS": "redis://redis:6379"}, "network": {"cidr": "10.0.0.0/16"}}))
    last = folder / "last"
    (last / "templates").mkdir(parents=True)
    (last / "Chart.yaml").write_text(f"apiVersion: v2\nname: tallyd\nversion: {LAST.stem}\n")
    (last / "templates/all.yaml").write_text(LAST.read_text(encoding="utf-8"))
    (folder / "steps").write_text(STEPS)
    environment = {**os.environ, "HOME": str(folder), "PATH": f"{Path(tool('helm')).parent}:{os.environ['PATH']}"}
    run(DEPLOY / "tools/server", CACHE / "bin", "bash", folder / "steps", folder, CHART, " ".join(IMAGE), DEPLOY / "tests/dry_run.py", env=environment, seconds=3000)

    def answer(name):
        return int((folder / f"{name}.rc").read_text()), (folder / f"{name}.out").read_text()
    answer.folder = folder
    return answer


def test_there_are_enough_combinations():
    assert len(COMBINATIONS) >= 40


@pytest.mark.parametrize("number", range(len(COMBINATIONS)), ids=list(COMBINATIONS))
def test_server_accepts_what_users_set_without_a_warning(answers, number):
    said = json.loads((answers.folder / f"combination-{number}.json").read_text())
    assert len(said) >= 7, (answers.folder / f"combination-{number}.error").read_text()
    assert [answer for answer in said if answer[1] != 201 or answer[2]] == []


def test_server_notices_what_is_wrong(answers):
    faults = {name: words for name, status, words in json.loads((answers.folder / "combination-broken.json").read_text()) if status != 201 or words}
    assert set(faults) == {"Deployment/tallyd", "ConfigMap/x", "Service/y"}
    assert "unknown field" in faults["ConfigMap/x"][0] and "would violate PodSecurity" in faults["Deployment/tallyd"][0]


def test_no_combination_has_an_unknown_field(answers):
    entries = [{"where": name, "object": o} for number, name in enumerate(COMBINATIONS)
               for o in yaml.safe_load_all((answers.folder / f"combination-{number}.yaml").read_text()) if o]
    done = judge(entries)
    assert len(entries) > 300 and done.returncode == 0, done.stdout + done.stderr


def kinds(answers, step):
    status, said = answers(step)
    assert status == 0, said
    return {(o["kind"], o["metadata"]["name"]): o for o in json.loads(said)["items"]}


def test_release_before_this_one_is_upgraded(answers):
    for step in ("last", "upgrade", "again"):
        assert answers(step)[0] == 0, answers(step)[1]
    made = kinds(answers, "upgraded")
    assert {("HorizontalPodAutoscaler", "tallyd"), ("Ingress", "tallyd"), ("ServiceMonitor", "tallyd")} <= set(made)
    deployment = made["Deployment", "tallyd"]
    assert deployment["spec"]["selector"]["matchLabels"] == {"app.kubernetes.io/name": "tallyd"}
    assert deployment["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"


def test_rollback_brings_the_last_release_back(answers):
    assert answers("rollback")[0] == 0, answers("rollback")[1]
    back = kinds(answers, "back")
    assert not {kind for kind, _ in back} & {"HorizontalPodAutoscaler", "Ingress", "ServiceMonitor"}
    old = next(o for o in yaml.safe_load_all(LAST.read_text(encoding="utf-8")) if o["kind"] == "Deployment")
    container = lambda o: o["spec"]["template"]["spec"]["containers"][0]
    assert container(back["Deployment", "tallyd"])["image"] == container(old)["image"]


def test_uninstall_leaves_nothing(answers):
    assert answers("uninstall")[0] == 0, answers("uninstall")[1]
    assert answers("left")[1].split() == ["serviceaccount/default"]


def test_readmes_command_installs_into_a_namespace_that_is_not_there(answers):
    status, said = answers("install")
    assert status == 0 and "kubectl -n fresh port-forward service/tallyd " in said, said


def test_a_second_release_lives_beside_it_and_a_second_default_is_refused(answers):
    assert answers("second")[0] == 0, answers("second")[1]
    status, said = answers("second-third")
    assert status != 0 and "default-deny" in said


def test_helm_test_says_what_its_pod_says(answers):
    status, said = answers("test-Succeeded")
    assert status == 0 and "Phase:          Succeeded" in said, said
    assert answers("test-Failed")[0] != 0

"""Taking an environment down: with a fake of kubectl and of aws, and a stuck namespace on a real API server."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

import stack

SCRIPTS = stack.INFRA / "scripts"

# Objects in a file; `delete` removes one after as many looks as its annotation says, or never, as a controller does.
FAKE_KUBECTL = '''#!/usr/bin/env python3
import json, os, sys
path = os.environ["FAKE_CLUSTER"]
words = sys.argv[1:]
with open(path + ".log", "a") as log:
    log.write(json.dumps(words) + "\\n")
objects = json.load(open(path))
if words[0] == "api-resources":
    print("\\n".join(sorted({o["kind"] for o in objects})))
elif words[0] == "get":
    found = [o for o in objects if o["kind"] == words[1]]
    print(json.dumps({"items": found}))
    objects = [o for o in objects if not (o in found and o.get("deleted") and (o.__setitem__("looks", o["looks"] - 1) or o["looks"] < 0))]
elif words[0] == "delete":
    next(o for o in objects if o["kind"] == words[1] and o["metadata"]["name"] == words[2])["deleted"] = True
json.dump(objects, open(path, "w"))
'''


def kept(kind, name, looks=0, **spec):
    return {"kind": kind, "metadata": {"name": name, "namespace": "tallyd"}, "spec": spec, "looks": looks}


@pytest.fixture
def cluster(tmp_path):
    """A PATH with the fake, and a way to call clean-cluster."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubectl").write_text(FAKE_KUBECTL)
    (tmp_path / "bin" / "kubectl").chmod(0o755)
    path = tmp_path / "cluster"
    env = dict(os.environ, PATH="%s:%s" % (tmp_path / "bin", os.environ["PATH"]), FAKE_CLUSTER=str(path))

    def call(objects, *words, patience="60"):
        path.write_text(json.dumps(objects))
        p = subprocess.run([SCRIPTS / "clean-cluster", *words], env=dict(env, CLEAN_PATIENCE_SECONDS=patience), capture_output=True, text=True)
        log = [json.loads(line) for line in pathlib.Path(str(path) + ".log").read_text().splitlines()]
        return p, [o["metadata"]["name"] for o in json.loads(path.read_text())], log
    return call


OBJECTS = [kept("nodeclaims.karpenter.sh", "machine"), kept("nodepools.karpenter.sh", "hits"), kept("persistentvolumeclaims", "disk"), kept("services", "address", looks=2, type="LoadBalancer"),
           kept("services", "inner", type="ClusterIP"), kept("targetgroupbindings.elbv2.k8s.aws", "blue", looks=1), kept("kustomizations.kustomize.toolkit.fluxcd.io", "gitops"), kept("configmaps", "words")]


def test_what_controllers_made_goes_in_order(cluster):
    p, left, log = cluster(OBJECTS)
    assert p.returncode == 0, p.stderr
    assert sorted(left) == ["gitops", "inner", "words"]
    assert [w[2] for w in log if w[0] == "delete"] == ["blue", "address", "disk", "hits", "machine"]
    halted = [w for w in log if w[0] == "patch"]
    assert len(halted) == 1 and halted[0][2] == "gitops" and log.index(halted[0]) < next(i for i, w in enumerate(log) if w[0] == "delete")


def test_a_dry_run_changes_nothing(cluster):
    p, left, log = cluster(OBJECTS, "--dry-run")
    assert p.returncode == 0 and len(left) == len(OBJECTS) and not any(w[0] in ("delete", "patch") for w in log)
    assert "remove services address --namespace tallyd" in p.stdout and "inner" not in p.stdout


def test_what_does_not_go_is_said(cluster):
    p, _, _ = cluster([kept("nodeclaims.karpenter.sh", "machine", looks=10**6)], patience="0.2")
    assert p.returncode == 1 and "nodeclaims.karpenter.sh do not go" in p.stderr


@pytest.mark.parametrize("words", [("dev",), ("dev", "--yes"), ("dev", "--yes", "--no-cluster")])
def test_the_cluster_is_cleaned_before_its_stacks_go(words, tmp_path):
    for name in ("tf", "operate"):
        (tmp_path / name).write_text('#!/bin/bash\necho "%s $*" >>%s/log\n' % (name, tmp_path))
        (tmp_path / name).chmod(0o755)
    p = subprocess.run([SCRIPTS / "tear-down", *words], env=dict(os.environ, TEAR_DOWN_TF=str(tmp_path / "tf"), TEAR_DOWN_OPERATE=str(tmp_path / "operate")), capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    log = (tmp_path / "log").read_text().splitlines()
    assert ("operate" in log[0]) == ("--no-cluster" not in words)
    assert ("--dry-run" in log[0]) == (words == ("dev",))
    assert [line.split()[2] for line in log if line.startswith("tf")] == ["edge", "data", "platform"]
    assert all((" destroy" in line) == ("--yes" in words) for line in log if line.startswith("tf"))


def test_a_permanent_environment_is_not_taken_down(tmp_path):
    for script, more in (("tear-down", "--yes"), ("secrets-left", "--forget")):
        p = subprocess.run([SCRIPTS / script, "prod", more], env=dict(os.environ, TEAR_DOWN_TF="/bin/false"), capture_output=True, text=True)
        assert p.returncode == 1 and "permanent" in p.stderr


@pytest.mark.parametrize("word, call", [(None, None), ("--restore", "restore-secret"), ("--forget", "delete-secret")])
def test_secrets_that_wait_for_deletion(word, call, tmp_path):
    fake = tmp_path / "aws"
    fake.write_text('#!/bin/bash\necho "$*" >>%s/log\ncase $2 in list-secrets) printf "tallyd-dev/redis/tallyd\\ttallyd-dev/token\\n" ;; esac\n' % tmp_path)
    fake.chmod(0o755)
    p = subprocess.run([SCRIPTS / "secrets-left", "dev", *([word] if word else [])], env=dict(os.environ, PATH="%s:%s" % (tmp_path, os.environ["PATH"])), capture_output=True, text=True)
    assert p.returncode == 0 and p.stdout.split() == ["tallyd-dev/redis/tallyd", "tallyd-dev/token"], p.stderr
    log = (tmp_path / "log").read_text().splitlines()
    assert "--include-planned-deletion" in log[0] and "tallyd-dev/" in log[0]
    assert [line.split()[1] for line in log[1:]] == ([call] * 2 if call else [])
    assert all("--force-delete-without-recovery" in line for line in log[1:]) or word != "--forget"


APISERVER = stack.REPO / "build" / "deploy" / "bin" / "kube-apiserver"
STORY = '''set -e
kubectl create namespace stuck >/dev/null
kubectl -n stuck create configmap held --from-literal=a=b >/dev/null
kubectl -n stuck patch configmap held --type=merge -p '{"metadata": {"finalizers": ["example.com/nobody"]}}' >/dev/null
if %(script)s stuck stuck 2>/dev/null; then exit 3; fi
kubectl delete namespace stuck --wait=false >/dev/null
kubectl -n stuck delete configmap held --wait=false >/dev/null
%(script)s stuck stuck
kubectl get namespace stuck -o name
%(script)s stuck stuck --yes >/dev/null
kubectl get namespace stuck --ignore-not-found -o name | sed 's/^/left: /'
'''


@pytest.mark.skipif(not APISERVER.is_file() or not shutil.which("etcd"), reason="the API server of `make check-deploy` is not built, or there is no etcd")
def test_a_stuck_namespace_on_a_real_api_server():
    """No controller runs beside it, so a namespace with an object that waits for nobody stays, as when a controller was removed first."""
    p = subprocess.run([stack.REPO / "deploy/tools/server", APISERVER.parent, "bash", "-c", STORY % {"script": SCRIPTS / "clean-cluster"}], capture_output=True, text=True)
    assert p.returncode == 0, p.stdout + p.stderr
    assert "configmaps/held waits for example.com/nobody" in p.stdout and "namespace/stuck" in p.stdout
    assert "left:" not in p.stdout, p.stdout

"""The operators' scripts, with fakes for aws and the real terraform over the stub."""
import json
import os
import re
import shutil
import socket
import subprocess
import sys

import pytest
import yaml

import ports
import stack

SCRIPTS = stack.INFRA / "scripts"

FAKE_AWS = '''#!/usr/bin/env python3
import json, os, pathlib, socket, sys, time
state = pathlib.Path(os.environ["FAKE_STATE"])
words = sys.argv[1:]
with open(state / "log", "a") as log:
    log.write(json.dumps([words, os.environ.get("AWS_ACCESS_KEY_ID", "")]) + "\\n")
call = " ".join(words[:2])
if call == "ssm start-session":
    port = int(words[words.index("--parameters") + 1].split("=")[1])
    s = socket.create_server(("127.0.0.1", port))
    while True:
        s.accept()[0].close()
up = (state / "up").exists()
answers = {
    "sts assume-role": {"Credentials": {"AccessKeyId": "TAKEN", "SecretAccessKey": "s", "SessionToken": "t"}},
    "autoscaling describe-auto-scaling-groups": {"AutoScalingGroups": [{"Instances": [{"InstanceId": "i-1", "LifecycleState": "InService"}] if up else []}]},
    "ssm describe-instance-information": {"InstanceInformationList": [{"InstanceId": "i-1", "PingStatus": "Online"}]},
    "eks describe-cluster": {"cluster": {"endpoint": "https://ABC.gr7.eu-central-1.eks.amazonaws.com", "certificateAuthority": {"data": "Q0E="}}},
}
if call == "autoscaling set-desired-capacity":
    (state / "up").touch() if words[-3] == "1" else (state / "up").unlink(missing_ok=True)
    sys.exit(0)
print(json.dumps(answers[call]))
'''


@pytest.fixture
def desk(tmp_path):
    """A PATH with the fake, a folder with prod's real outputs, and a way to call operate."""
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "aws"
    fake.write_text(FAKE_AWS)
    fake.chmod(0o755)
    outputs = stack.load_environment("prod").outputs["platform"]
    (tmp_path / "platform.json").write_text(json.dumps({k: {"value": v} for k, v in outputs.items()}))
    env = dict(os.environ, PATH="%s:%s" % (tmp_path / "bin", os.environ["PATH"]), FAKE_STATE=str(tmp_path), OPERATE_PATIENCE_SECONDS="60")
    env.pop("AWS_ACCESS_KEY_ID", None)

    def call(*words):
        return subprocess.run([sys.executable, SCRIPTS / "operate", "prod", "--from", tmp_path, *words], env=env, capture_output=True, text=True, timeout=120)
    call.outputs, call.log = outputs, lambda: [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    return call


def test_a_command_runs_through_the_tunnel_with_a_kubeconfig(desk):
    port = ports.free_port()
    look = "import os,socket,sys; print(open(os.environ['KUBECONFIG']).read()); socket.create_connection(('127.0.0.1', %d)); sys.exit(7)" % port
    p = desk("--role", "operate", "--port", str(port), "--", sys.executable, "-c", look)
    assert p.returncode == 7, p.stderr
    config = json.loads(p.stdout)
    cluster = config["clusters"][0]["cluster"]
    assert cluster["server"] == "https://127.0.0.1:%d" % port and cluster["tls-server-name"] == "ABC.gr7.eu-central-1.eks.amazonaws.com"
    assert desk.outputs["person_role_arns"]["operate"] in config["users"][0]["user"]["exec"]["args"]
    log = desk.log()
    assert [w[:2] for w, _ in log].count(["autoscaling", "set-desired-capacity"]) == 1, "the host was started once"
    assert all(key == "TAKEN" for w, key in log if w[0] != "sts"), "everything but taking the role goes with the role"
    session = next(w for w, _ in log if w[:2] == ["ssm", "start-session"])
    assert session[session.index("--document-name") + 1] == desk.outputs["tunnel_document"] and session[session.index("--target") + 1] == "i-1"
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", port)) != 0, "the tunnel is closed afterwards"


def test_a_kubeconfig_is_for_its_owner_only(desk, tmp_path):
    p = desk("kubeconfig", str(tmp_path / "kc"))
    assert p.returncode == 0 and (tmp_path / "kc").stat().st_mode & 0o077 == 0, p.stderr


def test_the_host_is_stopped_by_a_word(desk, tmp_path):
    (tmp_path / "up").touch()
    assert desk("host", "down").returncode == 0 and not (tmp_path / "up").exists()


def test_a_role_without_people_is_said(desk, tmp_path):
    path = tmp_path / "platform.json"
    out = json.loads(path.read_text())
    out["person_role_arns"]["value"] = {}
    path.write_text(json.dumps(out))
    p = desk("host", "up")
    assert p.returncode != 0 and "no role read" in p.stderr


@pytest.mark.parametrize("env", stack.environments())
def test_what_kubernetes_gets_consists_of_outputs(env, tmp_path):
    """The controller of load balancers is told its network and region, and its account is one that has a role."""
    e = stack.load_environment(env)
    for name, out in e.outputs.items():
        (tmp_path / (name + ".json")).write_text(json.dumps({k: {"value": v} for k, v in out.items()}))
    ask = lambda kind: json.loads(subprocess.run([SCRIPTS / "manifests", env, kind, "--from", tmp_path], capture_output=True, text=True, check=True).stdout)
    values = ask("balancer-values")
    assert values["vpcId"] == e.all("aws_vpc")[0]["id"] and values["region"] == e.all("aws_eks_cluster")[0]["arn"].split(":")[3] and values["clusterName"] == e.all("aws_eks_cluster")[0]["name"]
    assert ("kube-system", values["serviceAccount"]["name"]) in {(a["namespace"], a["service_account"]) for a in e.all("aws_eks_pod_identity_association")}
    node_class = ask("node-class")
    assert node_class["kind"] == "List" and node_class["items"][0]["kind"] == "EC2NodeClass"
    if e.outputs["edge"].get("direct_target_group_arns"):
        assert {o["spec"]["targetGroupARN"] for o in ask("direct-bindings")["items"]} <= {g["arn"] for g in e.all("aws_lb_target_group")}


def fake_tf(folder, codes, text="  # aws_x.y will be updated in-place"):
    tf = folder / "tf"
    tf.write_text("#!/bin/bash\ncase $2 in\n%s\nesac\n" % "\n".join("%s) echo '%s'; echo \"$*\" >>%s/calls; exit %d ;;" % (s, text, folder, c) for s, c in codes.items()))
    tf.chmod(0o755)
    return dict(os.environ, DRIFT_TF=str(tf))


@pytest.mark.parametrize("codes, want", [((0, 0, 0), 0), ((0, 2, 0), 2), ((2, 1, 2), 1)])
def test_drift_tells_apart_what_differs_and_what_failed(tmp_path, codes, want):
    env = fake_tf(tmp_path, dict(zip(stack.STACKS, codes)))
    p = subprocess.run([SCRIPTS / "drift", "prod"], env=env, capture_output=True, text=True)
    assert p.returncode == want, p.stdout + p.stderr
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 3 and all("-detailed-exitcode" in c and "-lock=false" in c and " apply" not in c for c in calls)
    assert ("aws_x.y" in p.stdout) == (2 in codes)


QUEUES = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region = "eu-central-1"
}
resource "aws_sqs_queue" "one" {
  name                      = "one"
  message_retention_seconds = 300
}
resource "aws_sqs_queue" "two" {
  name = "two"
}
"""


@pytest.fixture(scope="module")
def strayed(tmp_path_factory):
    """A stack that is applied, a way to look for drift, and one to change the cloud behind Terraform's back."""
    folder = tmp_path_factory.mktemp("strayed")
    cloud = folder / "cloud"
    p = stack.snippet(folder, QUEUES, "apply", "-auto-approve", env={"STUB_CLOUD": cloud})
    assert p.returncode == 0, p.stderr
    tf = folder / "tf"
    tf.write_text('#!/bin/bash\nshift 2\ncd %s && exec terraform "$@"\n' % folder)
    tf.chmod(0o755)
    env = stack.clean_env(STUB_SCAN=folder, STUB_CLOUD=cloud, DRIFT_TF=tf)
    state = (folder / "terraform.tfstate").read_text()
    files = {json.loads(f.read_text())["name"]: f for f in (cloud / "aws_sqs_queue").iterdir()}

    def drift():
        p = subprocess.run([SCRIPTS / "drift", "dev", "platform"], env=env, capture_output=True, text=True)
        assert (folder / "terraform.tfstate").read_text() == state, "looking changes nothing"
        return p
    return drift, files


def test_nothing_changed_is_no_drift(strayed):
    drift, _ = strayed
    p = drift()
    assert p.returncode == 0, p.stdout + p.stderr


@pytest.mark.parametrize("what", ["changed", "deleted"])
def test_what_was_done_behind_terraforms_back_is_found(strayed, what):
    drift, files = strayed
    before = files["one"].read_text()
    if what == "changed":
        files["one"].write_text(json.dumps(dict(json.loads(before), message_retention_seconds=60)))
    else:
        files["one"].unlink()
    p = drift()
    files["one"].write_text(before)
    assert p.returncode == 2 and "aws_sqs_queue.one" in p.stdout and "aws_sqs_queue.two" not in p.stdout, p.stdout
    assert ("updated in-place" if what == "changed" else "will be created") in p.stdout, p.stdout


def test_a_plan_becomes_a_comment(tmp_path):
    env = fake_tf(tmp_path, dict.fromkeys(stack.STACKS, 0), "Plan: 1 to add, 0 to change, 0 to destroy.")
    p = subprocess.run([SCRIPTS / "plan-comment", "staging"], env=env, capture_output=True, text=True)
    assert p.returncode == 0 and p.stdout.count("<summary>") == 3 and "Plan: 1 to add" in p.stdout
    assert all("-refresh=false" in c for c in (tmp_path / "calls").read_text().splitlines())


def test_pipelines_apply_with_approval_only():
    flow = yaml.safe_load((stack.REPO / ".github/workflows/infra.yml").read_text())
    jobs = flow["jobs"]
    assert jobs["apply"]["environment"] == "${{ matrix.environment }}" and "push" in jobs["apply"]["if"]
    for name in ("plan", "drift"):
        text = json.dumps(jobs[name])
        assert "apply" not in text and ("plan-comment" in text or "scripts/drift" in text)
    for job in jobs.values():
        assert sorted(job["strategy"]["matrix"]["environment"]) == sorted(stack.environments())


def test_a_pipe_fails_when_its_first_part_does():
    """GitHub's default shell has no pipefail: `drift | tee` would end well whatever drift found."""
    flow = yaml.safe_load((stack.REPO / ".github/workflows/infra.yml").read_text())
    assert flow["defaults"]["run"]["shell"] == "bash"


def test_gitlab_does_what_github_does():
    """The same three jobs over the same environments; apply by hand."""
    jobs = yaml.safe_load((stack.INFRA / "gitlab.yml").read_text())
    github = yaml.safe_load((stack.REPO / ".github/workflows/infra.yml").read_text())["jobs"]
    assert {"infra:" + name for name in github} == {name for name in jobs if not name.startswith(".")}
    assert sorted(jobs[".terraform"]["parallel"]["matrix"][0]["ENVIRONMENT"]) == sorted(stack.environments())
    assert [r.get("when") for r in jobs["infra:apply"]["rules"]] == ["manual"] and jobs["infra:apply"]["environment"] == {"name": "$ENVIRONMENT"}
    for name in ("plan", "drift"):
        said = " ".join(jobs["infra:" + name]["script"])
        assert " apply" not in said and re.search(r"infra/scripts/(plan-comment|drift) ", said) and "manual" not in json.dumps(jobs["infra:" + name])
        assert "failed=1" in said and jobs["infra:" + name]["script"][-1] == 'test -z "${failed:-}"'
    pipeline = yaml.safe_load((stack.REPO / ".gitlab-ci.yml").read_text())
    assert pipeline["include"] == [{"local": "infra/gitlab.yml", "rules": [{"if": "$TERRAFORM_IMAGE"}]}]
    assert {j["stage"] for n, j in jobs.items() if not n.startswith(".")} <= set(pipeline["stages"])


@pytest.mark.parametrize("words, told", [(("note", "f"), ["body@f", "https://g/api/v4/projects/7/merge_requests/9/notes"]), (("issue", "t", "f"), ["title=t", "description@f", "https://g/api/v4/projects/7/issues"])])
def test_gitlab_is_told_without_a_token_among_the_words(words, told, tmp_path):
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/bash\nprintf "%%s\\n" "$@" >%s/words\ncat >%s/given\n' % (tmp_path, tmp_path))
    curl.chmod(0o755)
    env = dict(os.environ, PATH="%s:%s" % (tmp_path, os.environ["PATH"]), CI_API_V4_URL="https://g/api/v4", CI_PROJECT_ID="7", CI_MERGE_REQUEST_IID="9", NOTE_TOKEN="s3cret")
    assert subprocess.run([SCRIPTS / "gitlab-say", *words], env=env).returncode == 0
    said = (tmp_path / "words").read_text()
    assert [w for w in said.split("\n") if w in told] == told and "s3cret" not in said
    assert (tmp_path / "given").read_text() == "PRIVATE-TOKEN: s3cret"


ELSEWHERE = {"ap-southeast-1": ("aws", stack.STACKS), "us-gov-west-1": ("aws-us-gov", ("platform", "data"))}


@pytest.mark.parametrize("region", ELSEWHERE)
def test_any_region_any_account(region, tmp_path):
    """Production as it stands, in a region, an account and a partition where it never was: nothing names the old ones."""
    partition, stacks = ELSEWHERE[region]
    tree = stack.copy_tree(tmp_path / "tree")
    live = tree / "infra" / "live" / "prod"
    for f in live.glob("*.tfvars"):
        text = f.read_text().replace("eu-central-1", region).replace("777788889999", "121212121212").replace("arn:aws:", "arn:%s:" % partition)
        if f.name == "common.tfvars":
            text += 'partition = "%s"\n' % partition
        f.write_text(text.replace('"eu-west-1"', '"us-gov-east-1"') if partition != "aws" else text)
    for name in stacks:
        applied = stack.apply_stack(tree, "prod", name, tmp_path / "cloud", planned=False)
        for r in stack.walk(applied.state["values"]["root_module"]):
            if r["mode"] != "managed":
                continue
            text = json.dumps(r["values"])
            assert "eu-central-1" not in text and "777788889999" not in text, r["address"]
            foreign = [x for x in re.findall(r"arn:(?!%s:)[\w-]+:[^\"\\]*" % partition, text)]
            assert not foreign, (r["address"], foreign[:3])
    shutil.rmtree(tree)


@pytest.fixture
def bench(tmp_path):
    """A PATH of nothing but fakes that print a version, and a way to call tools."""
    (tmp_path / "bin").mkdir()

    def call(versions, *words):
        for name, text in versions.items():
            (tmp_path / "bin" / name).write_text("#!/bin/sh\necho '%s'\n" % text)
            (tmp_path / "bin" / name).chmod(0o755)
        return subprocess.run([sys.executable, SCRIPTS / "tools", *words], env={"PATH": str(tmp_path / "bin")}, capture_output=True, text=True)
    return call


WHOLE = {"terraform": "Terraform v1.11.4", "aws": "aws-cli/2.17.0 Python/3.11", "session-manager-plugin": "1.2.650.0", "kubectl": "Client Version: v1.34.1", "helm": "v3.16.1+g5a5449d", "git": "git version 2.39.5", "python3": "Python 3.11.2"}


def test_a_desk_that_has_everything_is_well(bench):
    p = bench(WHOLE)
    assert p.returncode == 0 and len(p.stdout.splitlines()) == len(WHOLE), p.stdout + p.stderr


@pytest.mark.parametrize("name, text, said", [("session-manager-plugin", None, "is missing"), ("terraform", "Terraform v1.9.8", "is 1.9.8"), ("aws", "aws-cli/1.32.0", "is 1.32.0")])
def test_what_a_desk_lacks_is_said_with_where_to_get_it(bench, name, text, said):
    p = bench({k: text if k == name else v for k, v in WHOLE.items() if k != name or text})
    assert p.returncode == 1 and said in p.stdout and "https://" in p.stdout, p.stdout + p.stderr


def test_terraform_is_the_version_that_pipelines_pin():
    """What the tests run is what the pipelines run, and what the tools page names."""
    pins = set(re.findall(r"terraform_version: ([\d.]+)", (stack.REPO / ".github/workflows/infra.yml").read_text()))
    assert pins == {"1.11.4"} and "1.11.4" in (SCRIPTS / "tools").read_text()

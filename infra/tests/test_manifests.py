"""The numbers of infra/ are those of the daemon and of its manifests: one port from the security group to the option, one path from the health check to the route."""
import json
import re
import shutil
import subprocess
import sys

import pytest
import yaml

import rules
import stack

BASE = stack.REPO / "deploy" / "base"
OVERLAYS = stack.REPO / "deploy" / "overlays"
BINDING = stack.REPO / "deploy" / "components" / "target-group" / "targetgroupbinding.yaml"
OPTIONS = stack.REPO / "src" / "config" / "options_table.h"
ADMIN = stack.REPO / "src" / "admin" / "admin.c"

needs_manifests = pytest.mark.skipif(not BASE.is_dir(), reason="deploy/base is not in this tree")


def objects(*kinds):
    docs = [d for f in sorted(BASE.glob("*.yaml")) if f.name != "kustomization.yaml" for d in yaml.safe_load_all(f.read_text()) if d]
    return [d for d in docs if d.get("kind") in kinds]


def container():
    return objects("Deployment")[0]["spec"]["template"]["spec"]["containers"][0]


def ports():
    return {p["name"]: p["containerPort"] for p in container()["ports"]}


@needs_manifests
def test_ports_of_the_pod_are_those_of_infra():
    assert ports() == {"http": rules.PUBLIC_PORT, "admin": rules.ADMIN_PORT}
    settings = dict(line.split("=", 1) for line in (BASE / "settings.env").read_text().splitlines() if "=" in line and not line.startswith("#"))
    assert settings["TALLYD_LISTEN"].endswith(":%d" % rules.PUBLIC_PORT) and settings["TALLYD_ADMIN"].endswith(":%d" % rules.ADMIN_PORT)


@needs_manifests
def test_services_lead_to_container_ports():
    """Seed: Service targetPort ≠ container port."""
    services = objects("Service")
    assert services
    for s in services:
        for p in s["spec"]["ports"]:
            target = p.get("targetPort", p["port"])
            assert target in ports() or target in ports().values(), "%s → %s" % (s["metadata"]["name"], target)
            assert p["port"] == ports().get(target, target), "port %s of %s is another inside" % (p["port"], s["metadata"]["name"])


@needs_manifests
def test_services_and_pods_share_a_namespace():
    """Seed: a Service and its Deployment in different namespaces."""
    spaces = {d["metadata"].get("namespace") for d in objects("Service", "Deployment", "ServiceAccount", "PodDisruptionBudget")}
    assert len(spaces) == 1, spaces
    labels = objects("Deployment")[0]["spec"]["template"]["metadata"]["labels"].items()
    assert all(set(s["spec"]["selector"].items()) <= set(labels) for s in objects("Service")), "a Service selects other pods"


@needs_manifests
def test_probes_ask_the_admin_port():
    """Seed: probes hit the counting path."""
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        get = container()[probe]["httpGet"]
        assert get["port"] in ("admin", rules.ADMIN_PORT) and get["path"] in ("/livez", "/readyz"), get
    assert container()["readinessProbe"]["httpGet"]["path"] == rules.READY


@needs_manifests
def test_no_image_is_called_latest():
    """Seed: :latest."""
    for f in sorted((stack.REPO / "deploy").rglob("*.yaml")):
        assert not re.search(r"image:\s*\S+:latest\b|newTag:\s*[\"']?latest", f.read_text()), f


@needs_manifests
def test_the_seccomp_profile_is_where_the_pod_looks():
    found = container()["securityContext"]["seccompProfile"]
    assert found["type"] == "Localhost" and rules.SECCOMP_ON_NODE == "/var/lib/kubelet/seccomp/" + found["localhostProfile"]


@needs_manifests
@pytest.mark.parametrize("env", stack.environments())
def test_the_load_balancer_lets_go_before_the_pod_dies(env):
    grace = objects("Deployment")[0]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    for g in stack.load_environment(env).all("aws_lb_target_group"):
        assert int(g["deregistration_delay"]) <= grace, "%s deregisters longer than a pod lives (%d s)" % (g, grace)


@needs_manifests
@pytest.mark.parametrize("env", stack.environments())
def test_a_node_that_stops_waits_for_its_pods(env):
    grace = objects("Deployment")[0]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    configs = [yaml.safe_load(body)["spec"]["kubelet"]["config"] for _, body in rules.node_configs(stack.load_environment(env))]
    assert configs
    for c in configs:
        mine = int(c["shutdownGracePeriod"].rstrip("s")) - int(c["shutdownGracePeriodCriticalPods"].rstrip("s"))
        assert mine >= grace, "a node leaves its pods %d s, and they want %d" % (mine, grace)


@pytest.mark.skipif(not BINDING.is_file(), reason="deploy/components/target-group is not in this tree")
@pytest.mark.parametrize("env", stack.environments())
def test_the_binding_uses_the_port_of_the_target_group(env):
    spec = next(yaml.safe_load_all(BINDING.read_text()))["spec"]
    groups = stack.load_environment(env).all("aws_lb_target_group")
    assert groups and all(spec["serviceRef"]["port"] == g["port"] and spec["targetType"] == g["target_type"] for g in groups), spec


def balancers(env):
    """Ranges of the subnets that load balancers lie in, in the order of the zones."""
    return [s["cidr_block"] for s in sorted(env.all("aws_subnet"), key=lambda s: s["availability_zone"]) if (s["tags"] or {}).get("Tier") == "balancer"]


def let_in(text):
    """Range → ports that an overlay's network.yaml opens to it."""
    entries = [e["value"] for e in yaml.safe_load(text) if e["path"].startswith("/spec/ingress")]
    return {peer["ipBlock"]["cidr"]: {p["port"] for p in e["ports"]} for e in entries for peer in e["from"]}


@needs_manifests
@pytest.mark.parametrize("env", stack.environments())
def test_pods_let_in_the_load_balancers_and_nobody_else(env):
    """The admin port was open to the whole VPC, as health checks came from somewhere in it."""
    ranges = balancers(stack.load_environment(env))
    assert ranges and let_in((OVERLAYS / env / "network.yaml").read_text()) == {r: {"http", "admin"} for r in ranges}


@needs_manifests
def test_outputs_are_carried_into_the_overlay(tmp_path):
    """Another network, with one zone more: the file says so afterwards, and is the same when it is carried again."""
    shutil.copytree(OVERLAYS, tmp_path / "overlays")
    ranges = ["10.77.%d.0/24" % i for i in (224, 225, 226)]
    outputs = {"platform": {"vpc_cidr": "10.77.0.0/16", "balancer_cidrs": ranges, "repository_urls": {"tallyd": "1.dkr.ecr.x.amazonaws.com/tallyd"}},
               "data": {"memorydb_users": {"tallyd": "u"}, "memorydb_host": "h", "memorydb_port": 6379, "secret_names": {"tallyd": "tallyd-dev/redis"}},
               "edge": {"target_group_arns": {"blue": "arn:blue", "green": "arn:green"}}}
    for name, values in outputs.items():
        (tmp_path / (name + ".json")).write_text(json.dumps({k: {"value": v} for k, v in values.items()}))
    carry = [sys.executable, stack.INFRA / "scripts/carry-outputs", "dev", "--from", tmp_path, "--overlays", tmp_path / "overlays"]
    assert subprocess.run([*carry, "--check"], check=False, capture_output=True).returncode == 1
    subprocess.run(carry, check=True, capture_output=True)
    text = (tmp_path / "overlays/dev/network.yaml").read_text()
    assert let_in(text) == {r: {"http", "admin"} for r in ranges}
    assert [p["ipBlock"]["cidr"] for e in yaml.safe_load(text) if "egress" in e["path"] for p in e["value"]["to"]] == ["10.77.0.0/16"]
    subprocess.run([*carry, "--check"], check=True, capture_output=True)


@pytest.mark.skipif(not OPTIONS.is_file(), reason="src/config is not in this tree")
def test_ports_are_the_daemons_defaults():
    text = OPTIONS.read_text()
    assert ":%d" % rules.PUBLIC_PORT in text and ":%d" % rules.ADMIN_PORT in text


@pytest.mark.skipif(not ADMIN.is_file(), reason="src/admin is not in this tree")
def test_the_health_check_asks_a_route_of_the_daemon():
    assert '"%s"' % rules.READY in ADMIN.read_text()

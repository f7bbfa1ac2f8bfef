"""Each overlay is right by construction, and each rule that says so can fail."""
import re
from pathlib import Path

import pytest
import yaml

import mutations
import rules
from conftest import CLOUD, DEPLOY, OVERLAYS, container, get, objects_of, render_text, run


RULES = {rule.__name__: rule for rule in rules.RULES}


@pytest.mark.parametrize("overlay", [*OVERLAYS, "dev+collector"])
@pytest.mark.parametrize("rule", rules.RULES, ids=lambda r: r.__name__)
def test_overlay_keeps(rule, overlay):
    assert list(rule(objects_of(overlay))) == []


@pytest.mark.parametrize("rule, overlay, what, change", mutations.FAULTS, ids=[f"{f[0]}: {f[2]}" for f in mutations.FAULTS])
def test_rule_notices(rule, overlay, what, change):
    objects = objects_of(overlay)
    change(objects)
    assert list(RULES[rule](objects)), f"{rule} did not notice {what}"


def test_every_rule_has_a_fault_that_it_notices():
    assert {f[0] for f in mutations.FAULTS} == set(RULES)


def test_changed_setting_is_a_rollout(tmp_path):
    copy = tmp_path / "deploy"
    run("cp", "-rL", DEPLOY, copy)
    with open(copy / "overlays" / "prod" / "settings.env", "a", encoding="utf-8") as file:
        file.write("TALLYD_LOG_LEVEL=debug\n")
    changed = list(yaml.safe_load_all(run("kubectl", "kustomize", copy / "overlays" / "prod").stdout))
    reference = lambda objects: container(objects)["envFrom"][0]["configMapRef"]["name"]
    assert reference(changed) != reference(objects_of("prod"))
    assert list(RULES["settings_are_options_of_tallyd"](changed)) == []


def test_production_and_its_standby_differ_only_in_place_and_size():
    """What differs: registry, Redis, network, target group, secret, pods, floors. All else is one truth."""
    def common(overlay):
        objects = objects_of(overlay)
        objects = [o for o in objects if o["kind"] not in ("ScaledObject", "TargetGroupBinding", "ExternalSecret", "NetworkPolicy")]
        data = next(o for o in objects if o["kind"] == "ConfigMap" and "TALLYD_LISTEN" in o["data"])
        data["data"].pop("TALLYD_REDIS")
        data["metadata"]["name"] = "tallyd"
        container(objects)["image"] = "tallyd"
        container(objects)["envFrom"][0]["configMapRef"]["name"] = "tallyd"
        return sorted(objects, key=lambda o: (o["kind"], o["metadata"]["name"]))
    assert common("prod") == common("prod-dr")


@pytest.mark.parametrize("environment", CLOUD)
def test_render_refuses_an_overlay_that_is_not_set_up(environment):
    done = run(DEPLOY / "render", environment, check=False)
    assert done.returncode == 1 and "no image is pinned yet" in done.stderr and done.stdout == ""


def test_pin_puts_one_digest_into_overlay_and_chart(tmp_path):
    copy, digest = tmp_path / "deploy", "sha256:" + "ab" * 32
    run("cp", "-rL", DEPLOY, copy)
    run(copy / "pin", "prod", digest)
    objects = list(yaml.safe_load_all(run("kubectl", "kustomize", copy / "overlays" / "prod").stdout))
    assert container(objects)["image"].endswith(f"/tallyd@{digest}")
    assert yaml.safe_load((copy / "helm/tallyd/values-prod.yaml").read_text())["image"]["digest"] == digest
    done = run(copy / "render", "prod", check=False)
    assert done.returncode == 1 and "account is the example's" in done.stderr


@pytest.mark.parametrize("digest", ["", "latest", "sha256:abc", "sha256:" + "0" * 64])
def test_pin_refuses_what_is_no_digest(digest):
    assert run(DEPLOY / "pin", "prod", digest, check=False).returncode == 64


def test_profile_of_the_kind_node_is_the_one_the_pod_names():
    kind = yaml.safe_load((DEPLOY / "overlays/local/kind.yaml").read_text())
    mount = kind["nodes"][0]["extraMounts"][0]
    profile = container(objects_of("local"))["securityContext"]["seccompProfile"]["localhostProfile"]
    inside = Path("/var/lib/kubelet/seccomp") / profile
    assert (DEPLOY.parent / mount["hostPath"] / inside.relative_to(mount["containerPath"])).is_file()


def test_no_token_stands_in_the_tree():
    tokens = re.compile(r"AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|glpat-[\w-]{10,}|xox[bp]-\d+|-----BEGIN [A-Z ]*PRIVATE KEY-----\n")
    listed = run("git", "ls-files", "-z", "deploy", "docker", ".github", ".gitlab-ci.yml", cwd=DEPLOY.parent).stdout
    found = [name for name in listed.split("\0") if name and (DEPLOY.parent / name).is_file()
             and tokens.search((DEPLOY.parent / name).read_text(encoding="utf-8", errors="replace"))]
    assert found == []


def test_render_is_stable():
    again = run("kubectl", "kustomize", DEPLOY / "overlays" / "prod").stdout
    assert again == render_text("prod") and get(objects_of("prod"), "Deployment")

"""The chart renders what kustomize renders, and its schema refuses what would not work."""
import json
import re

import pytest
import yaml

import rules
from conftest import CLOUD, DEPLOY, objects_of, run, tool

CHART = DEPLOY / "helm" / "tallyd"
ZERO = "sha256:" + "0" * 64


def helm(environment, *more, check=True, tmp_path=None):
    values = ["--values", CHART / f"values-{environment}.yaml"] if environment else []
    if environment and environment in yaml.safe_load((DEPLOY / "events/calendar.yaml").read_text())["environments"]:
        windows = tmp_path / "windows.yaml"
        windows.write_text(run(DEPLOY / "events/windows", "--values", environment).stdout)
        values += ["--values", windows]
    return run(tool("helm"), "template", "tallyd", CHART, "--namespace", "tallyd", "--kube-version", "1.34.0", *values, *more, check=check)


# Labels by which Helm's users find what a release made; kustomize has no release.
OF_HELM = ("app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart")


def without_helms_labels(o):
    plain = ("app.kubernetes.io/name", "app.kubernetes.io/part-of") if o["kind"] == "ConfigMap" else ()  # kustomize's generator gives them none
    for metadata in (o["metadata"], o.get("spec", {}).get("template", {}).get("metadata", {})):
        for label in (*OF_HELM, *plain):
            metadata.get("labels", {}).pop(label, None)
        if metadata.get("labels") == {}:
            del metadata["labels"]


def normal(objects):
    """By kind and name. What the two do differently on purpose: kustomize hashes the names of ConfigMaps, Helm the content.
    What only `helm test` makes is no part of it."""
    objects = [o for o in objects if o["metadata"].get("annotations", {}).get("helm.sh/hook") != "test"]
    names = {}
    for o in objects:
        if o["kind"] == "ConfigMap":
            names[o["metadata"]["name"]] = re.sub(r"-[2456789bcdfghkmt]{10}$", "", o["metadata"]["name"])
    text = json.dumps(objects)
    for hashed, plain in names.items():
        text = text.replace(f'"{hashed}"', f'"{plain}"')
    result = {}
    for o in json.loads(text):
        o["metadata"].pop("namespace", None)
        without_helms_labels(o)
        template = o.get("spec", {}).get("template", {}).get("metadata", {})
        template.get("annotations", {}).pop("checksum/settings", None)
        if template.get("annotations") == {}:
            del template["annotations"]
        for spec in [o["spec"]["template"]["spec"]] if o["kind"] == "Deployment" else []:
            for c in spec["containers"]:
                c["volumeMounts"].sort(key=lambda m: m["name"])
            spec["volumes"].sort(key=lambda v: v["name"])
        assert (o["kind"], o["metadata"]["name"]) not in result
        result[o["kind"], o["metadata"]["name"]] = o
    return result


# Overlays that are another one with a component, and the values that say so.
MORE = {"dev-routed": ("dev", "--set", "routing.enabled=true", "--set", "settings.TALLYD_TRUSTED_PROXIES=10.10.0.0/16")}


def rendered(environment, tmp_path, *more):
    environment, *more = *MORE.get(environment, (environment,)), *more
    return [o for o in yaml.safe_load_all(helm(environment, *more, tmp_path=tmp_path).stdout) if o]


def test_the_command_of_the_documents_renders_as_it_stands():
    """With its process substitution: bash's. Without a cluster, so template stands for upgrade --install."""
    command = re.search(r"^helm upgrade --install (tallyd .*)$", (DEPLOY / "README.md").read_text(encoding="utf-8"), re.M)[1]
    made = run("bash", "-euc", f'"$0" template --kube-version 1.34.0 {command}', tool("helm"), cwd=DEPLOY.parent).stdout
    assert {"Rollout", "Deployment", "Service", "PodDisruptionBudget", "ScaledObject"} <= {o["kind"] for o in yaml.safe_load_all(made) if o}


@pytest.mark.parametrize("environment", [*CLOUD, *MORE])
def test_chart_is_the_overlay(environment, tmp_path):
    """But for the namespace, which must be there before Helm stores its release in it."""
    chart, overlay = normal(rendered(environment, tmp_path)), normal(o for o in objects_of(environment) if o["kind"] != "Namespace")
    assert sorted(chart) == sorted(overlay)
    for key, o in overlay.items():
        assert chart[key] == o, key


@pytest.mark.parametrize("environment", [*CLOUD, *MORE])
def test_chart_keeps_the_rules(environment, tmp_path):
    objects = [*(o for o in rendered(environment, tmp_path) if o["metadata"].get("annotations", {}).get("helm.sh/hook") != "test"), *(o for o in objects_of(environment) if o["kind"] == "Namespace")]
    assert [fault for rule in rules.RULES for fault in rule(objects)] == []


def test_changed_setting_is_a_rollout(tmp_path):
    checksum = lambda objects: next(o for o in objects if o["kind"] == "Deployment")["spec"]["template"]["metadata"]["annotations"]
    plain = rendered("prod", tmp_path)
    assert checksum(plain) != checksum(rendered("prod", tmp_path, "--set", "settings.TALLYD_LOG_LEVEL=debug"))


@pytest.mark.parametrize("wrong, says", [
    ("image.digest=", "a release is a digest"),
    ("image.digest=1.2.3", "image/digest"),
    ("cpu=1.5", "cpu"),
    ("cpu=0", "cpu"),
    ("settings.TALLYD_REDIS_PASSWORD=secret", "not"),
    ("settings.LISTEN=:80", "LISTEN"),
    ("settings.TALLYD_KEY_IDLE=a while", "TALLYD_KEY_IDLE"),
    ("settings.TALLYD_FLUSH_INTERVAL_MAX=30 s", "TALLYD_FLUSH_INTERVAL_MAX"),
    ("settings.TALLYD_MAX_KEYS=1m", "TALLYD_MAX_KEYS"),
    ("settings.TALLYD_PARTITIONS=many", "TALLYD_PARTITIONS"),
    ("replicaCount=3", "replicaCount"),
    ("scaling.maximum=3", "maximum"),
    ("terminationGracePeriodSeconds=30", "terminationGracePeriodSeconds"),
    ("terminationGracePeriodSeconds=150", "killed before its last flush"),
    ("settings.TALLYD_DRAIN_TIMEOUT=5m", "killed before its last flush"),
    ("settings.TALLYD_DRAIN_DELAY=150s", "would not start"),
    ("settings.TALLYD_LISTEN=0.0.0.0:80", "TALLYD_LISTEN"),
    ("settings.TALLYD_ADMIN=127.0.0.1:9090", "TALLYD_ADMIN"),
    ("namespace.create=true", "namespace"),
    ("targetGroup.arn=", "targetGroup.arn"),
    ("blueGreen.previewArn=", "previewArn"),
    ("image.digest=,image.tag=1.2.3", "a release is a digest"),
    ("service.port=9090", "never published"),
    ("hpa.enabled=true", "both own the number"),
    ("monitoring.podMonitor=true", "count every pod twice"),
    ("collector.enabled=true", "count every pod twice"),
    ("existingSecret.name=redis", "one way to prove"),
    ("iam.enabled=true", "one way to prove"),
    ("iam.enabled=true,externalSecret.enabled=false", "iam.cluster and iam.region"),
    ("iam.enabled=true,externalSecret.enabled=false,iam.cluster=c,iam.region=r,settings.TALLYD_REDIS=redis://u@h", "TLS only"),
    ("files.tokens.secret=a,files.tokens.configMap=b", "not in both"),
    ("scaling.min=100", "more than the most"),
    ("ingress.enabled=true,network.cidr=,network.balancers=null,targetGroup.enabled=false,blueGreen.enabled=false", "network.clients is empty"),
    ("network.balancers=null", "network.balancers is empty"),
    ("network.balancers={10.30.0.0/16}", "balancers"),
    ("probes.readiness.httpGet=x", "httpGet"),
    ("routing.enabled=true,settings.TALLYD_TRUSTED_PROXIES=10.0.0.0/16", "blue and green alike"),
    ("routing.enabled=true,blueGreen.enabled=false", "TALLYD_TRUSTED_PROXIES"),
    ("routing.digest=latest", "digest"),
    ("seccompProfile.type=Unconfined", "seccompProfile"),
])
def test_chart_refuses(wrong, says, tmp_path):
    done = helm("prod", "--set", wrong, check=False, tmp_path=tmp_path)
    assert done.returncode != 0 and says in done.stderr


def test_chart_lints(tmp_path):
    run(tool("helm"), "lint", "--strict", CHART, "--kube-version", "1.34.0", "--set", f"image.digest={ZERO}")


def test_chart_has_no_links_and_its_copies_are_fresh():
    assert [p for p in CHART.rglob("*") if p.is_symlink()] == []
    run(DEPLOY / "helm/generate", "--check")


def test_chart_makes_no_namespace():
    """Helm keeps its release in it before it applies a template, so one of the chart's own is either missing or there already."""
    assert [p.name for p in (CHART / "templates").rglob("*.yaml") if re.search(r"^kind: Namespace$", p.read_text(encoding="utf-8"), re.M)] == []


def leaves(schema, path=""):
    for name, part in schema["properties"].items():
        yield f"{path}{name}", part
        if "properties" in part:
            yield from leaves(part, f"{path}{name}.")


def test_every_value_is_described_and_has_a_default():
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    values, readme = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8")), (CHART / "README.md").read_text(encoding="utf-8")
    for path, part in leaves(schema):
        if path == "global" or path.startswith("probes."):
            continue
        assert part.get("description"), path
        value = values
        for name in path.split("."):
            assert name in value, f"{path} has no default in values.yaml"
            value = value[name]
        assert f"`{path}`" in readme or path.count(".") == 2 and f"`{path.rsplit('.', 1)[0]}`" in readme, f"README says nothing of {path}"


def test_packaged_chart_renders_like_the_folder(tmp_path):
    """A package has no links: what they point to must be inside."""
    run(tool("helm"), "package", CHART, "--destination", tmp_path)
    package = next(tmp_path.glob("tallyd-*.tgz"))
    more = ["--namespace", "tallyd", "--kube-version", "1.34.0", "--values", CHART / "values-dev.yaml"]
    folder = run(tool("helm"), "template", "tallyd", CHART, *more).stdout
    assert run(tool("helm"), "template", "tallyd", package, *more).stdout == folder

"""A release, into a registry on loopback: a part for each platform, one index of them, the chart with that image in it; read back
by the tools of who pulls it. Signatures are in test_signature.py."""
import contextlib
import json
import os
import re
import subprocess
from types import SimpleNamespace

import pytest
import yaml

from conftest import CACHE, DEPLOY, ROOT, run, tool
from image import NAME, VERSION as BUILT, build
from test_daemon import free_port, get_path, wait_for

VERSION, DIGEST = "1.2.3", ROOT / "build/image/digest"


@contextlib.contextmanager
def serve_registry():
    port = free_port()
    server = subprocess.Popen([tool("crane"), "registry", "serve", "--address", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: get_path(port, "/v2/")[0] == 200, "the registry")
        yield f"127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="module")
def registry():
    with serve_registry() as address:
        yield address


@pytest.fixture(scope="module")
def release(registry, tmp_path_factory):
    """What the pipeline does, in its order. The other platform's part is this machine's root under its name: its contents do not matter here."""
    image = f"{registry}/tallyd"
    environment = {**os.environ, "HOME": str(tmp_path_factory.mktemp("home")), "PATH": f"{CACHE}/bin:{os.environ['PATH']}", "IMAGE": image, "VERSION": VERSION,
                   "REGISTRY_USER": "pipeline", "REGISTRY_PASSWORD": "of-the-test"}
    publish = lambda step, **more: run(ROOT / "docker/publish", step, env={**environment, **more}).stdout
    build("tallyd")
    parts = {}
    try:
        for arch in ("amd64", "arm64"):
            working = run("buildah", "from", "--pull-never", f"{NAME}:{BUILT}").stdout.strip()
            run("buildah", "config", "--arch", arch, working)
            run("buildah", "commit", "--quiet", "--rm", working, f"{image}:{VERSION}-{arch}")
            publish("push", ARCH=arch)
            parts[arch] = DIGEST.read_text()
        publish("index")
        run(DEPLOY / "helm/publish", env=environment)
        yield SimpleNamespace(image=image, digest=DIGEST.read_text(), parts=parts, environment=environment, publish=publish)
    finally:
        DIGEST.unlink(missing_ok=True)
        run("buildah", "rmi", *(f"{image}:{VERSION}-{arch}" for arch in ("amd64", "arm64")), check=False)
        run("buildah", "manifest", "rm", f"{image}:{VERSION}-index", check=False)


def test_release_is_one_index_of_both_platforms(release):
    crane = lambda *words: run(tool("crane"), *words, "--insecure").stdout
    index = json.loads(crane("manifest", f"{release.image}:{VERSION}"))
    assert crane("digest", f"{release.image}:{VERSION}").strip() == release.digest
    assert {m["platform"]["architecture"]: m["digest"] for m in index["manifests"]} == release.parts


def test_release_can_be_pinned(release, tmp_path):
    run("cp", "-r", DEPLOY, tmp_path / "deploy")
    run(tmp_path / "deploy/pin", "prod", release.digest)


def test_chart_of_a_release_runs_its_image(release, tmp_path):
    registry = release.image.split("/")[0]
    run(tool("helm"), "pull", f"oci://{registry}/charts/tallyd", "--version", VERSION, "--plain-http", "--destination", tmp_path, env=release.environment)
    text = run(tool("helm"), "template", "tallyd", tmp_path / f"tallyd-{VERSION}.tgz", "--kube-version", "1.34.0").stdout
    deployment = next(o for o in yaml.safe_load_all(text) if o and o["kind"] == "Deployment")
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == f"{release.image}@{release.digest}"
    assert deployment["metadata"]["labels"]["app.kubernetes.io/version"] == VERSION


def test_tools_of_a_release_are_those_that_are_checked():
    """The release builds what Debian lacks, of the versions that deploy/check tries."""
    text = {path: (ROOT / path).read_text(encoding="utf-8") for path in ("deploy/check", "deploy/helm/publish", "docker/publish")}
    for name, path in (("helm.sh/helm/v3/cmd/helm", "deploy/helm/publish"), ("github.com/sigstore/cosign/v2/cmd/cosign", "docker/publish")):
        used = {re.search(rf"{re.escape(name)}@(v[0-9.]+)", text[where])[1] for where in ("deploy/check", path)}
        assert len(used) == 1, used


def test_nothing_is_published_without_a_password_or_a_digest(release):
    bare = {key: value for key, value in release.environment.items() if key != "REGISTRY_PASSWORD"}
    assert "REGISTRY_PASSWORD" in run(ROOT / "docker/publish", "push", env=bare, check=False).stderr
    assert "REGISTRY_PASSWORD" in run(DEPLOY / "helm/publish", env=bare, check=False).stderr

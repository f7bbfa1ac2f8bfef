"""The image that the tests share: built once, by buildah, and mounted."""
import fcntl
import os
import subprocess

import pytest

from conftest import CACHE, ROOT, run, tool

DOCKERFILE = ROOT / "docker/Dockerfile"
NAME, VERSION = "localhost/tallyd-check", "check"
BASE = "localhost/tallyd-base"


def build(target):
    """Its name. The first build installs Debian's packages; later ones find its layers. One at a time."""
    if os.environ.get("DEPLOY_IMAGE") == "no":
        pytest.skip("DEPLOY_IMAGE=no: the image was not built")
    tool("buildah")
    tool("debootstrap")
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "image.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run(ROOT / "docker/base", BASE, seconds=3600)
        environment = {**os.environ, "IMAGE": NAME, "VERSION": VERSION, "BASE": BASE}
        done = subprocess.run([ROOT / "docker/build", target], env=environment, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()[-1]


@pytest.fixture(scope="module")
def image():
    return build("tallyd")


@pytest.fixture(scope="module")
def rootfs(image):
    working = run("buildah", "from", "--pull-never", image).stdout.strip()
    yield run("buildah", "mount", working).stdout.strip()
    run("buildah", "rm", working)

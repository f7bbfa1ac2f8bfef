"""The image for arm64, built in a root of that architecture by Debian's emulator, started, hit and drained: `make check-arm64`.
The emulator has no io_uring, so this is the other engine; what it knows of the sandbox it says itself."""
import os
import re
import signal
import subprocess

import pytest

from conftest import CACHE, ROOT, run, tool
from image import NAME, VERSION
from test_daemon import free_ports, get_path, redis, wait_for

assert redis
BASE = "localhost/tallyd-base-arm64"
EMULATE = ROOT / "docker/emulate"


@pytest.fixture(scope="module")
def rootfs():
    """The image's root, mounted. The first build installs Debian's packages for arm64; later ones find its layers."""
    tool("buildah"), tool("debootstrap"), tool("qemu-aarch64-static")
    environment = {**os.environ, "IMAGE": NAME, "VERSION": VERSION, "BASE": BASE, "ARCH": "arm64"}
    run(EMULATE, ROOT / "docker/base", BASE, "trixie", "arm64", seconds=7200)
    name = run(EMULATE, ROOT / "docker/build", env=environment, seconds=7200).stdout.split()[-1]
    assert run("buildah", "inspect", "--type", "image", "--format", "{{.OCIv1.Architecture}}", name).stdout.strip() == "arm64"
    working = run("buildah", "from", "--pull-never", "--arch", "arm64", name).stdout.strip()
    yield run("buildah", "mount", working).stdout.strip()
    run("buildah", "rm", working)


def test_program_is_for_arm64_and_says_its_version(rootfs):
    header = run("readelf", "-h", f"{rootfs}/usr/bin/tallyd").stdout
    assert re.search(r"Machine:\s+AArch64", header)
    assert VERSION in run(EMULATE, "chroot", rootfs, "/usr/bin/tallyd", "--version").stdout


def test_returns_and_branches_are_guarded(rootfs):
    """-mbranch-protection: functions begin where a branch may land (bti, or paciasp, which counts as one), and returns are signed."""
    code = run("readelf", "--hex-dump=.text", f"{rootfs}/usr/bin/tallyd").stdout
    words = re.findall(r"\b[0-9a-f]{8}\b", re.sub(r"^\s*0x[0-9a-f]+", "", code, flags=re.M))
    assert words.count("3f2303d5") > 1000 and words.count("5f2403d5") > 10  # paciasp, bti c


def test_arm64_serves_counts_and_drains(rootfs, redis, tmp_path):
    http_port, admin_port = free_ports(2)
    settings = {"PATH": "/usr/bin:/bin", "TALLYD_LISTEN": f"127.0.0.1:{http_port}", "TALLYD_ADMIN": f"127.0.0.1:{admin_port}", "TALLYD_REDIS": f"redis://127.0.0.1:{redis}",
                "TALLYD_WORKERS": "2"}
    with open(tmp_path / "log", "w+", encoding="utf-8") as log:
        said = lambda: (log.seek(0), log.read())[1]
        process = subprocess.Popen([EMULATE, "chroot", "--userspec=31870:31870", rootfs, "/usr/bin/tallyd"], env={**os.environ, **settings}, stdout=log, stderr=log)
        try:
            wait_for(lambda: process.poll() is not None or get_path(admin_port, "/readyz")[0] == 200, said, 600)
            assert process.poll() is None, said()
            assert all(get_path(http_port, "/v1/hit/shop/item", "POST")[0] == 204 for _ in range(200))
            child = int(open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="utf-8").read().split()[0])
            os.kill(child, signal.SIGTERM)
            assert process.wait(600) == 0, said()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        print(said())
    assert run(tool("redis-cli"), "-p", redis, "get", "tally:shop:item").stdout.strip() == "200"
    assert CACHE

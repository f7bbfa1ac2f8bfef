"""The image for arm64, started, hit and drained by Debian's emulator: `make check-arm64`. Its packages are installed in a root of that
architecture; the program is compiled by the cross compiler against that root's own libraries, as an emulated one takes an hour. The
emulator has no io_uring, so this is the other engine; what it knows of the sandbox it says itself."""
import os
import re
import signal
import subprocess

import pytest

from conftest import CACHE, ROOT, run, tool
from image import DOCKERFILE, VERSION
from test_daemon import free_ports, get_path, redis, wait_for

assert redis
BASE = "localhost/tallyd-base-arm64"
EMULATE = ROOT / "docker/emulate"


def stage(name):
    """A container of a stage of the Dockerfile. The first build installs Debian's packages for arm64; later ones find its layers."""
    image = f"localhost/tallyd-check-arm64-{name}"
    run(EMULATE, "buildah", "bud", "--quiet", "--isolation", "chroot", "--network", "host", "--layers", "--format", "docker", "--platform", "linux/arm64",
        "--build-arg", f"BASE={BASE}", "--build-arg", f"VERSION={VERSION}", "--target", name, "--tag", image, "--file", DOCKERFILE, ROOT, seconds=7200)
    assert run("buildah", "inspect", "--type", "image", "--format", "{{.OCIv1.Architecture}}", image).stdout.strip() == "arm64"
    return run("buildah", "from", "--pull-never", "--arch", "arm64", image).stdout.strip()


def compile_for(root):
    """The program, by the cross compiler and the libraries of that root."""
    built, libraries = CACHE / "arm64", f"{root}/usr/lib/aarch64-linux-gnu/pkgconfig:{root}/usr/share/pkgconfig"
    run("make", "-s", "-j2", f"B={built}", f"CC=aarch64-linux-gnu-gcc --sysroot={root}", "CFLAGS=-Werror", f"VERSION={VERSION}", built / "tallyd",
        cwd=ROOT, env={**os.environ, "PKG_CONFIG_SYSROOT_DIR": root, "PKG_CONFIG_LIBDIR": libraries}, seconds=3600)
    return built / "tallyd"


@pytest.fixture(scope="module")
def rootfs():
    """The image's root, mounted, with the program in it."""
    for name in ("buildah", "debootstrap", "qemu-aarch64-static", "aarch64-linux-gnu-gcc"):
        tool(name)
    run(EMULATE, ROOT / "docker/base", BASE, "trixie", "arm64", seconds=7200)
    containers = []
    try:
        containers.append(stage("tools"))
        program = compile_for(run("buildah", "mount", containers[0]).stdout.strip())
        containers.append(stage("runtime"))
        root = run("buildah", "mount", containers[1]).stdout.strip()
        run("install", "-m", "0755", program, f"{root}/usr/bin/tallyd")
        yield root
    finally:
        run("buildah", "rm", *containers, check=False)


def test_program_is_for_arm64_and_says_its_version(rootfs):
    header = run("readelf", "-h", f"{rootfs}/usr/bin/tallyd").stdout
    assert re.search(r"Machine:\s+AArch64", header)
    assert VERSION in run(EMULATE, "chroot", rootfs, "/usr/bin/tallyd", "--version").stdout


def test_returns_and_branches_are_guarded(rootfs):
    """-mbranch-protection: functions begin where a branch may land (bti, or paciasp, which counts as one), and returns are signed."""
    code = run("readelf", "--hex-dump=.text", f"{rootfs}/usr/bin/tallyd").stdout
    words = re.findall(r"\b[0-9a-f]{8}\b", re.sub(r"^\s*0x[0-9a-f]+", "", code, flags=re.M))
    assert words.count("3f2303d5") > 500 and words.count("5f2403d5") > 100  # paciasp, bti c


def test_arm64_serves_counts_and_drains(rootfs, redis, tmp_path):
    http_port, admin_port = free_ports(2)
    settings = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TALLYD_LISTEN": f"127.0.0.1:{http_port}", "TALLYD_ADMIN": f"127.0.0.1:{admin_port}", "TALLYD_REDIS": f"redis://127.0.0.1:{redis}",
                "TALLYD_WORKERS": "2"}
    with open(tmp_path / "log", "w+", encoding="utf-8") as log:
        said = lambda: (log.seek(0), log.read())[1]
        child = lambda: int(open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="utf-8").read().split()[0])
        process = subprocess.Popen([EMULATE, "chroot", "--userspec=31870:31870", rootfs, "/usr/bin/tallyd"], env={**os.environ, **settings}, stdout=log, stderr=log)
        try:
            wait_for(lambda: process.poll() is not None or get_path(admin_port, "/readyz")[0] == 200, said, 600)
            assert process.poll() is None, said()
            assert all(get_path(http_port, "/v1/hit/shop/item", "POST")[0] == 204 for _ in range(200))
            os.kill(child(), signal.SIGTERM)
            assert process.wait(600) == 0, said()
        finally:
            if process.poll() is None:
                os.kill(child(), signal.SIGKILL)  # tallyd itself: the script beside it ends with it
                process.wait()
        print(said())
    assert run(tool("redis-cli"), "-p", redis, "get", "tally:shop:item").stdout.strip() == "200"

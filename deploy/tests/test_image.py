"""The image is built for real, by buildah; its root runs read-only, as 31870, under the seccomp profile, and is hit."""
import hashlib
import json
import os
import re
import signal
import subprocess

import pytest

from conftest import DEPLOY, ROOT, container, objects_of, run, tool
from image import BASE, DOCKERFILE, VERSION, build, image, rootfs
from test_daemon import free_ports, get_path, redis, wait_for

PROFILE = DEPLOY / "seccomp/tallyd.json"
assert redis and image and rootfs


@pytest.fixture(scope="module")
def config(image):
    return json.loads(run("buildah", "inspect", "--type", "image", image).stdout)["Docker"]


# In a mount and process namespace of its own: the image's root read-only, /proc, a tmpfs for the state, and tallyd as
# process 1, as every container has it.
START = r"""
set -e
mount --make-rprivate /
mount --bind "$ROOT" "$ROOT"
mount -o remount,ro,bind "$ROOT"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs -o uid=31870,gid=31870,mode=0700,size=64m tmpfs "$ROOT/run/tallyd"
exec "$CONFINE" --root "$ROOT" --user 31870 "$PROFILE" "$@"
"""


class Container:
    def __init__(self, rootfs, environment, log):
        self.log = open(log, "w+", encoding="utf-8")
        variables = {"PATH": os.environ["PATH"], "ROOT": rootfs, "CONFINE": str(DEPLOY / "seccomp/confine"), "PROFILE": str(PROFILE), **environment}
        self.outer = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", START, "start", "/usr/bin/tallyd"],
                                      env=variables, stdout=self.log, stderr=self.log)

    def pid(self):
        children = open(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children", encoding="utf-8").read().split()
        return int(children[0])

    def stop(self, seconds):
        os.kill(self.pid(), signal.SIGTERM)
        return self.outer.wait(seconds)

    def end(self):
        """Whatever it does: its first process itself, as the change of user has taken --kill-child's signal from it."""
        if self.outer.poll() is None:
            os.kill(self.pid(), signal.SIGKILL)
        self.outer.wait()
        self.log.close()

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def status(self, field):
        text = open(f"/proc/{self.pid()}/status", encoding="utf-8").read()
        return re.search(rf"^{field}:\s+(.*)$", text, re.M)[1]


@pytest.fixture
def start(rootfs, redis, tmp_path):
    running = []

    def begin(**more):
        http_port, admin_port = free_ports(2)
        one = Container(rootfs, {"TALLYD_LISTEN": f"127.0.0.1:{http_port}", "TALLYD_ADMIN": f"127.0.0.1:{admin_port}",
                                 "TALLYD_REDIS": f"redis://127.0.0.1:{redis}", "TALLYD_STATE_DIR": "/run/tallyd", **more}, tmp_path / "container.log")
        running.append(one)
        wait_for(lambda: get_path(admin_port, "/readyz")[0] == 200, lambda: f"ready: {one.said()}")
        return one, http_port, admin_port
    yield begin
    for one in running:
        one.end()


def test_image_answers_hits_stores_them_and_drains(start, redis):
    one, port, _ = start(TALLYD_DRAIN_DELAY="1s")
    for _ in range(300):
        assert get_path(port, "/v1/hit/shop/item", "POST")[0] == 204
    assert one.stop(600) == 0, one.said()
    assert run(tool("redis-cli"), "-p", redis, "get", "tally:shop:item").stdout.strip() == "300"


def test_health_check_tells_a_live_process_from_none(start, rootfs):
    """As Docker calls it: in the container's root, with its environment, under its profile."""
    _, _, admin = start()
    ask = lambda port: run(DEPLOY / "seccomp/confine", "--root", rootfs, "--user", "31870", PROFILE, "/usr/bin/tallyd", "--healthcheck",
                           check=False, env={"PATH": os.environ["PATH"], "TALLYD_ADMIN": f"0.0.0.0:{port}"}).returncode
    assert ask(admin) == 0 and ask(free_ports(1)[0]) == 1


def test_process_is_as_confined_as_the_pod_says(start):
    one, _, _ = start()
    assert one.status("Uid").split() == ["31870"] * 4 and one.status("Gid").split() == ["31870"] * 4
    assert one.status("Seccomp") == "2" and one.status("NoNewPrivs") == "1"
    assert {one.status(f"Cap{kind}") for kind in ("Inh", "Prm", "Eff", "Amb")} == {"0" * 16}
    assert one.status("NSpid").split()[-1] == "1"


def test_image_says_how_it_is_run(config):
    settings = config["config"]
    assert settings["User"] == "31870:31870" and settings["Entrypoint"] == ["/usr/bin/tallyd"]
    assert set(settings["ExposedPorts"]) == {"8080/tcp", "9090/tcp"} and settings["StopSignal"] == "SIGTERM"
    assert settings["Healthcheck"]["Test"] == ["CMD", "/usr/bin/tallyd", "--healthcheck"]
    for label in ("title", "description", "version", "revision"):
        assert settings["Labels"][f"org.opencontainers.image.{label}"]
    user = container(objects_of("prod"))
    assert user["securityContext"].get("runAsUser", 31870) == 31870


def test_binary_is_the_version_and_finds_its_libraries(rootfs):
    done = run("chroot", rootfs, "/usr/bin/tallyd", "--version")
    assert VERSION in done.stdout
    assert "not found" not in run("chroot", rootfs, "ldd", "/usr/bin/tallyd").stdout


def test_image_holds_only_what_runs(rootfs):
    for name in ("gcc", "make", "curl", "wget", "python3", "perl5.40-x86_64-linux-gnu", "gdb", "strace", "git", "ssh"):
        assert not run("bash", "-c", f"ls {rootfs}/usr/bin/{name} {rootfs}/usr/local/bin/{name}", check=False).stdout, name
    headers = run("find", f"{rootfs}/usr/include", "-name", "*.h", check=False).stdout
    assert headers == "" and not os.listdir(f"{rootfs}/var/lib/apt/lists")
    megabytes = int(run("du", "-sm", rootfs).stdout.split()[0])
    assert megabytes < 150, f"{megabytes} MiB"


def test_nothing_in_the_image_can_be_written_by_its_user(rootfs):
    found = run("find", rootfs, "-xdev", "-type", "f", "(", "-uid", "31870", "-o", "-perm", "-0002", ")").stdout
    assert found == ""
    setuid = run("find", rootfs, "-xdev", "-perm", "-4000", "-user", "tallyd", check=False).stdout
    assert setuid == ""


def test_debug_image_has_tools_and_symbols(image):
    """The same program, with what shows where it is."""
    working = run("buildah", "from", "--pull-never", build("debug")).stdout.strip()
    try:
        root = run("buildah", "mount", working).stdout.strip()
        for command in (("bpftrace", "--version"), ("perf", "--version"), ("strace", "--version")):
            run("chroot", root, *command)
        assert "src/main.c" in run("chroot", root, "gdb", "--batch", "--ex", "info line main", "/usr/bin/tallyd").stdout
        config = json.loads(run("buildah", "inspect", working).stdout)["Docker"]["config"]
        assert config["User"] == "31870:31870" and config["Entrypoint"] == ["/usr/bin/tallyd"]
    finally:
        run("buildah", "rm", working)


def test_two_builds_give_the_same_binary(image, tmp_path):
    """Again, in the same tools but another folder, at another time: the bytes are those in the image."""
    stage = run("buildah", "bud", "--quiet", "--isolation", "chroot", "--network", "host", "--layers", "--format", "docker", "--target", "build",
                "--build-arg", f"BASE={BASE}", "--build-arg", f"VERSION={VERSION}", "--file", DOCKERFILE, ROOT).stdout.split()[-1]
    working = run("buildah", "from", "--pull-never", stage).stdout.strip()
    try:
        build = ("set -e; mkdir /other; cp -r /src/Makefile /src/src /other; cd /other; "
                 f"make VERSION={VERSION} CFLAGS=-ffile-prefix-map=/other=. > /log 2>&1 || {{ tail /log; exit 1; }}; strip --strip-all build/release/tallyd")
        run("buildah", "run", "--isolation", "chroot", working, "--", "sh", "-c", build)
        mounted = run("buildah", "mount", working).stdout.strip()
        digest = lambda path: hashlib.sha256(open(path, "rb").read()).hexdigest()
        assert digest(f"{mounted}/other/build/release/tallyd") == digest(f"{mounted}/out/usr/bin/tallyd")
    finally:
        run("buildah", "rm", working)
    sbom = json.loads((ROOT / "build/image/tallyd.spdx.json").read_text(encoding="utf-8"))
    assert image and sbom["packages"][0]["checksums"][0]["checksumValue"]


def test_bill_of_materials_is_the_image(rootfs):
    sbom = json.loads((ROOT / "build/image/tallyd.spdx.json").read_text(encoding="utf-8"))
    own, *others = sbom["packages"]
    assert own["checksums"][0]["checksumValue"] == hashlib.sha256(open(f"{rootfs}/usr/bin/tallyd", "rb").read()).hexdigest()
    installed = run("dpkg-query", f"--root={rootfs}", "-W", "-f=${Package} ${Version}\n").stdout.split("\n")
    assert sorted(f"{p['name']} {p['versionInfo']}" for p in others) == sorted(line for line in installed if line)
    linked = {r["relatedSpdxElement"] for r in sbom["relationships"] if r["relationshipType"] == "DYNAMIC_LINK"}
    assert {"SPDXRef-deb-liburing2", "SPDXRef-deb-libhiredis1.1.0", "SPDXRef-deb-libjansson4", "SPDXRef-deb-libc6"} <= linked
    ids = [p["SPDXID"] for p in sbom["packages"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids)
    again = run(ROOT / "docker/sbom", rootfs, VERSION).stdout
    assert json.loads(again) == sbom

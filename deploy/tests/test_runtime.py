"""The image's root is started by real OCI runtimes, as a node starts a pod's container: the shipped profile, the image's
user, no capabilities, a read-only root, limits of memory and CPU, the state on a tmpfs that outlives the container.

The profile binds the runtime before it binds the daemon, so only a runtime can judge it: runc asks `statx` since 1.3.3."""
import os
import signal
from pathlib import Path

import pytest

import oci
from conftest import run, tool
from image import image, rootfs
from reading import USER
from test_daemon import free_ports, get_path, redis, wait_for

assert image and rootfs and redis
# runc: what EKS's nodes have, and the newest. crun 1.8 refuses cgroups of both versions at once, so it is shown one.
RUNTIMES = {"runc-1.3.4": ["runc-1.3.4"], "runc-1.5.1": ["runc-1.5.1"], "crun": ["crun", "--cgroup-manager=cgroupfs"]}
HYBRID = Path("/sys/fs/cgroup/unified")
ONE_VERSION = ["unshare", "--mount", "sh", "-c", f'umount {HYBRID}; exec "$@"', "sh"]


@pytest.fixture(scope="module", params=RUNTIMES)
def runtime(request):
    name, *more = RUNTIMES[request.param]
    prefix = ONE_VERSION if name == "crun" and HYBRID.is_dir() else []
    return [*prefix, tool(name), *more]


@pytest.fixture
def state(tmp_path):
    """As an emptyDir of medium Memory: a tmpfs that the pod owns, not the container. Beside it, one for a second pod."""
    folder = tmp_path / "pods"
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=128m", "tmpfs", folder)
    for pod in ("one", "two"):
        (folder / pod).mkdir(mode=0o700)
        os.chown(folder / pod, USER, USER)
    yield folder
    run("umount", folder)


@pytest.fixture
def begin(runtime, rootfs, redis, tmp_path):
    """Starts a container on a state folder and waits until it is ready."""
    lives = []

    def start(state, profile=oci.PROFILE, **more):
        http_port, admin_port = free_ports(2)
        one = oci.Container(runtime, rootfs, tmp_path / f"life{len(lives)}", state, USER, cpus=1, memory=128 * oci.MIB, profile=profile)
        one.http, one.admin = http_port, admin_port
        lives.append(one)
        one.start({"TALLYD_LISTEN": f"127.0.0.1:{http_port}", "TALLYD_ADMIN": f"127.0.0.1:{admin_port}", "TALLYD_REDIS": f"redis://127.0.0.1:{redis}",
                   "TALLYD_STATE_DIR": "/run/tallyd", "TALLYD_DRAIN_DELAY": "1s", "TALLYD_FLUSH_INTERVAL": "1h", "TALLYD_MAX_KEYS": "10000", **more})
        wait_for(lambda: one.outer.poll() is not None or get_path(admin_port, "/readyz")[0] == 200, lambda: f"ready: {one.said()}")
        assert one.outer.poll() is None, one.said()
        return one
    yield start
    for one in lives:
        one.end()


def hit(container, number):
    """How many were answered 204, one after the other: those must be in Redis in the end."""
    return sum(get_path(container.http, "/v1/hit/shop/item", "POST")[0] == 204 for _ in range(number))


def stored(redis):
    return int(run(tool("redis-cli"), "-p", redis, "get", "tally:shop:item").stdout or 0)


def test_container_starts_confined_serves_and_drains(begin, redis, state):
    one = begin(state / "one")
    wait_for(lambda: "workers=1 " in one.said(), lambda: f"the CPU limit is not seen: {one.said()}")
    assert one.status("Uid").split() == [str(USER)] * 4 and one.status("Seccomp") == "2" and one.status("NoNewPrivs") == "1"
    assert {one.status(f"Cap{kind}") for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    mounts = {line.split()[4]: line.split()[5].split(",") for line in Path(f"/proc/{one.pid()}/mountinfo").read_text(encoding="utf-8").splitlines()}
    assert "ro" in mounts["/"] and "rw" in mounts["/run/tallyd"]
    healthy = one.exec("/usr/bin/tallyd", "--healthcheck", env={"TALLYD_ADMIN": f"127.0.0.1:{one.admin}"})
    assert healthy.returncode == 0, healthy.stderr
    counted = hit(one, 300)
    assert one.stop() == 0, one.said()
    assert counted == 300 and stored(redis) == counted


def test_container_killed_for_memory_comes_back_exact(begin, redis, state):
    one = begin(state / "one")
    counted = hit(one, 300)
    assert oci.out_of_memory(one) == 128 + signal.SIGKILL
    two = begin(state / "one")
    counted += hit(two, 100)
    assert two.stop() == 0, two.said()
    assert counted == 400 and stored(redis) == counted


def test_container_replaced_without_a_word_comes_back_exact(begin, redis, state):
    one = begin(state / "one")
    counted = hit(one, 300)
    one.end()
    two = begin(state / "one")
    counted += hit(two, 100)
    assert two.stop() == 0, two.said()
    assert counted == 400 and stored(redis) == counted


def test_pod_replaced_by_another_is_exact(begin, redis, state):
    """Another pod has a state of its own: what the first took is flushed while it drains."""
    one, two = begin(state / "one"), begin(state / "two")
    counted = hit(one, 200)
    assert one.stop() == 0, one.said()
    counted += hit(two, 100)
    assert two.stop() == 0, two.said()
    assert counted == 300 and stored(redis) == counted


@pytest.mark.parametrize("runtime", ["runc-1.3.4", "runc-1.5.1"], indirect=True)
def test_profile_without_statx_starts_nothing(begin, state, tmp_path):
    """The check can fail: this is the profile that was shipped before, made from the daemon's calls alone."""
    narrow = tmp_path / "narrow.json"
    narrow.write_text(oci.PROFILE.read_text(encoding="utf-8").replace(', "statx"', ""), encoding="utf-8")
    with pytest.raises(AssertionError, match="statx"):
        begin(state / "one", profile=narrow)

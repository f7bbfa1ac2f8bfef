"""Bare Debians for tests: working containers of buildah, and one of them with its own systemd, in namespaces of its own."""
import hashlib
import subprocess

from conftest import ROOT, run, tool

BASES = {"bookworm": "localhost/tallyd-bookworm", "trixie": "localhost/tallyd-base"}


class Root:
    """A folder that is the root of a Debian."""

    def __init__(self, image):
        self.name = run("buildah", "from", "--pull-never", image).stdout.strip()
        self.folder = run("buildah", "mount", self.name).stdout.strip()

    def run(self, command, **environment):
        variables = [f"--env={name}={value}" for name, value in {"DEBIAN_FRONTEND": "noninteractive", **environment}.items()]
        return run("buildah", "run", "--isolation", "chroot", "--network", "host", *variables, self.name, "--", "sh", "-euc", command).stdout

    def copy(self, path, target):
        run("buildah", "copy", "--quiet", self.name, path, target)

    def files(self):
        """All but what changes by itself."""
        prune = [word for folder in ("var", "run", "tmp") for word in ("-path", f"{self.folder}/{folder}", "-prune", "-o")]
        found = run("find", self.folder, "-xdev", *prune, "-not", "-type", "d", "-print").stdout.splitlines()
        return {path[len(self.folder):] for path in found}

    def close(self):
        run("buildah", "rm", self.name)


def image_with(suite, packages):
    """The bare Debian with these packages; made once, and anew when they are others."""
    tool("buildah")
    tool("debootstrap")
    name = f"localhost/tallyd-{suite}-{hashlib.sha256(packages.encode()).hexdigest()[:12]}"
    if run("buildah", "inspect", "--type", "image", name, check=False).returncode != 0:
        run(ROOT / "docker/base", BASES[suite], suite)
        root = Root(BASES[suite])
        try:
            root.run(f"apt-get update -q; apt-get install -qy --no-install-recommends {packages}; apt-get clean")
            run("buildah", "commit", "--quiet", root.name, name)
        finally:
            root.close()
    return name


# Process 1 of a machine: systemd, which sees its root, its own cgroups, and no devices but the harmless ones.
BOOT = r"""
set -e
ip link set lo up
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mkdir -p mnt/host
pivot_root . mnt/host
cd /
umount -l /mnt/host
mount --make-rshared /
exec env -i container=check PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=basic.target
"""


class Machine:
    """A Root that has booted; its network is a loopback of its own."""

    def __init__(self, root, log):
        self.root = root
        self._log = open(log, "w", encoding="utf-8")
        self._outer = subprocess.Popen(["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child", "bash", "-c", BOOT, "boot", root.folder],
                                       stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)

    def _enter(self, *namespaces):
        with open(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children", encoding="ascii") as file:
            children = file.read().split()
        if not children:
            raise OSError("it has no process 1 yet")
        return ["nsenter", f"--target={children[0]}", *namespaces]

    def run(self, *command, check=True):
        """Inside."""
        return run(*self._enter("--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup"), *command, check=check).stdout.strip()

    def beside(self, *command):
        """How to run a program of the host in the machine's network."""
        return [*self._enter("--net"), *command]

    def booted(self):
        return self._outer.poll() is None and self.run("systemctl", "is-active", "basic.target", check=False) == "active"

    def close(self):
        self._outer.kill()
        self._outer.wait()
        self._log.close()

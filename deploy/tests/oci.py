"""Runs a root folder as a pod's container, by a real OCI runtime: what containerd would ask of runc, without containerd.

The bundle carries the shipped seccomp profile as it is: containerd copies it into the same place. The container has the
machine's network, so that the test's Redis on loopback is reached; its processes, mounts and limits are its own."""
import json
import os
import re
import resource
import subprocess
from pathlib import Path

from conftest import DEPLOY

PROFILE = DEPLOY / "seccomp/tallyd.json"
MIB = 1024 * 1024
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]},
]
# What EKS's containerd gives: 65536, at most 1048576; or what this machine may give.
NOFILE = {"type": "RLIMIT_NOFILE", "soft": min(65536, HARD), "hard": min(1048576, HARD)}


def process(args, env, uid, no_new_privileges=True):
    """A process of the container as the pod's securityContext has it."""
    capabilities = {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")}
    return {"user": {"uid": uid, "gid": uid}, "args": args, "env": [f"{key}={value}" for key, value in env.items()], "cwd": "/",
            "capabilities": capabilities, "noNewPrivileges": no_new_privileges, "rlimits": [NOFILE]}


class Container:
    """One life of a container: made by start(), over by stop(), kill() or its own end."""

    def __init__(self, runtime, rootfs, work, state, uid, memory=512 * MIB, cpus=2, profile=PROFILE):
        self.runtime, self.uid, self.work = runtime, uid, Path(work)
        self.id = f"tallyd-{os.getpid()}-{self.work.name}"
        self.mounts = [*MOUNTS, {"destination": "/run/tallyd", "type": "none", "source": str(state), "options": ["bind", "nosuid", "nodev", "rw"]}]
        self.spec = {
            "ociVersion": "1.0.2", "hostname": "tallyd", "root": {"path": str(rootfs), "readonly": True}, "mounts": self.mounts,
            "linux": {
                "namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")], "cgroupsPath": f"/{self.id}",
                "resources": {"devices": [{"allow": False, "access": "rwm"}], "memory": {"limit": memory},
                              "cpu": {"period": 100000, "quota": cpus * 100000}, "pids": {"limit": 256}},
                "seccomp": json.loads(Path(profile).read_text(encoding="utf-8")),
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"], "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"]}}
        self.outer = None

    def call(self, *command, **more):
        return subprocess.run([*self.runtime, "--root", str(self.work / "runtime"), *command], capture_output=True, text=True, timeout=600, check=False, **more)

    def start(self, env, *more, args=("/usr/bin/tallyd",)):
        self.spec["process"] = process([*args, *more], {"PATH": "/usr/bin:/bin", **env}, self.uid)
        self.work.mkdir(parents=True, exist_ok=True)
        (self.work / "config.json").write_text(json.dumps(self.spec), encoding="utf-8")
        log = open(self.work / "log", "a", encoding="utf-8")
        self.outer = subprocess.Popen([*self.runtime, "--root", str(self.work / "runtime"), "run", "--bundle", str(self.work), self.id],
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        return self

    def said(self):
        return (self.work / "log").read_text(encoding="utf-8")

    def state(self):
        return json.loads(self.call("state", self.id).stdout)

    def pid(self):
        """The container's first process, in the machine's numbers."""
        return self.state()["pid"]

    def status(self, field):
        text = Path(f"/proc/{self.pid()}/status").read_text(encoding="utf-8")
        return re.search(rf"^{field}:\s+(.*)$", text, re.M)[1]

    def exec(self, *args, env=None):
        """Another process in it, as a health check or `kubectl exec` makes it."""
        path = self.work / "process.json"
        path.write_text(json.dumps({**process(list(args), {"PATH": "/usr/bin:/bin", **(env or {})}, self.uid), "terminal": False}), encoding="utf-8")
        return self.call("exec", "--process", str(path), self.id)

    def stop(self, signal="TERM", seconds=600):
        """Its exit status, as the kubelet would see it."""
        done = self.call("kill", self.id, signal)
        assert done.returncode == 0, done.stderr
        return self.outer.wait(seconds)

    def cgroup(self, controller):
        """Where its cgroup lies, for either version of cgroups."""
        for line in Path(f"/proc/{self.pid()}/cgroup").read_text(encoding="utf-8").splitlines():
            _, names, path = line.split(":", 2)
            if controller in names.split(","):
                return Path("/sys/fs/cgroup") / names / path.lstrip("/"), 1
        return Path("/sys/fs/cgroup") / path.lstrip("/"), 2

    def end(self):
        """Whatever became of it, nothing of it is left."""
        self.call("delete", "--force", self.id)
        if self.outer is not None:
            self.outer.wait(600)


# Takes the memory of a cgroup that it has joined.
HOG = r"""
import sys
open(sys.argv[1], "w").write("0")
held = []
while True:
    held.append(b"x" * (4 << 20))
"""


def out_of_memory(container):
    """Makes the kernel end the container's process for want of memory. Returns its exit status."""
    Path(f"/proc/{container.pid()}/oom_score_adj").write_text("1000", encoding="utf-8")  # it, and not the hog
    folder, _ = container.cgroup("memory")
    hog = subprocess.Popen(["/usr/bin/python3", "-c", HOG, str(folder / "cgroup.procs")])
    try:
        return container.outer.wait(600)
    finally:
        hog.kill()
        hog.wait()

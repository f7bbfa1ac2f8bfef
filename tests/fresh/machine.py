"""A new Debian: a copy of a debootstrapped root in namespaces of its own, with a user `dev` who may use sudo."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "fresh"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a new machine has of its own before anybody follows the README.
PACKAGES = "ca-certificates,git,make,sudo"

# Its process 1 only reaps. The host's root stays visible to nsenter, so that the host's tools can prepare a command.
INIT = r"""
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm run/lock
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=1777 tmpfs dev/shm
hostname fresh
echo ready
exec chroot "$1" sh -c 'while :; do sleep 3600 & wait; done'
"""
_one_base = threading.Lock()
NO_NETWORK = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def base(suite):
    """The debootstrapped root of a suite, made once."""
    with _one_base:
        return _made(suite, FOLDER / f"{suite}.base")


def _made(suite, folder):
    if not folder.exists():
        print(f"check-fresh: debootstrap {suite} (once)", flush=True)
        FOLDER.mkdir(parents=True, exist_ok=True)
        half = FOLDER / f"{suite}.half"
        shutil.rmtree(half, ignore_errors=True)
        with open(FOLDER / f"{suite}.log", "wb") as log:
            subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, half], check=True, stdout=log, stderr=log)
        half.rename(folder)
    return folder


class Machine:
    def __init__(self, name, suite, user):
        self.name, self.suite, self.user = name, suite, user
        self.stopped = False
        self.root = FOLDER / name
        FOLDER.mkdir(parents=True, exist_ok=True)
        self._lock = open(FOLDER / f"{name}.lock", "w", encoding="ascii")  # for as long as this object lives
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"check-fresh: another check of {name} is running") from None
        self.logs = FOLDER / "logs" / name
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        if self.root.exists():
            subprocess.run(["rm", "-rf", "--one-file-system", self.root], check=True)
        subprocess.run(["cp", "-a", "--reflink=auto", base(suite), self.root], check=True)
        self._settle()
        self._init = subprocess.Popen(["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--propagation", "private",
                                       "sh", "-euc", INIT, "init", self.root], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self._init.stdout.readline() != "ready\n":
            raise OSError(f"{name}: its namespaces could not be made")
        with open(f"/proc/{self._init.pid}/task/{self._init.pid}/children", encoding="ascii") as file:
            self._pid = int(file.read().split()[0])

    def _settle(self):
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost fresh\n::1 localhost ip6-localhost\n", encoding="ascii")
        # The host's way out: its name servers, and the authorities that its network adds.
        for path in ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"):
            shutil.copy(path, self.root / path.lstrip("/"))
        subprocess.run(["chroot", self.root, "useradd", "--create-home", "--shell", "/bin/bash", "dev"], check=True)
        (self.root / "etc/sudoers.d/dev").write_text("dev ALL=(ALL) NOPASSWD: ALL\n", encoding="ascii")
        # As git has it: what is not committed does not count.
        where = self.root / self.tree.lstrip("/")
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, where], check=True)
        if self.user != "root":
            subprocess.run(["chroot", self.root, "chown", "-R", f"{self.user}:", self.tree], check=True)

    @property
    def tree(self):
        return "/root/tallyd" if self.user == "root" else f"/home/{self.user}/tallyd"

    def words(self, command, user=None, network=True, before=()):
        user = user or self.user
        home = () if user == "root" else (f"HOME=/home/{user}", f"USER={user}")  # root has no HOME, as under a service manager
        within = () if user == "root" else ("setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups")
        return [*before, "nsenter", f"--target={self._pid}", "--mount", "--pid", "--uts", "--ipc", *(() if network else NO_NETWORK),
                "chroot", self.root, *within, "env", "-i", f"PATH={PATH}", *home, "sh", "-euc", f"cd {self.tree}; {command}"]

    def start(self, name, command, **how):
        """A running command; what it says goes to a log of that name."""
        with open(self.logs / name, "wb") as log:
            return subprocess.Popen(self.words(command, **how), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def run(self, name, command, **how):
        """(exit code, what it said)"""
        code = self.start(name, command, **how).wait()
        return code, self.log(name)

    def log(self, name):
        return (self.logs / name).read_text(encoding="utf-8", errors="replace")

    def processes(self):
        """The command lines of all that runs in it but its own process 1 and that one's sleep."""
        ours, found = os.readlink(f"/proc/{self._pid}/ns/pid"), []
        for entry in os.listdir("/proc"):
            try:
                if not entry.isdigit() or int(entry) == self._pid or os.readlink(f"/proc/{entry}/ns/pid") != ours:
                    continue
                words = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0] and words != [b"sleep", b"3600", b""]:
                found.append(b" ".join(words).decode(errors="replace").strip())
        return found

    def enabled(self):
        """What starts with the machine."""
        links = [*self.root.glob("etc/systemd/system/*.wants/*"), *self.root.glob("etc/rc[S2345].d/S*")]
        return {str(link.relative_to(self.root)) for link in links}

    def files(self):
        found = subprocess.run(["find", "etc", "usr", "lib", "opt", "srv", "-xdev", "-not", "-type", "d"], cwd=self.root, text=True, check=True, capture_output=True)
        return {path for path in found.stdout.splitlines() if not re.search(r"__pycache__|^etc/ld.so.cache$|/share/(mime|info/dir)", path)}

    def stop(self):
        """Ends all that runs in it, so that whoever waits for a command is free."""
        self.stopped = True
        self._init.kill()

    def close(self, keep=False):
        self.stop()
        self._init.wait()
        for _ in range(100):  # the kernel ends what was in it
            if not self.processes_left():
                break
            time.sleep(0.1)
        if not keep:
            subprocess.run(["rm", "-rf", "--one-file-system", self.root], check=True)

    def processes_left(self):
        return os.path.exists(f"/proc/{self._pid}")


def interrupt(process):
    """Ctrl-C in its terminal."""
    os.killpg(process.pid, signal.SIGINT)

"""Both filters allow only calls that a life of the daemon makes, or that `REASONS` gives a reason for.

A call that the container's profile (deploy/seccomp/tallyd.json) or the process's own filter (src/sandbox/sandbox_calls.c) allows,
and that no life here makes, needs a line in `REASONS`. A call that is made and not allowed is a failure, too: strace sees
it before a filter does. The lives run under both filters."""

import contextlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import threading

import pytest
from harness import wait
from harness.certificates import Authority
from harness.ports import HOST
from harness.scenarios import state_dir
from harness.tallyd import BINARY, run
from harness.tls_redis import TlsRedis
from test_090_iam import CLUSTER, KEYS_IN_ENV, REGION, Store

pytestmark = [
    pytest.mark.uring,
    pytest.mark.skipif(wait.INSTRUMENTED, reason="sanitizers run without the sandbox"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the reasons are those of x86-64"),
    pytest.mark.skipif(not shutil.which("strace") or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode != 0,
                       reason="strace is not installed, or may not trace here"),
]
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROFILE = os.path.join(ROOT, "deploy", "seccomp", "tallyd.json")
CONFINE = os.path.join(ROOT, "deploy", "seccomp", "confine")

# strace reads arguments of a process that is not dumpable only for root.
TRACEABLE = {} if os.geteuid() == 0 else {"TALLYD_ALLOW_CORE": "true"}

# What no life here makes, and why it stays allowed all the same.
REASONS = {
    # runc has loaded the profile already when it closes descriptors, looks the program up (for exec) and executes it.
    "close_range getdents64 fstatfs openat2": "runc closes what it has open by /proc/self/fd, which it makes sure is procfs",
    "statx": "runc 1.3.3 and later ask which mount /proc/self/fd is of",
    "faccessat2": "runc looks the program of an exec up",
    "nanosleep sched_yield sigaltstack": "Go's runtime, which runs until runc executes the daemon",
    # Other machines.
    "epoll_pwait faccessat ppoll readlinkat": "what aarch64 has for epoll_wait, access, poll and readlink",
    "clock_gettime gettimeofday": "the vDSO answers, but not with each clock source (Xen, an unstable TSC)",
    "fstat": "glibc 2.41 (Debian 13), where 2.36 makes newfstatat",
    "sysinfo": "malloc and qsort of glibc 2.36 (Debian 12), where 2.41 needs it no more",
    # What does not happen on a good day.
    "gettid tgkill writev": "abort() and what glibc writes before it",
    "mremap": "realloc of a large block",
    "restart_syscall": "made by the kernel, in a call that a stop has interrupted",
    "rt_sigreturn": "without it no handler ever returns; Go's runtime preempts itself by a signal",
    "unlinkat": "a new state file that could not be finished",
    "clock_nanosleep": "the flusher without memory or descriptors; waiting for a listener that is still taken",
    "shutdown": "a connection that is closed while its client is still sending",
}
# The same for what the process allows itself; only what is not above.
REASONS_OF_FILTER = {
    "brk madvise mmap mprotect munmap": "the heap grows and shrinks when it likes",
    "getrandom": "OpenSSL reseeds; a malloc arena of a new thread",
    "fcntl ioctl pread64": "stdio and the resolver ask their descriptors; a damaged page is read again",
    "sched_getaffinity": "a malloc arena for the resolver's thread: how many may there be?",
    "socketpair": "libcurl of Debian 12; Debian 13's makes eventfd2",
    "eventfd2": "libcurl 8.14 (Debian 13), where 7.88 makes socketpair",
}


def reasons(table):
    return {name for names in table for name in names.split()}


class Traces:
    """Each program under strace and the profile; `-D`: the program stays the child, and gets the signals."""

    _CALL = re.compile(r"^\d+ +(\w+)\(")
    # A thread that strace meets on its way out of an interrupted call has −516 (ERESTART_RESTARTBLOCK) for a number.
    _RESTART = re.compile(r"^syscall_0xf{8}")

    def __init__(self, folder):
        self.folder = str(folder)
        self.paths = []
        os.makedirs(self.folder)

    def wrapper(self):
        self.paths.append(os.path.join(self.folder, str(len(self.paths))))
        return ["strace", "-D", "-f", "-s", "0", "-o", self.paths[-1], CONFINE, PROFILE]

    def made(self, filtered=False):
        """The calls of all, once the program is executed; `filtered`: only those behind its own filter."""
        lines = (line for path in self.paths for line in self.lines(path, filtered))
        return {call[1] for line in lines if (call := self._CALL.match(line)) and not self._RESTART.match(call[1])}

    @staticmethod
    def lines(path, filtered):
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().split("execve(")[-1].splitlines()
        if filtered:
            loads = [i for i, line in enumerate(lines) if "SECCOMP_SET_MODE_FILTER" in line and "{len=" in line]
            lines = lines[loads[0]:] if loads else []
            if lines and lines[0].endswith("<unfinished ...>"):
                lines = lines[next(i for i, line in enumerate(lines) if "<... seccomp resumed>" in line):]
            lines = lines[1:]
        return list(joined(lines))


def joined(lines):
    """strace's lines with each call whole: one that another thread interrupts is written as its begin and its end."""
    begun = {}
    for line in lines:
        thread, _, text = line.partition(" ")
        if text.endswith("<unfinished ...>"):
            begun[thread] = line.removesuffix("<unfinished ...>")
        elif resumed := re.match(r" *<\.\.\. \w+ resumed>(.*)", text):
            yield begun.pop(thread, thread + " ") + resumed[1]
        else:
            yield line
    yield from begun.values()


def live(lab, traces, redis, **options):
    """Start, hits, a read, the admin pages, a reload, a store that goes and comes; still running."""
    server = lab.tallyd(redis, wrapper=traces.wrapper(), flush_interval="20ms", env=TRACEABLE, **options)
    store = getattr(redis, "plain", redis)
    for key in "abc":
        server.hit("minimal", key)
    wait.until(lambda: server.value("minimal", "a") == 1, "the value is read")
    batch = {"hits": [{"ns": "minimal", "key": "batch", "n": 2}]}
    assert server.fetch("/v1/hits", "POST", (), json.dumps(batch).encode()).json()["accepted"] == 1
    for page in ("/metrics", "/statusz", "/configz"):
        server.admin(page)
    connected = lambda times: wait.until(lambda: len(server.log_lines("redis_connected")) == times, f"connected {times} times", 20)
    connected(1)
    os.kill(server.pid, signal.SIGHUP)
    connected(2)
    store.kill()
    wait.until(lambda: len(server.log_lines("redis_lost")) >= 2, "the loss is seen")
    server.hit("minimal", "a")
    store.start()
    connected(3)
    return server


def drained(server):
    assert server.stop() == 0, server.log()[-2000:]


def damage(folder):
    """In the middle of the state file, as a disk does."""
    path = next(entry.path for entry in os.scandir(folder) if entry.is_file() and entry.stat().st_size > 4096)
    with open(path, "r+b") as file:
        file.write(b"?" * 512)


class LateStore(Store):
    """Shakes no hand until it is let: what a first connection does once is then done under the filter."""

    def __init__(self, authority):
        self.may = threading.Event()
        super().__init__(authority)

    def _serve(self):
        self.may.wait()
        super()._serve()


def keyless(lab, traces, name, sign, **env):
    """IAM without an answer that helps, all of it under the filter, until `sign` stands in what strace writes."""
    authority = Authority(lab.folder, name)
    with contextlib.closing(LateStore(authority)) as store:
        clean = {name: "" for name in KEYS_IN_ENV}
        server = lab.tallyd(store, wrapper=traces.wrapper(), redis_ca=authority.cert, redis_auth="iam", redis_iam_cluster=CLUSTER,
                            redis_iam_region=REGION, env={**TRACEABLE, **clean, **env})
        after = lambda: traces.lines(traces.paths[-1], filtered=True)
        wait.until(after, "the filter is there", pause=0.1)
        store.may.set()
        wait.until(lambda: any(sign in line for line in after()), "keys are asked for", 20, pause=0.1)
        wait.until(lambda: "no AWS keys from" in server.log(), "that is said")
        drained(server)


def again(server, traces):
    server._command[:-1] = traces.wrapper()
    return server.start()


@pytest.fixture(name="lives")
def make_lives(lab, tmp_path):
    """Both engines; a store by name with TLS, one by number without; a state file in order, left by a crash, damaged; a
    healthcheck; IAM. The traces of all, and those of IAM."""
    traces, iam = Traces(tmp_path / "traces"), Traces(tmp_path / "traces-iam")
    state = state_dir(lab)
    server = live(lab, traces, lab.redis(appendonly=True), io="uring", state_dir=state)
    code, _, err = run(tmp_path, ["--healthcheck", "--admin", f"{HOST}:{server.admin_port}"], wrapper=traces.wrapper())
    assert code == 0, err
    server.kill()
    drained(again(server, traces))
    damage(state)
    drained(again(server, traces))
    authority = Authority(tmp_path, "authority")
    redis = TlsRedis(lab, authority, host="localhost", appendonly=True)
    drained(live(lab, traces, redis, io="epoll", redis_ca=authority.cert))
    token = tmp_path / "token"
    token.write_text("token")
    keyless(lab, iam, "resolver", " clone(", AWS_WEB_IDENTITY_TOKEN_FILE=str(token), AWS_ROLE_ARN="role",
            AWS_ENDPOINT_URL_STS="https://sts.invalid/")
    with contextlib.closing(Store(authority)) as stranger:
        url = f"https://{HOST}:{stranger.url.rpartition(':')[2]}/keys"
        keyless(lab, iam, "https", "/ca-certificates.crt", AWS_CONTAINER_CREDENTIALS_FULL_URI=url)
    return traces, iam


def complaints(made, allowed, reasoned, where):
    if made - allowed:
        yield f"made, but {where} does not allow it: {sorted(made - allowed)}"
    if allowed - made - reasoned:
        yield f"{where} allows it, no life makes it, and there is no reason: {sorted(allowed - made - reasoned)}"


def own_lists():
    """The lists in sandbox_calls.c, and the calls that have rules of their own there."""
    with open(os.path.join(ROOT, "src", "sandbox", "sandbox_calls.c"), encoding="utf-8") as file:
        source = file.read()
    lists = {m[1]: set(re.findall(r"SCMP_SYS\((\w+)\)", m[2])) for m in re.finditer(r"(\w+)\[\] = \{(.*?)\}", source, re.DOTALL)}
    with open(os.path.join(ROOT, "src", "sandbox", "sandbox_rules.c"), encoding="utf-8") as file:
        ruled = set(re.findall(r"SCMP_SYS\((\w+)\)", file.read()))
    with_iam = {"clone", "socketpair"}
    return lists["allowed"] | lists["enter"] | ruled - with_iam, lists["allowed_with_iam"] | with_iam, lists["clone3"]


# What the C library asks for and goes on without; src/sandbox/sandbox_rules.c says why it is not given.
REFUSED = re.compile(r"socket\(AF_(UNIX|NETLINK), .* = -1 EAFNOSUPPORT|clone3\(.* = -1 ENOSYS|mprotect\(.*PROT_EXEC")


def test_nothing_that_a_life_asks_for_is_refused(lives):
    """Randomness, configurations, zones, modules that a library opens or draws late: it would fall back to something less."""
    refused = re.compile(r" = -1 (EPERM|EACCES|ENOSYS|EAFNOSUPPORT) |killed by SIGSYS")
    for traces in lives:
        lines = [line for path in traces.paths for line in traces.lines(path, filtered=True)]
        assert len(lines) > 100
        found = [line for line in lines if refused.search(line) and not REFUSED.search(line)]
        assert not found, "\n".join(found)


def test_both_filters_allow_what_is_used_and_nothing_else(lives):
    traces, iam = lives
    with open(PROFILE, encoding="utf-8") as file:
        profile = {name for rule in json.load(file)["syscalls"] for name in rule["names"]}
    own, more, answered = own_lists()
    filtered, filtered_iam = traces.made(filtered=True), iam.made(filtered=True) - answered
    known = reasons(REASONS)
    known_within = known | reasons(REASONS_OF_FILTER)
    # A keyring of its own is asked for; a container that forbids keyrings is as good.
    found = [*complaints((traces.made() | iam.made() | {"execve"}) - {"keyctl"}, profile, known, "the profile"),
             *complaints(filtered, own, known_within | filtered_iam, "the filter"),
             *complaints(filtered_iam, own | more, known_within | filtered, "the filter with IAM")]
    assert not found, "; ".join(found)

"""The profile: readable by Docker and containerd alike, loaded for real, closed for what the daemon never does."""
import ctypes
import json
import subprocess

import pytest

from conftest import DEPLOY

PROFILE = DEPLOY / "seccomp" / "tallyd.json"
CONFINE = DEPLOY / "seccomp" / "confine"
# libseccomp's tokens for the architectures of the profile.
TOKENS = {"SCMP_ARCH_X86_64": 0xC000003E, "SCMP_ARCH_AARCH64": 0xC00000B7}
# Nothing of a daemon: other processes, mounts, modules, namespaces, the kernel's interpreters, other people's memory.
NEVER = """acct add_key bpf chroot create_module delete_module execveat finit_module fork init_module ioperm iopl kcmp kexec_load
    keyctl mount mount_setattr move_mount name_to_handle_at open_by_handle_at open_tree perf_event_open personality
    pivot_root process_vm_readv process_vm_writev ptrace quotactl reboot request_key setns setuid setgid settimeofday
    swapon syslog umount2 unshare userfaultfd vfork kill""".split()


@pytest.fixture(scope="module")
def profile():
    return json.loads(PROFILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def names(profile):
    return [name for rule in profile["syscalls"] for name in rule["names"]]


def confined(program, *more):
    return subprocess.run([CONFINE, PROFILE, *more, "/usr/bin/python3", "-I", "-c", program], capture_output=True, text=True, timeout=600, check=False)


def test_profile_uses_only_what_docker_and_containerd_both_read(profile):
    """containerd reads the OCI type and ignores Docker's archMap, includes and excludes without a word."""
    assert set(profile) == {"defaultAction", "defaultErrnoRet", "architectures", "syscalls"}
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO" and profile["defaultErrnoRet"] == 1
    assert profile["architectures"] == list(TOKENS)
    for rule in profile["syscalls"]:
        assert set(rule) <= {"comment", "names", "action", "errnoRet", "args"}
        assert rule["action"] in ("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO")
        for arg in rule.get("args", []):
            assert set(arg) <= {"index", "value", "valueTwo", "op"} and len(rule["args"]) == 1


def test_each_name_is_a_system_call_of_an_architecture(profile, names):
    lib = ctypes.CDLL("libseccomp.so.2")
    known = lambda name: {arch for arch, token in TOKENS.items() if lib.seccomp_syscall_resolve_name_arch(ctypes.c_uint32(token), name.encode()) >= 0}
    unknown = sorted({name for name in names if not known(name)})
    assert unknown == []
    # What the engine and the timers need exists on both; only older calls for files and polling are x86's alone.
    x86_only = sorted({name for name in names if known(name) == {"SCMP_ARCH_X86_64"}})
    assert x86_only == ["access", "arch_prctl", "epoll_wait", "poll", "readlink"]


def test_no_unconditional_rule_hides_a_condition(profile):
    """Rules for one call are or-ed: one without arguments would open what the others close."""
    conditional = {name for rule in profile["syscalls"] if rule.get("args") for name in rule["names"]}
    plain = [name for rule in profile["syscalls"] if not rule.get("args") for name in rule["names"]]
    assert conditional == {"clone", "ioctl", "prctl", "socket"} and not conditional & set(plain)
    assert len(plain) == len(set(plain))


@pytest.mark.parametrize("name", NEVER)
def test_profile_does_not_allow(name, names):
    assert name not in names


@pytest.mark.parametrize("name", ["io_uring_setup", "io_uring_enter", "io_uring_register"])
def test_profile_allows_what_the_runtimes_deny(name, names):
    assert name in names


# The profile binds the runtime too, from the moment it is loaded until the daemon is executed. test_runtime.py shows it.
@pytest.mark.parametrize("name", ["close_range", "execve", "faccessat2", "fstatfs", "getdents64", "openat2", "rt_sigreturn", "statx", "write"])
def test_profile_allows_what_a_runtime_does_before_it_executes_the_daemon(name, profile):
    assert any(name in rule["names"] and rule["action"] == "SCMP_ACT_ALLOW" and not rule.get("args") for rule in profile["syscalls"])


def test_threads_sockets_and_rings_work_under_it():
    done = confined("""
import ctypes, socket, threading, os, fcntl, mmap
t = threading.Thread(target=lambda: None); t.start(); t.join()
libc = ctypes.CDLL(None, use_errno=True)
params = (ctypes.c_char * 120)()
ring = libc.syscall(425, 8, params)
print("ring", "ok" if ring >= 0 else os.strerror(ctypes.get_errno()))
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
c = socket.create_connection(s.getsockname()); p, _ = s.accept(); p.sendall(b"x"); assert c.recv(1) == b"x"
print(socket.getaddrinfo("localhost", 80)[0][1].name)
path = f"/tmp/confined-{os.getpid()}"
folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_CLOEXEC)
f = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
fcntl.flock(f, fcntl.LOCK_EX); os.posix_fallocate(f, 0, 4096); m = mmap.mmap(f, 4096); m.flush(); os.fsync(folder)
os.link(path, path + "y", src_dir_fd=folder, dst_dir_fd=folder)
os.rename(path, path + "x", src_dir_fd=folder, dst_dir_fd=folder)
for end in "xy": os.unlink(path + end, dir_fd=folder)
print(libc.eventfd(0, 0) >= 0, os.path.realpath("/proc/self/cwd") != "", libc.epoll_create1(0) >= 0)
""")
    assert done.returncode == 0, done.stderr
    # A kernel may have io_uring turned off; the profile must not be the reason.
    assert "ring Operation not permitted" not in done.stdout
    assert "True True True" in done.stdout


@pytest.mark.parametrize("what, call", [
    ("a new process", "os.fork()"),
    ("a packet socket", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
    ("a vsock", "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)"),
    ("a signal to another process", "os.kill(os.getppid(), 0)"),
    ("a change of root", "os.chroot('/')"),
    ("a terminal's input", "fcntl.ioctl(0, termios.TIOCSTI, b'x')"),
    ("a higher priority", "os.nice(-1)"),
    ("a keyring", "syscall(250, 0, 0, 0)"),
    ("another namespace", "syscall(272, 0x10000000)"),
])
def test_it_denies(what, call):
    done = confined(f"""
import os, socket, ctypes, fcntl, termios, sys
libc = ctypes.CDLL(None, use_errno=True)
def syscall(*numbers):
    if libc.syscall(*numbers) < 0: raise OSError(ctypes.get_errno(), "")
try:
    {call}
except OSError as error:
    sys.exit(error.errno)
""")
    assert done.returncode == 1, f"{what}: {done.returncode} {done.stderr}"


def test_clone3_answers_that_it_does_not_exist():
    """With EPERM glibc would give up; with ENOSYS it takes clone, whose flags the filter can see."""
    done = confined("import ctypes, sys; l = ctypes.CDLL(None, use_errno=True); l.syscall(435, 0, 0); sys.exit(ctypes.get_errno())")
    assert done.returncode == 38

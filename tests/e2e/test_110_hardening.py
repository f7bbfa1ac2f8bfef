"""Once it serves, the process is not root, and cannot reach files or system calls that serving does not need."""

import os
import signal
import subprocess

import pytest
from harness import tallyd, wait
from harness.process import Process
from harness.tallyd import BINARY

HERE = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be refused for being root")
sandboxed = pytest.mark.skipif(wait.INSTRUMENTED, reason="sanitizers run without the sandbox")


def status_of(pid):
    """/proc/PID/task/*/status, thread by thread, as dictionaries."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
            found.append(dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line))
    return found


@needs_root
def test_root_is_refused_with_one_line_and_exit_78(tmp_path):
    code, _, err = tallyd.run(tmp_path, HERE, env={"TALLYD_ALLOW_ROOT": "false"})
    assert code == 78 and err.count("\n") == 1 and "--allow-root" in err


@needs_root
def test_another_user_needs_no_permission(tmp_path):
    other = Process(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", BINARY, *HERE], str(tmp_path), "other",
                    {"TALLYD_SANDBOX": "off" if wait.INSTRUMENTED else "auto"})
    try:
        wait.until(lambda: "event=ready" in other.err() or other.code is not None, "it serves or ends", 30)
        if "Permission denied" in other.err():
            pytest.skip("another user cannot reach this tree")
        other.signal(signal.SIGTERM)
        assert other.join() == 0 and "event=drained" in other.err(), other.err()
    finally:
        other.kill()


@sandboxed
def test_every_thread_runs_under_the_filter(lab):
    server = lab.tallyd()
    wait.until(lambda: all(thread["Seccomp"] == "2" for thread in status_of(server.pid)), "all threads have a filter")
    assert all(thread["NoNewPrivs"] == "1" for thread in status_of(server.pid))
    assert not server.log_lines("no_seccomp")


@sandboxed
def test_the_sandbox_leaves_the_threads_their_names(lab):
    """By which top, perf and the benchmarks know them."""
    server = lab.tallyd(lab.redis())
    assert {"worker-0", "flusher", "admin"} <= {thread["Name"] for thread in status_of(server.pid)}


@sandboxed
def test_a_file_outside_the_folders_of_the_options_cannot_be_read_any_more(lab, tmp_path_factory):
    redis = lab.redis()
    servers = lab.tallyd(redis), lab.tallyd(redis, sandbox="off")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "password"
    for server in servers:
        path = server.options["redis-password-file"]
        elsewhere.write_text(open(path, encoding="utf-8").read(), encoding="utf-8")
        os.remove(path)
        os.symlink(elsewhere, path)
        os.kill(server.pid, signal.SIGHUP)
    connects = lambda server: len(server.log_lines("event=redis_connected"))
    wait.until(lambda: connects(servers[1]) == 2, "without the sandbox the file is read")
    assert connects(servers[0]) == 1


@sandboxed
def test_sandbox_off_leaves_the_process_as_it_is(lab):
    ours = status_of(os.getpid())[0]["Seccomp"]
    assert all(thread["Seccomp"] == ours for thread in status_of(lab.tallyd(sandbox="off").pid))


@sandboxed
def test_memory_is_closed_to_core_dumps_unless_asked(lab):
    def core_limit(server):  # the hard one
        with open(f"/proc/{server.pid}/limits", encoding="ascii") as file:
            return next(line.split()[5] for line in file if line.startswith("Max core file size"))

    assert core_limit(lab.tallyd()) == "0"
    given = subprocess.run(["sh", "-c", "ulimit -Hc"], capture_output=True, text=True, check=True).stdout.strip()
    if given != "0":
        assert core_limit(lab.tallyd(env={"TALLYD_ALLOW_CORE": "true"})) != "0"


def test_a_misspelt_variable_is_one_warning_without_its_value(lab):
    server = lab.tallyd(env={"TALLYD_MAX_KEY": "hunter2", "TALLYD_PORT": "tcp://10.0.0.1:80", "TALLYD_SERVICE_HOST": "10.0.0.1"})
    lines = server.log_lines("event=unknown_variable")
    assert len([line for line in lines if "TALLYD_MAX_KEY" in line]) == 1
    assert not any("TALLYD_PORT" in line or "TALLYD_SERVICE" in line for line in lines)
    assert "hunter2" not in server.log()

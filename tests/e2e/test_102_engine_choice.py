"""The server starts where memory for rings is short: all threads use one engine, and one line says why.

Rings count as locked memory again since Linux 6.14, for a user over the whole machine. Root without capabilities is counted
like anybody, and still reaches the files of the tests.
"""

import os
import re
import shutil
import subprocess

import pytest
from harness import wait

KIB = 1024
ORDINARY = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
GAVE_WAY = re.compile("event=(io_fallback|io_small_rings) ")
refuses_rings = ["strace", "-f", "-o", "/dev/null", "-e", "trace=io_uring_setup", "-e"]
can_trace = pytest.mark.skipif(
    not shutil.which("strace") or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode != 0,
    reason="strace is not installed, or may not trace here")


def limited(lab, limit_bytes, **options):
    """An ordinary user's tallyd whose rings may lock so much memory."""
    wrapper = ["prlimit", f"--memlock={limit_bytes}:{limit_bytes}", *ORDINARY]
    return lab.tallyd(wrapper=wrapper, io="auto", max_conns=16, **options)


def assert_serves(server):
    """It counts, on one engine; the line that explains it stands there once, and only if it is not the usual one."""
    server.hit("blog", "a", 3)
    assert server.value("blog", "a") == 3
    ready = wait.until(lambda: server.log_lines("event=ready"), "it says so")[0]  # which it does a moment after it is
    lines = [line for line in server.log().splitlines() if GAVE_WAY.search(line)]
    assert len(lines) <= 1, lines
    if "engine=epoll" in ready:
        assert "event=io_fallback" in lines[0]
    for line in lines:
        assert "err=" in line and "why=" in line
    return ready, lines


@pytest.mark.short
@pytest.mark.parametrize("workers", [1, 8, 64])
@pytest.mark.parametrize("limit_kib", [0, 256, 512, 8192])
def test_every_limit_of_locked_memory_serves(lab, workers, limit_kib):
    ready, lines = assert_serves(limited(lab, limit_kib * KIB, workers=workers))
    if lines and "err=ENOMEM" in lines[0]:
        assert f"allows {limit_kib} KiB" in lines[0] and "ulimit -l" in lines[0]
        assert "max-conns" not in lines[0]
    assert f"workers={workers}" in ready


@pytest.mark.parametrize("limit_kib", range(128, 1280, 128))
def test_memory_that_ends_at_any_of_the_rings_serves(lab, limit_kib):
    """Four rings of about 220 KiB: the first to the last is refused."""
    assert_serves(limited(lab, limit_kib * KIB, workers=3))


def test_processes_of_one_user_share_the_limit_and_all_serve(lab):
    servers = [limited(lab, 8192 * KIB, workers=8) for _ in range(6)]
    for server in servers:
        assert_serves(server)


@can_trace
@pytest.mark.uring
def test_a_ring_that_is_refused_once_is_asked_for_again(lab):
    """Each thread's first: fragmented memory refuses a ring now and then."""
    wrapper = [*refuses_rings, "inject=io_uring_setup:error=ENOMEM:when=1"]
    ready, lines = assert_serves(lab.tallyd(wrapper=wrapper, io="auto", env={"ASAN_OPTIONS": "detect_leaks=0"}))
    assert "engine=uring" in ready and not lines


@can_trace
@pytest.mark.skipif(os.geteuid() != 0, reason="only who has CAP_IPC_LOCK is refused for another reason than the limit")
def test_memory_that_is_not_there_is_not_blamed_on_the_limit(lab):
    wrapper = [*refuses_rings, "inject=io_uring_setup:error=ENOMEM"]
    _, lines = assert_serves(lab.tallyd(wrapper=wrapper, io="auto", env={"ASAN_OPTIONS": "detect_leaks=0"}))
    assert "fragmented" in lines[0] and "ulimit" not in lines[0]


@pytest.mark.uring
@pytest.mark.skipif(not ORDINARY, reason="an ordinary user's other rings may fill the limit")
def test_io_uring_asked_for_by_name_is_refused_where_no_ring_fits(lab):
    wrapper = ["prlimit", "--memlock=0:0", *ORDINARY]
    server = lab.tallyd(start=False, wrapper=wrapper, io="uring", max_conns=16).spawn()
    wait.until(lambda: server.code is not None or server.log_lines("event=ready"), "it serves or ends")
    if server.code is None:
        pytest.skip("this kernel does not count rings as locked memory")
    assert server.code == 78 and "ulimit -l" in server.log() and len(server.log().splitlines()) == 1, server.log()

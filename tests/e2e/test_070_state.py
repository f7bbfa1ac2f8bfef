"""With a state file every answered hit survives kill -9, and no copy, damage or full disk makes a count too large."""

import contextlib
import glob
import os
import random
import shutil
import signal
import subprocess
import time

import pytest
from harness import checker, http_load, wait
from harness.proxy import RST
from harness.scenarios import settle, state_dir
from harness.tallyd import run
from harness.wait import LONG

KILLS = 200 if LONG else 10
RESTARTS_PER_LOAD = 10


def restart(server, **options):
    """kill -9, and start again on what it left."""
    server.kill()
    server.options.update({key.replace("_", "-"): value for key, value in options.items()})
    server.start()


def copy_state(lab):
    """With its holes, or hundreds of megabytes would be written and searched for secrets."""
    subprocess.run(["cp", "-r", "--sparse=always", state_dir(lab), state_dir(lab) + "-copy"], check=True)


@contextlib.contextmanager
def small_file_system(lab, kib):
    if os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root")
    path = state_dir(lab, f"tmpfs-{kib}")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "none", path], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.decode().strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


# ---- kill -9 of tallyd ----

@pytest.mark.short
@pytest.mark.kills
def test_every_answered_hit_is_there_after_kill_9_under_load(lab, tried):
    redis = lab.redis()
    server = lab.tallyd(redis, state_dir=state_dir(lab), workers=2)
    draw = random.Random(lab.seed)
    loads = []
    for kill in range(KILLS):
        if kill % RESTARTS_PER_LOAD == 0:
            loads.append(lab.load(server, rate=8000, seed=kill))
        time.sleep(draw.uniform(0.02, 0.4))
        restart(server, workers=draw.choice((1, 2, 3)))
        if kill % RESTARTS_PER_LOAD == RESTARTS_PER_LOAD - 1:
            loads[-1].stop()
    checker.wait_drained(server)
    checker.check_exact(redis, loads)
    assert not server.log_lines("state_damaged")
    assert server.stop() == 0
    checker.check_exact(redis, loads)
    tried(KILLS, sum(load.acked_hits() for load in loads))


def test_hits_counted_during_an_outage_survive_kill_9(lab):
    redis = lab.redis(appendonly=True)
    server = lab.tallyd(redis, state_dir=state_dir(lab))
    settle(server)
    redis.kill()
    load = lab.load(server, hits=3000, connections=8, depths=(1,)).finish()
    for workers in (1, 3, 2):
        restart(server, workers=workers)
    assert server.metrics()["hits_recovered_total"] == load.acked_hits()
    redis.start()
    checker.wait_drained(server)
    checker.check_exact(redis, [load])


def test_what_a_drain_leaves_behind_is_taken_over(lab):
    redis = lab.redis(appendonly=True)
    server = lab.tallyd(redis, state_dir=state_dir(lab), drain_timeout="300ms")
    settle(server)
    redis.kill()
    server.hit("n", "a", 5)
    assert server.stop() == 1
    assert "the next process there takes them over" in server.log()
    redis.start()
    server.start()
    checker.wait_drained(server)
    assert redis.read_all(b"tally:")[b"n:a"] == 5
    assert server.stop() == 0


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.skipif(wait.INSTRUMENTED, reason="sanitizers refuse to be traced")
@pytest.mark.parametrize("with_redis, at_risk", ((True, "every hit is in Redis"), (False, "the hits that are in this file only")))
def test_a_medium_that_fails_at_the_end_is_one_line_and_costs_no_hit(lab, with_redis, at_risk):
    redis = lab.redis() if with_redis else None
    failing = ["strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=msync", "-e", "inject=msync:error=EIO"]
    server = lab.tallyd(redis, state_dir=state_dir(lab), wrapper=failing)
    server.hit("n", "a", 5)
    assert server.stop() == 0
    line, = server.log_lines("state_not_synced")
    assert "level=error" in line and "err=EIO" in line and state_dir(lab) in line and at_risk in line
    assert not server.log_lines("state_damaged")
    again = lab.tallyd(redis, state_dir=state_dir(lab))
    wait.until(lambda: again.value("n", "a") == 5, "the count is there")


def test_a_smaller_max_keys_still_takes_over_every_name(lab):
    redis = lab.redis(appendonly=True)
    server = lab.tallyd(redis, state_dir=state_dir(lab))
    redis.kill()
    for key in range(20):
        server.hit("n", key, 3)
    restart(server, max_keys=5)
    assert server.fetch("/v1/hit/n/new").status == 503
    server.hit("n", 7, 1)
    redis.start()
    checker.wait_drained(server)
    held = redis.read_all(b"tally:n:")
    assert held == {str(key).encode(): 4 if key == 7 else 3 for key in range(20)}


def test_without_redis_counts_survive_kill_9_and_go_to_redis_later(lab):
    server = lab.tallyd(state_dir=state_dir(lab))
    server.hit("n", "a", 5)
    time.sleep(0.3)
    restart(server, workers=1)
    server.hit("n", "a", 2)
    assert server.value("n", "a") == 7
    assert server.stop() == 0
    redis = lab.redis()
    other = lab.tallyd(redis, state_dir=state_dir(lab))
    checker.wait_drained(other)
    assert redis.read_all(b"tally:")[b"n:a"] == 7


# ---- two processes ----

def test_a_second_process_on_the_same_directory_exits_75_with_one_line(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, state_dir=state_dir(lab))
    code, _, err = run(lab.folder, ["--state-dir", state_dir(lab), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
    assert code == 75
    assert len(err.strip().splitlines()) == 1 and str(server.pid) in err and "in use" in err
    server.hit("n", "a", 1)
    checker.wait_drained(server)
    assert redis.read_all(b"tally:")[b"n:a"] == 1


@pytest.mark.parametrize("pending", (False, True))
def test_a_copied_state_file_in_two_processes_gives_exact_sums(lab, pending):
    redis = lab.redis(appendonly=True)
    first = lab.tallyd(redis, state_dir=state_dir(lab))
    first.hit("n", "a", 10)
    checker.wait_drained(first)
    if pending:
        redis.kill()
        first.hit("n", "a", 1000)
        first.hit("n", "b", 500)
    first.kill()
    copy_state(lab)
    if not redis.running:
        redis.start()
    first.start()
    second = lab.tallyd(redis, state_dir=state_dir(lab) + "-copy")
    for n in (1, 2, 3):
        first.hit("n", "a", n)
        second.hit("n", "a", 10 * n)
        time.sleep(0.2)
    checker.wait_drained(first, second)
    held = redis.read_all(b"tally:n:")
    assert held == ({b"a": 1076, b"b": 500} if pending else {b"a": 76})
    assert len(first.log_lines("identity_taken")) + len(second.log_lines("identity_taken")) == 1


def test_a_copy_of_a_live_state_directory_leaves_what_is_pending_to_the_original(lab):
    """The copy stores first: the original's store is away just then."""
    redis = lab.redis()
    name = lab.proxy(redis)
    first = lab.tallyd(redis, via=name, state_dir=state_dir(lab), flush_interval="100ms")
    first.hit("n", "a", 300)
    checker.wait_drained(first)
    name.refuse()
    name.end_links(RST)
    first.hit("n", "a", 200)
    copy_state(lab)
    second = lab.tallyd(redis, state_dir=state_dir(lab) + "-copy", flush_interval="100ms")
    second.hit("n", "a", 57)
    checker.wait_drained(second)
    name.accept()
    checker.wait_drained(first)
    assert redis.read_all(b"tally:n:")[b"a"] == 557
    assert second.log_lines("state_copied")
    assert second.metrics().get("hits_lost_total", reason="state_copied") == 200
    assert not first.log_lines("identity_taken")
    assert first.stop() == 0 and second.stop() == 0


# ---- damage ----

def test_damaged_files_never_count_too_much_and_are_kept_aside(lab):
    redis = lab.redis(appendonly=True)
    server = lab.tallyd(redis, state_dir=state_dir(lab), flush_interval="20ms")
    draw = random.Random(lab.seed)
    loads = []
    for _ in range(40 if LONG else 8):
        load = lab.load(server, rate=5000, connections=8)
        time.sleep(draw.uniform(0.1, 0.3))
        server.kill()
        load.stop()
        loads.append(load)
        path = os.path.join(state_dir(lab), "tallyd.state")
        with open(path, "r+b") as file:
            for _ in range(20):
                at = draw.randrange(128 * 1024)
                file.seek(at)
                byte = file.read(1)
                file.seek(at)
                file.write(bytes([byte[0] ^ draw.randrange(1, 256)]))
        server.start()
        checker.wait_drained(server)
    sent, unsure = checker.sums(loads, "acked"), checker.sums(loads, "indeterminate")
    for key, value in checker.redis_counts(redis).items():
        assert value <= sent[key] + unsure[key], key


@pytest.mark.parametrize("content", (b"", b"tallyd", b"\0" * 4096, b"tallyd!\0\x63" + b"\1" * 9000, None))
def test_what_is_no_state_file_is_set_aside(lab, content):
    path = os.path.join(state_dir(lab), "tallyd.state")
    if content is None:
        os.makedirs(path)
    else:
        with open(path, "wb") as file:
            file.write(content)
    redis = lab.redis()
    server = lab.tallyd(redis, state_dir=state_dir(lab))
    server.hit("n", "a", 2)
    checker.wait_drained(server)
    assert redis.read_all(b"tally:")[b"n:a"] == 2
    assert len(server.log_lines("state_damaged")) == 1
    assert len(glob.glob(path + ".damaged-*")) == 1


@pytest.mark.parametrize("where", ("/proc", "/nowhere/at/all", "/etc/passwd"))
def test_a_directory_that_cannot_be_used_is_said_with_exit_78(lab, where):
    code, _, err = run(lab.folder, ["--state-dir", where, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
    assert code == 78 and where in err and len(err.strip().splitlines()) == 1


def test_a_full_file_system_at_start_is_said_with_exit_78(lab):
    with small_file_system(lab, 600) as path:
        code, _, err = run(lab.folder, ["--state-dir", path, "--workers", "2", "--listen", "127.0.0.1:0", "--admin",
                                        "127.0.0.1:0"])
        assert code == 78 and "no room" in err and "KiB" in err, err
        assert not os.path.exists(os.path.join(path, "tallyd.state"))
        assert not os.path.exists(os.path.join(path, "tallyd.state.new"))


def test_a_file_system_that_fills_up_refuses_new_keys_and_counts_the_old_ones(lab):
    with small_file_system(lab, 2048) as path:
        redis = lab.redis()
        server = lab.tallyd(redis, state_dir=path, workers=1)
        server.hit("n", "first", 1)
        with contextlib.suppress(OSError), open(os.path.join(path, "ballast"), "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        refused = None
        for key in range(40000):
            answer = server.fetch(f"/v1/hit/n/key-with-a-name-of-some-length-{key:08}")
            if answer.status != 204:
                refused = answer
                break
        assert refused is not None and refused.status == 503
        assert refused["X-Hit-Status"] == "refused;reason=state_full"
        server.hit("n", "first", 5)
        os.unlink(os.path.join(path, "ballast"))
        wait.until(lambda: server.fetch("/v1/hit/n/when-there-is-room-again").status == 204, "new keys are taken again")
        checker.wait_drained(server)
        assert redis.read_all(b"tally:n:")[b"first"] == 6
        server.kill()  # and what is in the file is whole
        server.start()
        assert not server.log_lines("state_damaged")
        assert server.stop() == 0


def test_sigstop_and_kill_9_while_a_batch_is_open(lab):
    """The answer to an EXEC never comes, because Redis is stopped; tallyd dies; the ledger tells the next one."""
    redis = lab.redis()
    server = lab.tallyd(redis, state_dir=state_dir(lab))
    proxy_free = [1, 20, 300]
    for n in proxy_free:
        server.hit("n", "a", n)
        time.sleep(0.02)
        redis.pause()
        server.hit("n", "a", 5000)
        time.sleep(0.2)
        os.kill(server.pid, signal.SIGKILL)
        server.kill()
        redis.resume()
        server.start()
    checker.wait_drained(server)
    assert redis.read_all(b"tally:")[b"n:a"] == sum(proxy_free) + 5000 * len(proxy_free)


def test_the_load_generator_knows_when_hits_are_missing(lab):
    """Without a state file the same kill -9 does lose hits: so the tests above can fail."""
    redis = lab.redis()
    server = lab.tallyd(redis, flush_interval="10s")
    load = lab.load(server, http_load.make_pool(lab.seed, keys=20), rate=5000)
    wait.until(lambda: load.answers > 1000, "the load is under way")
    server.kill()
    load.stop()
    with pytest.raises(AssertionError, match="keys differ"):
        checker.check_exact(redis, [load])

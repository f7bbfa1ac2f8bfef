"""A wrong command line ends in one clear line and the right exit code, and a right one is obeyed."""

import os
import re
import shutil
import socket
import subprocess

import pytest
from harness import checker, secrets, tallyd, wait
from harness.wait import PATIENCE

BAD_USAGE, CANNOT_RUN = 64, 78
# In a poor home it would say first what it does without.
MODEST = ["--io", "epoll", "--max-conns", "8"]
HERE = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]


def complain(folder, arguments, code, *words, **how):
    """The program ends with `code` and exactly one line on standard error, in which each word is found."""
    got, out, err = tallyd.run(folder, arguments, **how)
    assert got == code, f"exit code {got}, not {code}: {out}{err}"
    lines = err.strip().splitlines()
    assert len(lines) == 1, f"not one line: {err!r}"
    assert out == "", f"on standard output: {out!r}"
    for word in words:
        assert re.search(word, lines[0], re.IGNORECASE), f"{word!r} is not in: {lines[0]}"
    assert not [name for name in os.listdir(folder) if name.startswith("core")], "it dumped core"
    return lines[0]


@pytest.mark.short
@pytest.mark.parametrize("arguments, words", [
    (["--no-such-option", "1"], ["no-such-option"]),
    (["--flush-intervall", "1s"], ["flush-intervall", "flush-interval"]),
    (["--listen"], ["listen"]), (["stray"], ["stray"]),
    (["--listen", "nonsense"], ["listen", "nonsense"]),
    (["--listen", "127.0.0.1:99999"], ["listen", "99999"]),
    (["--workers", "0"], ["workers"]), (["--workers", "many"], ["workers", "many"]),
    (["--workers", "-1"], ["workers"]), (["--io", "kqueue"], ["io", "kqueue"]),
    (["--flush-interval", "soon"], ["flush-interval", "soon"]), (["--flush-interval", "1"], ["flush-interval"]),
    (["--max-keys", "99999999999999999999"], ["max-keys"]),
    (["--redis", "http://localhost"], ["redis"]), (["--redis", "redis://"], ["redis"]),
    (["--redis", "redis://localhost:notaport"], ["redis"]), (["--log-level", "loud"], ["log-level", "loud"]),
    (["--prefix", "a{b"], ["prefix"])], ids=lambda value: " ".join(value)[:40])
def test_wrong_usage_is_one_line_and_exit_64(tmp_path, arguments, words):
    complain(tmp_path, arguments, BAD_USAGE, *words)


@pytest.mark.short
def test_a_password_in_the_url_is_refused_and_not_repeated(tmp_path):
    line = complain(tmp_path, ["--redis", f"redis://user:{secrets.PASSWORD}@localhost:6379"], BAD_USAGE, "password")
    assert secrets.PASSWORD not in line


@pytest.mark.short
def test_an_address_that_is_not_ours_is_one_line_and_exit_78(tmp_path):
    complain(tmp_path, [*MODEST, "--listen", "203.0.113.7:8080", "--admin", "127.0.0.1:0"], CANNOT_RUN, "203.0.113.7:8080")
    complain(tmp_path, [*MODEST, "--listen", "127.0.0.1:0", "--admin", "203.0.113.7:9090"], CANNOT_RUN, "203.0.113.7:9090")


@pytest.mark.short
def test_a_port_in_use_is_one_line_and_exit_78(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        complain(tmp_path, [*MODEST, "--listen", taken, "--admin", "127.0.0.1:0"], CANNOT_RUN, taken, "in use|taken")
        complain(tmp_path, [*MODEST, "--listen", "127.0.0.1:0", "--admin", taken], CANNOT_RUN, taken, "in use|taken")


@pytest.mark.short
def test_a_second_tallyd_on_the_same_port_is_refused(lab, tmp_path):
    first = lab.tallyd()
    complain(tmp_path, [*MODEST, "--listen", f"127.0.0.1:{first.port}", "--admin", "127.0.0.1:0"], CANNOT_RUN,
             str(first.port), "in use|taken")
    first.hit("blog", "a")


@pytest.mark.short
@pytest.mark.parametrize("option", ["--config", "--redis-password-file"])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, option):
    redis = [] if option == "--config" else ["--redis", "redis://127.0.0.1:1"]
    for path in (tmp_path / "missing", tmp_path):
        got, _, err = tallyd.run(tmp_path, [*HERE, *redis, option, str(path)])
        assert got in (BAD_USAGE, CANNOT_RUN), err
        assert len(err.strip().splitlines()) == 1 and str(path) in err, err


@pytest.mark.short
def test_a_wrong_line_in_the_file_is_named_by_its_number(tmp_path):
    for text, number in (("# fine\n\nworkers = 1\nno-such-option = 1\n", 4), ("workers = 1\nworkers two\n", 2),
                         ("workers = none\n", 1)):
        path = tmp_path / "tallyd.conf"
        path.write_text(text)
        complain(tmp_path, [*HERE, "--config", str(path)], BAD_USAGE, f"tallyd.conf:{number}")


@pytest.mark.short
def test_a_wrong_environment_variable_is_named(tmp_path):
    complain(tmp_path, HERE, BAD_USAGE, "TALLYD_WORKERS", "several", env={"TALLYD_WORKERS": "several"})


def test_too_few_descriptors_are_one_line_and_exit_78(tmp_path):
    complain(tmp_path, [*HERE, "--max-conns", "1000"], CANNOT_RUN, "descriptors|nofile|files", "32", descriptors=32)


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_io_uring_refused_by_the_kernel_is_one_line_and_exit_78(tmp_path):
    refuse = ["strace", "-f", "-o", "/dev/null", "-e", "trace=io_uring_setup", "-e", "inject=io_uring_setup:error=EPERM"]
    if subprocess.run([*refuse, "true"], capture_output=True, check=False).returncode:
        pytest.skip("strace may not trace here")
    env = {"ASAN_OPTIONS": "detect_leaks=0"}  # LeakSanitizer cannot run under a tracer
    complain(tmp_path, [*HERE, "--io", "uring"], CANNOT_RUN, "io_uring", "EPERM|not permitted", wrapper=refuse, env=env)


@pytest.mark.short
def test_check_prints_the_effective_options_and_exits_0(tmp_path):
    code, out, err = tallyd.run(tmp_path, ["--check", "--workers", "3", "--redis", "redis://cache:6380"])
    assert (code, err) == (0, ""), err
    assert re.search(r"workers\s*=\s*3", out) and "cache:6380" in out
    code, out, err = tallyd.run(tmp_path, ["--check", "--workers", "none"])
    assert code == BAD_USAGE and out == "" and len(err.splitlines()) == 1


@pytest.mark.short
def test_check_never_prints_a_secret(tmp_path):
    code, out, err = tallyd.run(tmp_path, ["--check"], env={"TALLYD_REDIS_PASSWORD": secrets.PASSWORD})
    assert code == 0 and secrets.PASSWORD not in out + err


@pytest.mark.short
def test_what_check_prints_is_a_file_that_config_reads(tmp_path):
    few = {"descriptors": 1000}  # so that no default is met in full
    _, out, _ = tallyd.run(tmp_path, ["--check", "--workers", "3", "--flush-interval", "250ms", "--prefix", "p:"], **few)
    path = tmp_path / "printed.conf"
    path.write_text(out)
    code, again, err = tallyd.run(tmp_path, ["--check", "--config", str(path)], **few)
    assert code == 0, err
    assert effective(again) == {**effective(out), **({"config": str(path)} if "config" in effective(again) else {})}


def effective(text):
    """{option: value} of what --check prints."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in lines if "=" in line)


@pytest.mark.short
def test_help_names_every_option_and_its_variable(tmp_path):
    code, out, err = tallyd.run(tmp_path, ["--help"])
    assert (code, err) == (0, "")
    _, checked, _ = tallyd.run(tmp_path, ["--check"])
    for name in effective(checked):
        assert f"--{name}" in out, name
    assert "TALLYD_" in out and max(map(len, out.splitlines())) <= 120


@pytest.mark.short
def test_version_is_one_line(tmp_path):
    code, out, err = tallyd.run(tmp_path, ["--version"])
    assert (code, err) == (0, "") and len(out.splitlines()) == 1 and "tallyd" in out


@pytest.mark.short
def test_flags_win_over_environment_over_file_over_defaults(tmp_path):
    path = tmp_path / "tallyd.conf"
    path.write_text("max-keys = 11\nmax-conns = 12\nprefix = file:   # a comment\n")
    code, out, err = tallyd.run(tmp_path, ["--check", "--config", str(path), "--max-keys=31"],
                                env={"TALLYD_MAX_KEYS": "21", "TALLYD_MAX_CONNS": "22"})
    assert code == 0, err
    got = effective(out)
    assert (got["max-keys"], got["max-conns"], got["prefix"].strip('"')) == ("31", "22", "file:")


@pytest.mark.short
def test_the_environment_configures_a_running_server(lab):
    redis = lab.redis(password=None)
    server = lab.tallyd(env={"TALLYD_REDIS": redis.url, "TALLYD_PREFIX": "env:", "TALLYD_MAX_KEYS": "7"})
    server.hit("blog", "a")
    checker.wait_drained(server)
    assert redis.read_all(b"env:")[b"blog:a"] == 1 and server.metrics()["keys_max"] == 7


@pytest.mark.short
def test_a_password_from_the_environment_is_used_and_hidden(lab):
    redis = lab.redis()
    server = lab.tallyd(env={"TALLYD_REDIS": redis.url, "TALLYD_REDIS_PASSWORD": secrets.PASSWORD}, log_level="debug")
    server.hit("blog", "a")
    checker.wait_drained(server)
    for page in ("/statusz", "/metrics"):
        assert secrets.PASSWORD.encode() not in server.admin(page)


@pytest.mark.short
def test_a_wrong_password_is_said_and_hits_still_count(lab):
    redis = lab.redis()
    wrong = "not-" + secrets.PASSWORD
    server = lab.tallyd(env={"TALLYD_REDIS": redis.url, "TALLYD_REDIS_PASSWORD": wrong}, drain_timeout="500ms")
    server.hit("blog", "a")
    wait.until(lambda: re.search("wrongpass", server.log(), re.IGNORECASE), "the reason is logged")
    assert server.metrics()["redis_connected"] == 0
    assert server.stop() == 1


@pytest.mark.short
def test_embedded_mode_says_that_counts_live_only_here(lab):
    server = lab.tallyd()
    server.hit("blog", "a")
    assert server.stop() == 0


def test_it_ends_with_0_at_sigterm_soon_when_idle(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, flush_interval="10s")
    server.hit("blog", "a", 3)
    assert server.stop(5) == 0
    assert checker.redis_counts(redis) == {b"blog:a": 3}


def test_drain_delay_keeps_serving_while_unready(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, drain_delay="1s")
    server.terminate()
    wait.until(lambda: tallyd.fetch(server.admin_port, "/readyz").status == 503, "unready", 1 / PATIENCE)
    server.hit("blog", "a", 5)
    assert server.metrics()["draining"] == 1 and server.metrics()["ready"] == 0
    assert server.join() == 0
    assert checker.redis_counts(redis) == {b"blog:a": 5}


def test_a_second_sigterm_ends_it_at_once_with_1_and_says_what_is_left(lab):
    redis = lab.redis(start=False)
    server = lab.tallyd(redis, drain_timeout="60s")
    server.hit("blog", "a", 5)
    server.terminate()
    wait.until(lambda: server.log_lines("drain"), "the first signal was seen")
    server.terminate()
    assert server.join(5) == 1
    assert re.search(r"\b5\b", server.log().splitlines()[-1] + server.log().splitlines()[-2])


def test_healthcheck_says_whether_it_lives(lab):
    server = lab.tallyd()
    asked = [tallyd.BINARY, "--admin", f"0.0.0.0:{server.admin_port}", "--healthcheck"]
    assert subprocess.run(asked, timeout=20, check=False).returncode == 0
    server.kill()
    gone = subprocess.run(asked, timeout=20, check=False, capture_output=True, text=True)
    assert gone.returncode == 1 and "/livez" in gone.stderr

"""--check accepts what a start accepts, and refuses a bad value of any option with the words of the start."""

import os
import random
import re
import time

import pytest
from harness import tallyd, wait
from harness.process import Process

pytestmark = pytest.mark.short
HERE = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--allow-root"]
# For any option: no value of any type, or a file, folder or address that cannot be.
WRONG = ["", " ", "-1", "0", "1.5", "99999999999999999999", "nonsense", "/nope/x", "/dev/null", "256.0.0.1:80", "10.0.0.0/33",
         "localhost", "redis://", "rediss://u@h/x", "5 parsecs", "\x01", "x" * 5000, "192.0.2.77:80", "a b", "!", "iam", "v2", "uring"]
# These start another thing, or nothing: what they are for is tested elsewhere.
NOT_DRAWN = {"listen", "admin", "help", "version", "check", "healthcheck", "allow-root", "allow-core"}


def options():
    text = tallyd.run("/tmp", ["--help"])[1]
    return [name for name in re.findall(r"^ +--([a-z-]+)", text, re.M) if name not in NOT_DRAWN]


def begins(tmp_path, arguments):
    """(does it come to serve?, what it said); ended as soon as that is known."""
    process = Process([tallyd.BINARY, *HERE, *arguments], str(tmp_path), f"start-{time.monotonic_ns()}", dict(os.environ))
    try:
        wait.until(lambda: "event=ready" in process.err() or '"ready"' in process.err() or process.code is not None,
                   f"{arguments} serve, or not")
        return process.code is None, process.err()
    finally:
        process.kill()


@pytest.mark.parametrize("option", options())
def test_check_and_start_agree_on_every_value(tmp_path, option):
    few = random.Random(option).sample(WRONG, 4)  # all of them take two minutes
    for value in WRONG if os.environ.get("TALLYD_LONG") else few:
        arguments = [f"--{option}={value}"]
        code, out, err = tallyd.run(tmp_path, HERE + arguments + ["--check"])
        serves, said = begins(tmp_path, arguments)
        assert (code == 0) == serves, f"{arguments}\ncheck: {code} {err}\nstart: {said}"
        if code:
            assert len(err.splitlines()) == 1 and out == ""


@pytest.mark.parametrize("arguments,words", [
    (["--trusted-proxies", "10.0.0.0/33"], "--trusted-proxies"), (["--trusted-proxies", "localhost"], "--trusted-proxies"),
    (["--redis", "redis://h", "--redis-auth", "iam"], "--redis-iam-cluster"), (["--redis-auth", "iam"], "--redis-iam-cluster"),
    (["--state-dir", "/nope/x"], "/nope/x"), (["--state-dir", "/dev/null"], "directory"),
    (["--state-dir", "/proc"], "writable"),
    (["--redis", "rediss://h", "--redis-key", "/etc/hostname"], "--redis-cert"),
    (["--proxy-protocol", "v2"], "--trusted-proxies"), (["--listen", "192.0.2.77:80"], "--listen"),
    (["--redis", "rediss://h", "--redis-ca", "/nope/ca"], "/nope/ca"), (["--redis-password-file", "/nope/p"], "/nope/p"),
    (["--token-file", "/nope/t"], "/nope/t"), (["--filter", "prefech"], "prefech"),
    (["--admin-hosts", "https://metrics"], "--admin-hosts"), (["--admin-hosts", "a,metrics:9090"], "metrics:9090")])
def test_what_cannot_start_fails_the_check_with_its_reason(tmp_path, arguments, words):
    check = tallyd.run(tmp_path, HERE + arguments + ["--check"])
    assert check[0] == 64 and words in check[2] and check[1] == "", check
    assert tallyd.run(tmp_path, HERE + arguments)[0] in (64, 78)


@pytest.mark.parametrize("wrong,right", [
    ("https://blog.example/", "https://blog.example"), ("https://Blog.Example", "https://blog.example"),
    ("HTTPS://blog.example", "https://blog.example"), ("https://blog.example:443", "https://blog.example"),
    ("http://blog.example:80", "http://blog.example"), ("blog.example", "https://blog.example"),
    ("https://blog.example/a?b", "https://blog.example"), ("*", "https://blog.example"), ("https://*.example", "https://blog.example"),
    ("https://", "https://blog.example"), ("https://[::1", "https://blog.example"), ("://x", "https://blog.example"),
    ("http://b.example:08080", "'http://b.example:8080'"), ("http://[0:0:0:0:0:0:0:1]", "'http://[::1]'"),
    ("http://[1:0:0:2:0:0:0:3]:80", "'http://[1:0:0:2::3]'"), ("http://[::FFFF:1.2.3.4]", "'http://[::ffff:102:304]'"),
    ("http://127.1:81", "'http://127.0.0.1:81'"), ("http://0x7f.1", "'http://127.0.0.1'"), ("http://127.0.0.01.", "'http://127.0.0.1'"),
    ("http://1.2.3.256", "https://blog.example"), ("http://b%2eexample", "https://blog.example"), ("wss://b.example", "https://blog.example"),
    ("ftp://b.example", "https://blog.example"), ("https:/b.example", "https://blog.example"), ("data:", "https://blog.example"),
    ("localhost:8080/a", "'https://localhost:8080'"), ("[::1]:443", "'https://[::1]'")])
def test_an_origin_that_no_browser_sends_is_refused_with_the_right_one(tmp_path, wrong, right):
    path = tmp_path / "access"
    path.write_text(f"blog key a\nblog origin {wrong}\n")
    for more in (["--check"], []):
        code, _, err = tallyd.run(tmp_path, HERE + ["--access-file", str(path)] + more)
        assert code in (64, 78) and "line 2" in err and right in err, err


def test_origins_that_browsers_send_pass(tmp_path):
    path = tmp_path / "access"
    path.write_text("".join(f"blog origin {origin}\n" for origin in (
        "https://blog.example", "http://localhost:3000", "http://[::1]:8080", "null", "https://xn--bcher-kva.example:8443",
        "chrome-extension://abcdefghijklmnop", "http://blog.example:443", "http://192.0.2.7:81", "http://[2001:db8::1:0:0:1]", "http://9a",
        "http://[::ffff:102:304]", "http://[::]", "http://[2001:db8:1:2:3:4:5:0]", "http://b.example.", "capacitor://localhost", "https://a.b7")))
    assert tallyd.run(tmp_path, HERE + ["--access-file", str(path), "--check"])[0] == 0


def test_a_misspelt_variable_is_said_with_the_right_name(tmp_path):
    secret = "not-to-be-shown"
    code, _, err = tallyd.run(tmp_path, HERE + ["--check"], env={"TALLYD_WORKER": secret, "TALLYD_QQQQQQQQQ": secret})
    assert code == 0 and secret not in err
    assert "TALLYD_WORKER is no option" in err and "did you mean TALLYD_WORKERS?" in err
    assert "TALLYD_QQQQQQQQQ is no option and is ignored; see tallyd --help" in err


def test_more_connections_than_descriptors_fail_the_check_too(tmp_path):
    for more, code in ((["--check"], 64), ([], 78)):
        found = tallyd.run(tmp_path, HERE + ["--max-conns", "5000", "--workers", "1"] + more, descriptors=500)
        assert found[0] == code and "ulimit -n" in found[2], found
    assert tallyd.run(tmp_path, HERE + ["--workers", "1", "--check"], descriptors=500)[0] == 0  # the default gives way


def test_a_mark_that_an_editor_writes_in_front_of_a_file_is_not_seen(tmp_path):
    for option, text in (("config", "workers = 2\n"), ("access-file", "blog key a\n"), ("token-file", "0123456789abcdef write\n"),
                         ("bots-file", "bot\n")):
        path = tmp_path / option
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
        path.chmod(0o600)
        code, out, err = tallyd.run(tmp_path, HERE + [f"--{option}", str(path), "--check"])
        assert code == 0, err
        assert option != "config" or "workers = 2" in out


def test_the_check_leaves_no_trace_and_does_not_mind_a_tallyd_that_serves(lab, tmp_path):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    server = lab.tallyd(state_dir=str(state))
    before = sorted(os.listdir(state))
    code, _, err = tallyd.run(tmp_path, ["--check", "--listen", f"127.0.0.1:{server.port}", "--admin", "127.0.0.1:0",
                                         "--state-dir", str(state)])
    assert (code, err) == (0, "")
    assert sorted(os.listdir(state)) == before

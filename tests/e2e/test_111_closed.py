"""What guards something fails closed: a rule or token file that cannot be trusted is refused, and a costly body too."""

import json
import os
import signal

import pytest
from harness import tallyd, wait
from harness.http_client import HttpConnection

HERE = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
TOKEN, OTHER = "a-token-of-the-tests-01", "a-token-of-the-tests-02"
WRONG = {  # (option, what is wrong with the file): its bytes
    ("token-file", "no right"): f"{TOKEN}\n", ("token-file", "cut"): f"{TOKEN} write:blog",
    ("token-file", "cut later"): f"{TOKEN} write:blog\n{TOKEN}", ("token-file", "no namespace"): f"{TOKEN} write:\n",
    ("access-file", "cut"): "blog token", ("access-file", "cut later"): "blog key a\nblog",
    ("access-file", "NUL"): "blog token\n\0blog key a\n",
    ("token-file", "a token twice"): f"{TOKEN} write:blog\n{OTHER} hit\n{TOKEN} write\n",
    ("bots-file", "cut"): "ExampleBot", ("bots-file", "NUL"): "Example\0Bot\n",
}
WRONG |= {(option, what): text for option in ("token-file", "access-file", "bots-file") for what, text in
          {"empty": "", "comment": "# only a comment\n", "no UTF-8": "\xff\n", "large": "a" * 1_100_000 + "\n"}.items()}


@pytest.mark.parametrize("text", ["", "workers = 1\nrate-limit = 1", "workers = 1\nnamespaces", "workers = \xff\n", "workers = 1\n\0"])
@pytest.mark.parametrize("check", [[], ["--check"]], ids=["start", "check"])
def test_a_configuration_that_is_not_whole_is_refused(tmp_path, text, check):
    path = tmp_path / "tallyd.conf"
    path.write_bytes(text.encode("latin-1"))
    code, _, err = tallyd.run(tmp_path, HERE + ["--config", str(path)] + check)
    assert code == 64 and str(path) in err, err


@pytest.mark.parametrize("option,what", WRONG)
@pytest.mark.parametrize("check", [True, False], ids=["check", "start"])
def test_a_file_that_is_not_whole_is_refused_at_the_start_and_by_check(tmp_path, option, what, check):
    path = tmp_path / "file"
    path.write_bytes(WRONG[option, what].encode("latin-1"))
    code, _, err = tallyd.run(tmp_path, HERE + [f"--{option}", str(path)] + (["--check"] if check else []))
    assert code == (64 if check else 78) and f"--{option}" in err, err
    assert TOKEN not in err


def policy_reads(server, name):
    return [line for line in server.log_lines("event=policy_read") if f"file={name} " in line]


def hup(server):
    os.kill(server.pid, signal.SIGHUP)


def test_each_file_is_taken_by_itself_and_a_revoked_token_writes_no_more(lab):
    files = {name: os.path.join(lab.folder, name) for name in ("tokens", "access", "bots")}

    def write(name, text):  # as editors and Kubernetes do it: another file in its place
        with open(files[name] + "~", "wb") as file:
            file.write(text.encode("latin-1"))
        os.replace(files[name] + "~", files[name])

    write("tokens", f"{TOKEN} write\n")
    write("access", "blog key a\nblog key b\n")
    write("bots", "ExampleBot\n")
    server = lab.tallyd(lab.redis(), token_file=files["tokens"], access_file=files["access"], bots_file=files["bots"])
    assert "tokens=1" in policy_reads(server, "token-file")[0] and "rules=2" in policy_reads(server, "access-file")[0]

    def stale(name):
        return server.metrics().get("policy_stale_seconds", file=name)

    def put():
        return server.fetch("/v1/counters/blog/a", "PUT", [f"Authorization: Bearer {TOKEN}"], b'{"value":7}').status

    assert put() == 200 and [stale(name) for name in ("token-file", "access-file", "bots-file")] == [0, 0, 0]
    write("access", "")
    wait.until(lambda: stale("access-file") > 0, "the age of what could not be taken grows")
    write("tokens", f"{OTHER} write\n")
    wait.until(lambda: put() == 401, "the revoked token writes no more, although another file is bad")
    assert server.fetch("/v1/hit/blog/c").status == 403 and server.fetch("/v1/hit/blog/b").status == 204
    assert server.fetch("/v1/hit/blog/a", "GET", ["User-Agent: ExampleBot"])["X-Hit-Status"] == "filtered;reason=bot"
    hup(server)
    hup(server)
    for bad in ("blog key a", "blog key a\n\0", "blog key \xff\n", "a" * 300_000 + "\n"):
        before = len(server.log_lines("event=policy_kept"))
        write("access", bad)
        wait.until(lambda: len(server.log_lines("event=policy_kept")) > before, "each thing that is wrong is said")
        assert server.fetch("/v1/hit/blog/c").status == 403
    os.remove(files["access"])
    wait.until(lambda: "cannot look" in server.log(), "a file that is gone is said, and is stale")
    assert server.fetch("/v1/hit/blog/c").status == 403 and stale("access-file") > 0 and stale("token-file") == 0
    write("access", "blog key c\n")
    wait.until(lambda: server.fetch("/v1/hit/blog/c").status == 204, "a good file ends it")
    wait.until(lambda: server.fetch("/v1/hit/blog/b").status == 403, "at each worker")
    assert stale("access-file") == 0


@pytest.mark.parametrize("option,text", [("token-file", f"{TOKEN} write\n"), ("access-file", "blog token\n"),
                                         ("bots-file", "Bot\n"), ("redis-password-file", "secret\n"), ("config", "workers = 1\n")])
@pytest.mark.parametrize("modes", [(0o666, 0o755), (0o644, 0o777)], ids=["file", "folder"])
def test_a_file_that_everybody_may_write_to_or_replace_is_refused(tmp_path, option, text, modes):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text(text)
    (folder / "file").chmod(modes[0])
    folder.chmod(modes[1])
    for check in (["--check"], []):
        code, _, err = tallyd.run(tmp_path, HERE + [f"--{option}", str(folder / "file")] + check)
        assert code in (64, 78) and "everybody may write to" in err, err
    link = tmp_path / "link"
    link.symlink_to(folder / "file")
    assert tallyd.run(tmp_path, HERE + [f"--{option}", str(link), "--check"])[0] == 64


@pytest.mark.parametrize("mode", [0o644, 0o440, 0o400])
def test_files_as_kubernetes_mounts_them_are_taken(tmp_path, mode):
    """A volume of 01777, a folder behind a symbolic link, and the file behind another."""
    volume = tmp_path / "volume"
    (volume / "..2026").mkdir(parents=True)
    volume.chmod(0o1777)
    (volume / "..2026" / "tokens").write_text(f"{TOKEN} write\n")
    (volume / "..2026" / "tokens").chmod(mode)
    (volume / "..data").symlink_to("..2026")
    (volume / "tokens").symlink_to("..data/tokens")
    code, _, err = tallyd.run(tmp_path, HERE + ["--token-file", str(volume / "tokens"), "--check"])
    assert code == 0, err


def test_a_secret_that_all_may_read_is_a_warning(lab):
    path = os.path.join(lab.folder, "tokens")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"{TOKEN} write\n")
    for mode, warned in ((0o644, 1), (0o640, 0)):
        os.chmod(path, mode)
        assert len(lab.tallyd(token_file=path).log_lines("event=secret_readable option=token-file")) == warned


@pytest.mark.parametrize("members", [17, 9000])
def test_a_body_with_many_members_is_refused_before_its_names_are_hashed(lab, members):
    server = lab.tallyd()
    wide = {f"m{i}": 1 for i in range(members)}
    for body in ({"hits": [], **wide}, {"hits": [{"ns": "a", "key": "b", **wide}]}):
        answer = server.fetch("/v1/hits", "POST", (), json.dumps(body, separators=(",", ":")).encode()[:65536])
        assert answer.status in (202, 400)
        assert answer.status == 400 or answer.json()["accepted"] == 0
    assert os.path.exists(f"/proc/{server.pid}") and server.value("a", "b") is None


def test_every_answer_with_a_type_is_neither_guessed_nor_framed_nor_run(lab):
    server = lab.tallyd()
    for path in ("/", "/page.js", "/tally.js", "/v1/hit/a/b.svg", "/v1/hit/a/b.gif", "/v1/hit/a/b?value=1", "/nothing", "/v1/hit/a"):
        answer = server.fetch(path)
        assert answer["X-Content-Type-Options"] == "nosniff" and answer["Referrer-Policy"] == "no-referrer", path
        assert "default-src 'none'" in answer["Content-Security-Policy"], path
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"], path
    assert b"<script>" not in server.fetch("/").body and "unsafe-inline" not in server.fetch("/")["Content-Security-Policy"].split("style-src")[0]


def ask_admin(server, path, host):
    with HttpConnection(server.admin_port) as connection:
        connection.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        return connection.answer().status


def test_the_admin_port_answers_only_names_that_it_knows(lab):
    server = lab.tallyd(admin_hosts="tallyd.example,metrics")
    for path in ("/metrics", "/statusz", "/configz", "/openapi.json"):
        for host in ("127.0.0.1:9090", "localhost", "[::1]", "TALLYD.example:9090", "metrics"):
            assert ask_admin(server, path, host) == 200
        for host in ("evil.example", "127.0.0.1.evil.example", "example"):
            assert ask_admin(server, path, host) == 421
    assert ask_admin(server, "/livez", "evil.example") == 200 == ask_admin(server, "/readyz", "any.name")


def test_a_state_file_of_another_user_is_not_believed(lab):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    folder = os.path.join(lab.folder, "state")
    os.mkdir(folder)
    server = lab.tallyd(state_dir=folder)
    server.hit("a", "b")
    server.stop()
    os.chown(os.path.join(folder, "tallyd.state"), 65534, 65534)
    code, _, err = tallyd.run(lab.folder, HERE + ["--state-dir", folder])
    assert code == 78 and "belongs to user 65534" in err


@pytest.mark.parametrize("prefix,warned", [("tally:", False), ("tally:a:", True), ("", True), ("tally", True)])
def test_a_prefix_that_another_may_begin_with_is_a_warning(lab, prefix, warned):
    server = lab.tallyd(lab.redis(), prefix=prefix)
    assert bool(server.log_lines("event=prefix_overlaps")) == warned

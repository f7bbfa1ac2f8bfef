"""`make run` serves whoever calls it, keeps its store closed to others, and leaves nothing behind when it ends."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.request

import pytest
from harness import wait
from harness.tallyd import BINARY

SCRIPT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "deploy", "scripts", "run"))
OWNER = 61234  # whom no other test is

pytestmark = [
    pytest.mark.executes,
    pytest.mark.skipif(wait.INSTRUMENTED, reason="make run is of the release build"),
    pytest.mark.skipif(not shutil.which("make"), reason="make is not installed"),
]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as somebody else")


def status(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


# Processes of others, and those that may not be traced, are not seen in this /proc (proc(5)).
HIDING = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', "sh"]


class Run:
    def __init__(self, folder, within=()):
        self.folder = str(folder)
        (folder / "Makefile").write_text(f"run:\n\t@'{SCRIPT}' '{BINARY}' --flush-interval 100ms\n", encoding="utf-8")
        self._said = open(folder / "said", "w+", encoding="utf-8")
        # Not inherited from whoever runs the tests: a shell's background commands ignore SIGINT.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.make = subprocess.Popen([*within, "make", "--no-print-directory", "run"], cwd=folder, stdin=subprocess.DEVNULL,
                                     stdout=self._said, stderr=self._said, start_new_session=True)
        signal.signal(signal.SIGINT, before)

    def said(self):
        with open(self._said.name, encoding="utf-8") as file:
            return file.read()

    def banner(self):
        """(port of hits, port of the store), once both are there."""
        def found():
            assert self.make.poll() is None, self.said()
            return re.search(r"(?s)http://127\.0\.0\.1:(\d+)/ .*-cli -p (\d+).*curl ", self.said())
        return [int(port) for port in wait.until(found, "the banner", 30).groups()]

    def processes(self):
        """{pid: name} of all that started in its folder, make itself left out."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{pid}/cwd").startswith(self.folder) and int(pid) != self.make.pid and status(pid)["State"][0] != "Z":
                    found[int(pid)] = status(pid)["Name"]
            except OSError:
                continue  # it has ended, or is another's
        return found

    def await_end(self):
        wait.until(lambda: self.make.poll() is not None, f"make's end: {self.said()}", 30)
        wait.until(lambda: not self.processes(), "nothing is left", 30)
        assert not re.search(r"\S+: (line|\d+): ", self.said()), "the shell itself complains"

    def close(self):
        if self.make.poll() is None:
            os.killpg(self.make.pid, signal.SIGKILL)
            self.make.wait()
        wait.until(lambda: not self.processes(), "nothing is left", 30)
        self._said.close()


@pytest.fixture
def start(tmp_path):
    runs = []

    def begin(**how):
        runs.append(Run(tmp_path, **how))
        return runs[-1]

    yield begin
    for one in runs:
        one.close()


def hit(port, n):
    """The count after n more."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/hit/blog/hello?n={n}&value=1", timeout=30) as answer:
        return json.load(answer)["value"]


@as_root
@pytest.mark.parametrize("owner, expected", [(0, 65534), (OWNER, OWNER)])
def test_root_hands_over_to_the_owner_of_the_tree_or_to_nobody(start, tmp_path, owner, expected):
    os.chown(tmp_path, owner, owner)
    run = start()
    run.banner()
    running = {pid: name.replace("valkey", "redis") for pid, name in run.processes().items()}
    assert {"tallyd", "redis-server", "run"} <= set(running.values())
    for pid in (pid for pid, name in running.items() if name != "sleep"):  # sleep comes and goes
        seen = status(pid)
        assert set(seen["Uid"].split()) == {str(expected)} and seen["Groups"].strip() == "", seen["Name"]
        assert int(seen["CapPrm"], 16) == 0 and int(seen["CapInh"], 16) == 0 and seen["NoNewPrivs"] == "1", seen["Name"]


@as_root
@pytest.mark.parametrize("owner", [0, OWNER])
def test_it_holds_where_processes_of_others_are_hidden(start, tmp_path, owner):
    if subprocess.run([*HIDING, "true"], check=False).returncode:
        pytest.skip("no namespaces of its own can be made here")
    os.chown(tmp_path, owner, owner)
    run = start(within=HIDING)
    hit(run.banner()[0], 2)
    os.killpg(run.make.pid, signal.SIGINT)
    run.await_end()
    assert "stored 2 hits of this run" in run.said()


@as_root
def test_a_user_without_a_name_is_a_number(start, tmp_path):
    os.chown(tmp_path, OWNER, OWNER)
    run = start()
    run.banner()
    assert f"\n  user      {OWNER}\n  logs " in run.said()


def test_ports_that_are_taken_are_passed_over(start):
    taken = []
    for port in (8080, 9091, 6392):
        listener = socket.socket()
        taken.append(listener)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except OSError:
            pass  # by somebody else, which is as good
    public, store = start().banner()
    assert public >= 8083 and store - public == 6390 - 8080
    for listener in taken:
        listener.close()


@as_root
def test_the_owner_can_go_on_with_what_a_run_as_root_has_left(start, tmp_path):
    os.chown(tmp_path, OWNER, OWNER)
    run = start()
    hit(run.banner()[0], 3)
    os.kill(run.make.pid, signal.SIGTERM)
    run.await_end()
    for folder, _, files in os.walk(tmp_path / "build" / "run"):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            assert os.stat(path).st_uid == OWNER or os.path.basename(path) in ("tallyd", "run"), path


def test_the_store_is_closed_to_who_lacks_the_password_of_this_run(start, tmp_path):
    run = start()
    _, store = run.banner()
    password = (tmp_path / "build/run/password").read_text(encoding="ascii").strip()
    for words, answer in (("PING", b"-NOAUTH"), (f"AUTH {password}", b"+OK")):
        with socket.create_connection(("127.0.0.1", store), 10) as client:
            client.sendall(f"{words}\r\n".encode())
            assert client.recv(64).startswith(answer)
    assert os.stat(tmp_path / "build/run").st_mode & 0o077 == 0
    for pid in (pid for pid, name in run.processes().items() if name != "sleep"):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            assert password.encode() not in file.read()


@pytest.mark.parametrize("signal_sent, alone", [(signal.SIGINT, False), (signal.SIGINT, True), (signal.SIGTERM, True), (signal.SIGKILL, True)])
def test_however_make_is_ended_the_hits_are_stored_and_nothing_is_left(start, signal_sent, alone):
    run = start()
    hit(run.banner()[0], 5)
    (os.kill if alone else os.killpg)(run.make.pid, signal_sent)
    run.await_end()
    assert re.search(r"^stored 5 hits of this run; tallyd and \S+ have ended$", run.said(), re.M)


def test_a_run_goes_on_from_the_counts_of_the_run_before(start):
    for expected in (3, 6):
        run = start()
        assert hit(run.banner()[0], 3) == expected
        os.killpg(run.make.pid, signal.SIGINT)
        run.await_end()

"""The Debian package: built in each Debian that we support, clean for lintian; installed into a bare one that runs systemd,
where the service starts, is hit, hands its counts over a restart, stores them, and is purged."""
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import DEPLOY, ROOT, run, tool
from debian import BASES, Machine, Root, image_with
from test_daemon import wait_for

if os.environ.get("DEPLOY_IMAGE") == "no":
    pytest.skip("DEPLOY_IMAGE=no: the package was not built", allow_module_level=True)

SOURCES = ("Makefile", "VERSION", "src", "deploy/manual", "deploy/scripts/version", "deploy/systemd", "deploy/debian")
PASSWORD = "of-the-test"


def names(dependencies):
    """Of packages, without their versions."""
    return " ".join(sorted(re.findall(r"[a-z][a-z0-9.+-]+", re.sub(r"\([^)]*\)", "", dependencies))))


def build_needs():
    text = (DEPLOY / "debian/control").read_text(encoding="utf-8")
    return "build-essential " + names(re.search(r"Build-Depends:(.*?)\n\n", text, re.S)[1].replace("debhelper-compat", "debhelper"))


@pytest.fixture(scope="module", params=sorted(BASES))
def package(request, tmp_path_factory):
    suite, folder = request.param, tmp_path_factory.mktemp(request.param)
    root = Root(image_with(suite, build_needs()))
    try:
        for source in SOURCES:
            root.copy(ROOT / source, f"/work/{source}")
        root.run("/work/deploy/debian/build", VERSION="v1.2.3")
        for made in Path(root.folder, "work/build/deb").glob("tallyd*_1.2.3_*"):
            shutil.copy(made, folder)
    finally:
        root.close()
    return SimpleNamespace(suite=suite, folder=folder, deb=next(folder.glob("tallyd_1.2.3_*.deb")))


def test_lintian_is_content(package):
    run(tool("lintian"), "--allow-root", "--fail-on", "error,warning", next(package.folder.glob("*.changes")))


def test_package_needs_the_libraries_of_its_debian(package):
    needs = run("dpkg-deb", "-f", package.deb, "Depends").stdout
    for library in ("libhiredis", "libssl3", "liburing2", "libjansson4", "libcurl4", "libc6"):
        assert library in needs
    assert ("libhiredis1" in needs) == (package.suite == "trixie")


@pytest.fixture
def machine(package, tmp_path):
    # What it needs is there, so that what is new is its own.
    root = Root(image_with(package.suite, "systemd " + names(run("dpkg-deb", "-f", package.deb, "Depends").stdout)))
    root.copy(package.deb, "/root/tallyd.deb")
    one = Machine(root, tmp_path / "console")
    try:
        wait_for(one.booted, lambda: (tmp_path / "console").read_text(encoding="utf-8"), 60)
        yield one
    finally:
        one.close()
        root.close()


def ask(machine, *words, check=True):
    return run(*machine.beside(tool("redis-cli"), *words), check=check, env={**os.environ, "REDISCLI_AUTH": PASSWORD}).stdout.strip()


def store(machine, folder):
    """A redis-server of the host in the machine's network."""
    server = subprocess.Popen(machine.beside(tool("redis-server"), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), "--requirepass", PASSWORD), stdout=subprocess.DEVNULL)
    wait_for(lambda: ask(machine, "ping", check=False) == "PONG", "redis-server")
    return server


def listening(machine):
    said = run(*machine.beside("ss", "--listening", "--tcp", "--numeric", "--no-header")).stdout
    return {line.split()[3] for line in said.splitlines()}


def hit(machine, n):
    command = machine.beside("curl", "-sf", "--retry", "9", "--retry-connrefused", "--retry-delay", "1", f"http://127.0.0.1:8080/v1/hit/deb/service?n={n}")
    assert run(*command, check=False).returncode == 0, journal(machine)


def journal(machine):
    return machine.run("journalctl", "--unit=tallyd", "--no-pager", check=False)


def test_package_installs_serves_and_leaves_nothing(machine, tmp_path):
    before = machine.root.files()
    machine.run("dpkg", "--install", "/root/tallyd.deb")
    installed = machine.root.files() - before
    assert {"/usr/bin/tallyd", "/etc/default/tallyd", "/usr/share/bash-completion/completions/tallyd"} <= installed

    # As it comes it serves this machine, without a store, and keeps what it has counted on a disk.
    assert machine.run("systemctl", "is-active", "tallyd", check=False) == "active", journal(machine)
    wait_for(lambda: listening(machine) == {"127.0.0.1:8080", "127.0.0.1:9090"}, "it listens: a service is active before that")
    hit(machine, 3)
    state = Path(machine.root.folder, "var/lib/private/tallyd")
    assert state.stat().st_mode & 0o777 == 0o700 and (state / "tallyd.state").is_file()
    # With settings it hands over what it has counted.
    server = store(machine, tmp_path)
    try:
        etc = Path(machine.root.folder, "etc")
        with open(etc / "default/tallyd", "a", encoding="utf-8") as settings:
            settings.write("TALLYD_REDIS=redis://127.0.0.1\nTALLYD_REDIS_PASSWORD_FILE=/run/credentials/tallyd.service/redis-password\n")
        (etc / "credstore").mkdir(exist_ok=True)
        (etc / "credstore/tallyd.redis-password").write_text(PASSWORD + "\n", encoding="utf-8")
        (etc / "credstore/tallyd.redis-password").chmod(0o400)
        machine.run("systemctl", "restart", "tallyd")
        hit(machine, 4)
        machine.run("systemctl", "stop", "tallyd")
        assert machine.run("systemctl", "show", "--property=Result,ExecMainStatus", "tallyd").split() == ["Result=success", "ExecMainStatus=0"], journal(machine)
        assert ask(machine, "get", "tally:deb:service") == "7", journal(machine)
    finally:
        server.kill()
        server.wait()
    (etc / "credstore/tallyd.redis-password").unlink()

    machine.run("dpkg", "--purge", "tallyd")
    assert machine.root.files() - before == set()
    assert not state.exists() and not Path(machine.root.folder, "var/lib/tallyd").is_symlink()
    assert machine.run("systemctl", "is-active", "tallyd", check=False) == "inactive"

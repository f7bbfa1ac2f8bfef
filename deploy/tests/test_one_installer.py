"""Packages come by deploy/scripts/install alone: it waits for apt's locks, and no packaged service starts."""
import os
import re

import pytest

from conftest import ROOT, run

# What runs on machines that have no tree yet, or in roots of its own where nothing else runs.
OWN = {"deploy/scripts/install", "docker/Dockerfile", ".gitlab-ci.yml", "deploy/tests/debian.py", "tests/fresh/check"}
INSTALLS = re.compile(r"^[^#\n]*\bapt(?:-get)? +(?:-\S+ +)*install\b(?! [a-z]+ *[);\"'])", re.M)


def scripts():
    for name in run("git", "-C", ROOT, "ls-files").stdout.splitlines():
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            head = path.read_bytes()
            if head.startswith(b"#!") or name.endswith((".sh", ".mk", ".yml", ".yaml")) or name == "Makefile":
                yield name, head.decode(errors="replace")


def test_no_other_script_calls_apt():
    found = {name for name, text in scripts() if INSTALLS.search(text)}
    assert found - OWN == set()
    assert "deploy/scripts/install" in {name for name, text in scripts() if re.search(r"\bapt install\b", text)}


# An apt-get whose lock somebody else holds for the first calls; in a mount namespace of its own, where nothing real is changed.
APT = """#!/bin/sh
echo "$*" >> "$CALLS"
[ "$(wc -l < "$CALLS")" -gt 2 ] || { echo "E: $SAYS" >&2; exit 100; }
"""
ALONE = 'mount --make-rprivate / && mount -t tmpfs tmpfs /usr/sbin && exec "$@"'


@pytest.mark.parametrize("says, status, calls", [
    ("Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 (apt-get)", 0, 4),
    ("Unable to lock directory /var/lib/apt/lists/", 0, 4),
    ("Unable to locate package tallyd-of-a-test", 69, 1),
])
def test_installer_waits_for_another_apt_and_for_nothing_else(says, status, calls, tmp_path):
    (tmp_path / "apt-get").write_text(APT)
    (tmp_path / "apt-get").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls"), "SAYS": says}
    done = run("unshare", "--mount", "sh", "-c", ALONE, "sh", ROOT / "deploy/scripts/install", "tallyd-of-a-test", check=False, env=environment)
    assert done.returncode == status, done.stdout + done.stderr
    assert len((tmp_path / "calls").read_text().splitlines()) == calls

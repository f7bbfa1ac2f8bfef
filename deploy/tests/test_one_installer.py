"""Packages come by deploy/scripts/install alone: it waits for apt's locks, and no packaged service starts."""
import re

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

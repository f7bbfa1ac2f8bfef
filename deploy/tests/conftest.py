"""What the tests of deploy/ share: rendered overlays, and where the tools lie. Run by deploy/check."""
import copy
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
CACHE = Path(os.environ.get("DEPLOY_CACHE", ROOT / "build" / "deploy"))
CLOUD = ["dev", "staging", "prod", "prod-dr"]
OVERLAYS = ["local", *CLOUD, "dev-routed"]

sys.path.insert(0, str(Path(__file__).resolve().parent))


# What takes long has a target of its own, which sets the variable.
LONG = {"test_signature.py": "DEPLOY_RELEASE", "test_nodes.py": "DEPLOY_NODES", "test_cluster.py": "DEPLOY_CLUSTER", "test_rollouts.py": "DEPLOY_ROLLOUTS",
        "test_arm64.py": "DEPLOY_ARM64"}
collect_ignore = [file for file, variable in LONG.items() if os.environ.get(variable) != "yes"]


def run(*command, check=True, seconds=1800, **more):
    """A finished process; its output is in the failure if it should have succeeded."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=seconds, check=False, **more)
    assert not check or done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done


def pytest_terminal_summary(terminalreporter):
    for reason in sorted({str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", [])}):
        terminalreporter.write_line(f"skipped: {reason.removeprefix('Skipped: ')}")


def tool(name):
    """A tool by name, or a skip that says which is missing. deploy/check installs all of them."""
    own = CACHE / "bin" / name
    path = str(own) if own.exists() else shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


@functools.lru_cache(maxsize=None)
def render_text(overlay):
    """An overlay by its name, or with a component more: dev+collector."""
    overlay, *components = overlay.split("+")
    folder = DEPLOY / "overlays" / overlay
    if not components:
        return run("kubectl", "kustomize", folder).stdout
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        path = lambda there: os.path.relpath(there, os.path.realpath(work))
        lines = {"namespace": "tallyd", "resources": [path(folder)], "components": [path(DEPLOY / "components" / name) for name in components]}
        (Path(work) / "kustomization.yaml").write_text(yaml.safe_dump(lines), encoding="utf-8")
        return run("kubectl", "kustomize", work).stdout


@functools.lru_cache(maxsize=None)
def parse(overlay):
    return list(yaml.safe_load_all(render_text(overlay)))


def objects_of(overlay):
    return copy.deepcopy(parse(overlay))


def get(objects, kind, name="tallyd"):
    found = [o for o in objects if o["kind"] == kind and o["metadata"]["name"].startswith(name)]
    assert found, f"no {kind} {name}"
    return next((o for o in found if o["metadata"]["name"] == name), found[0])


def container(objects, name="tallyd"):
    spec = get(objects, "Deployment")["spec"]["template"]["spec"]
    return next(c for c in spec["containers"] + spec.get("initContainers", []) if c["name"] == name)


def secrets_in(text):
    """What looks like a secret in a text."""
    return re.findall(r"AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|glpat-[\w-]{10,}|(?i:password|token)\s*[:=]\s*[\"']?\w{8,}", text)

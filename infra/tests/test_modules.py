"""Every module has the agreed shape, is valid on its own, and passes its own tests."""
import re

import pytest

import stack

MODULES = stack.modules()
# The modules the issue names (infra/README.md says what each is for).
EXPECTED = {"naming", "network", "peering", "access", "kms", "memorydb", "memorydb-global", "secrets", "backup", "eks", "nodes", "karpenter", "pod-identity", "ecr",
            "lb", "edge", "dns-acm", "global-accelerator", "observability", "ci-oidc", "budgets"}
# Computes names only: no provider, nothing to create.
PURE = {"naming"}

BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', re.M | re.S)


def text_of(module, *names):
    folder = stack.INFRA / "modules" / module
    files = [folder / n for n in names] if names else sorted(folder.glob("*.tf"))
    return "\n".join(f.read_text() for f in files if f.is_file())


def test_all_modules_are_there():
    assert EXPECTED <= set(MODULES), "missing: %s" % sorted(EXPECTED - set(MODULES))


@pytest.mark.parametrize("module", MODULES)
def test_shape(module):
    folder = stack.INFRA / "modules" / module
    missing = [f for f in ("main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md", "examples/minimal/main.tf") if not (folder / f).is_file()]
    assert not missing, missing
    assert list((folder / "tests").glob("*.tftest.hcl")), "no tests"
    versions = text_of(module, "versions.tf")
    assert "required_version" in versions
    if module not in PURE:
        assert 'source  = "hashicorp/aws"' in versions or 'source = "hashicorp/aws"' in versions
        assert re.search(r'variable "create"', text_of(module)), "no create switch"
    assert "provider \"" not in text_of(module), "a module configures no provider"
    sources = re.findall(r'^\s*source\s*=\s*"([^"]+)"', text_of(module), re.M)
    assert all(s.startswith(("./", "../", "hashicorp/")) for s in sources), "registry modules: %s" % sources
    undescribed = [b[1] for b in BLOCK.findall(text_of(module)) if "description" not in b[2]]
    untyped = [b[1] for b in BLOCK.findall(text_of(module)) if b[0] == "variable" and not re.search(r"^\s*type\s*=", b[2], re.M)]
    assert not undescribed, "without a description: %s" % undescribed
    assert not untyped, "without a type: %s" % untyped


@pytest.mark.parametrize("module", MODULES)
def test_the_example_is_valid_and_plans(module, tmp_path):
    """The minimal example, as a user would copy it."""
    folder = stack.INFRA / "modules" / module / "examples" / "minimal"
    e = stack.clean_env(STUB_SCAN=stack.INFRA, TF_DATA_DIR=tmp_path / "data", TF_CLI_CONFIG_FILE=stack.STUB / "override.rc")
    e_init = dict(e, TF_CLI_CONFIG_FILE=str(stack.STUB / "mirror.rc"))
    lock = folder / ".terraform.lock.hcl"
    had = lock.exists()
    try:
        stack.terraform("init", "-no-color", "-backend=false", cwd=folder, env=e_init)
    finally:
        if not had:
            lock.unlink(missing_ok=True)
    # what an example leaves to its user is text, a first password for instance
    text = "\n".join(f.read_text() for f in folder.glob("*.tf"))
    open_variables = [name for kind, name, body in BLOCK.findall(text) if kind == "variable" and not re.search(r"^\s*default\s*=", body, re.M)]
    given = ["-var=%s=0123456789abcdefABCDEF" % v for v in open_variables]
    stack.terraform("plan", "-no-color", *given, cwd=folder, env=e)


WITH_TESTS = ["modules/" + m for m in MODULES] + sorted(str(t.parent.relative_to(stack.INFRA)) for t in [*stack.INFRA.glob("stacks/*/tests"), *stack.INFRA.glob("bootstrap/tests")])


@pytest.mark.parametrize("place", WITH_TESTS)
def test_own_tests_pass(place, tmp_path, figure):
    folder = stack.INFRA / place
    e = stack.clean_env(STUB_SCAN=stack.INFRA, TF_DATA_DIR=tmp_path / "data", TF_CLI_CONFIG_FILE=stack.STUB / "override.rc")
    e_init = dict(e, TF_CLI_CONFIG_FILE=str(stack.STUB / "mirror.rc"))
    lock = folder / ".terraform.lock.hcl"
    had = lock.exists()
    try:
        stack.terraform("init", "-no-color", "-backend=false", cwd=folder, env=e_init)
    finally:
        if not had:
            lock.unlink(missing_ok=True)
    p = stack.terraform("test", "-no-color", cwd=folder, env=e, check=False)
    m = re.search(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", p.stdout)
    assert p.returncode == 0 and m, p.stdout[-3000:] + p.stderr[-2000:]
    assert int(m.group(1)) > 0, "no run in its tests"
    figure("runs-" + place.replace("/", "-"), int(m.group(1)))
    assert int(m.group(3) or 0) == 0, "skipped runs"

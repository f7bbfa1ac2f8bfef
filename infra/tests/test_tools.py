"""Linters that others wrote. Each is optional: where it could not be had, its test is skipped and says so."""
import json
import os

import pytest

import stack

PINS = dict(line.split("=", 1) for line in (stack.TESTS / "versions.env").read_text().splitlines() if "=" in line and not line.startswith("#"))
TFLINT = stack.BUILD / "bin" / ("tflint-" + PINS["TFLINT_VERSION"])
CHECKOV = stack.BUILD / ("checkov-" + PINS["CHECKOV_VERSION"]) / "bin" / "checkov"

FOLDERS = sorted(str(p.parent.relative_to(stack.INFRA)) for p in stack.INFRA.glob("**/versions.tf") if ".terraform" not in p.parts)


def folders():
    return sorted({str(p.parent.relative_to(stack.INFRA)) for pattern in ("modules/*/main.tf", "stacks/*/*.tf", "bootstrap/*.tf") for p in stack.INFRA.glob(pattern)})


@pytest.mark.skipif(not TFLINT.is_file(), reason="tflint could not be built here (build/infra/tflint.log)")
@pytest.mark.parametrize("folder", folders())
def test_tflint(folder):
    """The rule set that comes with tflint: unused declarations, deprecated syntax, naming, missing types and descriptions."""
    p = stack.run([TFLINT, "--chdir=" + str(stack.INFRA / folder), "--config=" + str(stack.TESTS / "tflint.hcl"), "--format=compact"], env=stack.clean_env(), check=False)
    assert p.returncode == 0, p.stdout + p.stderr


@pytest.mark.skipif(not TFLINT.is_file(), reason="tflint could not be built here (build/infra/tflint.log)")
def test_tflint_finds_something(tmp_path):
    """The control: an unused variable without a type must be found with this configuration."""
    (tmp_path / "main.tf").write_text('variable "unused" {}\n')
    p = stack.run([TFLINT, "--chdir=" + str(tmp_path), "--config=" + str(stack.TESTS / "tflint.hcl"), "--format=compact"], env=stack.clean_env(), check=False)
    assert p.returncode != 0 and "terraform_unused_declarations" in p.stdout and "terraform_typed_variables" in p.stdout, p.stdout + p.stderr


def accepted():
    """checkov.skip: `CKV_ID  reason`, one a line."""
    out = {}
    for line in (stack.TESTS / "checkov.skip").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            check, reason = line.split(None, 1)
            out[check] = reason
    return out


def checkov(plan):
    env = dict(os.environ, HOME=str(stack.BUILD), LOG_LEVEL="ERROR", BC_SKIP_MAPPING="TRUE", CKV_DISABLE_REMOTE="1")
    p = stack.run([CHECKOV, "-f", plan, "--framework", "terraform_plan", "--skip-download", "--compact", "--quiet", "-o", "json", "--skip-check", ",".join(accepted())], env=env, check=False, timeout=280)
    assert p.stdout.strip().startswith(("{", "[")), p.stdout[-2000:] + p.stderr[-2000:]
    return json.loads(p.stdout)


def plan_file(env, name):
    stack.load_environment(env)
    return stack.BUILD / "live" / env / (name + ".plan.json")


@pytest.mark.skipif(not CHECKOV.is_file(), reason="checkov could not be installed here (build/infra/checkov.log)")
@pytest.mark.parametrize("name", stack.STACKS)
def test_checkov(name):
    """checkov's rules over production's plan; what is accepted stands in checkov.skip with its reason."""
    if "prod" not in stack.environments():
        pytest.fail("there is no environment prod")
    answer = checkov(plan_file("prod", name))
    failed = ["%s %s: %s" % (c["check_id"], c["resource"], c["check_name"]) for a in (answer if isinstance(answer, list) else [answer]) for c in a.get("results", {}).get("failed_checks", [])]
    assert not failed, "\n".join(sorted(set(failed)))
    passed = sum(a["summary"]["passed"] for a in (answer if isinstance(answer, list) else [answer]))
    assert passed > 10, "checkov looked at %d things" % passed


def test_exceptions_of_checkov_have_reasons():
    for check, reason in accepted().items():
        assert check.startswith("CKV") and len(reason) > 20, check

"""Linters that others wrote, for `make check-infra-long`. Each is optional: where it could not be had, its test is skipped and says so."""
import copy
import json
import os
import re

import pytest

import stack

PINS = dict(line.split("=", 1) for line in (stack.TESTS / "versions.env").read_text().splitlines() if "=" in line and not line.startswith("#"))
TFLINT = stack.BUILD / "bin" / ("tflint-" + PINS["TFLINT_VERSION"])
CHECKOV = stack.BUILD / ("checkov-" + PINS["CHECKOV_VERSION"]) / "bin" / "checkov"


def folders():
    return sorted({str(p.parent.relative_to(stack.INFRA)) for pattern in ("modules/*/main.tf", "stacks/*/main.tf", "bootstrap/*.tf") for p in stack.INFRA.glob(pattern)})


@pytest.mark.long
@pytest.mark.skipif(not TFLINT.is_file(), reason="tflint could not be built here (build/infra/tflint.log)")
@pytest.mark.parametrize("folder", folders())
def test_tflint(folder):
    """The rule set that comes with tflint: unused declarations, deprecated syntax, naming, missing types and descriptions."""
    p = stack.run([TFLINT, "--chdir=" + str(stack.INFRA / folder), "--config=" + str(stack.TESTS / "tflint.hcl"), "--format=compact"], env=stack.clean_env(), check=False)
    assert p.returncode == 0, p.stdout + p.stderr


@pytest.mark.long
@pytest.mark.skipif(not TFLINT.is_file(), reason="tflint could not be built here (build/infra/tflint.log)")
def test_tflint_finds_something(tmp_path):
    """The control: an unused variable without a type must be found with this configuration."""
    (tmp_path / "main.tf").write_text('variable "unused" {}\n')
    p = stack.run([TFLINT, "--chdir=" + str(tmp_path), "--config=" + str(stack.TESTS / "tflint.hcl"), "--format=compact"], env=stack.clean_env(), check=False)
    assert p.returncode != 0 and "terraform_unused_declarations" in p.stdout and "terraform_typed_variables" in p.stdout, p.stdout + p.stderr


def accepted():
    """checkov.skip: rule, pattern of the address, reason."""
    return [line.split(None, 2) for line in (stack.TESTS / "checkov.skip").read_text().splitlines() if line.strip() and not line.startswith("#")]


def checkov(plan):
    env = dict(os.environ, HOME=str(stack.BUILD), LOG_LEVEL="ERROR", BC_SKIP_MAPPING="TRUE", CKV_DISABLE_REMOTE="1")
    p = stack.run([CHECKOV, "-f", plan, "--framework", "terraform_plan", "--skip-download", "--compact", "--quiet", "-o", "json"], env=env, check=False, timeout=280)
    assert p.stdout.strip().startswith(("{", "[")), p.stdout[-2000:] + p.stderr[-2000:]
    return json.loads(p.stdout)


def plan_file(env, name, folder):
    """The plan with the values that the apply gave: otherwise every key that the same plan makes counts as missing."""
    applied = next(a for a in stack.load_environment(env).applied if a.stack == name)
    plan = copy.deepcopy(applied.plan)
    plan["planned_values"] = {"root_module": applied.state["values"]["root_module"]}
    known = {r["address"]: r["values"] for r in stack.walk(applied.state["values"]["root_module"])}
    for c in plan["resource_changes"]:
        if c["address"] in known and c["mode"] == "managed":
            c["change"] = dict(c["change"], after=known[c["address"]], after_unknown={})
    path = folder / (name + ".json")
    path.write_text(json.dumps(plan))
    return path


@pytest.mark.long
@pytest.mark.skipif(not CHECKOV.is_file(), reason="checkov could not be installed here (build/infra/checkov.log)")
def test_checkov(tmp_path, figure):
    """checkov's rules over production; what is accepted stands in checkov.skip with its reason, and only as long as it occurs."""
    failed, passed = set(), 0
    for name in stack.STACKS:
        answer = checkov(plan_file("prod", name, tmp_path))
        for a in answer if isinstance(answer, list) else [answer]:
            failed |= {(c["check_id"], c["resource"], c["check_name"]) for c in a.get("results", {}).get("failed_checks", [])}
            passed += a["summary"]["passed"]
    assert passed > 200, "checkov looked at %d things" % passed
    excused = lambda f: [i for i, (check, pattern, _) in enumerate(accepted()) if check == f[0] and re.search(pattern, f[1])]
    open_findings = sorted("%s %s: %s" % f for f in failed if not excused(f))
    assert not open_findings, "\n".join(open_findings)
    stale = [accepted()[i] for i in set(range(len(accepted()))) - {i for f in failed for i in excused(f)}]
    assert not stale, "no longer found: %s" % stale
    figure("note-checkov", "checkov over prod: %d checks passed, %d findings accepted with a reason" % (passed, len(failed)))


def test_exceptions_of_checkov_have_reasons():
    for check, pattern, reason in accepted():
        assert check.startswith("CKV") and (len(reason) > 20 or reason.startswith("as CKV")), check

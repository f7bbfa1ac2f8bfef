"""The folder itself: style, documents that must stay true, and nothing in it that must not be."""
import re
import shutil
import subprocess
import zipfile

import pytest

import stack

TRACKED = [stack.REPO / f for f in subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=stack.REPO, capture_output=True, text=True, check=True).stdout.split("\0") if f]
OURS = [f for f in TRACKED if f.is_file() and f.relative_to(stack.REPO).parts[0] == "infra"]


def tool(name):
    if not shutil.which(name):
        pytest.fail("%s is not installed; infra/tests/run installs it" % name)
    return name


def test_terraform_is_formatted():
    p = stack.run(["terraform", "fmt", "-check", "-recursive", "-diff", "-no-color", stack.INFRA], env=stack.clean_env(), check=False)
    assert p.returncode == 0, p.stdout


def test_shell_scripts_are_clean():
    # templates are checked as what they become: test_policies.py, test_rendered_user_data_is_clean
    scripts = [f for f in OURS if f.suffix == ".sh" or f.suffix != ".tftpl" and f.read_bytes()[:64].split(b"\n")[0].startswith((b"#!/bin/bash", b"#!/bin/sh", b"#!/usr/bin/env bash"))]
    assert len(scripts) >= 2
    p = stack.run([tool("shellcheck"), "-x", *scripts], env=stack.clean_env(), check=False)
    assert p.returncode == 0, p.stdout


def test_yaml_is_clean():
    files = [f for f in OURS if f.suffix in (".yaml", ".yml")] + [stack.TESTS / "yamllint.yaml"]
    p = stack.run([tool("yamllint"), "-s", "-c", stack.TESTS / "yamllint.yaml", *files], env=stack.clean_env(), check=False)
    assert p.returncode == 0, p.stdout


COVERAGE = stack.INFRA / "COVERAGE.md"


def coverage():
    """[(system, item, mark, here, shown by, the rest)]"""
    system, out = "", []
    for line in COVERAGE.read_text().splitlines():
        if line.startswith("## "):
            system = line[3:].split(" (")[0]
        elif line.startswith("| ") and not line.startswith("| item"):
            out.append((system, *[c.strip() for c in line.strip("|").split("|")]))
    return out


@pytest.mark.parametrize("page", ["COVERAGE.md", "WELL-ARCHITECTED.md"])
def test_pages_name_existing_paths_and_rules(page):
    """Every path in backticks exists, and so does every rule."""
    import rules
    text = (stack.INFRA / page).read_text()
    paths = [m for m in re.findall(r"`([^`\s]+)`", text) if "/" in m]
    assert len(paths) >= 30, "the page names %d paths" % len(paths)
    missing = sorted({p for p in paths if not (stack.REPO / p).exists()}) + sorted({r for r in re.findall(r"rule `([\w-]+)`", text) if r not in rules.RULES})
    assert not missing, missing


def test_every_item_of_the_five_systems_has_a_row():
    """items.txt has the items, one a line: none is left out, none is added without it."""
    wanted = (stack.TESTS / "items.txt").read_text().splitlines()
    rows = ["%s: %s" % row[:2] for row in coverage()]
    assert len(wanted) == 129 and rows == wanted, sorted(set(wanted) ^ set(rows))


def test_every_row_says_how_it_stands():
    """What works names what shows it; what is half or missing says what is left; the count at the top is right."""
    for system, item, mark, here, shown, rest in coverage():
        assert mark in ("●", "◐", "○", "n/a"), item
        assert (mark == "n/a") == (here == "n/a") == (shown == "n/a"), item
        assert (mark == "○") == (shown == "**missing**"), item
        assert here == "**missing**" and mark == "○" or here == "n/a" or "`" in here, item
        assert mark in ("●", "○") or rest, "%s: what is left?" % item
        assert shown in ("n/a", "**missing**") or re.fullmatch(r"rule `[\w-]+`|`[\w/.-]+`", shown), item
        assert not re.fullmatch(r"`[\w/.-]+`", shown) or (stack.REPO / shown.strip("`")).is_file(), item
    marks = [row[2] for row in coverage()]
    assert "%d items: %d ●, %d ◐, %d ○, %d n/a." % (len(marks), *[marks.count(m) for m in ("●", "◐", "○", "n/a")]) in COVERAGE.read_text()


def test_module_tables_are_current():
    """README tables of the modules are generated; the generator says whether they still fit."""
    script = stack.INFRA / "scripts" / "module-docs"
    assert script.is_file(), "infra/scripts/module-docs is missing"
    p = stack.run([script, "--check"], cwd=stack.REPO, env=stack.clean_env(), check=False)
    assert p.returncode == 0, p.stdout + p.stderr


def test_readme_links_exist():
    """Relative links of infra's pages lead somewhere."""
    broken = []
    for page in [f for f in OURS if f.suffix == ".md"]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if not re.match(r"^[a-z]+:", target) and not (page.parent / target).exists():
                broken.append("%s → %s" % (page.relative_to(stack.REPO), target))
    assert not broken, broken


REGION = r"(af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov)-(central|north|south|east|west|northeast|northwest|southeast|southwest)-[0-9]"
# Where CloudFront's certificates, alarms, logs and web ACLs live, whatever else is where.
GLOBAL_REGION = "us-east-1"


def test_code_names_no_account_region_or_zone():
    """Modules, stacks and bootstrap run in any account and region: what is somewhere stands in live/, in tests and in examples."""
    code = [f for f in OURS if f.suffix in (".tf", ".tftpl") and f.relative_to(stack.INFRA).parts[0] in ("modules", "stacks", "bootstrap") and not {"tests", "examples"} & set(f.parts[-4:])]
    assert len(code) > 80
    found = []
    for f in code:
        for n, line in enumerate(f.read_text().splitlines(), 1):
            line = re.sub(r"^\s*#.*|\berror_message\b.*|\bdescription\b.*", "", line)
            named = [m.group(0) for m in re.finditer(r"(?<![\w-])%s[a-f]?(?![\w-])|(?<!\d)\d{12}(?!\d)" % REGION, line) if m.group(0) != GLOBAL_REGION]
            if named or re.search(r"arn:aws:", line):
                found.append("%s:%d: %s" % (f.relative_to(stack.INFRA), n, line.strip()))
    assert not found, found


SECRETS = {
    "AWS access key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "AWS secret key": r"(?i)aws.{0,20}secret.{0,20}['\"=: ][0-9a-zA-Z/+]{40}\b",
    "private key": r"-----BEGIN (RSA |EC |OPENSSH |DSA |)PRIVATE KEY-----",
    "GitHub token": r"\b(ghp|gho|ghu|ghs|ghr)_[0-9A-Za-z]{36}\b|\bgithub_pat_[0-9A-Za-z_]{60,}\b",
    "GitLab token": r"\bglpat-[0-9A-Za-z_-]{20}\b",
    "Slack token or hook": r"\bxox[abpr]-[0-9A-Za-z-]{10,}|hooks\.slack\.com/services/T[0-9A-Z]+/B[0-9A-Z]+/[0-9A-Za-z]+",
    "bearer token": r"(?i)\bauthorization: bearer [0-9a-z._-]{20,}",
    "JSON web token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}",
    "password in variables": r"(?im)^\s*\w*(password|secret|token)\w*\s*=\s*\"[^\"$]{8,}\"\s*$",
}
# "password in variables" is meant for .tfvars; elsewhere such lines are names and paths.
ONLY_TFVARS = {"password in variables"}


def find_secrets(name, text):
    return ["%s: %s" % (name, kind) for kind, pattern in SECRETS.items()
            if (kind not in ONLY_TFVARS or name.endswith((".tfvars", ".tfbackend"))) and re.search(pattern, text)]


def test_no_secrets_in_the_repository():
    """Seed: a token in the repository."""
    found = []
    for f in TRACKED:
        if f.is_file() and f.stat().st_size < 2_000_000 and f.name not in ("go.sum", "package-lock.json"):
            data = f.read_bytes()
            if b"\0" not in data[:8000] and not f.is_relative_to(stack.TESTS):
                found += find_secrets(str(f.relative_to(stack.REPO)), data.decode("utf-8", "replace"))
    assert not found, found


def test_the_search_for_secrets_finds_them():
    """The control of the test above: made-up secrets of each kind, put together here so that no file holds one."""
    made = {
        "AWS access key": "AKIA" + "ABCDEFGHIJKLMNOP", "AWS secret key": "aws_secret_access_key = " + "a1B2" * 10, "private key": "-----BEGIN " + "PRIVATE KEY-----",
        "GitHub token": "ghp_" + "a1" * 18, "GitLab token": "glpat-" + "a1b2c" * 4, "Slack token or hook": "xoxb-" + "1234567890", "bearer token": "Authorization: Bearer " + "abc123" * 5,
        "JSON web token": ".".join(["eyJ" + "a" * 12, "eyJ" + "b" * 12, "c" * 12]), "password in variables": 'admin_password = "correct horse"',
    }
    assert set(made) == set(SECRETS)
    for kind, text in made.items():
        assert ["x.tfvars: " + kind] == [f for f in find_secrets("x.tfvars", text) if f.endswith(kind)], kind


def test_no_state_plan_or_lock_is_committed():
    bad = [f for f in OURS if re.search(r"\.tfstate|\.tfplan|\.terraform/|\.terraform\.lock\.hcl$|crash\.log|\.pem$|\.key$", f.name)]
    assert not bad, bad


def test_packed_functions_are_their_sources():
    """A .zip in the tree holds exactly the files that lie beside it, so that reviewing those is enough."""
    for z in [f for f in OURS if f.suffix == ".zip"]:
        with zipfile.ZipFile(z) as packed:
            inside = {n: packed.read(n) for n in packed.namelist()}
        beside = {f.name: f.read_bytes() for f in OURS if f.parent == z.parent and f.suffix != ".zip"}
        assert inside and inside == {n: beside.get(n) for n in inside}, "%s is not what lies beside it: %s" % (z, sorted(inside))


def test_everything_installed_is_pinned():
    """No version of a tool or package floats."""
    env = (stack.TESTS / "versions.env").read_text()
    for line in env.splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Z_]+=(?!latest)[^\s*]+", line), line
    for line in (stack.TESTS / "requirements.txt").read_text().splitlines():
        assert not line or line.startswith("#") or re.fullmatch(r"[\w-]+(\[\w+\])?==[\w.]+", line), line
    lock = (stack.TESTS / "npm" / "package-lock.json").read_text()
    assert '"resolved"' not in lock and lock.count('"integrity"') >= 4

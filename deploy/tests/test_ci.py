"""Pipelines say nothing that `make` cannot, and the tools that read them agree. Style of everything that is text."""
import os
import re

import pytest
import yaml

from conftest import CACHE, CLOUD, DEPLOY, ROOT, run, tool

WORKFLOWS = ROOT / ".github/workflows"
GITHUB, RELEASE = WORKFLOWS / "ci.yml", WORKFLOWS / "release.yml"
GITLAB = ROOT / ".gitlab-ci.yml"
# What a bare image needs before `make` can be called.
BEFORE = "apt-get update -q && apt-get install -qy --no-install-recommends ca-certificates git make"


def tracked(*patterns):
    names = run("git", "ls-files", "-co", "--exclude-standard", *patterns, cwd=ROOT).stdout.split()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def jobs_of(workflow):
    return yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]


def github_commands():
    for workflow in (GITHUB, RELEASE):
        for job in jobs_of(workflow).values():
            for step in job.get("steps", []):
                yield from step.get("run", "").splitlines()


def gitlab_jobs():
    return {name: job for name, job in yaml.safe_load(GITLAB.read_text(encoding="utf-8")).items() if isinstance(job, dict) and "script" in job}


def gitlab_commands():
    for job in gitlab_jobs().values():
        yield from job["script"]


@pytest.mark.parametrize("commands", [github_commands, gitlab_commands], ids=["github", "gitlab"])
def test_pipeline_calls_make_targets_that_exist_and_nothing_else(commands):
    targets = set()
    for makefile in (ROOT / "Makefile", DEPLOY / "targets.mk"):
        targets |= set(re.findall(r"^([a-z0-9-]+):", makefile.read_text(encoding="utf-8"), re.M))
    used = [command for command in commands() if command]
    assert len(used) >= 8
    for command in used:
        words = command.split()
        assert words[0] == "make" and set(words[1:]) <= targets, command


def test_both_pipelines_do_the_same():
    goals = lambda commands: {w for command in commands() for w in command.split()[1:]}
    assert goals(github_commands) == goals(gitlab_commands)
    assert "ci" in goals(github_commands)  # the one list of steps


def test_gitlab_prepares_only_what_make_needs():
    pipeline = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))
    assert pipeline["default"]["before_script"] == [BEFORE]
    assert re.search(r"@sha256:[0-9a-f]{64}$", pipeline["default"]["image"])
    for name, job in gitlab_jobs().items():
        assert job["stage"] in pipeline["stages"] and job.get("before_script", [BEFORE])[0] == BEFORE, name


@pytest.mark.parametrize("workflow", sorted(WORKFLOWS.glob("*.yml")), ids=lambda p: p.stem)
def test_actions_are_pinned_and_leave_no_credentials(workflow):
    text = workflow.read_text(encoding="utf-8")
    assert all(re.fullmatch(r"\S+@[0-9a-f]{40}|\./\.github/workflows/\w+\.yml", use) for use in re.findall(r"uses: (\S+)", text))
    parsed = yaml.safe_load(text)
    assert parsed["permissions"] == {}
    for name, job in parsed["jobs"].items():
        assert "permissions" in job, f"{name} has the rights that the repository happens to give"
        for step in job.get("steps", []):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is (job["permissions"].get("contents") == "write"), name


def test_only_a_release_can_prove_who_it_is_or_write():
    """An identity opens the registry, and whoever has it can sign: no pull request and no push gets one."""
    rights = {(workflow.stem, name): job["permissions"] for workflow in (GITHUB, RELEASE) for name, job in jobs_of(workflow).items()}
    assert {where for where, has in rights.items() if "id-token" in has} == {("release", "image"), ("release", "publish"), ("release", "copy")}
    assert {where for where, has in rights.items() if has.get("contents") == "write"} == {("release", "propose")}
    assert all("timeout-minutes" in job or "uses" in job for workflow in (GITHUB, RELEASE) for job in jobs_of(workflow).values())


def test_publishing_waits_for_every_check_and_a_tag():
    release = yaml.safe_load(RELEASE.read_text(encoding="utf-8"))
    assert release[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads "on" so
    jobs = release["jobs"]
    assert jobs["checks"]["uses"] == "./.github/workflows/ci.yml"
    assert {name: jobs[name]["needs"] for name in jobs if name != "checks"} == {
        "image": "checks", "publish": "image", "copy": "publish", "propose": ["publish", "copy"], "package": "checks"}
    pipeline = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))
    assert pipeline[".release"]["rules"] == [{"if": "$CI_COMMIT_TAG =~ /^v/"}]
    for name, job in gitlab_jobs().items():
        writes = any(word in command for command in job["script"] for word in ("push", "sign", "copy", "propose"))
        assert not writes or job["extends"] == ".release" and pipeline["stages"].index(job["stage"]) > 0, name


def test_every_platform_of_the_index_has_a_machine():
    index = set(re.search(r"^PLATFORMS=\(([^)]+)\)", (ROOT / "docker/publish").read_text(encoding="utf-8"), re.M)[1].split())
    assert {f"linux/{row['arch']}" for row in jobs_of(RELEASE)["image"]["strategy"]["matrix"]["include"]} == index
    assert {f"linux/{name.split(':')[1]}" for name in gitlab_jobs() if name.startswith("image:")} == index


def test_actionlint_is_content():
    run(tool("actionlint"), *sorted(WORKFLOWS.glob("*.yml")))


def test_zizmor_is_content():
    """Of what pipelines get wrong about safety; its advice below `medium` is about taste."""
    run(tool("zizmor"), "--offline", "--min-severity=medium", ROOT / ".github")


def test_dependabot_knows_where_versions_are_pinned():
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text(encoding="utf-8"))["updates"]
    assert {u["package-ecosystem"] for u in updates} == {"github-actions", "docker", "npm", "gomod", "cargo"}
    assert all((ROOT / u["directory"].lstrip("/")).is_dir() for u in updates)


@pytest.mark.parametrize("variable, more", [
    ("CI_COMMIT_BRANCH=main", set()), ("CI_PIPELINE_SOURCE=schedule", {"events", "long"}),
    ("CI_COMMIT_TAG=v1.0.0", {"image:amd64", "image:arm64", "package", "publish", "copy:staging", "copy:prod", "propose"})])
def test_gitlab_ci_local_sees_the_jobs(variable, more, tmp_path):
    """It judges the file by GitLab's own schema, and which jobs a pipeline has by the rules."""
    reader = CACHE / "schemas/node_modules/.bin/gitlab-ci-local"
    if not reader.exists():
        pytest.skip("gitlab-ci-local is not installed")
    said = run(reader, "--list-csv", "--variable", variable, "--state-dir", os.path.relpath(tmp_path, ROOT), cwd=ROOT).stdout
    jobs = {line.split(";")[0] for line in said.splitlines() if line.count(";") == 5 and not line.startswith("name;")}
    assert jobs == {"everything", "arm64", "scan"} | more, said


@pytest.mark.parametrize("ci, skipped, status, says", [("true", 1, 1, "2 passed, 1 failed, 0 skipped"), ("", 1, 0, "2 passed, 0 failed, 1 skipped"), ("true", 0, 0, "3 passed, 0 failed, 0 skipped")])
def test_skip_under_ci_is_a_failure(ci, skipped, status, says, tmp_path):
    (tmp_path / "report.xml").write_text(f'<testsuites><testsuite tests="3" failures="0" errors="0" skipped="{skipped}"/></testsuites>')
    done = run(DEPLOY / "tests/summary.py", tmp_path / "report.xml", check=False, env={"PATH": os.environ["PATH"], "CI": ci})
    assert done.returncode == status and done.stdout.splitlines()[-1] == says


@pytest.mark.parametrize("version, ci, status, says", [("15.0.7", "true", 1, "1 failed"), ("15.0.7", "", 0, "1 skipped"), ("14.0.6", "true", 0, "")])
def test_formatter_that_is_missing_is_a_failure_under_ci(version, ci, status, says, tmp_path):
    """Another version has other opinions, so it does not count as one."""
    (tmp_path / "tests").mkdir()
    run("cp", ROOT / "tests/lint", tmp_path / "tests/lint")
    (tmp_path / "one.c").write_text("int one;\n", encoding="ascii")
    for name in ("clang-format", "clang-format-14"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho 'clang-format version {version}'\n", encoding="ascii")
        (tmp_path / name).chmod(0o755)
    run("git", "init", "-q", tmp_path)
    run("git", "-C", tmp_path, "add", "one.c")
    done = run(tmp_path / "tests/lint", "format", check=False, env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "CI": ci})
    assert done.returncode == status and says in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("finds, status", [(0, 0), (1, 1)])
def test_what_the_scanner_finds_is_a_list_for_the_code_host_and_a_failure(finds, status, tmp_path):
    """With a scanner that writes down what it is asked. The real one asks a database in the internet."""
    run("cp", "-r", ROOT / "docker", tmp_path / "docker")
    (tmp_path / "build/image").mkdir(parents=True)
    (tmp_path / "build/image/tallyd.spdx.json").write_text("{}", encoding="ascii")
    scanner = tmp_path / "osv-scanner"
    scanner.write_text(f"#!/bin/sh\necho \"$@\" >>{tmp_path}/asked\nwhile [ $# -gt 0 ]; do [ \"$1\" != --output ] || echo '{{}}' >\"$2\"; shift; done\nexit {finds}\n",
                       encoding="ascii")
    scanner.chmod(0o755)
    done = run(tmp_path / "docker/scan", check=False, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    asked = (tmp_path / "asked").read_text(encoding="ascii").splitlines()
    assert done.returncode == status and len(asked) == 2 and "--format sarif" in asked[1], done.stdout + done.stderr
    uploads = [step for step in jobs_of(GITHUB)["image"]["steps"] if "upload-sarif" in step.get("uses", "")]
    assert [step["with"]["sarif_file"] for step in uploads] == ["build/image/scan.sarif"] and "!cancelled()" in uploads[0]["if"]
    assert "build/image/scan.sarif" in gitlab_jobs()["scan"]["artifacts"]["paths"] and gitlab_jobs()["scan"]["artifacts"]["when"] == "always"
    assert (tmp_path / "build/image/scan.sarif").is_file()


CHANGES = "# Changes\n\n## Unreleased\n\n- Not yet.\n\n## 1.2.3 (2027-01-02)\n\n- Badges are round.\n- Two\n  lines.\n\n## 1.2.2\n\n- Long ago.\n"


def test_a_release_that_nobody_described_is_refused_before_anything_is_built(tmp_path):
    (tmp_path / "deploy").mkdir()
    run("cp", "-r", DEPLOY / "scripts", tmp_path / "deploy/scripts")
    (tmp_path / "CHANGELOG.md").write_text(CHANGES)
    changes = lambda version: run(tmp_path / "deploy/scripts/changes", version, check=False)
    assert changes("v1.2.3").stdout == changes("1.2.3").stdout == "- Badges are round.\n- Two\n  lines.\n"
    debian = run(tmp_path / "deploy/scripts/changes", "1.2.3", "--debian").stdout
    assert debian == "  * Badges are round.\n  * Two lines.\n"
    assert [changes(version).returncode for version in ("1.2.4", "1.2", "", "Changes")] == [65] * 4
    first = lambda steps: next(step for step in steps if step.startswith("make"))
    github = [step.get("run", "") for step in jobs_of(RELEASE)["image"]["steps"]]
    assert first(github) == first(gitlab_jobs()["image:amd64"]["script"]) == "make release-notes deps-release"


def test_release_is_proposed_for_every_environment(tmp_path):
    """In a clone, with a bare repository for the code host and a `gh` that writes down what it is asked."""
    source, origin, digest = tmp_path / "source", tmp_path / "origin.git", "sha256:" + "cd" * 32
    source.mkdir()
    git = lambda *words: run("git", "-C", source, "-c", "user.name=t", "-c", "user.email=t@localhost", *words).stdout
    run("git", "init", "-q", "--bare", "-b", "main", origin)
    git("init", "-q", "-b", "main")
    run("cp", "-r", DEPLOY, source / "deploy")
    (source / "CHANGELOG.md").write_text(CHANGES)
    git("add", "-A"), git("commit", "-qm", "all"), git("remote", "add", "origin", origin), git("push", "-q", "origin", "main")
    (tmp_path / "gh").write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {tmp_path}/asked\n")
    (tmp_path / "gh").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_ACTIONS": "true", "HOME": str(tmp_path)}
    run(source / "deploy/propose", "1.2.3", digest, env=environment)
    changed = run("git", "-C", origin, "diff", "--stat", "main", "release/1.2.3").stdout
    for name in CLOUD:
        assert digest in run("git", "-C", origin, "show", f"release/1.2.3:deploy/overlays/{name}/kustomization.yaml").stdout, changed
    assert (tmp_path / "asked").read_text().split("\n")[:3] == ["pr", "create", "--head"]
    for told in ((tmp_path / "asked").read_text(), run("git", "-C", origin, "log", "-1", "--format=%B", "release/1.2.3").stdout):
        assert "- Badges are round." in told and "Not yet." not in told and "Long ago." not in told
    silent = run(source / "deploy/propose", "1.2.4", digest, check=False, env=environment)
    assert silent.returncode == 65 and "says nothing of '1.2.4'" in silent.stderr
    assert run(source / "deploy/propose", "1.2.3-dirty", digest, check=False, env=environment).returncode == 64


@pytest.mark.parametrize("command, variables", [
    ("push", {"IMAGE": "localhost/tallyd", "VERSION": "1.2.3"}),
    ("push", {"IMAGE": "registry.example/tallyd", "VERSION": "1.2.3-4-gabc-dirty"}),
    ("", {"IMAGE": "registry.example/tallyd", "VERSION": "1.2.3"}),
])
def test_publish_refuses_what_is_no_release(command, variables):
    done = run(ROOT / "docker/publish", command, check=False, env={"PATH": "/usr/bin:/bin", **variables})
    assert done.returncode == 64


def test_yaml_is_clean():
    files = [p for p in tracked("deploy/**.yaml", "docker/**.yaml", "docker/**.yml", ".github/**", ".gitlab-ci.yml", "deploy/**.yml")
             if "templates" not in p.parts and p.suffix in (".yaml", ".yml") and "monitoring/tests" not in str(p)]
    assert len(files) > 50
    run(tool("yamllint"), "--strict", "--config-file", DEPLOY / "yamllint.yaml", *files)


def test_shell_is_clean():
    scripts = [p for p in tracked("deploy", "docker") if p.read_bytes().startswith((b"#!/bin/sh", b"#!/bin/bash"))]
    assert len(scripts) >= 8
    run(tool("shellcheck"), *scripts)


def test_programs_can_be_run():
    for path in tracked("deploy", "docker"):
        if path.read_bytes().startswith(b"#!"):
            assert path.stat().st_mode & 0o111, path


def test_unit_is_understood_by_systemd(tmp_path):
    unit = (DEPLOY / "systemd/tallyd.service").read_text(encoding="utf-8")
    (tmp_path / "tallyd.service").write_text(unit.replace("/usr/bin/tallyd", "/bin/true"))
    done = run(tool("systemd-analyze"), "verify", "--man=no", tmp_path / "tallyd.service", check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    run(tool("systemd-analyze"), "security", "--offline=true", "--threshold=25", tmp_path / "tallyd.service")


def test_unit_gives_the_drain_its_time():
    unit = (DEPLOY / "systemd/tallyd.service").read_text(encoding="utf-8")
    default = (DEPLOY / "systemd/tallyd.default").read_text(encoding="utf-8")
    stop = int(re.search(r"^TimeoutStopSec=(\d+)s$", unit, re.M)[1])
    drain = sum(int(s) for s in re.findall(r"^TALLYD_DRAIN_(?:DELAY|TIMEOUT)=(\d+)s$", default, re.M))
    assert stop >= drain + 5
    assert re.search(r"^RestartPreventExitStatus=64 75 78$", unit, re.M)


def test_unit_allows_what_the_container_allows():
    """systemd's groups must hold every call of the one profile."""
    import json
    unit = (DEPLOY / "systemd/tallyd.service").read_text(encoding="utf-8")
    allow, deny, after_all = re.findall(r"^SystemCallFilter=(.*)$", unit, re.M)
    def names(groups):
        found = set()
        words = groups.lstrip("~").split()
        todo = [word for word in words if word.startswith("@")]
        found.update(word for word in words if not word.startswith("@"))
        while todo:
            group = todo.pop()
            for line in run(tool("systemd-analyze"), "syscall-filter", group).stdout.splitlines()[1:]:
                word = line.strip()
                if word.startswith("@"):
                    todo.append(word)
                elif word and not word.startswith("#"):
                    found.add(word)
        return found
    allowed = names(allow) - names(deny) | names(after_all)
    profile = {n for rule in json.loads((DEPLOY / "seccomp/tallyd.json").read_text())["syscalls"] for n in rule["names"] if rule["action"] == "SCMP_ACT_ALLOW"}
    assert profile - allowed == set()

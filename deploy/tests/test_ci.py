"""Pipelines say nothing that `make` cannot, and the tools that read them agree. Style of everything that is text."""
import os
import re

import pytest
import yaml

from conftest import CACHE, DEPLOY, ROOT, run, tool

GITHUB = ROOT / ".github/workflows/ci.yml"
GITLAB = ROOT / ".gitlab-ci.yml"
# What a bare image needs before `make` can be called.
BEFORE = "apt-get update -q && apt-get install -qy --no-install-recommends ca-certificates git make"


def tracked(*patterns):
    names = run("git", "ls-files", "-co", "--exclude-standard", *patterns, cwd=ROOT).stdout.split()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def github_commands():
    for job in yaml.safe_load(GITHUB.read_text(encoding="utf-8"))["jobs"].values():
        for step in job["steps"]:
            yield from step.get("run", "").splitlines()


def gitlab_commands():
    pipeline = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))
    for job in pipeline.values():
        if isinstance(job, dict):
            yield from job.get("script", [])


@pytest.mark.parametrize("commands", [github_commands, gitlab_commands], ids=["github", "gitlab"])
def test_pipeline_calls_make_targets_that_exist_and_nothing_else(commands):
    targets = set()
    for makefile in (ROOT / "Makefile", DEPLOY / "targets.mk"):
        targets |= set(re.findall(r"^([a-z0-9-]+):", makefile.read_text(encoding="utf-8"), re.M))
    used = [command for command in commands() if command]
    assert len(used) >= 8
    for command in used:
        words = [re.sub(r"^MODE=\$.*", "", w) for w in re.sub(r"\$\{\{[^}]*\}\}", "$X", command).split()]
        assert words[0] == "make" and set(filter(None, words[1:])) <= targets, command


def test_both_pipelines_do_the_same():
    goals = lambda commands: {w for command in commands() for w in command.split()[1:] if re.fullmatch(r"[a-z-]+", w)}
    assert goals(github_commands) == goals(gitlab_commands)


def test_gitlab_prepares_only_what_make_needs():
    pipeline = yaml.safe_load(GITLAB.read_text(encoding="utf-8"))
    assert pipeline["default"]["before_script"] == [BEFORE]
    assert re.search(r"@sha256:[0-9a-f]{64}$", pipeline["default"]["image"])
    for name, job in pipeline.items():
        if isinstance(job, dict) and "script" in job:
            assert job["stage"] in pipeline["stages"], name


def test_github_actions_are_pinned_and_have_few_rights():
    text = GITHUB.read_text(encoding="utf-8")
    assert all(re.fullmatch(r"\S+@[0-9a-f]{40}", use) for use in re.findall(r"uses: (\S+)", text))
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


def test_publishing_waits_for_every_check_and_a_tag():
    jobs = yaml.safe_load(GITHUB.read_text(encoding="utf-8"))["jobs"]
    assert set(jobs["image"]["needs"]) == set(jobs) - {"image"}
    pushes = [step for step in jobs["image"]["steps"] if "image-push" in step.get("run", "")]
    assert len(pushes) == 1 and "refs/tags/v" in pushes[0]["if"]
    assert yaml.safe_load(GITLAB.read_text(encoding="utf-8"))["publish"]["rules"] == [{"if": "$CI_COMMIT_TAG =~ /^v/"}]


def test_actionlint_is_content():
    run(tool("actionlint"), GITHUB)


@pytest.mark.parametrize("variable, more", [
    ("CI_COMMIT_BRANCH=main", set()), ("CI_PIPELINE_SOURCE=schedule", {"events"}), ("CI_COMMIT_TAG=v1.0.0", {"publish"})])
def test_gitlab_ci_local_sees_the_jobs(variable, more, tmp_path):
    """It judges the file by GitLab's own schema, and which jobs a pipeline has by the rules."""
    reader = CACHE / "schemas/node_modules/.bin/gitlab-ci-local"
    if not reader.exists():
        pytest.skip("gitlab-ci-local is not installed")
    said = run(reader, "--list-csv", "--variable", variable, "--state-dir", os.path.relpath(tmp_path, ROOT), cwd=ROOT).stdout
    jobs = {line.split(";")[0].split(":")[0] for line in said.splitlines() if line.count(";") == 5 and not line.startswith("name;")}
    assert jobs == {"lint", "deploy", "test", "sanitizers", "build-image"} | more, said


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

"""Where a release goes is where infra/ has a place for it, and who pushes it is whom infra/ lets: the pipelines' own words against
those of infra/live. Each rule can fail."""
import re
from fnmatch import fnmatchcase

import pytest
import yaml

from conftest import CLOUD, DEPLOY, ROOT, get, objects_of, container

STACK = (ROOT / "infra/stacks/platform/variables.tf").read_text(encoding="utf-8")
MODULE = (ROOT / "infra/modules/ecr/main.tf").read_text(encoding="utf-8")
# As GitHub and GitLab name a job in the identity that they give it, when the tag v1.2.3 is released.
RELEASE = {"github": "repo:example/tallyd:environment:release", "gitlab": "project_path:example/tallyd:ref_type:tag:ref:v1.2.3"}
OTHERS = {"github": ["repo:example/tallyd:ref:refs/heads/main", "repo:example/tallyd:pull_request", "repo:somebody/tallyd:environment:release"],
          "gitlab": ["project_path:example/tallyd:ref_type:branch:ref:main", "project_path:somebody/tallyd:ref_type:tag:ref:v1.2.3"]}


def pushed():
    """The repositories that a release is pushed to."""
    chart = yaml.safe_load((DEPLOY / "helm/tallyd/Chart.yaml").read_text(encoding="utf-8"))["name"]
    folder = re.search(r'"oci://\$\{image%/\*\}/(\w+)"', (DEPLOY / "helm/publish").read_text(encoding="utf-8"))[1]
    images = {container(objects_of(name))["image"].split("@")[0].split("/", 1)[1] for name in CLOUD}
    return images | {f"{folder}/{chart}"}


def repositories(text=STACK):
    block = re.search(r'^variable "repositories" \{.*?^\}', text, re.M | re.S)[0]
    return set(re.findall(r'"([^"]+)"', re.search(r"default += \[(.*?)\]", block)[1]))


def pipelines(environment):
    """(host, subject) of whom an environment's registry lets push."""
    text = (ROOT / "infra/live" / environment / "platform.tfvars").read_text(encoding="utf-8")
    block = re.search(r"^image_pipelines = \{\n(.*?)^\}", text, re.M | re.S)
    for host, subjects in re.findall(r'host = "(\w+)", subjects = \[(.*?)\]', block[1] if block else ""):
        yield from ((host, subject) for subject in re.findall(r'"([^"]+)"', subjects))


def lets(environment, host, subject):
    return any(host == h and fnmatchcase(subject, pattern) for h, pattern in pipelines(environment))


def test_every_repository_that_a_release_is_pushed_to_is_made():
    assert pushed() == {"tallyd", "charts/tallyd"} and pushed() <= repositories()


def test_identity_of_the_jobs_is_the_one_that_is_let_in():
    """The job's environment on GitHub, the tag on GitLab."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    named = {job["environment"] for job in workflow["jobs"].values() if "id-token" in job.get("permissions", {})}
    assert {f"repo:example/tallyd:environment:{name}" for name in named} == {RELEASE["github"]}
    rules = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))[".release"]["rules"]
    assert [re.fullmatch(r"\$CI_COMMIT_TAG =~ /\^(v)/", r["if"])[1] for r in rules] == ["v"]


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
@pytest.mark.parametrize("host", RELEASE)
def test_registry_takes_releases_and_nothing_else(environment, host):
    assert lets(environment, host, RELEASE[host])
    assert not [subject for subject in OTHERS[host] if lets(environment, host, subject)]


def word(environment, name, file="common"):
    """A value of infra/live: text, or a list of texts."""
    text = (ROOT / "infra/live" / environment / f"{file}.tfvars").read_text(encoding="utf-8")
    found = re.search(rf"^{name}\s*= (.*)$", text, re.M)
    return re.findall(r'"([^"]+)"', found[1]) if found else []


def carried_to():
    """The environments in whose registry the pipelines put a release: dev's, and those that it is copied to."""
    github = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))["jobs"]["copy"]
    gitlab = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    copies = {name.split(":")[1]: job["variables"]["COPY"] for name, job in gitlab.items() if name.startswith("copy:")}
    accounts = {account.lower() for account in github["strategy"]["matrix"]["account"]}
    assert copies == {name: f"$IMAGE_{name.upper()}" for name in accounts}
    return {"dev"} | accounts


def out_of_reach(environment, carried):
    """Whether a node of that environment finds no release in its own account and region."""
    account, region = word(environment, "account_id"), word(environment, "region")
    for other in carried:
        regions = word(other, "region") + word(other, "image_replica_regions", "platform")
        if word(other, "account_id") == account and region[0] in regions:
            return False
    return True


@pytest.mark.parametrize("environment", CLOUD)
def test_release_is_in_every_accounts_registry(environment):
    assert not out_of_reach(environment, carried_to())
    assert all(list(pipelines(other)) for other in carried_to())


def test_an_account_that_no_release_reaches_is_noticed():
    assert [name for name in CLOUD if out_of_reach(name, {"dev"})] == ["staging", "prod", "prod-dr"]
    assert out_of_reach("prod", {"dev", "staging"}) and out_of_reach("prod-dr", {"dev", "staging"})


def test_old_releases_are_told_from_what_must_stay():
    """The registry counts releases by their tags: the pipeline's, 1.2.3 and its parts 1.2.3-arm64."""
    patterns = [p for found in re.findall(r"tagPatternList = \[(.*?)\]", MODULE) for p in re.findall(r'"([^"]+)"', found)]
    assert all(any(fnmatchcase(tag, p) for p in patterns) for tag in ("1.2.3", "1.2.3-arm64", "10.20.30"))
    assert not any(fnmatchcase("sha256-" + "a" * 64 + ".sig", p) for p in patterns)

"""deploy/scripts/version: packages of later commits sort later, in Debian's order; a tarball says what it was made of."""
import os
import shutil
import subprocess
import tarfile

import pytest

from conftest import ROOT, run, tool

ENV = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


class Tree:
    def __init__(self, folder):
        self.folder, self.clock = folder, 1_700_000_000
        (folder / "deploy/scripts").mkdir(parents=True)
        shutil.copy(ROOT / "deploy/scripts/version", folder / "deploy/scripts/version")
        shutil.copy(ROOT / ".gitattributes", folder / ".gitattributes")
        self.git("init", "-q", "-b", "main")

    def git(self, *words):
        return run("git", "-C", self.folder, *words, env={**ENV, "GIT_COMMITTER_DATE": f"{self.clock} +0000", "GIT_AUTHOR_DATE": f"{self.clock} +0000"}).stdout

    def commit(self, release, tag=None):
        (self.folder / "VERSION").write_text(f"{release}\n", encoding="ascii")
        self.clock += 1
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")
        if tag:
            self.git("tag", tag)
        return self.version()

    def version(self):
        return run(self.folder / "deploy/scripts/version").stdout.strip()


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path / "tree")


def assert_ordered(versions):
    for older, newer in zip(versions, versions[1:]):
        done = subprocess.run([tool("dpkg"), "--compare-versions", older, "lt", newer], check=False)
        assert done.returncode == 0, f"{older} is not before {newer}"


def test_later_commits_have_later_versions(tree):
    versions = [tree.commit("0.1.0", tag="v0.1.0")]
    assert versions == ["0.1.0"]
    # Many: the names of commits are random, and must not decide.
    versions += [tree.commit("0.1.0") for _ in range(12)]
    (tree.folder / "VERSION").write_text("0.1.0\n\n", encoding="ascii")
    assert tree.version() == versions[-1] + ".dirty"
    versions.append(tree.version())
    versions += [tree.commit("0.1.0"), tree.commit("0.2.0~rc1", tag="v0.2.0~rc1".replace("~", "-")), tree.commit("0.2.0", tag="v0.2.0"), tree.commit("0.10.0")]
    assert_ordered(versions)


def test_a_commit_before_the_first_tag_has_a_version_that_begins_with_a_number(tree):
    version = tree.commit("0.1.0")
    assert version.startswith("0.1.0+git20231114221321.")


def test_a_tarball_says_what_it_was_made_of_also_inside_another_repository(tree, tmp_path):
    version = tree.commit("0.1.0")
    outer = Tree(tmp_path / "outer")
    outer.commit("9.9.9")
    archive = tmp_path / "a.tar"
    tree.git("archive", "--output", archive, "--prefix", "tallyd/", "HEAD")
    with tarfile.open(archive) as made:
        made.extractall(outer.folder)
    assert run(outer.folder / "tallyd/deploy/scripts/version").stdout.strip() == version


def test_a_copy_without_any_history_has_the_number_of_the_release(tmp_path):
    (tmp_path / "deploy/scripts").mkdir(parents=True)
    shutil.copy(ROOT / "deploy/scripts/version", tmp_path / "deploy/scripts/version")
    (tmp_path / "VERSION").write_text("0.1.0\n", encoding="ascii")
    assert run(tmp_path / "deploy/scripts/version").stdout.strip() == "0.1.0"

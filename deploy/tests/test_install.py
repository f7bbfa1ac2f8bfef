"""`make install`: a manual page and completions that say what the option table says, and a unit that finds the program."""
import os
import pty
import re
import select
import time

import pytest

from conftest import ROOT, run, tool
from test_daemon import BINARY

pytestmark = pytest.mark.skipif(not BINARY.is_file(), reason="tallyd is not built (make)")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("install")
    run("make", "-s", "-C", ROOT, "install", f"DESTDIR={folder}", "PREFIX=/opt/tallyd")
    return folder


@pytest.fixture(scope="module")
def flags():
    """{name: argument} as the option table has them."""
    rows = run(BINARY, "--help=markdown").stdout.replace("\\|", "|")
    return dict(re.findall(r"^\| `(--[a-z-]+)(?:[ =]([^`]*))?`", rows, re.M))


def test_unit_starts_the_program_that_is_installed(tree):
    unit = (tree / "opt/tallyd/lib/systemd/system/tallyd.service").read_text(encoding="utf-8")
    assert re.findall(r"^ExecStart=(\S+)$", unit, re.M) == ["/opt/tallyd/bin/tallyd"]
    assert os.access(tree / "opt/tallyd/bin/tallyd", os.X_OK)


def test_settings_of_the_administrator_are_kept(tree):
    settings = tree / "etc/default/tallyd"
    assert settings.is_file()
    settings.write_text("TALLYD_LISTEN=127.0.0.1:1\n", encoding="utf-8")
    run("make", "-s", "-C", ROOT, "install", f"DESTDIR={tree}", "PREFIX=/opt/tallyd")
    assert settings.read_text(encoding="utf-8") == "TALLYD_LISTEN=127.0.0.1:1\n"


def test_manual_page_is_without_a_warning(tree):
    page = tree / "opt/tallyd/share/man/man8/tallyd.8"
    done = run(tool("man"), "--warnings", "-E", "UTF-8", "-l", page, env={**os.environ, "MANPAGER": "cat"})
    assert done.stderr == ""
    assert run(tool("mandoc"), "-Tlint", "-Wwarning", page, check=False).stdout == ""


def test_manual_page_has_every_option(tree, flags):
    page = tree / "opt/tallyd/share/man/man8/tallyd.8"
    text = run(tool("mandoc"), "-Tutf8", page).stdout
    text = re.sub(".\b", "", text)
    assert len(flags) >= 30
    for name, argument in flags.items():
        assert re.search(rf"^ +{name}[ =\[]*{re.escape(argument)}", text, re.M), name
    assert "TALLYD_REDIS_PASSWORD" in text and "@" not in re.sub(r"\[user@\]", "", text)


def bash_completion(tree, *words):
    script = tree / "opt/tallyd/share/bash-completion/completions/tallyd"
    asked = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _tallyd; printf "%s\n" "${COMPREPLY[@]}"'
    return run("bash", "-c", asked, "bash", script, *words).stdout.split()


def fish_completion(tree, *words):
    script = tree / "opt/tallyd/share/fish/vendor_completions.d/tallyd.fish"
    said = run(tool("fish"), "--no-config", "-c", f"source {script}; complete -C '{' '.join(words)}'").stdout
    return [line.split("\t")[0] for line in said.splitlines()]


@pytest.mark.parametrize("complete", [bash_completion, fish_completion])
def test_completion_knows_options_and_values(complete, tree, flags):
    assert {word for word in complete(tree, "tallyd", "--") if word != "--help="} == set(flags)
    for name, argument in flags.items():
        values = [word for word in argument.split("|") if re.match("[a-z]", word)] if "|" in argument else []
        if values and name != "--help":
            assert sorted(complete(tree, "tallyd", name, "")) == sorted(values), name


def test_bash_completion_after_an_equals_sign(tree):
    assert bash_completion(tree, "tallyd", "--io", "=", "u") == ["uring"]
    assert bash_completion(tree, "tallyd", "--listen", "") == []


def test_bash_completion_is_clean(tree):
    run(tool("shellcheck"), "--shell=bash", tree / "opt/tallyd/share/bash-completion/completions/tallyd")


def zsh_completion(tree, line, home):
    """What an interactive zsh makes of a line and a tab: the line as it then stands."""
    zsh = tool("zsh")  # in the child a skip would be a second pytest
    pid, screen = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execve(zsh, ["zsh", "-f", "-i"], {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "dumb", "LC_ALL": "C"})
    said = ""

    def until(pattern):
        nonlocal said
        end = time.monotonic() + 20
        while not re.search(pattern, said):
            assert time.monotonic() < end and select.select([screen], [], [], 20)[0], said
            said += os.read(screen, 4096).decode(errors="replace")
        found, said = re.search(pattern, said), ""
        return found

    try:
        folder = tree / "opt/tallyd/share/zsh/site-functions"
        os.write(screen, f"fpath=({folder} $fpath); autoload -U compinit; compinit -u -d {home}/dump; PS1=; print rea''dy\n".encode())
        until("ready\r?\n")
        # Completed, then not run but printed.
        os.write(screen, f"{line}\t\x01print -r -- '\x05' en''d\n".encode())
        return until(r"\n(tallyd .*) end\r?\n")[1].strip()
    finally:
        os.close(screen)
        os.waitpid(pid, 0)


@pytest.mark.parametrize("line, completed", [("tallyd --flush-i", "tallyd --flush-interval"), ("tallyd --io=u", "tallyd --io=uring")])
def test_zsh_completion_completes(tree, tmp_path, line, completed):
    assert zsh_completion(tree, line, tmp_path) == completed

"""Options and fixtures of the end-to-end tests (README.md in this folder says how to run them)."""

import ctypes
import os
import random
import tempfile

import pytest
from harness import browsers
from harness.lab import Lab
from harness.tallyd import BINARY, OPTIONS, version


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, help="replay the draws of a failed test")
    parser.addoption("--io", default="auto", help="the engine that every tallyd runs on: auto, uring or epoll")


def pytest_configure(config):
    OPTIONS["io"] = config.getoption("--io")
    config.addinivalue_line("markers", "short: the subset for sanitizer builds")
    config.addinivalue_line("markers", "ci: needs browsers or proxies, or takes long: in .ci/run and `make e2e`, not in `make test`")
    config.addinivalue_line("markers", "harness: tests of the harness itself; they need no tallyd")
    # What a test needs that not every home gives (tests/conditions):
    config.addinivalue_line("markers", "uring: asks for io_uring by name")
    config.addinivalue_line("markers", "executes: runs programs that lie in the test's own folder")
    config.addinivalue_line("markers", "crowd: more connections than 64 descriptors allow")
    for proof in ("cuts", "kills", "stops", "stores", "rollbacks"):
        config.addinivalue_line("markers", f"{proof}: part of `make proof-{proof}` (tests/faults)")


def uring_refusal():
    """Why the kernel gives no ring here (io_uring_setup(2)); None when it gives one."""
    libc = ctypes.CDLL(None, use_errno=True)
    ring = libc.syscall(425, 1, ctypes.create_string_buffer(120))
    if ring < 0:
        return f"io_uring is refused here: {os.strerror(ctypes.get_errno())}"
    os.close(ring)
    return None


def pytest_terminal_summary(terminalreporter):
    for reason in sorted({str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", [])}):
        terminalreporter.write_line(f"skipped: {reason.removeprefix('Skipped: ')}")


def pytest_collection_modifyitems(config, items):
    refusals = {"uring": uring_refusal()}
    if os.statvfs(tempfile.gettempdir()).f_flag & os.ST_NOEXEC:
        refusals["executes"] = "TMPDIR is mounted noexec"
    for item in items:
        for mark, refusal in refusals.items():
            if refusal and mark in item.keywords:
                item.add_marker(pytest.mark.skip(reason=refusal))
    if not os.access(BINARY, os.X_OK) and any("harness" not in item.keywords for item in items):
        raise pytest.UsageError(f"no program to test: TALLYD={BINARY}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    lab = item.funcargs.get("lab") if hasattr(item, "funcargs") else None
    if report.failed and lab is not None:
        report.sections.append(("laboratory", f"--seed {lab.seed}   files: {lab.folder}\n{lab.tails()}"))


@pytest.fixture
def seed(request):
    given = request.config.getoption("--seed")
    return random.SystemRandom().randrange(1 << 32) if given is None else given


@pytest.fixture
def tried(record_property):
    """tried(times, hits): how much a test has tried; tests/faults/table finds it in the report."""
    def say(times, hits=0):
        record_property("version", version())
        record_property("times", times)
        record_property("hits", hits)

    return say


@pytest.fixture
def lab(tmp_path, seed):
    laboratory = Lab(tmp_path, seed)
    yield laboratory
    laboratory.close()


@pytest.fixture(scope="module", params=sorted(browsers.BROWSERS))
def opened(request, tmp_path_factory):
    program, open_browser = browsers.BROWSERS[request.param]
    if not program:
        pytest.skip("chromium and firefox-esr are not both installed (.ci/run does that)")
    browser = open_browser(str(tmp_path_factory.mktemp(request.param)))
    yield browser
    browser.close()


@pytest.fixture
def browser(lab, opened):
    """It leaves its page while the servers of `lab` still serve, so no test hears in the console what an earlier page lost."""
    yield opened
    opened.open("about:blank")

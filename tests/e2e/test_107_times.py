"""Prometheus reads how long requests and flushes take and what the process uses, and counts each request once."""

import shutil
import subprocess

import pytest
from harness import wait
from harness.http_client import fetch
from harness.tallyd import ENGINES

pytestmark = pytest.mark.short


def buckets(metrics, name):
    found = {dict(labels)["le"]: value for (sample, labels), value in metrics.samples.items() if sample == f"tallyd_{name}_bucket"}
    assert len(found) == 18 and list(found.values()) == sorted(found.values())
    assert metrics.get(f"{name}_count") == found["+Inf"]
    return found


@pytest.mark.parametrize("io", ENGINES)
def test_each_request_is_in_the_histogram_once(lab, io):
    server = lab.tallyd(lab.redis(), io=io)
    for target in ("/v1/hit/blog/a", "/v1/hit/blog/a?ack=stored", "/v1/hit/blog/b?value=1", "/v1/counters/blog/none", "/none", "/"):
        for _ in range(5):
            server.fetch(target)
    wait.until(lambda: buckets(server.metrics(), "request_seconds")["+Inf"] == 30, "each is timed, some a moment after their answer is out")
    metrics = server.metrics()
    found = buckets(metrics, "request_seconds")
    assert metrics["http_requests_total"] == 30
    # Five hits waited for a flush, which comes once in a while: they lie above all that is answered at once.
    assert metrics.get("request_seconds_sum") > 0 and found["5e-05"] < 30


def test_flushes_are_in_their_histogram(lab):
    server = lab.tallyd(lab.redis(), flush_interval="50ms")
    for number in range(1, 4):
        server.fetch("/v1/hit/blog/a?ack=stored")
        wait.until(lambda: buckets(server.metrics(), "flush_seconds")["+Inf"] >= number, "one flush more is timed")
    assert server.metrics().get("flush_seconds_sum") > 0


def test_the_process_says_what_it_uses(lab):
    text = lab.tallyd().admin("/metrics").decode()
    values = {name: float(value) for name, _, value in (line.partition(" ") for line in text.splitlines() if line.startswith("process_"))}
    assert 1 << 20 < values["process_resident_memory_bytes"] <= values["process_virtual_memory_bytes"]
    assert values["process_cpu_seconds_total"] > 0 and values["process_max_fds"] >= 64
    assert values.get("process_open_fds", 8) >= 8  # Linux before 6.2 does not say
    assert float(text.split("\ntallyd_memory_limit_bytes ")[1].split("\n")[0]) > values["process_resident_memory_bytes"]


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool: Debian's package prometheus has it")
def test_promtool_finds_nothing_to_say(lab):
    server = lab.tallyd(lab.redis())
    server.fetch("/v1/hit/blog/a?ack=stored")
    checked = subprocess.run(["promtool", "check", "metrics"], input=server.admin("/metrics").decode(), capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_open_metrics_on_demand_have_the_same_samples(lab):
    server = lab.tallyd()
    accept = ["Accept: application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3"]
    plain, opened = fetch(server.admin_port, "/metrics"), fetch(server.admin_port, "/metrics", "GET", accept)
    assert opened["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert plain["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    *lines, end = opened.body.decode().splitlines()
    assert end == "# EOF"

    def names(text):
        return [line.split(" ")[0] for line in text if not line.startswith("#")]

    assert names(lines) == names(plain.body.decode().splitlines())
    counters = [line.split()[2] for line in lines if line.startswith("# TYPE") and line.endswith(" counter")]
    assert counters and not [name for name in counters if name.endswith("_total")]

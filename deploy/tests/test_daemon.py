"""The manifests meet the daemon: its options, probes, drain and metrics, under the shipped seccomp profile."""
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

import reading
from conftest import CACHE, DEPLOY, OVERLAYS, container, get, objects_of, run, tool

BINARY = Path(os.environ.get("TALLYD", DEPLOY.parent / "build/release/tallyd"))
PROFILE = DEPLOY / "seccomp/tallyd.json"

pytestmark = pytest.mark.skipif(not BINARY.is_file(), reason="tallyd is not built (make)")


held = []


def free_port():
    """Ours until this process ends: its holder is bound and never listens, so nobody else is given the port."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    held.append(holder)
    return holder.getsockname()[1]


def free_ports(number):
    return [free_port() for _ in range(number)]


def get_path(port, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def metric(port, name):
    """The sum over all labels."""
    return sum(float(line.rsplit(" ", 1)[1]) for line in get_path(port, "/metrics")[1].splitlines()
               if re.match(rf"tallyd_{name}[{{ ]", line))


def wait_for(condition, what, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.05)
    pytest.fail(f"not within {seconds} s: {what() if callable(what) else what}")


@pytest.fixture
def redis(tmp_path):
    port = free_port()
    server = subprocess.Popen([tool("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
                              stdout=subprocess.DEVNULL)
    wait_for(lambda: socket.create_connection(("127.0.0.1", port), 1), "redis-server")
    yield port
    server.terminate()
    server.wait()


@pytest.fixture
def pod(redis, tmp_path):
    """tallyd with the settings of an overlay, on other ports, under the profile; as the kubelet would run it."""
    running = []

    def start(overlay="local", **more):
        http_port, admin_port = free_ports(2)
        settings = reading.environment(objects_of(overlay))
        settings.update(TALLYD_LISTEN=f"127.0.0.1:{http_port}", TALLYD_ADMIN=f"127.0.0.1:{admin_port}",
                        TALLYD_REDIS=f"redis://127.0.0.1:{redis}", TALLYD_DRAIN_DELAY="1s", TALLYD_ALLOW_ROOT="true", **more)
        settings["TALLYD_STATE_DIR"] = str(tmp_path / "state")
        (tmp_path / "state").mkdir(exist_ok=True)
        settings.pop("TALLYD_REDIS_PASSWORD_FILE", None)
        log = open(tmp_path / "log", "w", encoding="utf-8")
        process = subprocess.Popen([DEPLOY / "seccomp/confine", PROFILE, BINARY], env=settings, stdout=log, stderr=log)
        running.append(process)
        wait_for(lambda: get_path(admin_port, "/readyz")[0] == 200, lambda: f"ready: {(tmp_path / 'log').read_text()}")
        return process, http_port, admin_port, tmp_path / "log"
    yield start
    for process in running:
        process.kill()
        process.wait()


def test_options_of_the_overlays_exist():
    """The rules read the table, the program says what it takes: all of one is in the other."""
    said = run(BINARY, "--help").stdout
    once = {"help", "version", "check", "config", "healthcheck", "import", "import-ns", "repartition", "repartition-to", "repartition-finish"}
    flags = set(re.findall(r"^\s+--([a-z0-9-]+)", said, re.M)) - once
    has = {"TALLYD_" + name.upper().replace("-", "_") for name in flags} | set(re.findall(r"^\s+(TALLYD_\w+)", said, re.M))
    assert len(has) > 40 and reading.OPTIONS - has == set() and has - reading.OPTIONS == set()


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_daemon_accepts_the_settings(overlay, tmp_path):
    settings = reading.environment(objects_of(overlay))
    settings.pop("TALLYD_REDIS_PASSWORD_FILE", None)
    settings["TALLYD_STATE_DIR"] = str(tmp_path)  # --check opens what the start would
    said = run(BINARY, "--check", env=settings).stdout
    for key in set(settings):
        assert re.search(rf"# {key}$", said, re.M), f"{key} was not read"


def test_probes_answer_and_are_not_counted(pod):
    _, _, admin, _ = pod()
    main = container(objects_of("local"))
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        for _ in range(3):
            assert get_path(admin, main[probe]["httpGet"]["path"])[0] == 200
    assert metric(admin, "hits_accepted_total") == 0 and metric(admin, "http_requests_total") == 0


def test_hits_are_stored_under_the_profile_and_the_drain_ends_in_time(pod, redis):
    process, port, admin, log = pod()
    for _ in range(200):
        assert get_path(port, "/v1/hit/blog/post", "POST")[0] == 204
    process.send_signal(signal.SIGTERM)
    wait_for(lambda: get_path(admin, "/readyz")[0] == 503, "unready")
    assert get_path(admin, "/livez")[0] == 200
    assert get_path(port, "/v1/hit/blog/post", "POST")[0] == 204  # the balancer may not know yet
    grace = get(objects_of("local"), "Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert process.wait(grace) == 0, log.read_text()
    assert run(tool("redis-cli"), "-p", redis, "get", "tally:blog:post").stdout.strip() == "201"


def test_io_uring_runs_under_the_profile(pod):
    """Where the kernel has it at all: outside of the profile it must be the same engine."""
    _, _, admin, _ = pod(TALLYD_IO="auto")
    outside = subprocess.Popen([BINARY, "--allow-root", "--listen", "127.0.0.1:0", "--admin", f"127.0.0.1:{(port := free_port())}"], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: get_path(port, "/readyz")[0] == 200, "ready without the profile")
        engine = lambda p: re.findall(r'tallyd_io_engine_info\{engine="(\w+)"\} 1', get_path(p, "/metrics")[1])
        assert engine(admin) == engine(port)
    finally:
        outside.terminate()
        outside.wait(600)


def test_helm_test_tells_a_tallyd_that_serves_from_none(pod, tmp_path):
    """The script of the chart's test pod, as it is, against a daemon that serves and then does not."""
    process, port, admin, _ = pod()
    text = run(tool("helm"), "template", "tallyd", DEPLOY / "helm/tallyd", "--kube-version", "1.34.0", "--set", f"image.digest=sha256:{'0' * 64}").stdout
    tests = [o for o in yaml.safe_load_all(text) if o and o["kind"] == "Pod"]
    command = tests[0]["spec"]["containers"][0]["command"]
    ask = lambda: run(*command, check=False, env={"HOST": "127.0.0.1", "PORT": str(port), "ADMIN_HOST": "127.0.0.1", "ADMIN_PORT": str(admin)})
    said = ask()
    assert said.returncode == 0 and said.stdout.count("answered 200") == 2, said.stdout + said.stderr
    assert metric(admin, "hits_accepted_total") == 0
    process.kill()
    process.wait()
    assert ask().returncode != 0 and tmp_path


def test_metrics_are_well_formed(pod):
    _, port, admin, _ = pod()
    get_path(port, "/v1/hit/blog/post", "POST")
    text = get_path(admin, "/metrics")[1]
    done = run(tool("promtool"), "check", "metrics", input=text, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def prometheus_of(config, folder):
    """A real Prometheus with that configuration; gives what asks it."""
    port = free_port()
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    server = subprocess.Popen([tool("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                               f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: get_path(port, "/-/ready")[0] == 200, "prometheus")
        yield lambda query: json.loads(get_path(port, f"/api/v1/query?query={quote(query, safe='')}")[1])
    finally:
        server.terminate()
        server.wait()


def test_collector_says_whose_figures_they_are(pod, tmp_path):
    """Its scrape configuration, read by Prometheus: the pod's name, not the loopback address that every pod has."""
    _, _, admin, _ = pod()
    config = (DEPLOY / "components/collector/collector.yaml").read_text(encoding="utf-8").replace("127.0.0.1:9090", f"127.0.0.1:{admin}")
    config = yaml.safe_load(config.replace("${env:POD_NAME}", "tallyd-abc").replace("${env:POD_NAMESPACE}", "shop"))["receivers"]["prometheus"]["config"]
    config["scrape_configs"][0].update(scrape_interval="1s", scrape_timeout="1s")
    with prometheus_of(config, tmp_path) as ask:
        wait_for(lambda: ask("tallyd_ready")["data"]["result"], "a scrape")
        labels = ask("tallyd_ready")["data"]["result"][0]["metric"]
        assert {key: labels[key] for key in ("job", "instance", "pod", "namespace")} == {"job": "tallyd", "instance": "tallyd-abc", "pod": "tallyd-abc", "namespace": "shop"}


def test_prometheus_answers_every_query_of_the_dashboards(pod, tmp_path):
    """A real Prometheus scrapes a real tallyd under load; a panel may be empty only where nothing has gone wrong."""
    _, port, admin, _ = pod()
    config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(DEPLOY / "monitoring/rules.yaml")],
              "scrape_configs": [{"job_name": "tallyd", "static_configs": [{"targets": [f"127.0.0.1:{admin}"], "labels": {"namespace": "tallyd"}}]}]}
    with prometheus_of(config, tmp_path) as ask:
        for _ in range(40):
            get_path(port, "/v1/hit/blog/post?n=3", "POST")
            get_path(port, "/v1/hit/blog/%01", "POST")
            get_path(port, "/nothing")
            time.sleep(0.1)
        wait_for(lambda: ask("count_over_time(tallyd_ready[30s]) > 5")["data"]["result"], "scrapes")
        # These need minutes of data for their windows, or something that went wrong.
        planned = "|".join(yaml.safe_load((DEPLOY / "monitoring/metrics.yaml").read_text(encoding="utf-8"))["planned"] or ["nothing"])
        quiet = re.compile(rf"{planned}|process_|kube_|container_|bad_ratio|timeouts|redis_errors|ALERTS|hits_refused|bad_requests")
        for path in sorted((DEPLOY / "monitoring/dashboards").glob("*.json")):
            for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
                for target in panel.get("targets", []):
                    query = target["expr"].replace("$__rate_interval", "10s").replace("$namespace", "tallyd").replace("$instance", ".*")
                    answer = ask(query)
                    assert answer["status"] == "success", f"{panel['title']}: {answer}"
                    assert answer["data"]["result"] or quiet.search(query), f"{panel['title']}: {query} has no answer"
        assert ask('ALERTS{alertstate="firing"}')["data"]["result"] == []
    assert CACHE

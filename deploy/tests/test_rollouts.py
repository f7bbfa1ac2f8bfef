"""Blue and green by the real Argo Rollouts: `make check-rollouts`. Its analysis asks a real Prometheus, under the name that the
manifests give it; that reads a page of a real tallyd for each pod, made sick where a test wants it. deploy/promote moves the
weight of a load balancer that is played, whose targets are the cluster's own endpoints."""
import http.client
import json
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from autoscaling import autoscaler
from cluster import PATIENCE, Cluster, Watch, is_ready, without_rollout
from conftest import CACHE, DEPLOY, get, objects_of, tool
from nodes import nodes_for
from rules_traffic import PROMETHEUS
from test_cluster import settled
from test_daemon import BINARY, free_ports, get_path, wait_for

ROLLOUT = "/apis/argoproj.io/v1alpha1/namespaces/tallyd/rollouts/tallyd"
LISTENER = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:listener/net/tallyd/1/2"
# The load balancer: its targets are the endpoints of the Service that a target group is bound to.
AWS = r"""#!/bin/bash
set -euo pipefail
text="$*"
if [[ $text == *modify-listener* ]]; then
    grep -o 'Weight=[0-9]*' <<< "$text" | tr '\n' ' ' >> "$WEIGHTS"
    for service in tallyd tallyd-preview; do ready $service | wc -l; done | tr '\n' ' ' >> "$WEIGHTS"
    echo >> "$WEIGHTS"
    exit
fi
service=tallyd
[[ $text != *-green/* ]] || service=tallyd-preview
if [[ $text == *Target.Id* ]]; then ready $service | sed 's/$/\thealthy/'; else ready $service | sed 's/.*/healthy/' | tr '\n' '\t'; fi
"""
READY = r"""#!/bin/bash
kubectl -n tallyd get endpointslices -l "kubernetes.io/service-name=$1" -o json |
    /usr/bin/python3 -c 'import json, sys
for s in json.load(sys.stdin)["items"]:
    for e in s["endpoints"] or []:
        if e["conditions"]["ready"]: print(e["addresses"][0])'
"""


class Monitoring:
    """The Prometheus of the namespace `monitoring`, and what it reads. `sick` is {pod's name: (metric, value)}."""

    def __init__(self, folder):
        self.sick, self.pods, self.one_at_a_time = {}, dict, threading.Lock()
        self.tallyd_port, self.admin, self.port = free_ports(3)
        self.log = open(folder / "monitoring.log", "w", encoding="utf-8")
        self.processes = [subprocess.Popen([BINARY, "--listen", f"127.0.0.1:{self.tallyd_port}", "--admin", f"127.0.0.1:{self.admin}", "--workers", "1", "--allow-root"],
                                           stdout=self.log, stderr=self.log)]
        wait_for(lambda: get_path(self.admin, "/readyz")[0] == 200, "tallyd")
        monitoring = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.tell(*monitoring.answer(self.path, self.command, self.rfile.read(int(self.headers.get("Content-Length", 0))), self.headers))

            do_POST = do_GET

            def tell(self, status, kind, body):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        (folder / "prometheus.yaml").write_text(json.dumps({"global": {"scrape_interval": "2s", "scrape_timeout": "2s"}, "scrape_configs": [
            {"job_name": "tallyd", "http_sd_configs": [{"url": f"{self.address}/targets", "refresh_interval": "2s"}]}]}))
        self.processes.append(subprocess.Popen([tool("prometheus"), f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data",
                                                f"--web.listen-address=127.0.0.1:{self.port}"], stdout=self.log, stderr=self.log))
        wait_for(lambda: get_path(self.port, "/-/ready")[0] == 200, "Prometheus")

    def answer(self, path, method, body, headers):
        if path.startswith("http://"):  # a request to a proxy: the controller's, for the address in the manifests
            if not path.startswith(f"{PROMETHEUS}/"):
                return 502, "text/plain", b"nobody is there"
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            connection.request(method, path.removeprefix(PROMETHEUS), body, {"Content-Type": headers.get("Content-Type", "text/plain")})
            said = connection.getresponse()
            return said.status, said.headers["Content-Type"], said.read()
        if path == "/targets":
            labels = lambda name: {"__metrics_path__": f"/pod/{name}", "pod": name, "namespace": "tallyd", "instance": name}
            found = [{"targets": [self.address.removeprefix("http://")], "labels": labels(name)} for name, pod in self.pods().items() if is_ready(pod)]
            return 200, "application/json", json.dumps(found).encode()
        with self.one_at_a_time:
            page = get_path(self.admin, "/metrics")[1]
        metric, value = self.sick.get(path.removeprefix("/pod/"), (None, None))
        assert metric is None or re.search(rf"^{metric} ", page, re.M)
        return 200, "text/plain; version=0.0.4", (re.sub(rf"^{metric} .*$", f"{metric} {value}", page, flags=re.M) if metric else page).encode()

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.server.shutdown()
        self.server.server_close()
        self.log.close()


def release(number, blue_green=True, min_ready=5):
    """Staging with the image of a release, as deploy/pin would write it. Without blue-green: as it was before that component.
    Pods are read every 2 s, not every 15 s, so the analysis looks five times as often, too; min_ready None: the manifests' own."""
    objects = objects_of("staging")
    deployment = get(objects, "Deployment")
    main = deployment["spec"]["template"]["spec"]["containers"][0]
    main["image"] = f"{main['image'].split('@')[0]}@sha256:{number:064x}"
    if not blue_green:
        without_rollout(objects)
        return objects
    if min_ready is not None:
        get(objects, "Rollout")["spec"]["minReadySeconds"] = min_ready
    for metric in get(objects, "AnalysisTemplate")["spec"]["metrics"]:
        metric.update(initialDelay="6s", interval="3s")
    return objects


def least_of(objects, number):
    """The autoscaler that keeps so many pods; the load has no say here."""
    scaled = get(objects, "ScaledObject")
    made = autoscaler(scaled)
    made["spec"].update(minReplicas=number, maxReplicas=number)
    return made


@pytest.fixture
def build(tmp_path):
    """A cluster with the controller, and what its analysis asks."""
    for name in ("rollouts-controller", "kubectl-argo-rollouts", "kwok", "kube-apiserver"):
        if not (CACHE / "bin" / name).exists():
            pytest.skip(f"{name} is not built (make check-rollouts builds it)")
    if not BINARY.is_file():
        pytest.skip("tallyd is not built (make)")
    running = []

    def make(**environment):
        monitoring = Monitoring(tmp_path)
        running.append(monitoring)
        one = Cluster(tmp_path, DEPLOY / "tools/rollouts/run", CACHE / "bin", ANALYSIS_PROXY=monitoring.address, **environment)
        running.insert(0, one)
        one.monitoring = monitoring
        one.apply(nodes_for("staging", 12, spare=2), "create")
        return one
    yield make
    for one in running:
        one.end()


@pytest.fixture
def world(build):
    return build()


def begin(one, objects, number):
    one.apply(objects)
    one.watch = Watch(one)
    one.monitoring.pods = lambda: one.watch.pods
    one.apply([least_of(objects, number)])


def rollout(one):
    return one.api.get(ROLLOUT)


def phase_is(one, phase):
    def said():
        told = one.kubectl("-n", "tallyd", "get", "rollout,analysisrun,rs,pods", "-o", "yaml", check=False).stdout
        return f"the Rollout is {rollout(one).get('status', {}).get('phase')}, not {phase}\n{told[-9000:]}"
    wait_for(lambda: rollout(one).get("status", {}).get("phase") == phase and rollout(one)["status"].get("observedGeneration") == str(rollout(one)["metadata"]["generation"]), said, PATIENCE)


def active(one):
    return one.api.get("/api/v1/namespaces/tallyd/services/tallyd")["spec"]["selector"].get("rollouts-pod-template-hash")


def pods_of(one, digest):
    return {name: pod for name, pod in one.watch.pods.items() if pod["spec"]["containers"][0]["image"].endswith(f"{digest:064x}")}


def healthy(one, number, digest):
    wait_for(lambda: len(pods_of(one, digest)) == number and all(map(is_ready, pods_of(one, digest).values())), lambda: f"{one.watch.history[-1]}", PATIENCE)
    phase_is(one, "Healthy")


def owned_by(one, kind):
    """The pods of the Deployment, or of the Rollout, which alone labels its own so."""
    return {name for name, pod in one.watch.pods.items() if ("rollouts-pod-template-hash" in pod["metadata"]["labels"]) == (kind == "Rollout")}


def become_blue_and_green(one, min_ready, autoscaler_first):
    """Six pods of a Deployment, under an autoscaler; then the component is added, and nothing else changes. The fewest that were ready."""
    begin(one, release(1, blue_green=False), 6)
    settled(one, 6)
    moved = len(one.watch.history)
    objects = release(1, min_ready=min_ready)
    one.apply(objects)
    if not autoscaler_first:
        wait_for(lambda: not owned_by(one, "Deployment"), lambda: f"{one.watch.history[-1]}", PATIENCE)
    one.apply([least_of(objects, 6)])
    wait_for(lambda: len(owned_by(one, "Rollout")) == 6 and not owned_by(one, "Deployment"), lambda: f"{one.watch.history[-1]}", PATIENCE)
    settled(one, 6)
    return min(ready for _, ready, _ in one.watch.history[moved - 1:])


def test_a_live_deployment_becomes_blue_and_green_without_a_gap(build):
    """The autoscaler looks as seldom as in a real cluster."""
    low = become_blue_and_green(build(AUTOSCALER_PERIOD="15s"), min_ready=None, autoscaler_first=True)
    print(f"a live Deployment of 6 becomes a Rollout: at least {low} ready all the time")
    assert low >= 6


def test_a_rollout_that_is_healthy_before_the_autoscaler_looks_is_noticed(world):
    low = become_blue_and_green(world, min_ready=1, autoscaler_first=False)
    print(f"the same where the autoscaler comes too late: {low} ready")
    assert low < 6


def test_a_release_is_judged_by_its_new_pods_and_promoted(world, tmp_path):
    """An old pod's books are out of balance: that is not the new version's fault."""
    begin(world, release(1), 3)
    healthy(world, 3, 1)
    before = active(world)
    world.monitoring.sick = {name: ("tallyd_books_imbalance", 7) for name in pods_of(world, 1)}
    world.apply(release(2))
    phase_is(world, "Paused")
    assert active(world) == before and len(pods_of(world, 1)) == len(pods_of(world, 2)) == 3
    runs = world.api.get("/apis/argoproj.io/v1alpha1/namespaces/tallyd/analysisruns")["items"]
    wait_for(lambda: world.api.get("/apis/argoproj.io/v1alpha1/namespaces/tallyd/analysisruns")["items"][-1].get("status", {}).get("phase") == "Successful",
             lambda: json.dumps(world.api.get("/apis/argoproj.io/v1alpha1/namespaces/tallyd/analysisruns")["items"])[-3000:], PATIENCE)
    assert len(runs) == 1
    for name, text in (("aws", AWS), ("ready", READY)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    weights = tmp_path / "weights"
    path = {**world.environment, "PATH": f"{tmp_path}:{world.environment['PATH']}", "WEIGHTS": str(weights), "PROMOTE_PAUSE": "0.5"}
    done = subprocess.run([DEPLOY / "promote", LISTENER], env=path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # Weights of blue and green, then how many ready targets each had at that moment.
    assert weights.read_text().split("\n")[:2] == ["Weight=0 Weight=100 3 3 ", "Weight=100 Weight=0 3 3 "]
    assert active(world) == rollout(world)["status"]["currentPodHash"] != before
    phase_is(world, "Healthy")


@pytest.mark.parametrize("metric, value", [("tallyd_ready", 0), ("tallyd_books_imbalance", 3)])
def test_a_sick_release_never_gets_the_traffic(world, metric, value):
    begin(world, release(1), 3)
    healthy(world, 3, 1)
    before, moved = active(world), len(world.watch.history)

    class Sick(dict):
        """Every pod of the new release."""
        def get(self, name, default=None):
            return (metric, value) if name in pods_of(world, 2) else default
    world.monitoring.sick = Sick()
    world.apply(release(2))
    phase_is(world, "Degraded")
    run_ = world.api.get("/apis/argoproj.io/v1alpha1/namespaces/tallyd/analysisruns")["items"][0]["status"]
    print(f"{metric} {value}: the analysis {run_['phase'].lower()}: {run_.get('message')}")
    assert run_["phase"] == "Failed" and active(world) == before
    assert min(ready for _, ready, _ in world.watch.history[moved - 1:]) >= 3

"""The rolling restart, without a cluster: two tallyd behind haproxy, load running, each replaced in turn as a pod is. A
network load balancer goes on sending new connections for about two minutes after it was told to forget a pod; so does this
haproxy, which asks nobody for health and forgets only when the drill says so. No request may fail, the books must be exact.

DRILL_FORGETS: seconds until it forgets. The suite's are few; `make check-drill` takes the 120 and the manifests' own delay."""
import http.client
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

import reading
from conftest import DEPLOY, objects_of, run, tool
from test_daemon import BINARY, PROFILE, free_ports, get_path, metric, redis, wait_for

pytestmark = pytest.mark.skipif(not BINARY.is_file(), reason="tallyd is not built (make)")
assert redis

CLIENTS, PAUSE = 6, 0.02
FORGETS = int(os.environ.get("DRILL_FORGETS", "2"))
OWN = {key: value for key, value in reading.environment(objects_of("prod")).items() if key.startswith("TALLYD_DRAIN_")}
# The short one leaves the machine more time than the five seconds that the manifests leave the balancer.
DRAIN = OWN if FORGETS >= 120 else {"TALLYD_DRAIN_DELAY": f"{FORGETS + 10}s", "TALLYD_DRAIN_TIMEOUT": f"{FORGETS + 40}s"}
CONFIGURATION = """
global
    stats socket {socket} mode 600 level admin
defaults
    mode http
    timeout connect 60s
    timeout client 300s
    timeout server 300s
    retries 0
frontend hits
    bind 127.0.0.1:{front}
    default_backend tallyd
backend tallyd
    # A connection for each request, shared out in turn: every pod gets new ones all the time.
    option http-server-close
    http-reuse never
    balance roundrobin
    server pod0 127.0.0.1:{http0}
    server pod1 127.0.0.1:{http1}
"""


class Pod:
    def __init__(self, http_port, admin_port, store, log):
        self.http, self.admin, self.store, self.log, self.process = http_port, admin_port, store, log, None

    def start(self, **drain):
        settings = {"TALLYD_LISTEN": f"127.0.0.1:{self.http}", "TALLYD_ADMIN": f"127.0.0.1:{self.admin}", "TALLYD_FLUSH_INTERVAL": "200ms",
                    "TALLYD_REDIS": f"redis://127.0.0.1:{self.store}", "TALLYD_ALLOW_ROOT": "true", **(drain or DRAIN)}
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([DEPLOY / "seccomp/confine", PROFILE, BINARY], env=settings, stdout=log, stderr=log)
        wait_for(lambda: get_path(self.admin, "/readyz")[0] == 200, lambda: open(self.log, encoding="utf-8").read())

    def tell(self):
        self.process.send_signal(signal.SIGTERM)

    def gone(self):
        return self.process.poll() is not None

    def said(self):
        return open(self.log, encoding="utf-8").read()


class Load(threading.Thread):
    """One client: one connection to the balancer, one hit after the other."""

    def __init__(self, port, stop):
        super().__init__()
        self.port, self.stop, self.counted, self.failed = port, stop, 0, []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        while not self.stop.is_set():
            try:
                connection.request("POST", "/v1/hit/drill/page")
                answer = connection.getresponse()
                answer.read()
                if answer.status == 204:
                    self.counted += 1
                else:
                    self.failed.append(answer.status)
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                connection.close()
            self.stop.wait(PAUSE)


@pytest.fixture
def load():
    """Clients that run until the test asks for what they counted and what failed."""
    stop, clients = threading.Event(), []

    def begin(port):
        clients.extend(Load(port, stop) for _ in range(CLIENTS))
        for client in clients:
            client.start()
        return lambda: (sum(client.counted for client in clients), [f for client in clients for f in client.failed])

    def end():
        stop.set()
        for client in clients:
            client.join()
    begin.end = end
    yield begin
    end()


@pytest.fixture
def cluster(redis, tmp_path):
    front, *ports = free_ports(5)
    pods = [Pod(*ports[:2], redis, tmp_path / "pod0.log"), Pod(*ports[2:], redis, tmp_path / "pod1.log")]
    for pod in pods:
        pod.start()
    control = tmp_path / "haproxy.sock"
    (tmp_path / "haproxy.cfg").write_text(CONFIGURATION.format(socket=control, front=front, http0=ports[0], http1=ports[2]))
    run(tool("haproxy"), "-c", "-f", tmp_path / "haproxy.cfg")
    balancer = subprocess.Popen([tool("haproxy"), "-db", "-f", tmp_path / "haproxy.cfg"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def say(command):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(control))
            s.sendall(command.encode() + b"\n")
            return s.recv(65536).decode()
    wait_for(lambda: say("show servers state").count("127.0.0.1") >= 2, "haproxy")
    yield front, pods, say
    balancer.kill()
    balancer.wait()
    for pod in pods:
        pod.process.kill()
        pod.process.wait()


def test_rolling_restart_behind_a_balancer_that_forgets_late(cluster, load, redis):
    front, pods, say = cluster
    count = load(front)
    for number, pod in enumerate(pods):
        pod.tell()
        told = time.monotonic()
        wait_for(lambda: get_path(pod.admin, "/readyz")[0] == 503, "it is unready")
        before = metric(pod.admin, "connections_accepted_total")
        time.sleep(max(0.0, FORGETS - (time.monotonic() - told)))  # what the balancer takes, not what the pod takes
        sent = metric(pod.admin, "connections_accepted_total") - before
        say(f"set server tallyd/pod{number} state maint")
        assert sent > FORGETS, f"only {sent} new connections after it was told"
        wait_for(pod.gone, "its end", 600)
        assert pod.process.returncode == 0, pod.said()
        pod.start()
        say(f"set server tallyd/pod{number} state ready")
        seen = count()[0]
        wait_for(lambda: count()[0] > seen + 10, "traffic goes on")
    load.end()
    for pod in pods:
        pod.tell()
    for pod in pods:
        wait_for(pod.gone, "its end", 600)
    counted, failed = count()
    stored = int(run(tool("redis-cli"), "-p", redis, "get", "tally:drill:page").stdout)
    print(f"{counted} requests, {len(failed)} failed, {stored} stored; the balancer forgot {FORGETS} s after it was told")
    assert failed == [] and stored == counted and counted > 100


def test_a_pod_that_ends_before_it_is_forgotten_is_noticed(cluster, load):
    """The drill can fail: a pod that stops accepting while the balancer sends still costs requests."""
    front, pods, _ = cluster
    pods[0].process.kill()
    pods[0].process.wait()
    pods[0].start(TALLYD_DRAIN_DELAY="500ms", TALLYD_DRAIN_TIMEOUT="30s")
    count = load(front)
    wait_for(lambda: count()[0] > 20, "traffic")
    pods[0].tell()
    wait_for(lambda: count()[1], "a failed request")


def test_killing_without_the_sequence_is_noticed_by_the_drill(cluster, load):
    """And a pod that just dies under load."""
    front, pods, _ = cluster
    count = load(front)
    wait_for(lambda: count()[0] > 20, "traffic")
    pods[0].process.kill()
    wait_for(lambda: count()[1], "a failed request")

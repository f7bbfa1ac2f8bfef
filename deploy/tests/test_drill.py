"""The rolling restart, without a cluster: two tallyd behind haproxy, load running, each replaced in turn by the sequence
that a pod goes through (out of the balancer, preStop, SIGTERM, drain, exit; a new one, ready, into the balancer). No request
may fail and the books must be exact."""
import http.client
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import DEPLOY, run, tool
from test_daemon import BINARY, PROFILE, free_ports, get_path, redis, wait_for

pytestmark = pytest.mark.skipif(not BINARY.is_file(), reason="tallyd is not built (make)")
assert redis

CLIENTS, PRE_STOP = 6, 1.0
CONFIGURATION = """
global
    stats socket {socket} mode 600 level admin
defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    retries 0
frontend hits
    bind 127.0.0.1:{front}
    default_backend tallyd
backend tallyd
    option httpchk GET /readyz
    default-server inter 200ms fall 2 rise 1
    server pod0 127.0.0.1:{http0} check port {admin0}
    server pod1 127.0.0.1:{http1} check port {admin1}
"""


class Pod:
    def __init__(self, http_port, admin_port, store, log):
        self.http, self.admin, self.store, self.log, self.process = http_port, admin_port, store, log, None

    def start(self):
        settings = {"TALLYD_LISTEN": f"127.0.0.1:{self.http}", "TALLYD_ADMIN": f"127.0.0.1:{self.admin}", "TALLYD_FLUSH_INTERVAL": "200ms",
                    "TALLYD_REDIS": f"redis://127.0.0.1:{self.store}", "TALLYD_DRAIN_DELAY": "1s", "TALLYD_DRAIN_TIMEOUT": "25s",
                    "TALLYD_ALLOW_ROOT": "true"}
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([DEPLOY / "seccomp/confine", PROFILE, BINARY], env=settings, stdout=log, stderr=log)
        wait_for(lambda: get_path(self.admin, "/readyz")[0] == 200, lambda: open(self.log, encoding="utf-8").read())

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


class Load(threading.Thread):
    """One client: one connection for as long as the balancer keeps it, one hit after the other."""

    def __init__(self, port, stop):
        super().__init__()
        self.port, self.stop, self.counted, self.failed = port, stop, 0, []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
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


@pytest.fixture
def cluster(redis, tmp_path):
    front, *ports = free_ports(5)
    pods = [Pod(*ports[:2], redis, tmp_path / "pod0.log"), Pod(*ports[2:], redis, tmp_path / "pod1.log")]
    for pod in pods:
        pod.start()
    control = tmp_path / "haproxy.sock"
    (tmp_path / "haproxy.cfg").write_text(CONFIGURATION.format(socket=control, front=front, http0=ports[0], admin0=ports[1],
                                                               http1=ports[2], admin1=ports[3]))
    run(tool("haproxy"), "-c", "-f", tmp_path / "haproxy.cfg")
    balancer = subprocess.Popen([tool("haproxy"), "-db", "-f", tmp_path / "haproxy.cfg"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def say(command):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(control))
            s.sendall(command.encode() + b"\n")
            return s.recv(65536).decode()
    wait_for(lambda: say("show servers state").count("127.0.0.1") >= 2, "haproxy")
    yield front, pods, say
    balancer.terminate()
    balancer.wait(10)
    for pod in pods:
        pod.process.kill()
        pod.process.wait()


def test_rolling_restart_fails_no_request_and_loses_no_hit(cluster, redis):
    front, pods, say = cluster
    stop = threading.Event()
    clients = [Load(front, stop) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(1)
    for number, pod in enumerate(pods):
        before = sum(client.counted for client in clients)
        say(f"set server tallyd/pod{number} state drain")
        time.sleep(PRE_STOP)
        assert pod.end() == 0, open(pod.log, encoding="utf-8").read()
        pod.start()
        say(f"set server tallyd/pod{number} state ready")
        time.sleep(1)
        assert sum(client.counted for client in clients) > before
    stop.set()
    for client in clients:
        client.join(20)
    for pod in pods:
        assert pod.end() == 0, open(pod.log, encoding="utf-8").read()
    counted, failed = sum(client.counted for client in clients), [f for client in clients for f in client.failed]
    stored = int(run(tool("redis-cli"), "-p", redis, "get", "tally:drill:page").stdout)
    assert failed == [] and stored == counted and counted > 500


def test_killing_without_the_sequence_is_noticed_by_the_drill(cluster):
    """The drill can fail: a pod that just dies under load costs requests."""
    front, pods, _ = cluster
    stop = threading.Event()
    clients = [Load(front, stop) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(0.5)
    pods[0].process.kill()
    time.sleep(1.5)
    stop.set()
    for client in clients:
        client.join(20)
    assert any(client.failed for client in clients)

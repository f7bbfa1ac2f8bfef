"""The router of deploy/components/routing by the real HAProxy: its own answers, and that they are not counted. That all forms of a
key reach one pod, and sums stay exact while pods come and go, is in tests/e2e/test_079_routing.py."""
import re
import subprocess

import pytest

from conftest import DEPLOY, container, objects_of, run, tool
from test_daemon import free_port, get_path, metric, pod, redis, wait_for

assert pod and redis
CONFIG = DEPLOY / "routing/haproxy.cfg"


@pytest.fixture
def router(tmp_path):
    """HAProxy as the pod starts it, with one server in the place of the cluster's names."""
    running = []

    def start(http, admin):
        port, health, path = free_port(), free_port(), tmp_path / "haproxy.cfg"
        text = CONFIG.read_text(encoding="utf-8").replace("bind :8080", f"bind 127.0.0.1:{port}").replace("bind :9090", f"bind 127.0.0.1:{health}")
        text, count = re.subn(r"^ +server-template .*$", f"    server tallyd1 127.0.0.1:{http} check port {admin} inter 100ms fall 1 rise 1", text, flags=re.M)
        assert count == 2
        path.write_text(text, encoding="utf-8")
        _, *options = ROUTER["command"][:-1]
        running.append(subprocess.Popen([tool("haproxy"), *options, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        wait_for(lambda: get_path(port, "/router/livez")[0] == 200, "HAProxy answers")
        return port, health
    yield start
    for process in running:
        process.terminate()
        process.wait(60)


def router_of(objects):
    deployment = next(o for o in objects if o["kind"] == "Deployment" and o["metadata"]["name"] == "tallyd-router")
    return deployment["spec"]["template"]["spec"]["containers"][0]


ROUTER = router_of(objects_of("dev-routed"))


def test_router_is_not_ready_while_it_knows_no_pod(router):
    port, health = router(free_port(), free_port())
    wait_for(lambda: get_path(port, "/router/readyz")[0] == 503, "not ready")
    assert get_path(health, "/readyz")[0] == 503
    assert get_path(port, "/router/livez")[0] == 200


def test_router_leads_to_a_pod_and_its_own_answers_are_not_counted(router, pod):
    _, http, admin, _ = pod("local")
    port, health = router(http, admin)
    wait_for(lambda: get_path(port, ROUTER["readinessProbe"]["httpGet"]["path"])[0] == 200, "ready")
    assert (get_path(health, "/readyz")[0], get_path(health, "/metrics")[0], get_path(health, "/v1/counters/shop/item")[0]) == (200, 404, 404)
    before = metric(admin, "hits_accepted_total")
    for _ in range(20):
        assert get_path(port, "/v1/hit/shop/item", "POST")[0] == 204
        assert get_path(port, ROUTER["livenessProbe"]["httpGet"]["path"])[0] == 200
    assert metric(admin, "hits_accepted_total") - before == 20


def test_router_lives_as_long_as_the_balancer_remembers_it():
    """Serving on before its end is the balancer's time; ending its connections is within the grace period."""
    objects = objects_of("dev-routed")
    whole = next(o for o in objects if o["kind"] == "Deployment" and o["metadata"]["name"] == "tallyd-router")["spec"]["template"]["spec"]
    serving = ROUTER["lifecycle"]["preStop"]["sleep"]["seconds"]
    stop = int(re.search(r"^ +hard-stop-after (\d+)s$", CONFIG.read_text(encoding="utf-8"), re.M)[1])
    settings = next(o for o in objects if o["kind"] == "ConfigMap" and "TALLYD_LISTEN" in o["data"])["data"]
    assert f"{serving}s" == settings["TALLYD_DRAIN_DELAY"] and whole["terminationGracePeriodSeconds"] >= serving + stop
    assert container(objects)["name"] == "tallyd" and run(tool("haproxy"), "-c", "-f", CONFIG)

"""With the files of deploy/routing all forms of a key reach one pod, and sums are exact while pods come and go."""

import os
import re
import shutil
import urllib.parse
from pathlib import Path

import pytest
from harness import checker, wait
from harness.http_client import HttpConnection, fetch, request_bytes
from harness.ports import HOST, Port
from harness.process import Process

ROUTING = Path(__file__).resolve().parents[2] / "deploy/routing"
ROUTERS = ["haproxy", "nginx"]
KEYS = ["plain", "a/b/c", "dots.in.it", "50%-off", "a b", "ü/é", "x.gif.y", "k&n=3", *(f"page-{i}" for i in range(40))]
PODS = 3

_NGINX = """daemon off; pid nginx.pid; error_log stderr; worker_processes 1; user root root;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    {site}
}}
"""


def program(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


pytestmark = [pytest.mark.ci,
              pytest.mark.skipif(not all(map(program, ROUTERS)), reason="haproxy and nginx are not installed (.ci/run does that)")]


def haproxy(folder, port, pods):
    servers = "\n".join(f"    server pod-{i} {HOST}:{pod.port} check port {pod.admin_port} inter 100ms fall 1 rise 1"
                        for i, pod in enumerate(pods))
    text = (ROUTING / "haproxy.cfg").read_text(encoding="utf-8").replace("bind :8080", f"bind {HOST}:{port}")
    text = text.replace("bind :9090", f"bind abns@health-{port}")
    text, count = re.subn(r"^ +server-template .*$", servers, text, flags=re.M)
    assert count == 2
    return text, lambda path: [program("haproxy"), "-db", "-f", path]


def nginx(folder, port, pods):
    servers = "\n".join(f"    server {HOST}:{pod.port} max_fails=1 fail_timeout=1s;" for pod in pods)
    site = (ROUTING / "nginx.conf").read_text(encoding="utf-8").replace("listen 8080", f"listen {HOST}:{port}")
    site, count = re.subn(r"(?:^ +server tallyd-.*\n)+", servers + "\n", site, flags=re.M)
    assert count == 1
    return _NGINX.format(site=site), lambda path: [program("nginx"), "-p", folder, "-c", path]


class Router:
    def __init__(self, folder, kind, pods):
        port = Port()
        self.port = port.number
        self.folder = os.path.join(folder, f"{kind}-{self.port}")
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o777)
        text, command = {"haproxy": haproxy, "nginx": nginx}[kind](self.folder, self.port, pods)
        path = os.path.join(self.folder, "conf")
        Path(path).write_text(text, encoding="utf-8")
        port.release()
        self._process = Process(command(path), self.folder, "router")
        wait.until(self._answers, f"{kind} leads to a pod", 30)

    def _answers(self):
        assert self._process.code is None, self._process.err()[-2000:]
        try:
            return fetch(self.port, "/", timeout=5).status == 200
        except OSError:
            return False

    def close(self):
        self._process.signal(15)
        self._process.join()


def forms(key):
    path, query = urllib.parse.quote(key), urllib.parse.quote(key, safe="")
    slashed = path if "?" not in key else query
    return [f"/v1/hit/blog/{slashed}", f"/v1/hit/blog/{slashed}?n=1", f"/v1/hit/blog/{slashed}.gif", f"/v1/hit/blog/{slashed}.svg?label=x",
            f"/v1/hit/blog?key={query}", f"/v1/hit/blog.gif?key={query}", f"/v1/hit/blog.svg?label=x&key={query}&color=red",
            f"/v1/hit/blog?n=1&key={query}&value=1"]


def written_once(key):
    """Both forms have the same bytes, so that a router need not decode."""
    return urllib.parse.quote(key) == urllib.parse.quote(key, safe="")


@pytest.mark.parametrize("kind", ROUTERS)
def test_all_forms_of_a_key_reach_one_pod(lab, kind):
    redis = lab.redis()
    pods = [lab.tallyd(redis) for _ in range(PODS)]
    router = lab.keep(Router(lab.folder, kind, pods))
    keys = KEYS if kind == "haproxy" else list(filter(written_once, KEYS))
    with HttpConnection(router.port) as connection:
        for key in keys:
            for form in forms(key):
                connection.send(request_bytes("GET", form))
                assert connection.answer().status in (200, 204), form
            connection.send(request_bytes("GET", f"/v1/counters/blog?key={urllib.parse.quote(key, safe='')}"))
            assert connection.answer().json()["counters"][0]["value"] == len(forms(key)), "who counts it knows all of it"
    counts = [pod.metrics()["keys"] for pod in pods]
    assert sum(counts) == len(keys), "no key is counted by two"
    assert all(counts), f"each has some: {counts}"
    checker.wait_drained(*pods)
    assert set(checker.redis_counts(redis).values()) == {len(forms("x"))}


@pytest.mark.parametrize("kind", ROUTERS)
def test_pods_come_and_go_and_no_hit_is_lost_or_doubled(lab, kind):
    redis = lab.redis()
    pods = [lab.tallyd(redis, drain_delay="1s") for _ in range(PODS)]
    router = lab.keep(Router(lab.folder, kind, pods))
    load = lab.load(router, hits=3000, connections=8, depths=(1, 1), allowed=0)
    for part, pod in enumerate(pods[:2]):
        load.allow(1000 * (part + 1))
        wait.until(lambda part=part: load.answers >= 800 * (part + 1), "some are answered", 60)
        assert pod.stop() == 0
        wait.until(pod.spawn().ready, "it is back")
    load.allow(None)
    load.finish()
    checker.wait_drained(*pods)
    checker.check_exact(redis, [load])

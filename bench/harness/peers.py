"""The servers that are compared, each as its documentation says to run it on one CPU; `tuning` goes into the table.

A peer has: name, tuning, stores (hits end in Redis), pipelines, path (the load puts the page's key after it), needs
(the programs and files without which it is left out), and start(folder, redis, cpu, profile) -> Server. tallyd's books are read from its /metrics as well.
"""

import os
import shutil
import time
import urllib.request

from .processes import Failed, Server, free_port

NGINX = """
{load}
worker_processes 1; daemon off; error_log stderr crit; pid {dir}/pid; worker_rlimit_nofile 20000;
events {{ worker_connections 16384; }}
http {{
    access_log off; server_tokens off; tcp_nodelay on; keepalive_timeout 75s; keepalive_requests 1000000000;
    client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c;
    uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;
    {shared}
    server {{ listen 127.0.0.1:{port} reuseport backlog=4096{deferred}; location / {{ {answer} }} }}
}}
"""

MODULES = "/usr/lib/nginx/modules"
NGINX_LUA_MODULES = "load_module modules/ndk_http_module.so; load_module modules/ngx_http_lua_module.so;"
NGINX_LUA_INCR = """
content_by_lua_block {
    local redis = require("nginx.redis"):new()
    local ok = redis:connect("127.0.0.1", %d)
    if not ok or not redis:incr("tally:" .. ngx.var.uri) then return ngx.exit(502) end
    redis:set_keepalive(60000, 512)
    return ngx.exit(204)
}"""

H2O = """
num-threads: 1
max-connections: 16384
listen: {{ host: 127.0.0.1, port: {port} }}
http1-request-timeout: 75
hosts:
  default:
    paths:
      /:
        file.dir: {dir}/pages
        file.etag: OFF
"""

WEBDIS = """{{"redis_host": "127.0.0.1", "redis_port": {redis}, "http_host": "127.0.0.1", "http_port": {port},
"threads": 1, "pool_size": 20, "daemonize": false, "database": 0, "verbosity": 0, "logfile": "{dir}/webdis.out"}}"""

FLASK = """
import flask
import redis

app = flask.Flask(__name__)
store = redis.Redis(port={redis})


@app.get("/v1/hit/<namespace>/<key>")
def hit(namespace, key):
    store.incr(f"tally:{{namespace}}/{{key}}")
    return "", 204
"""

READY_S = 30
PYTHON_PACKAGES = "/usr/lib/python3/dist-packages"


class Peer:
    name = tuning = ""
    stores, pipelines, path = False, True, "/v1/hit/blog/"
    needs = ()

    def missing(self):
        return [need for need in self.needs if not (os.path.exists(need) if need.startswith("/") else shutil.which(need))]

    def suits(self, profile):
        return (self.stores or not profile.keyed) and (self.pipelines or profile.pipeline == 1)

    def start(self, folder, redis, cpu, profile):
        raise NotImplementedError

    def settle(self, accepted):
        """All that the server still owes for the load has been done (tallyd: its flush)."""

    def books(self, accepted):
        """What the server itself says, beside what Redis holds: a list of (name, number)."""
        return []


class Tallyd(Peer):
    stores = True

    def __init__(self, binary, engine, under=(), deferred=False):
        """`under`: what runs it, as valgrind."""
        self.binary, self.engine, self.name, self.under = binary, engine, f"tallyd {engine}", under
        self.options = ["--defer-accept", "on"] if deferred else []
        self.name += " deferred" if deferred else ""
        self.tuning = " ".join(["--workers 1 --io", engine, *self.options]) + ", the rest as it comes; flushes to Redis each second"
        self.admin = 0

    def start(self, folder, redis, cpu, profile):
        server = self.launch(folder, redis, cpu, "--workers", "1", "--max-keys", "8000000", *self.options)
        self.await_ready()
        return server

    def launch(self, folder, redis, cpu, *options):
        port, self.admin = free_port(), free_port()
        store = ["--redis", f"redis://127.0.0.1:{redis.port}"] if redis else []
        return Server(self.name, [
            # One client brings all keys here; in the environment, which older versions take with a warning.
            "env", "TALLYD_NEW_KEYS=0", "TALLYD_NEW_KEYS_CLIENT=0", *self.under, self.binary, "--io", self.engine, "--listen", f"127.0.0.1:{port}", "--admin",
            f"127.0.0.1:{self.admin}", *store, *options], port, cpu, folder.file("tallyd.log"))

    def await_ready(self):
        until = time.monotonic() + READY_S
        while True:
            try:
                if self.metrics()["tallyd_ready"] == 1:
                    return
            except OSError:
                pass  # the admin port is not there yet: it reads its state file
            if time.monotonic() > until:
                raise Failed(f"{self.name}: not ready after {READY_S} s")
            time.sleep(0.005)

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[:1] != "#")}

    def _await_metric(self, name, value, seconds=30):
        until = time.monotonic() + seconds
        while (seen := self.metrics()[name]) != value:
            if time.monotonic() > until:
                raise Failed(f"{self.name}: {name} is {seen:.0f} and not {value}")
            time.sleep(0.05)

    def settle(self, accepted):
        # Seldom: these questions are CPU time of the server's, too.
        self._await_metric("tallyd_hits_stored_total", accepted)

    def books(self, accepted):
        seen = self.metrics()
        return [("accepted on /metrics", int(seen["tallyd_hits_accepted_total"])),
                ("stored on /metrics", int(seen["tallyd_hits_stored_total"]))]


class Floor(Peer):
    def __init__(self, binary, engine):
        self.binary, self.engine, self.name = binary, engine, f"floor {engine}"
        self.tuning = "bench/floor.c on tallyd's engine, with the same buffers and batch wait; does not parse"

    def start(self, folder, redis, cpu, profile):
        port = free_port()
        size = len(f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") + 19  # the key: KEY_BYTES in keys.h
        size += len(profile.head) + (len("Connection: close\r\n") if profile.per_connection else 0)
        return Server(self.name, [self.binary, self.engine, str(port), str(size), str(profile.per_connection), "200"],
                      port, cpu, folder.file("floor.log"))


class Nginx(Peer):
    needs = ("nginx",)

    def __init__(self, name, answer, says="", deferred=False):
        self.name, self._answer, self._deferred = name, answer, " deferred" if deferred else ""
        self.tuning = f"{says or answer} one worker, access log off, reuseport{self._deferred}, no end to a connection's requests"

    def start(self, folder, redis, cpu, profile):
        return self._start(folder, cpu, "", self._answer)

    def _start(self, folder, cpu, modules, answer, shared=""):
        port = free_port()
        config = folder.file("nginx.conf", NGINX.format(load=modules, dir=folder.path, port=port, answer=answer, shared=shared,
                                                             deferred=self._deferred))
        # Modules are named from the prefix on.
        link = os.path.join(folder.path, "modules")
        if not os.path.lexists(link):
            os.symlink(MODULES, link)
        return Server(self.name, ["nginx", "-p", folder.path, "-c", config], port, cpu, folder.file("nginx.log"))


class Liar(Nginx):
    """Answers 204 and counts nothing: the books must find it out."""
    stores = True

    def __init__(self):
        super().__init__("liar", "return 204;")


class NginxLua(Nginx):
    stores = True
    needs = ("nginx", f"{MODULES}/ngx_http_lua_module.so", "/usr/share/lua/5.1/nginx/redis.lua")

    def __init__(self):
        super().__init__("nginx+Lua+Redis", "INCR in content_by_lua, pool of 512 Redis connections;")

    def start(self, folder, redis, cpu, profile):
        return self._start(folder, cpu, NGINX_LUA_MODULES, NGINX_LUA_INCR % redis.port)


class H2o(Peer):
    needs = ("h2o",)
    name, tuning = "h2o", "one thread, the hot page as a file of 2 bytes from its file cache, no ETag, no access log"

    def start(self, folder, redis, cpu, profile):
        port = free_port()
        os.makedirs(folder.file("pages" + self.path))
        folder.file(f"pages{self.path}page-{0:014d}", "ok")
        config = folder.file("h2o.yaml", H2O.format(port=port, dir=folder.path))
        return Server(self.name, ["h2o", "-c", config], port, cpu, folder.file("h2o.log"))


class Webdis(Peer):
    name, stores, path = "webdis+Redis", True, "/INCR/"
    needs = ("webdis",)
    tuning = "GET /INCR/key, one thread, 20 Redis connections, log off"

    def start(self, folder, redis, cpu, profile):
        port = free_port()
        config = folder.file("webdis.json", WEBDIS.format(redis=redis.port, port=port, dir=folder.path))
        return Server(self.name, ["webdis", config], port, cpu, folder.file("webdis.log"))


class Gunicorn(Peer):
    name, stores, pipelines = "gunicorn+Flask+Redis", True, False
    needs = ("gunicorn", f"{PYTHON_PACKAGES}/flask/__init__.py", f"{PYTHON_PACKAGES}/redis/__init__.py")
    tuning = "one gthread worker with 8 threads, keep-alive 75 s, redis-py with its connection pool; cannot pipeline"

    def start(self, folder, redis, cpu, profile):
        port = free_port()
        folder.file("hits.py", FLASK.format(redis=redis.port))
        return Server(self.name, [
            "/usr/bin/python3", "-m", "gunicorn", "--chdir", folder.path, "--bind", f"127.0.0.1:{port}", "--workers", "1",
            "--worker-class", "gthread", "--threads", "8", "--keep-alive", "75", "--worker-connections", "8192",
            "--backlog", "4096", "--log-level", "error", "hits:app"], port, cpu, folder.file("gunicorn.log"))


def peers(build):
    tallyd, floor = os.path.join(build, "tallyd"), os.path.join(build, "bench", "floor")
    return [Tallyd(tallyd, "uring"), Tallyd(tallyd, "epoll"), Tallyd(tallyd, "uring", deferred=True),
            Floor(floor, "uring"), Floor(floor, "epoll"),
            Nginx("nginx 200", 'return 200 "ok";'), Nginx("nginx 204", "return 204;"),
            Nginx("nginx 200 deferred", 'return 200 "ok";', deferred=True), H2o(), NginxLua(), Webdis(), Gunicorn()]


def available(every):
    """(those that can be compared here, {name: what it lacks} of the others)"""
    return [one for one in every if not one.missing()], {one.name: one.missing() for one in every if one.missing()}

"""Counters that gather hits in memory and flush them each second, as tallyd does: a good engineer's afternoon in each language.
And two engines of Rust, which answer alone.

They are programs of ours under bench/rivals/. None of them fences its batches, and none survives a kill -9. Each says on
GET /stored for how many hits Redis has answered.
"""

import os
import time
import urllib.request

from .peers import MODULES, NGINX_LUA_MODULES, READY_S, Nginx, Peer
from .processes import Failed, Server, free_port

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rivals")
SHARED = """lua_shared_dict hits 1024m; lua_shared_dict sums 64k;
    lua_package_path "{lua}/?.lua;;";
    init_worker_by_lua_block {{ require("count").start({redis}) }}"""
STORED = "} location = /stored { content_by_lua_block { require('count').stored() }"
LOG_PHASE = "return 204; log_by_lua_block { require('count').hit() } " + STORED
CONTENT_PHASE = "content_by_lua_block { require('count').hit() ngx.exit(204) } " + STORED


class Rival(Peer):
    stores = True
    port = 0

    def settle(self, accepted):
        # Seldom: these questions are CPU time of the server's, too.
        until = time.monotonic() + READY_S
        while (seen := self.stored()) != accepted:
            if time.monotonic() > until:
                raise Failed(f"{self.name}: {seen} hits are stored and not {accepted}")
            time.sleep(0.1)

    def stored(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stored", timeout=10) as answer:
            return int(answer.read())


class Program(Rival):
    def __init__(self, name, binary, tuning):
        self.name, self.tuning, self.needs = name, tuning, (os.path.abspath(binary),)

    def start(self, folder, redis, cpu, profile):
        self.port = free_port()
        return Server(self.name, [*self.needs, str(self.port), str(redis.port)], self.port, cpu, folder.file("rival.log"))


class Engine(Peer):
    """Answers and counts nothing, as nginx's `return` does."""

    def __init__(self, name, binary, tuning):
        self.name, self.tuning, self.needs = name, tuning, (os.path.abspath(binary),)

    def start(self, folder, redis, cpu, profile):
        port = free_port()
        return Server(self.name, [*self.needs, str(port)], port, cpu, folder.file("engine.log"))


class NginxCounts(Nginx, Rival):
    stores = True
    needs = ("nginx", f"{MODULES}/ngx_http_lua_module.so", "/usr/share/lua/5.1/nginx/redis.lua")

    def start(self, folder, redis, cpu, profile):
        server = self._start(folder, cpu, NGINX_LUA_MODULES, self._answer, SHARED.format(lua=os.path.abspath(HERE + "/nginx"), redis=redis.port))
        self.port = server.port
        return server


def rivals(build):
    programs = os.path.join(build, "..", "rivals")
    rust = os.path.join(programs, "rust", "release")
    return [
        Engine("engine hyper", os.path.join(rust, "engine-hyper"), "hyper on tokio, one thread, pipeline_flush, 204 with a date"),
        Engine("engine monoio", os.path.join(rust, "engine-monoio"), "monoio on io_uring, httparse, 204 with a date"),
        Program("rival Rust", os.path.join(rust, "rival"), "axum + dashmap + redis, one runtime thread a CPU"),
        Program("rival Go", os.path.join(programs, "go/rival"), "fasthttp + 64 maps of atomics + go-redis"),
        NginxCounts("rival nginx log", LOG_PHASE, "return 204, counted in the log phase;"),
        NginxCounts("rival nginx content", CONTENT_PHASE, "counted in the content phase;"),
    ]

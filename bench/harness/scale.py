"""Memory a worker, a connection and a key cost, as differences of resident memory; how long a start takes; two workers."""

import resource
import shutil
import socket
import tempfile
import time

from .http import LOAD_CPU, SERVER_CPU, Load, tried
from .processes import Failed, Folder, free_port
from .profiles import Profile
from .redis import Redis

WORKERS = 4
BUSY = Profile("busy", "64 connections a worker", connections=64 * WORKERS)
KEYS = Profile("keys", "every key once", pipeline=16, keys="new")
REQUEST = b"GET /v1/hit/blog/page-00000000000000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def _keys_fill(peer, server, settings):
    answered = Load(settings.load, server.port, peer.path, KEYS, 120, requests=settings.keys_many).go(120)["ok"]
    if peer.metrics()["tallyd_hits_accepted_total"] != answered:
        raise Failed(f"the books do not balance: answered 2xx {answered}")


def _share(settings):
    """All keys are of one namespace, which may have seven eighths of --max-keys without this."""
    return "--max-keys-ns", str(settings.keys_many)


def _with(peer, redis, folder, options, measure, cpus=SERVER_CPU):
    server = peer.launch(folder, redis, cpus, *options)
    try:
        return measure(server)
    finally:
        server.stop()


def worker_bytes(peer, settings, folder):
    def busy(server):
        Load(settings.load, server.port, peer.path, BUSY, settings.seconds).go(settings.seconds)
        return server.rss_bytes()
    one, many = (_with(peer, None, folder, ("--workers", str(n)), busy) for n in (1, WORKERS))
    return (many - one) / (WORKERS - 1)


def connection_bytes(peer, settings, folder):
    """Keep-alive connections that have been answered once, as a load balancer holds them."""
    def idle(server):
        before, held = server.rss_bytes(), []
        for _ in range(settings.idle_connections):
            held.append(socket.create_connection(("127.0.0.1", server.port), 10))
            held[-1].sendall(REQUEST)
            held[-1].recv(1024)
        after = server.rss_bytes()
        for one in held:
            one.close()
        return (after - before) / len(held)
    every = ("--max-conns-client", str(settings.idle_connections))  # of one address, which else has a quarter
    return _with(peer, None, folder, ("--workers", "1", *every), idle)


def key_bytes(peer, settings, folder, *options):
    """Keys of 24 bytes on one worker, all of them stored; the replay window still holds them."""
    redis = Redis(folder, LOAD_CPU)
    def keys(server):
        peer.await_ready()
        before = server.rss_bytes()
        _keys_fill(peer, server, settings)
        peer.settle(settings.keys_many)
        return (server.rss_bytes() - before) / settings.keys_many
    try:
        return _with(peer, redis, folder, ("--workers", "1", *_share(settings), *options), keys)
    finally:
        redis.stop()


def key_bytes_stored(peer, settings, folder):
    """The same when nothing is left in the replay window."""
    return key_bytes(peer, settings, folder, "--replay-window", "0")


def _start_ms(peer, folder, *options):
    began = time.monotonic()
    server = peer.launch(folder, None, SERVER_CPU, "--workers", "1", *options)
    peer.await_ready()
    return server, (time.monotonic() - began) * 1e3


def start_ms(peer, settings, folder):
    """Milliseconds from exec to ready: nothing to read; a state file with all counts; one with all of them unsent."""
    found = {}
    for name, store, kill in (("state file, embedded", (), False),
                              ("state file, kill -9, nothing stored", ("--redis", f"redis://127.0.0.1:{free_port()}"),
                               True)):
        state = tempfile.mkdtemp(prefix="tallyd-bench-", dir="/dev/shm")
        options = ("--state-dir", state, *_share(settings), *store)
        try:
            server, found[f"{name}: empty"] = _start_ms(peer, folder, *options)
            _keys_fill(peer, server, settings)
            server.stop(expect_clean=not kill, kill=kill)
            server, found[f"{name}: {settings.keys_many} keys"] = _start_ms(peer, folder, *options)
            keys = peer.metrics()["tallyd_keys"]
            server.stop(kill=True)
            if keys != settings.keys_many:
                raise Failed(f"the books do not balance: {settings.keys_many} keys, after the start {keys:.0f}")
        finally:
            shutil.rmtree(state, ignore_errors=True)
    return found


def workers_cpu_us(peer, settings, folder):
    """CPU µs per request with one worker and with two; the second shares its CPU with the load."""
    def busy(server):
        Load(settings.load, server.port, peer.path, BUSY, settings.warm_up).go(settings.warm_up)
        server.settle()
        before = server.cpu_ns()
        ok = Load(settings.load, server.port, peer.path, BUSY, settings.seconds).go(settings.seconds)["ok"]
        return (server.cpu_ns() - before) / ok / 1e3
    return {str(n): _with(peer, None, folder, ("--workers", str(n)), busy, cpus)
            for n, cpus in ((1, SERVER_CPU), (2, f"{SERVER_CPU},{LOAD_CPU}"))}


MEASURES = {"worker_bytes": worker_bytes, "connection_bytes": connection_bytes, "key_bytes": key_bytes,
            "key_bytes_stored": key_bytes_stored, "start_ms": start_ms, "workers_cpu_us": workers_cpu_us}


def round_run(measure, peer, settings):
    path = tempfile.mkdtemp(prefix="tallyd-bench-")
    try:
        return {"value": measure(peer, settings, Folder(path))}
    finally:
        shutil.rmtree(path, ignore_errors=True)


def scale_run(peer, settings, say):
    """{measure: [{"value": …} or {"void": why}]}."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    results = {name: [] for name in MEASURES}
    for number in settings.pace.rounds("scale"):
        for name, measure in MEASURES.items():
            one = tried(round_run, measure, peer, settings)
            results[name].append(one)
            say(f"scale      {number + 1}  {name:21} {one.get('value', one)}")
    return results

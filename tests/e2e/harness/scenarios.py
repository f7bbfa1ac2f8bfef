"""Scenarios that more than one test plays: each sets a scene, does its harm, heals, and checks conservation."""

import os
import time

from . import checker, http_load, wait
from .proxy import REQUEST


def count_exactly(lab, hits, harm=None, redis=None, server=None, **load_options):
    """A load of `hits` while harm(load) happens, by way of during(); then drained within ten seconds, and equal key by key."""
    redis = redis or lab.redis()
    server = server or lab.tallyd(redis)
    load = lab.load(server, hits=hits, allowed=0 if harm else None, **load_options)
    if harm:
        harm(load)
    load.finish()
    checker.wait_drained(server)
    checker.check_exact(redis, [load])
    checker.check_stored_is_in_redis(redis, [server])
    return redis, server, load


def during(load, parts, hits):
    """Yields `parts` times, evenly over the load's progress. It goes on meanwhile, and sends no last hit before the harm is done."""
    for part in range(1, parts + 1):
        load.allow(hits * (part + 1) // (parts + 1) - 1)
        wait.until(lambda part=part: not load.running or load.answers >= hits * part // (parts + 1),
                   f"part {part} of the load", 60)
        assert load.running, f"the load ended before part {part}"
        yield part
    load.allow(None)


def settle(server):
    """Connected, and nothing on its way to Redis."""
    wait.until(lambda: server.metrics()["redis_connected"] == 1, "connected to Redis")
    checker.wait_drained(server)


def late_delivery(lab):
    """A proxy holds the bytes of a flush; tallyd reconnects and resends; then the old bytes arrive."""
    redis = lab.redis()
    proxy = lab.proxy(redis)
    server = lab.tallyd(redis, via=proxy)
    server_settled_with_a_first_hit(server, proxy)
    proxy.cut(REQUEST, b"INCR", "rst", zombie=True)
    for n in (5, 6):
        server_hit(server, n)
    assert proxy.triggered.wait(10 * wait.PATIENCE), "the flush came to the proxy"
    wait.until(lambda: redis.read_all().get(b"tally:late:a") == 12, "the resent flush is stored")
    checker.wait_drained(server)
    late = proxy.deliver()
    assert late > 0, "the old bytes were held"
    time.sleep(0.2)
    assert redis.read_all()[b"tally:late:a"] == 12, "the late bytes counted again"
    server_hit(server, 7)
    wait.until(lambda: redis.read_all()[b"tally:late:a"] >= 19, "later hits are stored")
    checker.wait_drained(server)
    assert redis.read_all()[b"tally:late:a"] == 19
    return redis, server


def early_late_delivery(lab):
    """As late_delivery, but the old bytes arrive when Redis has answered for the ledger, and tallyd has not read it yet."""
    redis = lab.redis()
    proxy = lab.proxy(redis)
    server = lab.tallyd(redis, via=proxy)
    server_settled_with_a_first_hit(server, proxy)
    proxy.cut(REQUEST, b"INCR", "rst", zombie=True)
    server_hit(server, 11)
    assert proxy.triggered.wait(10 * wait.PATIENCE), "the flush came to the proxy"
    proxy.hold_replies_to(b"GET")
    wait.until(lambda: proxy.holding, "the new link asks for the ledger")
    time.sleep(0.1)
    assert proxy.deliver() > 0
    wait.until(lambda: redis.read_all()[b"tally:late:a"] == 12, "the old bytes come first and count")
    proxy.release()
    checker.wait_drained(server)
    time.sleep(0.2)
    assert redis.read_all()[b"tally:late:a"] == 12, "the resent bytes counted again"


def server_settled_with_a_first_hit(server, proxy):
    server_hit(server, 1)
    settle(server)
    proxy.mark()


def server_hit(server, n):
    answer = server.fetch(f"/v1/hit/late/a?n={n}")
    assert answer.status == 204, f"{answer.status} {answer.body!r}"


def small_load(lab, server, **options):
    """A few thousand hits, for scenarios in which the harm matters and not the mass."""
    return lab.load(server, http_load.make_pool(lab.seed, keys=20), connections=8, **options)


def state_dir(lab, name="state"):
    path = os.path.join(lab.folder, name)
    os.makedirs(path, exist_ok=True)
    return path

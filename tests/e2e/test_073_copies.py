"""When one name leads to several copies of a store, the copy that stays has every hit once (P8)."""

import random

import pytest
from harness import checker, http_load, wait
from harness.ports import HOST
from harness.proxy import RST
from harness.scenarios import state_dir
from harness.secrets import PASSWORD
from harness.wait import LONG

FLIPS = 60 if LONG else 12


@pytest.fixture(name="pair")
def make_pair(lab):
    return Pair(lab)


class Pair:
    """A master, its replica in sync, and a name that leads to the master."""

    def __init__(self, lab, master=(), replica=()):
        auth = [f"masterauth {PASSWORD}", "repl-diskless-sync-delay 0"]
        self.a = lab.redis(settings=[*auth, *master])
        self.b = lab.redis(settings=[*auth, *replica])
        self.b.command("REPLICAOF", HOST, str(self.a.port))
        wait.until(lambda: b"master_link_status:up" in self.b.command("INFO", "replication"), "the replica is in sync")
        self.name = lab.proxy(self.a)

    def wait_replicated(self):
        wait.until(lambda: self.b.read_all() == self.a.read_all(), "the replica has what the master has")

    def part(self):
        """Each goes its own way from here on."""
        self.wait_replicated()
        self.b.command("REPLICAOF", "NO", "ONE")


class Named:
    """The pair's name, for a user of one's own."""

    def __init__(self, name, user):
        self.url = f"redis://{user}@{HOST}:{name.port}"


def stored(redis):
    return sum(checker.redis_counts(redis).values())


def count(server, hits):
    for _ in range(hits):
        server.hit("n", "a")
    checker.wait_drained(server)


def refused(server, kind):
    return server.metrics().get("redis_errors_total", **{"class": kind}) or 0


def test_a_demoted_master_that_refuses_every_write_changes_nothing(lab):
    """F1: A, then B, then for a moment A again, which waits for its replica, then B."""
    pair = Pair(lab, master=["min-replicas-to-write 1"])
    server = lab.tallyd(pair.a, via=pair.name, flush_interval="100ms")
    count(server, 500)
    pair.part()
    pair.name.lead_to(pair.b)
    count(server, 300)
    pair.name.lead_to(pair.a)
    for _ in range(10):
        server.hit("n", "a")
    wait.until(lambda: refused(server, "noreplicas") > 0, "the old master refuses")
    metrics = checker.checked_metrics(server)
    assert metrics["hits_rolled_back_total"] == 0
    assert metrics.get("alarms_total", kind="rollback") == 0
    pair.name.lead_to(pair.b)
    checker.wait_drained(server)
    assert stored(pair.b) == 810
    assert checker.checked_metrics(server)["hits_lost_total"] == 0
    assert server.stop() == 0


def test_a_replica_that_lags_behind_the_name_changes_nothing_for_a_user_who_cannot_ask_who_it_is(lab):
    """F1b: without +info nobody says that it is a replica."""
    pair = Pair(lab)
    pair.wait_replicated()
    for redis in (pair.a, pair.b):
        redis.command("ACL", "SETUSER", "counts", "on", f">{PASSWORD}", "~tally:*", "+multi", "+exec", "+discard", "+watch",
                      "+get", "+set", "+incrby", "+incr", "+getrange")
    server = lab.tallyd(pair.a, via=Named(pair.name, "counts"), flush_interval="100ms")
    count(server, 500)
    pair.wait_replicated()
    pair.b.command("REPLICAOF", HOST, "1")  # nobody is there: it stays a replica, with what it has
    count(server, 300)
    pair.name.lead_to(pair.b)
    wait.until(lambda: refused(server, "readonly") > 0, "the replica refuses")
    assert checker.checked_metrics(server)["hits_rolled_back_total"] == 0
    pair.name.lead_to(pair.a)
    count(server, 1)
    assert stored(pair.a) == 801
    assert server.stop() == 0


def test_a_copy_that_never_had_the_ledger_gets_what_was_stored_since_it_began(lab):
    """F1c on a young ledger: the copy parted before the first batch, so all of it is owed to it."""
    pair = Pair(lab)
    pair.part()
    server = lab.tallyd(pair.a, via=pair.name, flush_interval="100ms")
    count(server, 500)
    pair.name.lead_to(pair.b)
    count(server, 300)
    assert stored(pair.b) == 800
    metrics = checker.checked_metrics(server)
    assert metrics["hits_lost_total"] == metrics["hits_unproved_total"] == 0
    pair.name.lead_to(pair.a)
    count(server, 10)
    assert stored(pair.a) == 810
    assert server.stop() == 0


@pytest.mark.parametrize("ends_on", ("a", "b"))
def test_a_split_brain_is_exact_on_the_copy_that_stays(lab, pair, ends_on):
    """F1c: both take writes, in turn."""
    server = lab.tallyd(pair.a, via=pair.name, flush_interval="100ms")
    count(server, 100)
    pair.part()
    count(server, 20)  # which only A has
    for redis, hits in ((pair.b, 30), (pair.a, 7), (pair.b, 5), (pair.a, 3)):
        pair.name.lead_to(redis)
        count(server, hits)
    stays = getattr(pair, ends_on)
    pair.name.lead_to(stays)
    count(server, 1)
    assert stored(stays) == 166
    metrics = checker.checked_metrics(server)
    assert metrics["hits_lost_total"] == 0
    assert metrics.get("alarms_total", kind="identity_taken") == 0
    assert server.stop() == 0


@pytest.mark.parametrize("ends_on", ("a", "b"))
def test_a_name_that_flaps_under_load_is_exact_on_the_copy_that_stays(lab, pair, tried, ends_on):
    """Cuts wherever they fall, so batches are under way when the name leads elsewhere."""
    server = lab.tallyd(pair.a, via=pair.name, flush_interval="50ms", state_dir=state_dir(lab))
    load = lab.load(server, http_load.make_pool(lab.seed, keys=20), rate=2000)
    draw = random.Random(lab.seed)
    wait.until(lambda: server.metrics()["hits_stored_total"] > 200, "something is stored")
    wait.until(lambda: any(b"!ledger" in key for key in pair.b.read_all()), "and replicated")
    pair.b.command("REPLICAOF", "NO", "ONE")
    for _ in range(FLIPS):
        before = load.acked_hits() + draw.randrange(50, 800)
        wait.until(lambda before=before: load.acked_hits() > before, "more is counted")
        if draw.randrange(3):
            pair.name.lead_to(draw.choice((pair.a, pair.b)))
        else:
            pair.name.end_links(RST)
    stays = getattr(pair, ends_on)
    pair.name.lead_to(stays)
    load.stop()
    count(server, 1)
    counts = checker.redis_counts(stays)
    counts[b"n:a"] -= 1
    assert not counts.pop(b"n:a")
    acked, unsure = checker.sums([load], "acked"), checker.sums([load], "indeterminate")
    assert not sum(unsure.values())
    assert counts == dict(acked)
    metrics = checker.checked_metrics(server)
    assert metrics["hits_lost_total"] == 0
    assert metrics.get("alarms_total", kind="identity_taken") == 0
    tried(FLIPS, load.acked_hits())
    assert server.stop() == 0

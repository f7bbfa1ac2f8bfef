"""A data set moves to another number of partitions while hits come in, and sums stay exact whoever dies."""

import os
import random
import signal
import time
from types import SimpleNamespace

import pytest
from harness import checker, secrets, tallyd, wait
from harness.cluster import Cluster
from harness.http_client import fetch
from harness.process import Process
from harness.proxy import REPLY, REQUEST, RST, SILENCE

OLD, NEW = "tally:", "next:"


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"), secrets.PASSWORD)
    yield cluster
    cluster.close()


class Move:
    """From one data set to another, of a single server or of a cluster."""

    def __init__(self, lab, store, cluster=False, to=64):
        self.lab, self.store, self.cluster = lab, store, cluster
        self.old, self.new = (f"o{lab.seed}:", f"n{lab.seed}:") if cluster else (OLD, NEW)
        self.partitions = to if cluster else 1
        self.mode = {"redis_mode": "cluster"} if cluster else {}
        # Once: a mover that starts reads it while the next one is made.
        self.password = lab.write("mover.password", secrets.PASSWORD + "\n")
        os.chmod(self.password, 0o600)

    def counting(self, old=True, **options):
        options = {**self.mode, "prefix": self.old if old else self.new, **options}
        if self.cluster and not old:
            options["partitions"] = self.partitions
        return self.lab.tallyd(self.store, **options)

    def words(self, *more, via=None):
        return ["--redis", (via or self.store).url, "--redis-password-file", self.password, "--prefix", self.old, "--repartition-to", self.new,
                "--repartition", str(self.partitions), *(["--redis-mode", "cluster"] if self.cluster else []), *more]

    def run(self, *more, code=0, via=None):
        got, out, err = tallyd.run(self.lab.folder, self.words(*more, via=via), seconds=120)
        assert code is None and got in (0, 1) or got == code, f"{got}: {out} {err}"
        return out, err

    def spawn(self, *more, via=None):
        return Process([tallyd.BINARY, *self.words(*more, via=via), "--allow-root"], self.lab.folder, self.lab.new_name("mover"), os.environ)

    def all(self, old=False):
        return self.store.read_all((self.old if old else self.new).encode())

    def counts(self, old=False):
        return checker.without_internal(self.all(old))

    def check(self, *loads, finished=False):
        """The new data set has every hit of all loads, once, and its totals are the sums of its keys."""
        checker.check_exact(self.store, loads, prefix=self.new.encode())
        marks = [key for key in self.all() if key.startswith(b"!moved:")]
        assert (not marks) == finished, marks[:4]


@pytest.fixture(params=["standalone", "cluster"])
def move(request, lab):
    if request.param == "standalone":
        return Move(lab, lab.redis())
    nodes = request.getfixturevalue("nodes")
    nodes.heal()
    return Move(lab, nodes, cluster=True)


def hits(server, keys, ns="blog"):
    for key, n in keys.items():
        server.hit(ns, key, n)
    checker.wait_drained(server)


@pytest.mark.short
def test_every_counter_and_total_is_moved_once(move):
    server = move.counting()
    keys = {f"k{n}": n + 1 for n in range(300)} | {"a%20b": 5, "x:y": 6, "!total:0:blog": 7, "%c3%a4": 8}
    hits(server, keys)
    hits(server, {"z": 3}, "other.ns")
    assert server.stop() == 0
    out, err = move.run()
    total = sum(keys.values()) + 3
    assert out == (f"moved {total} hits to '{move.new}' ({move.partitions} partitions): of {len(keys) + 1} counters with {total} hits "
                   "nothing is left\n"), out + err
    assert move.counts() == move.counts(old=True) and len(move.counts()) == len(keys) + 1
    checker.check_totals(move.all())
    assert move.run()[0].startswith("moved 0 hits")
    assert move.counts() == move.counts(old=True)
    reader = move.counting(old=False)
    wait.until(lambda: reader.metrics()["redis_connected"] == 1, "connected")
    assert reader.value("blog", "k7") == 8 and reader.metrics()["alarms_total"] == 0


def test_sets_of_highest_keys_stay_and_are_made_anew(move):
    server = move.counting(top="blog")
    hits(server, {f"k{n}": n + 1 for n in range(40)})
    assert server.stop() == 0
    assert any(key.startswith(b"!top:") for key in move.all(old=True))
    move.run()
    assert move.counts() == move.counts(old=True)
    assert not any(key.startswith(b"!top:") for key in move.all())
    reader = move.counting(old=False, top="blog")
    hits(reader, {"k7": 1, "k9": 1})
    wait.until(lambda: fetch(reader.admin_port, "/v1/top/blog").json()["top"] == [{"key": "k9", "value": 11}, {"key": "k7", "value": 9}],
               "what was hit since is shown")


def test_old_and_new_processes_count_while_it_moves(move):
    old = [move.counting() for _ in range(2)]
    loads = [move.lab.load(server, rate=3000, seed=i) for i, server in enumerate(old)]
    wait.until(lambda: sum(load.answers for load in loads) > 1000, "the load is on")
    move.run(code=None)
    new = move.counting(old=False)
    loads.append(move.lab.load(new, rate=3000, seed=7))
    for server, load in zip(old, loads):
        move.run(code=None)
        load.stop()
        checker.wait_drained(server)
        assert server.stop() == 0
    assert "nothing is left" in move.run()[0]
    loads[-1].stop()
    checker.wait_drained(new)
    move.check(*loads)
    out, _ = move.run("--repartition-finish", "remove")
    assert out.endswith("is whole, and the old counters are removed\n")
    move.check(*loads, finished=True)
    assert move.counts(old=True) == {}


@pytest.mark.parametrize("round", range(2))
def test_a_mover_that_is_killed_at_any_point_goes_on(move, round):
    server = move.counting()
    pool_load = move.lab.load(server, rate=4000, seed=round)
    wait.until(lambda: pool_load.answers > 2000, "the load is on")
    draw = random.Random(move.lab.seed + round)
    for _ in range(12):
        mover = move.spawn()
        time.sleep(draw.uniform(0.0, 0.05))  # the point at which it dies is what is tried
        mover.signal(signal.SIGKILL)
        mover.join(10)
    pool_load.stop()
    checker.wait_drained(server)
    assert server.stop() == 0
    move.run()
    move.check(pool_load)


# ---- the way to the store breaks ----
def single(lab, counters):
    """A single server with counters that wait to be moved."""
    redis = lab.redis()
    names = [f"blog:k{n}" for n in range(counters)]
    redis.command("MSET", *[word for n, name in enumerate(names) for word in (OLD + name, n + 1)])
    return Move(lab, redis), {name.encode(): n + 1 for n, name in enumerate(names)}


@pytest.fixture
def stored(lab):
    return single(lab, 3000)


@pytest.mark.parametrize("way", [REQUEST, REPLY])
@pytest.mark.parametrize("ending", [RST, SILENCE])
def test_an_answer_that_is_lost_moves_nothing_twice(stored, way, ending):
    move, expected = stored
    proxy = move.lab.proxy(move.store)
    proxy.cut(REQUEST if way == REQUEST else REPLY, b"INCRBY" if way == REQUEST else 150000, ending)
    mover = move.spawn(via=proxy)
    wait.until(proxy.triggered.is_set, "the link is cut", 20)
    assert mover.join(60) == 0, mover.err()
    assert move.counts() == expected


@pytest.mark.parametrize("late", ["before", "after"])
def test_bytes_that_come_late_are_refused_by_the_server(lab, late):
    move, expected = single(lab, 100)  # in one piece, with their EXEC
    proxy = move.lab.proxy(move.store)
    proxy.cut(REQUEST, b"INCRBY", RST, zombie=True)
    mover = move.spawn(via=proxy)
    wait.until(proxy.triggered.is_set, "the link is cut", 20)
    if late == "before":
        proxy.deliver()
    assert mover.join(60) == 0, mover.err()
    proxy.deliver()
    assert move.counts() == expected
    assert move.run()[0].startswith("moved 0 hits")


def test_it_needs_no_command_that_pods_do_not_use(lab):
    commands = "+watch +multi +exec +discard +get +set +incrby +incr +getrange +del +scan +client|setname +info +cluster|slots"
    redis = lab.redis(settings=[f"user mover on ~{OLD}* ~{NEW}* resetchannels -@all {commands} >{secrets.PASSWORD}"])
    redis.command("SET", OLD + "blog:a", 7)
    move = Move(lab, redis)
    via = SimpleNamespace(url=redis.url.replace("//", "//mover@"))
    move.run("--repartition-finish", "remove", via=via)
    assert move.counts() == {b"blog:a": 7} and redis.command("ACL", "LOG") == []


def test_two_movers_at_once_move_nothing_twice(stored):
    move, expected = stored
    movers = [move.spawn() for _ in range(3)]
    codes = [(mover.join(60), mover.err()) for mover in movers]
    assert all(code in (0, 1) for code, _ in codes), codes
    move.run()
    assert move.counts() == expected


def test_a_cluster_that_fails_over_is_moved_all_the_same(lab, nodes):
    nodes.heal()
    move = Move(lab, nodes, cluster=True)
    server = move.counting()
    load = lab.load(server, rate=4000)
    wait.until(lambda: load.answers > 3000, "the load is on")
    victim = nodes.masters()[1]
    nodes.replica_of(victim)
    mover = move.spawn()
    victim.kill()
    assert mover.join(60) in (0, 1), mover.err()
    load.stop()
    nodes.heal()
    checker.wait_drained(server, seconds=30)
    assert server.metrics()["hits_lost_total"] == 0 and server.stop() == 0
    move.run()
    move.check(load)


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_slot_that_goes_to_another_node_is_moved_all_the_same(lab, nodes, side):
    nodes.heal()
    move = Move(lab, nodes, cluster=True)
    server = move.counting()
    load = lab.load(server, rate=4000)
    source, target = nodes.masters()[:2]
    pattern = (move.old if side == "old" else move.new) + "{*}[^!]*"
    wait.until(lambda: move.run(code=None) and source.command("KEYS", pattern), "that node has counters of both data sets")
    slot = source.command("CLUSTER", "KEYSLOT", source.command("KEYS", pattern)[0])
    nodes.open_slot(slot, source, target)
    assert nodes.move_keys(slot, source, target, keys_max=source.command("CLUSTER", "COUNTKEYSINSLOT", slot) // 2 + 1)
    mover = move.spawn()
    wait.until(lambda: "trying again" in mover.err(), "a slot that is half here and half there is waited for")
    nodes.move_keys(slot, source, target)
    nodes.close_slot(slot, target)
    assert mover.join(60) in (0, 1), mover.err()
    load.stop()
    checker.wait_drained(server, seconds=30)
    assert server.stop() == 0
    move.run()
    move.check(load)


# ---- what is refused ----
def test_it_is_not_finished_while_something_still_comes(stored):
    move, expected = stored
    server = move.counting()
    hits(server, {"k0": 1})
    mover = move.spawn("--repartition-finish", "keep", "--flush-interval", "3s")
    wait.until(lambda: "looking again" in mover.err(), "it waits")
    mover.signal(signal.SIGSTOP)
    hits(server, {"k0": 5})
    mover.signal(signal.SIGCONT)
    assert mover.join(60) == 1 and "5 hits came while it waited" in mover.err(), mover.err()
    assert any(key.startswith(b"!moved:") for key in move.all())
    assert server.stop() == 0
    move.run("--repartition-finish", "keep")
    assert move.counts() == {**expected, b"blog:k0": expected[b"blog:k0"] + 6}


def test_what_was_finished_moves_nothing_any_more(stored):
    move, expected = stored
    move.run("--repartition-finish", "keep")
    assert not any(key.startswith(b"!moved:") for key in move.all()) and move.counts(old=True) == expected
    assert "was finished" in move.run(code=78)[1]
    move.run("--repartition-finish", "remove")  # goes on, as after a kill
    assert move.counts() == expected and move.counts(old=True) == {}


def test_a_mover_that_is_killed_while_it_finishes_goes_on(stored):
    move, expected = stored
    move.run()
    draw = random.Random(move.lab.seed)
    for _ in range(6):
        mover = Process([tallyd.BINARY, *move.words("--repartition-finish", "remove"), "--allow-root"], move.lab.folder,
                        move.lab.new_name("finisher"), os.environ)
        time.sleep(draw.uniform(0.0, 0.04))  # the point at which it dies is what is tried
        mover.signal(signal.SIGKILL)
        mover.join(10)
    move.run("--repartition-finish", "remove")
    assert move.counts() == expected and move.counts(old=True) == {}


def test_keys_that_cannot_be_moved_are_told(stored):
    move, expected = stored
    move.run()
    move.store.command("SET", OLD + "blog:k7", 3)
    move.store.command("SET", OLD + "blog:text", "no number")
    move.store.command("DEL", OLD + "blog:k8")
    out, err = move.run(code=1)
    assert "something is left" in out and "1 keys hold less" in err and "1 keys cannot be moved" in err
    assert move.counts() == expected
    move.store.command("DEL", OLD + "blog:k7", OLD + "blog:text")
    move.run("--repartition-finish", "remove")
    assert move.counts() == expected


def test_another_cut_or_source_is_refused(lab, nodes):
    nodes.heal()
    move = Move(lab, nodes, cluster=True, to=8)
    assert "no data set" in move.run(code=78)[1]
    server = move.counting()
    hits(server, {"a": 1})
    assert "cut into 16 partitions, not 32" in move.run("--partitions", "32", code=78)[1]
    move.run()
    other = move.counting(prefix=f"x{lab.seed}:")
    hits(other, {"a": 1})
    assert "filled from elsewhere" in move.run("--prefix", f"x{lab.seed}:", code=78)[1]
    move.partitions = 4
    assert "cut into 8 partitions, not 4" in move.run(code=78)[1]


@pytest.mark.parametrize("words,why", [
    ([], "--repartition-to"),
    (["--repartition-to", "tally:"], "not --prefix"),
    (["--repartition-to", "tally:b:"], "would mix"),
    (["--repartition-to", "next:", "--repartition", "2"], "one partition"),
    (["--repartition-to", "next:", "--repartition", "0"], "belong to"),
])
def test_options_that_do_not_fit_are_told(lab, words, why):
    code, _, err = tallyd.run(lab.folder, ["--redis", "redis://127.0.0.1:1", "--repartition", "1", *words])
    assert code == 64 and why in err

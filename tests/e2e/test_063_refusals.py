"""A store that refuses makes one line in the log that says what to do, and one more when it ends. No line has a secret."""

import os
import re
import socket
import threading
from types import SimpleNamespace

import pytest
from harness import checker, secrets, wait
from harness.cluster import LoneNode
from harness.ports import HOST
from harness.scenarios import settle

FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')


def told(server, kind, event="store_refuses"):
    """The fields of the first line about refusals of that class."""
    lines = [dict(FIELD.findall(line)) for line in server.log_lines(f"event={event}")]
    return next((fields for fields in lines if fields["class"] == kind), None)


def await_told(server, kind, *words):
    fields = wait.until(lambda: told(server, kind), f"the log tells of {kind}", 30)
    assert all(word in fields["do"] for word in words), fields
    return fields


def ended(server, kind):
    wait.until(lambda: told(server, kind, "store_accepts"), f"the log tells of the end of {kind}", 40)
    checker.wait_drained(server, seconds=30)
    assert len([line for line in server.log_lines("store_refuses") if f"class={kind} " in line]) <= 2


# class: how it is made, and ended; words of the advice.
CONFIGURED = {
    "oom": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0"), "maxmemory"),
    "noreplicas": (("CONFIG", "SET", "min-replicas-to-write", "1"), ("CONFIG", "SET", "min-replicas-to-write", "0"), "min-replicas"),
    "readonly": (("REPLICAOF", HOST, "1"), ("REPLICAOF", "NO", "ONE"), "primary"),
    "wrongpass": (("CONFIG", "SET", "requirepass", "another-one"), ("CONFIG", "SET", "requirepass", secrets.PASSWORD), "--redis-password-file"),
}


@pytest.mark.parametrize("kind", CONFIGURED)
def test_each_kind_of_refusal_is_named_in_log_and_metric(lab, kind):
    redis = lab.redis()
    server = lab.tallyd(redis)
    server.hit("refused", "a")
    settle(server)
    begin, end, word = CONFIGURED[kind]
    with redis.client() as client:  # which stays logged in
        client.command(*begin)
        if kind in ("wrongpass", "readonly"):
            client.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        server.hit("refused", "b", 7)
        fields = await_told(server, kind, word)
        assert fields["host"] == HOST and int(fields["port"]) == redis.port and re.fullmatch(r"\d+s", fields["since"])
        if kind != "readonly":  # which a replica is before it is asked anything
            assert fields["server_says"].strip('"')
        client.command(*end)
    ended(server, kind)
    assert redis.read_all(b"tally:refused:") == {b"a": 1, b"b": 7}


@pytest.mark.parametrize("missing", ["watch", "get", "set", "incrby", "exec", "multi", "discard"])
def test_a_right_that_is_missing_is_named(lab, missing):
    redis = lab.redis()
    redis.command("ACL", "SETUSER", "tallyd", "on", f">{secrets.PASSWORD}", "~*", "+@all", f"-{missing}")
    server = lab.tallyd(redis, via=SimpleNamespace(url=redis.url.replace("//", "//tallyd@")))
    if missing == "discard":  # sent when somebody asks before there was anything to store
        wait.until(lambda: server.value("right", "unknown") is None and told(server, "noperm"), "the log tells of a read", 20)
    server.hit("right", "a", 3)
    fields = await_told(server, "noperm", f"ACL SETUSER tallyd +{missing}")
    assert fields["command"] == missing
    redis.command("ACL", "SETUSER", "tallyd", f"+{missing}")
    ended(server, "noperm")
    assert redis.read_all(b"tally:right:") == {b"a": 3}


@pytest.mark.short
def test_keys_that_are_not_allowed_are_named(lab):
    redis = lab.redis()
    redis.command("ACL", "SETUSER", "tallyd", "on", f">{secrets.PASSWORD}", "~tally:right:*", "+@all")
    server = lab.tallyd(redis, via=SimpleNamespace(url=redis.url.replace("//", "//tallyd@")))
    server.hit("right", "a", 3)
    await_told(server, "noperm_key", "ACL SETUSER tallyd ~tally:*")
    redis.command("ACL", "SETUSER", "tallyd", "~tally:*")
    ended(server, "noperm_key")


def test_a_disk_that_is_full_is_misconf(lab):
    redis = lab.redis(settings=["save 1 1"])
    server = lab.tallyd(redis)
    server.hit("disk", "a")
    settle(server)
    dump = os.path.join(redis.folder, "dump.rdb")
    with redis.client() as client:
        if os.path.exists(dump):
            os.remove(dump)
        os.mkdir(dump)  # the snapshot cannot take its place
        client.command("CONFIG", "SET", "save", "1 1")

        def failed():
            server.hit("disk", "b")
            return told(server, "misconf")

        wait.until(failed, "the server cannot save", 30)
        assert "save" in told(server, "misconf")["do"]
        os.rmdir(dump)
        client.command("CONFIG", "SET", "save", "")
    ended(server, "misconf")


def test_a_script_that_runs_for_ever_is_busy(lab):
    redis = lab.redis(settings=["busy-reply-threshold 10"])
    server = lab.tallyd(redis)
    server.hit("script", "a")
    settle(server)

    def script():
        with pytest.raises(Exception, match="killed|timed out"):
            redis.command("EVAL", "while true do end", "0")

    runs = threading.Thread(target=script)
    runs.start()
    server.hit("script", "b")
    await_told(server, "busy", "SCRIPT KILL")
    with socket.create_connection((HOST, redis.port)) as other:  # AUTH is answered, too
        other.sendall(f"AUTH {secrets.PASSWORD}\r\nSCRIPT KILL\r\n".encode())
        runs.join(30)
    ended(server, "busy")


@pytest.mark.short
def test_the_first_words_of_a_server_that_is_full_are_told(lab):
    redis = lab.redis()
    redis.command("CONFIG", "SET", "maxclients", "1")
    with redis.client() as client:
        server = lab.tallyd(redis)
        server.hit("full", "a")
        fields = await_told(server, "max_clients", "maxclients")
        assert "max number of clients reached" in fields["server_says"]
        client.command("CONFIG", "SET", "maxclients", "100")
    ended(server, "max_clients")


def test_a_cluster_without_its_slots_and_a_slot_that_is_left_open(lab):
    node = lab.keep(LoneNode(lab))
    server = lab.tallyd(node, redis_mode="cluster", partitions=1)
    server.hit("slots", "a")
    settle(server)
    slot = node.command("CLUSTER", "KEYSLOT", next(key for key in node.command("KEYS", "*!ledger:*")))
    node.command("CLUSTER", "DELSLOTS", slot)
    server.hit("slots", "b")
    await_told(server, "clusterdown", "CLUSTER INFO")
    node.command("CLUSTER", "ADDSLOTS", slot)
    ended(server, "clusterdown")

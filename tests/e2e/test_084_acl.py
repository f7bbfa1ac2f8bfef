"""tallyd works as the user that infra/ gives it in MemoryDB. It needs exactly those commands and no other."""

import os
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from harness import secrets, wait
from harness.cluster import BusPort

pytestmark = pytest.mark.short

TOKEN = "write-token-of-this-test"
ROOT = Path(__file__).resolve().parents[2]
USERS = ROOT / "infra/stacks/data/users.tf"


def access_string():
    """That of module memorydb: its keys, its commands, and nothing else."""
    text = re.search(r"tallyd = \{(.*?)\n    \}", USERS.read_text(encoding="utf-8"), re.S).group(1)
    keys, commands = (re.findall(r'"([^"]+)"', re.search(rf"{name}\s*= \[(.*?)\]", text, re.S).group(1))
                      for name in ("keys", "commands"))
    return " ".join(["on", *(f"~{key}" for key in keys), "resetchannels", "-@all", *(f"+{command}" for command in commands)])


def test_the_readme_tells_the_same_user():
    assert f"\n{access_string()}\n" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("mode", ["standalone", "cluster"])
def test_the_user_of_infra_has_the_commands_that_tallyd_sends(lab, mode):
    cluster = ["cluster-enabled yes"] if mode == "cluster" else []
    redis = lab.redis(settings=[f"user tallyd {access_string()} >{secrets.PASSWORD}", *cluster], port=BusPort())
    if cluster:
        redis.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        wait.until(lambda: b"cluster_state:ok" in redis.command("CLUSTER", "INFO"), "the cluster is up", 20)
    redis.command("SET", "tally:acl:known", "40")

    token = os.path.join(lab.folder, "tokens")
    with open(token, "w", encoding="ascii") as file:
        file.write(f"{TOKEN} write read\n")
    tallyd = lab.tallyd(redis, via=SimpleNamespace(url=redis.url.replace("//", "//tallyd@")), redis_mode=mode, token_file=token)
    tallyd.hit("acl", "new", 3)  # INCRBY
    tallyd.hit("acl", "one")  # INCR
    wait.until(lambda: tallyd.metrics()["hits_stored_total"] == 4, "the hits are stored", 10)
    if not cluster:  # where keys have a slot's tag before their name
        assert tallyd.value("acl", "known") == 40
    assert tallyd.value("acl", "unknown") is None
    for method, body in ("PUT", b'{"value": 7}'), ("DELETE", None):
        answer = tallyd.fetch("/v1/counters/acl/new", method, [f"Authorization: Bearer {TOKEN}"], body)
        assert answer.status in (200, 204), answer
    answer = tallyd.fetch("/v1/keys/acl", fields=[f"Authorization: Bearer {TOKEN}"])  # SCAN
    assert answer.status == 200 and "one" in [one["key"] for one in answer.json()["keys"]], answer.body
    assert redis.command("ACL", "LOG") == []
    assert tallyd.log_lines("NOPERM") == []

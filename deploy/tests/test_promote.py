"""deploy/promote against an imitation of AWS and the cluster that notes every call: order, and where it stops."""
import json
import os
import stat

import pytest

from conftest import DEPLOY, run

LISTENER = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:listener/net/tallyd/1/2"

# One world for both commands. After the promotion blue needs some looks until it knows the new pods.
WORLD = r'''#!/usr/bin/python3
import json, os, sys
path = os.environ["WORLD"]
world = json.load(open(path))
me, args = os.path.basename(sys.argv[0]), sys.argv[1:]
text = " ".join(args)
def done(answer=""):
    json.dump(world, open(path, "w"))
    print(answer)
    sys.exit(0)
if me == "kubectl":
    if "argo" in args[1:]: sys.exit("Error: flags cannot be placed before plugin name")
    if "targetgroupbinding tallyd-preview" in text: done("green")
    if "targetgroupbinding tallyd" in text: done("blue")
    if "argo rollouts promote" in text:
        world["log"].append("promote"); world["promoted"] = True; done()
    if "status.phase" in text: done("Healthy" if world["promoted"] else world["phase"])
    if "currentPodHash" in text: done("new")
    if "rollouts-pod-template-hash" in text: done("new" if world["promoted"] else "old")
    if "endpointslices" in text: done("10.0.0.3 10.0.0.4" if world["promoted"] else "10.0.0.1 10.0.0.2")
if me == "aws":
    if "modify-listener" in text:
        blue, green = [p.split("Weight=")[1].split("}")[0] for p in text.split("TargetGroupArn=")[1:]]
        world["log"].append(f"{blue}:{green}"); done()
    if "describe-target-health" in text and "green" in text: done(world["green"])
    if "describe-target-health" in text:
        world["looks"] += 1
        old, new = "10.0.0.1\thealthy\n10.0.0.2\thealthy", "10.0.0.3\t{0}\n10.0.0.4\thealthy"
        done(old if world["looks"] < 3 else new.format("initial" if world["looks"] < 5 or world["stuck"] else "healthy"))
sys.exit(f"not expected: {me} {text}")
'''


@pytest.fixture
def promote(tmp_path):
    for name in ("kubectl", "aws"):
        file = tmp_path / name
        file.write_text(WORLD)
        file.chmod(file.stat().st_mode | stat.S_IEXEC)

    def call(listener=LISTENER, patience="1", **world):
        state = {"log": [], "promoted": False, "phase": "Paused", "green": "healthy\thealthy", "looks": 0, "stuck": False, **world}
        (tmp_path / "world").write_text(json.dumps(state))
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "WORLD": str(tmp_path / "world"),
                       "PROMOTE_PAUSE": "0", "PROMOTE_PATIENCE": patience}
        done = run(DEPLOY / "promote", listener, check=False, env=environment)
        return done, json.loads((tmp_path / "world").read_text())["log"]
    return call


def test_promote_moves_the_weight_around_the_switch(promote):
    done, log = promote(patience="60")
    assert done.returncode == 0, done.stderr
    assert log == ["0:100", "promote", "100:0"]


@pytest.mark.parametrize("world", [{"phase": "Progressing"}, {"green": "healthy\tinitial"}, {"green": ""}, {"green": "draining"}])
def test_promote_touches_nothing_while_green_is_not_ready(promote, world):
    done, log = promote(**world)
    assert done.returncode == 1 and log == []


def test_promote_leaves_the_weight_on_green_while_blue_is_not_healthy(promote):
    done, log = promote(stuck=True)
    assert done.returncode == 1 and log == ["0:100", "promote"] and "gave up" in done.stderr


def test_promote_wants_a_listener(promote):
    assert promote(listener="tallyd")[0].returncode == 64

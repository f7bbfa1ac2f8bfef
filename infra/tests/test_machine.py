"""The backup's state machine is walked: its JSONata evaluated as Step Functions does (the reference implementation), its calls held against the SDK's models.

Answers are samples that the SDK's models accept as well; errors are named as Step Functions names the SDK's.
"""
import functools
import json
import re
import subprocess

import pytest

import stack
from judges import models

ENVIRONMENTS = ["prod", "staging"]        # those that back up; a test compares
START = "2026-11-30T02:17:03.456Z"


def machine(env):
    return json.loads(stack.load_environment(env).all("aws_sfn_state_machine")[0]["definition"])


def walk(*machines):
    """What becomes of (definition, answers), each."""
    jobs = [{"definition": d, "context": {"Execution": {"StartTime": START}}, "input": {"reason": "schedule"}, "answers": dict(SAMPLES, **answers)} for d, answers in machines]
    p = subprocess.run(["node", str(stack.BUILD / "npm" / "machine.mjs")], input=json.dumps(jobs), text=True, capture_output=True)
    assert p.returncode == 0, p.stderr
    return json.loads(p.stdout)


@functools.lru_cache(None)
def told(env):
    """Every story, by name."""
    definition = machine(env)
    return dict(zip(STORIES, walk(*[(definition, answers) for answers, _, _ in STORIES.values()])))


def error(name):
    return {"error": name}


def snapshot(status):
    return {"result": {"Snapshots": [{"Name": "x", "Status": status, "Source": "manual"}]}}


def files(n, **more):
    listed = {"Contents": [{"Key": "x-%04d.rdb" % (i + 1), "Size": 1000} for i in range(n)]} if n else {}
    return {"result": dict(listed, KeyCount=n, Name="bucket", **more)}


DONE = {"result": {"Snapshot": {"Name": "x", "Status": "creating"}}}
SAMPLES = {"Create": [DONE], "LookAtSnapshot": [snapshot("creating"), snapshot("creating"), snapshot("available")], "Export": [DONE],
           "LookAtBucket": [files(0), files(1), files(64)], "DeleteSnapshot": [{"result": {"Snapshot": {"Name": "x", "Status": "deleting"}}}]}
BUSY, THERE, GONE = "MemoryDb.InvalidClusterStateException", "MemoryDb.SnapshotAlreadyExistsException", "MemoryDb.SnapshotNotFoundException"

# what happens → answers, how it ends, and a path (as a regular expression over the names of the states)
STORIES = {
    "all is well": ({}, "SUCCEEDED", r"Name Create (WaitForSnapshot LookAtSnapshot IsSnapshotThere ){3}Export (WaitForExport LookAtBucket IsExportComplete ){3}WaitUntilFree DeleteSnapshot Done"),
    "the cluster is busy, then free": ({"Create": [error(BUSY), error(BUSY), DONE]}, "SUCCEEDED", "Name Create WaitForSnapshot .*Done"),
    "the cluster stays busy": ({"Create": [error(BUSY)]}, BUSY, "Name Create"),
    "an answer was lost, the snapshot is there": ({"Create": [error("MemoryDb.SdkClientException"), error(THERE)]}, "SUCCEEDED", "Name Create WaitForSnapshot .*Done"),
    "the quota of snapshots is used up": ({"Create": [error("MemoryDb.SnapshotQuotaExceededException")]}, "MemoryDb.SnapshotQuotaExceededException", "Name Create"),
    "the store reports a failure": ({"LookAtSnapshot": [snapshot("creating"), snapshot("failed")]}, "SnapshotFailed", ".* IsSnapshotThere SnapshotFailed"),
    "the store does not know the snapshot yet": ({"LookAtSnapshot": [error(GONE), error(GONE), snapshot("available")]}, "SUCCEEDED", ".*Done"),
    "no snapshot is listed yet": ({"LookAtSnapshot": [{"result": {"Snapshots": []}}, snapshot("available")]}, "SUCCEEDED", ".*Done"),
    "the export is refused": ({"Export": [error("MemoryDb.ApiCallRateForCustomerExceededException"), error("MemoryDb.InvalidSnapshotStateException")]}, "MemoryDb.InvalidSnapshotStateException", ".* Export"),
    "the bucket cannot be read": ({"LookAtBucket": [error("S3.NoSuchBucketException")]}, "S3.NoSuchBucketException", ".* LookAtBucket"),
    "other files lie beside the export": ({"LookAtBucket": [{"result": {"Contents": [{"Key": "x.txt"}], "KeyCount": 1}}, files(64)]}, "SUCCEEDED", ".*(IsExportComplete WaitForExport LookAtBucket ){1}IsExportComplete WaitUntilFree.*Done"),
    "the snapshot is busy, then deleted": ({"DeleteSnapshot": [error("MemoryDb.InvalidSnapshotStateException"), error("MemoryDb.InvalidSnapshotStateException"), SAMPLES["DeleteSnapshot"][0]]}, "SUCCEEDED", ".* DeleteSnapshot Done"),
    "an earlier try deleted it": ({"DeleteSnapshot": [error("MemoryDb.SdkClientException"), error(GONE)]}, "SUCCEEDED", ".* DeleteSnapshot Done"),
}


@pytest.mark.parametrize("env", ENVIRONMENTS)
@pytest.mark.parametrize("story", STORIES)
def test_the_backup_goes_as_told(story, env):
    _, end, path = STORIES[story]
    out = told(env)[story]
    assert (out["status"] if out["status"] == "SUCCEEDED" else out["error"]) == end, out
    assert re.fullmatch(path, " ".join(out["path"])), out["path"]


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_every_state_is_walked(env, figure):
    definition = machine(env)
    outs = list(told(env).values())
    unseen = set(definition["States"]) - {s for out in outs for s in out["path"]}
    assert not unseen, "no story comes by %s" % sorted(unseen)
    figure("note-machine-" + env, "state machine in %s: %d stories, %d states walked, %d calls" % (env, len(outs), sum(len(o["path"]) for o in outs), sum(len(o["calls"]) for o in outs)))


def test_these_environments_have_a_machine():
    assert ENVIRONMENTS == [e for e in stack.environments() if stack.load_environment(e).all("aws_sfn_state_machine")]


def operation(resource):
    service, name = resource.split(":")[-2:]
    return models.model(service).operation_model(name[0].upper() + name[1:])


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_sdk_accepts_every_call_of_the_machine(env):
    """The arguments as evaluated; and the samples that stand for AWS's answers are of the answers' shape."""
    out = told(env)["all is well"]
    assert len({c["state"] for c in out["calls"]}) == 5
    for c in out["calls"]:
        found = list(models.faults(operation(c["resource"]).input_shape, c["arguments"]))
        assert not found, (c, found)
        for sample in SAMPLES[c["state"]]:
            found = list(models.faults(operation(c["resource"]).output_shape, sample["result"]))
            assert not found, (sample, found)


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_snapshot_has_the_name_that_the_bucket_is_asked_for(env):
    out = told(env)["all is well"]
    name = out["variables"]["snapshot"]
    assert re.fullmatch(r"[a-z][a-z0-9-]*-20261130-021703", name) and len(name) < 200, name
    by_state = {c["state"]: c["arguments"] for c in out["calls"]}
    assert by_state["Create"]["SnapshotName"] == by_state["Export"]["SourceSnapshotName"] == by_state["LookAtBucket"]["Prefix"] == by_state["DeleteSnapshot"]["SnapshotName"] == name


def test_the_walker_says_what_does_not_evaluate():
    """The control: an expression that is wrong, one that evaluates to nothing, and a condition that is no boolean."""
    def one(**state):
        return {"StartAt": "A", "States": {"A": dict(state, Next="B"), "B": {"Type": "Succeed"}}}
    for state in ({"Type": "Pass", "Assign": {"x": "{% $nosuch( %}"}}, {"Type": "Pass", "Assign": {"x": "{% $states.input.absent %}"}}, {"Type": "Choice", "Choices": [{"Condition": "{% 1 %}", "Next": "B"}]}):
        out = walk((one(**state), {}))[0]
        assert out["status"] == "FAILED" and out["error"] == "States.QueryEvaluationError", (state, out)

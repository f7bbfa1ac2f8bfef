"""The Postman collection says what openapi.json says, and newman runs all of it against a real server."""

import json
import os
import shutil
import subprocess

import pytest
from harness import checker

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
FOLDER = os.path.join(ROOT, "deploy/postman")
NEWMAN = os.path.join(ROOT, "build/clients/node/node_modules/.bin/newman")
LACKING = next((program for program in ("node", "npm") if not shutil.which(program)), "")
TOKEN = "token-of-the-collection-139"


def requests_of(items):
    return [one for item in items for one in (requests_of(item["item"]) if "item" in item else [item])]


@pytest.mark.short
def test_the_collection_is_what_the_document_says():
    subprocess.run([os.path.join(FOLDER, "generate"), "--check"], check=True)


@pytest.mark.ci
@pytest.mark.skipif(bool(LACKING), reason=f"tests/clients: no {LACKING}")
@pytest.mark.skipif(not LACKING and not os.path.exists(NEWMAN), reason="newman is not installed: tests/clients/run install")
def test_newman_runs_the_whole_collection(lab):
    redis = lab.redis()
    server = lab.tallyd(redis, top="blog", token_file=lab.write("tokens", f"{TOKEN} read write hit\n"))
    report = os.path.join(lab.folder, "report.json")
    values = {"base": f"http://127.0.0.1:{server.port}", "admin": f"http://127.0.0.1:{server.admin_port}", "token": TOKEN}
    words = [word for name, value in values.items() for word in ("--env-var", f"{name}={value}")]
    done = subprocess.run([NEWMAN, "run", os.path.join(FOLDER, "collection.json"), "--environment", os.path.join(FOLDER, "environment.json"), *words,
                           "--reporters", "json", "--reporter-json-export", report], capture_output=True, text=True, check=False)
    with open(report, encoding="utf-8") as file:
        run = json.load(file)["run"]
    failures = [f"{one['source']['name']}: {one['error']['message']}" for one in run["failures"]]
    assert done.returncode == 0 and not failures, (failures, done.stderr)
    with open(os.path.join(FOLDER, "collection.json"), encoding="utf-8") as file:
        assert run["stats"]["assertions"]["total"] == len(requests_of(json.load(file)["item"])) > 30
    checker.wait_drained(server)
    assert server.metrics()["hits_accepted_total"] > 0

#!/usr/bin/python3
"""Lets the real scheduler place pods on nodes: place.py NAMESPACE QUESTION.json

The question is {"nodes": [Node...], "pods": [Pod...], "expect": N}. Beside it, as QUESTION.answer: {pod: node, or why not}.
It waits until N pods have a node and every other one was found to fit nowhere. No node and no pod really exists."""
import json
import os
import sys
import time
from pathlib import Path

import yaml

from dry_run import Server


def get(server, path):
    server.connection.request("GET", path, headers=server.headers)
    return json.loads(server.connection.getresponse().read())


def send(server, method, path, o):
    server.connection.request(method, path, json.dumps(o), server.headers)
    answer = server.connection.getresponse()
    said = answer.read()
    assert answer.status < 300, said
    return json.loads(said)


def verdict(pod):
    """Its node, or why it has none; None while the scheduler has not looked at it."""
    if pod["spec"].get("nodeName"):
        return pod["spec"]["nodeName"]
    reasons = [c["message"] for c in pod.get("status", {}).get("conditions", []) if c["type"] == "PodScheduled" and c["status"] == "False"]
    return f"none: {reasons[0]}" if reasons else None


def main(namespace, file):
    question = json.loads(Path(file).read_text(encoding="utf-8"))
    server = Server(yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8")))
    pods = f"/api/v1/namespaces/{namespace}/pods"
    for node in question["nodes"]:
        made = send(server, "POST", "/api/v1/nodes", node)
        made["spec"].pop("taints", None)  # admission has added not-ready; a kubelet that is ready takes it away
        made["spec"].update({"taints": node["spec"]["taints"]} if node["spec"].get("taints") else {})
        made = send(server, "PUT", f"/api/v1/nodes/{node['metadata']['name']}", made)
        made["status"] = node["status"]
        send(server, "PUT", f"/api/v1/nodes/{node['metadata']['name']}/status", made)
    for pod in question["pods"]:
        send(server, "POST", pods, pod)
    end = time.monotonic() + 300
    while True:
        found = {pod["metadata"]["name"]: verdict(pod) for pod in get(server, pods)["items"]}
        placed = sum(v is not None and not v.startswith("none: ") for v in found.values())
        if placed >= question["expect"] and None not in found.values() or time.monotonic() > end:
            break
        time.sleep(0.2)
    Path(file).with_suffix(".answer").write_text(json.dumps(found), encoding="utf-8")
    for name in found:
        server.connection.request("DELETE", f"{pods}/{name}?gracePeriodSeconds=0", headers=server.headers)
        server.connection.getresponse().read()
    for node in question["nodes"]:
        server.connection.request("DELETE", f"/api/v1/nodes/{node['metadata']['name']}", headers=server.headers)
        server.connection.getresponse().read()


if __name__ == "__main__":
    main(*sys.argv[1:])

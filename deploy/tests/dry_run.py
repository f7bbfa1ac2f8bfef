#!/usr/bin/python3
"""Asks the server of $KUBECONFIG whether it would take files of objects: dry_run.py NAMESPACE FILE.yaml...

Beside each FILE.yaml it writes FILE.json: a list of [object, status, what the server said or warned of]. One process and one
connection for hundreds of questions; kubectl would fetch the server's schema for each file."""
import http.client
import json
import os
import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

import yaml

PLURALS = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}


class Server:
    def __init__(self, config):
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cafile=cluster["certificate-authority"])
        context.check_hostname = False  # the certificate is the server's own, made for another name
        self.headers = {"Authorization": f"Bearer {user['token']}", "Content-Type": "application/json"}
        self.connection = http.client.HTTPSConnection(urlsplit(cluster["server"]).netloc, context=context)

    def create(self, o, namespace):
        version, plural = o["apiVersion"], PLURALS.get(o["kind"], o["kind"].lower() + "s")
        path = f"/{'apis' if '/' in version else 'api'}/{version}/namespaces/{namespace}/{plural}?dryRun=All&fieldValidation=Strict"
        self.connection.request("POST", path, json.dumps(o), self.headers)
        answer = self.connection.getresponse()
        said = json.loads(answer.read())
        warnings = answer.headers.get_all("Warning") or []
        return answer.status, said.get("message", "") if answer.status >= 400 else "", warnings


def main(namespace, *files):
    server = Server(yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8")))
    for file in map(Path, files):
        said = []
        for o in yaml.load_all(file.read_text(encoding="utf-8"), yaml.CSafeLoader):
            if o:
                status, message, warnings = server.create(o, namespace)
                said.append([f"{o['kind']}/{o['metadata']['name']}", status, [message, *warnings] if message else warnings])
        file.with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

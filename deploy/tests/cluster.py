"""A cluster for the tests: deploy/tools/server and deploy/tools/cluster, alive as long as a test wants it; and a watch over its
pods that misses nothing between two looks."""
import http.client
import json
import os
import ssl
import subprocess
import threading
import time
from urllib.parse import urlsplit

import yaml

from conftest import CACHE, DEPLOY, get, run
from test_chart_server import FOREIGN, definition
from test_daemon import wait_for

PODS = "/api/v1/namespaces/tallyd/pods"
PATIENCE = 900  # seconds that a step may take on a busy machine


class Api:
    """Requests to the server, one connection; a thread has its own."""

    def __init__(self, kubeconfig):
        config = yaml.safe_load(kubeconfig)
        cluster = config["clusters"][0]["cluster"]
        context = ssl.create_default_context(cafile=cluster["certificate-authority"])
        context.check_hostname = False  # the certificate is the server's own, made for another name
        self.headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        self.connection = http.client.HTTPSConnection(urlsplit(cluster["server"]).netloc, context=context, timeout=PATIENCE)

    def send(self, method, path, body=None, kind="application/json"):
        self.connection.request(method, path, None if body is None else json.dumps(body), {**self.headers, "Content-Type": kind})
        return self.connection.getresponse()

    def get(self, path):
        answer = self.send("GET", path)
        said = answer.read()
        assert answer.status == 200, said
        return json.loads(said)


class Cluster:
    """Begins with all of its controllers; end() stops them and everything they made."""

    def __init__(self, folder, *beside, **environment):
        """`beside`: a command that runs what else there is, and then the command after it; `environment`: more variables for it."""
        self.folder, ready = folder, folder / "kubeconfig"
        story = f'cp "$KUBECONFIG" {ready}.part && mv {ready}.part {ready} && read -r _ || true'
        self.log = open(folder / "cluster.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([DEPLOY / "tools/server", CACHE / "bin", DEPLOY / "tools/cluster", CACHE / "bin", *beside, "bash", "-c", story],
                                        stdin=subprocess.PIPE, stdout=self.log, stderr=self.log, env={**os.environ, "HOME": str(folder), **environment})
        wait_for(lambda: ready.exists() or self.process.poll() is not None, lambda: f"a cluster: {self.said()}", PATIENCE)
        assert ready.exists(), self.said()
        self.config = ready.read_text(encoding="utf-8")
        self.api = Api(self.config)
        self.environment = {**os.environ, "HOME": str(folder), "KUBECONFIG": str(ready), "PATH": f"{CACHE}/bin:{os.environ['PATH']}"}
        self.apply([definition(*kind) for kind in FOREIGN if not (beside and kind[0] == "argoproj.io")])
        self.kubectl("wait", "--for", "condition=Established", "crd", "--all", f"--timeout={PATIENCE}s")

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def kubectl(self, *words, check=True, **more):
        return run("kubectl", *words, env=self.environment, check=check, **more)

    def apply(self, objects, verb="apply"):
        """As people do; a definition that has just been made may take a moment to be served."""
        said = [None]

        def taken():
            said[0] = self.kubectl(verb, "-f", "-", check=False, input=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
            return said[0].returncode == 0
        wait_for(taken, lambda: said[0].stderr, 60)

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(PATIENCE)
        assert status == 0, self.said()
        self.log.close()


def without_rollout(objects):
    """As it was before the component blue-green: its Deployment runs by itself."""
    objects[:] = [o for o in objects if o["kind"] not in ("Rollout", "AnalysisTemplate") and "-preview" not in o["metadata"]["name"]]
    get(objects, "ScaledObject")["spec"]["scaleTargetRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "tallyd"}


def is_ready(pod):
    """It serves, and nobody has told it to end."""
    conditions = pod.get("status", {}).get("conditions", [])
    return "deletionTimestamp" not in pod["metadata"] and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


class Watch(threading.Thread):
    """Every change of every pod, in order: `history` has the moment, how many were ready, and how many there were."""

    def __init__(self, cluster):
        super().__init__(daemon=True)
        self.api, self.pods, self.history = Api(cluster.config), {}, []
        listed = self.api.get(PODS)
        self.version = listed["metadata"]["resourceVersion"]
        for pod in listed["items"]:
            self.pods[pod["metadata"]["name"]] = pod
        self.note()
        self.start()

    def note(self):
        self.history.append((time.monotonic(), sum(map(is_ready, self.pods.values())), len(self.pods)))

    def run(self):
        answer = self.api.send("GET", f"{PODS}?watch=1&resourceVersion={self.version}")
        try:
            for line in answer:
                change = json.loads(line)
                name = change["object"]["metadata"]["name"]
                self.pods = {**self.pods, name: change["object"]} if change["type"] != "DELETED" else {n: p for n, p in self.pods.items() if n != name}
                self.note()
        except (OSError, ValueError, http.client.HTTPException):
            pass  # the server has ended

    def now(self):
        return self.history[-1][1]

    def whole(self, number):
        """That many pods, and all of them ready."""
        return self.history[-1][1:] == (number, number)

    def least_since(self, when):
        before = [ready for moment, ready, _ in self.history if moment <= when][-1:]
        return min([*before, *(ready for moment, ready, _ in self.history if moment > when)])

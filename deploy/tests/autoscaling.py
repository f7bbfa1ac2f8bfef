"""What KEDA would make of a ScaledObject for the real horizontal autoscaler, and the figures that it would then ask for: played
from a load that a test sets. KEDA itself is not run here. Time goes SPEED times as fast, as the autoscaler looks twice a second."""
import copy
import json
import math
import ssl
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from conftest import run

SPEED = 60
CORES = 4
EXTERNAL, RESOURCE = "external.metrics.k8s.io", "metrics.k8s.io"


def faster(behavior):
    """The same rules with every time divided by SPEED; a second is the least that Kubernetes knows."""
    behavior = copy.deepcopy(behavior)
    for rules in behavior.values():
        rules["stabilizationWindowSeconds"] //= SPEED
        for policy in rules["policies"]:
            policy["periodSeconds"] = max(1, policy["periodSeconds"] // SPEED)
    return behavior


def metric_of(number, trigger):
    """A trigger as KEDA's documents say that the autoscaler sees it."""
    told = trigger["metadata"]
    if trigger["type"] == "cpu":
        return {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": told["containerName"],
                                                                   "target": {"type": "Utilization", "averageUtilization": int(told["value"])}}}
    selector = {"matchLabels": {"scaledobject.keda.sh/name": "tallyd"}}
    return {"type": "External", "external": {"metric": {"name": f"s{number}-{trigger['type']}", "selector": selector},
                                             "target": {"type": "AverageValue", "averageValue": told.get("threshold", "1")}}}


def autoscaler(scaled):
    spec = scaled["spec"]
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "keda-hpa-tallyd", "namespace": "tallyd"},
            "spec": {"scaleTargetRef": spec["scaleTargetRef"], "minReplicas": spec["minReplicaCount"], "maxReplicas": spec["maxReplicaCount"],
                     "metrics": [metric_of(i, t) for i, t in enumerate(spec["triggers"])],
                     "behavior": faster(spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"])}}


class Figures:
    """The two kinds of metrics that the autoscaler asks for. `load` is requests per second over all pods, `events` the floors in force."""

    def __init__(self, scaled, folder):
        self.triggers = scaled["spec"]["triggers"]
        self.threshold = int(next(t for t in self.triggers if t["type"] == "prometheus")["metadata"]["threshold"])
        self.load, self.events, self.pods = 0, set(), dict
        key, certificate = folder / "figures.key", folder / "figures.crt"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost")
        figures = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                said = figures.answer(self.path.split("?")[0])
                body = json.dumps(said or {}).encode()
                self.send_response(200 if said else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def objects(self):
        """What makes the API server ask here for both groups."""
        port = self.server.server_port
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "keda"}}
        yield {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "figures", "namespace": "keda"},
               "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}}
        for group in (EXTERNAL, RESOURCE):
            yield {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": f"v1beta1.{group}"},
                   "spec": {"group": group, "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100, "insecureSkipTLSVerify": True,
                            "service": {"name": "figures", "namespace": "keda", "port": port}}}

    def value(self, trigger):
        if trigger["type"] == "prometheus":
            return self.load
        return int(trigger["metadata"]["desiredReplicas"]) if trigger["name"] in self.events else 1  # as KEDA says outside of a window

    def needed(self):
        return math.ceil(self.load / self.threshold)

    def answer(self, path):
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        _, _, group, version, *rest = [*path.split("/"), "", ""][:9]
        rest = [part for part in rest if part]
        if version != "v1beta1" or group not in (EXTERNAL, RESOURCE):
            return None
        if not rest:
            names = {EXTERNAL: ("externalmetrics", "ExternalMetricValueList"), RESOURCE: ("pods", "PodMetrics")}[group]
            return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{group}/v1beta1",
                    "resources": [{"name": names[0], "singularName": "", "namespaced": True, "kind": names[1], "verbs": ["get", "list"]}]}
        if group == RESOURCE:
            return {"kind": "PodMetricsList", "apiVersion": f"{group}/v1beta1", "metadata": {}, "items": [self.usage(pod, now) for pod in self.pods().values()]}
        trigger = self.triggers[int(rest[-1][1:].split("-")[0])]
        return {"kind": "ExternalMetricValueList", "apiVersion": f"{group}/v1beta1", "metadata": {},
                "items": [{"metricName": rest[-1], "metricLabels": {}, "timestamp": now, "value": str(self.value(trigger))}]}

    def usage(self, pod, now):
        """CPU goes with the requests: half of the cores at the load that scales it."""
        share = self.load / max(1, len(self.pods())) / self.threshold
        return {"metadata": {"name": pod["metadata"]["name"], "namespace": "tallyd", "labels": pod["metadata"]["labels"]}, "timestamp": now, "window": "1s",
                "containers": [{"name": c["name"], "usage": {"cpu": f"{int(1000 * CORES * 0.5 * share)}m", "memory": "512Mi"}} for c in pod["spec"]["containers"]]}

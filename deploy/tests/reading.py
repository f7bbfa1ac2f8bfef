"""Reading rendered objects, and the list of rules over them."""
import re
from pathlib import Path

DEPLOY = Path(__file__).resolve().parents[1]
MIB = 1024 * 1024
USER = 31870  # tallyd's own, as the image has it; 65532 is that of every distroless image
RULES = []


def read_options():
    """The environment variables that tallyd reads, from the program's own table."""
    table = (DEPLOY.parent / "src/config/options_table.h").read_text(encoding="utf-8")
    rows = [re.match(r'"[^"]+", "([a-z0-9-]+)".*?SOURCE_(\w+)', row, re.S) for row in table.split("OPTION(")[2:]]
    return {"TALLYD_" + row[1].upper().replace("-", "_") for row in rows if row and row[2] in ("ANY", "ENV")}


OPTIONS = read_options()


def rule(function):
    RULES.append(function)
    return function


# --- reading objects ------------------------------------------------------------------------------------------------

def of(objects, *kinds):
    return [o for o in objects if o["kind"] in kinds]


def name(o):
    return f"{o['kind']}/{o['metadata']['name']}"


def workloads(objects):
    return of(objects, "Deployment", "StatefulSet", "DaemonSet")


def is_tallyd(workload):
    return workload["metadata"]["name"] == "tallyd"


def pod(workload):
    return workload["spec"]["template"]["spec"]


def pod_labels(workload):
    return workload["spec"]["template"]["metadata"]["labels"]


def containers(workload):
    return pod(workload)["containers"] + pod(workload).get("initContainers", [])


def tallyd(objects):
    """The Deployment and its main container."""
    workload = next(w for w in workloads(objects) if is_tallyd(w))
    return workload, next(c for c in containers(workload) if c["name"] == "tallyd")


def environment(objects):
    """What the process sees: its ConfigMaps, then its own variables."""
    _, main = tallyd(objects)
    maps = {o["metadata"]["name"]: o.get("data", {}) for o in of(objects, "ConfigMap")}
    result = {}
    for source in main.get("envFrom", []):
        result.update(maps.get(source["configMapRef"]["name"], {}))
    result.update({e["name"]: e.get("value", "") for e in main.get("env", [])})
    return result


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", text).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]


def size(text):
    number, unit = re.fullmatch(r"(\d+)(Ki|Mi|Gi)?", str(text)).groups()
    return int(number) * {None: 1, "Ki": 1024, "Mi": MIB, "Gi": 1024 * MIB}[unit]


def option_size(text):
    """A SIZE of tallyd's options: 64k, 512m, 1g."""
    number, unit = re.fullmatch(r"(\d+)([kmg]?)", text).groups()
    return int(number) << {"": 0, "k": 10, "m": 20, "g": 30}[unit]


def port_of(address):
    return int(address.rsplit(":", 1)[1])


def matches(selector, labels):
    return all(labels.get(key) == value for key, value in (selector or {}).items())


def is_cloud(objects):
    return bool(of(objects, "TargetGroupBinding"))


def scaled(objects):
    return of(objects, "ScaledObject")

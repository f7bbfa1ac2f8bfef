"""What must hold of every overlay. A rule takes the rendered objects and returns the faults it finds, as sentences.

mutations.py breaks the objects on purpose, at least once per rule; a rule that does not notice is a failing test.
"""
import ipaddress
import re
from pathlib import Path
from urllib.parse import urlsplit

DEPLOY = Path(__file__).resolve().parents[1]
MIB = 1024 * 1024
FORGETTING_SECONDS = 120  # what a network load balancer takes to forget a target that it was told to forget
SPARE_SECONDS = 5
FLUSH_SECONDS = 20
# Memory of a process, from the design: what a key costs a worker, a worker costs, a connection costs, and the rest.
KEY_BYTES, WORKER_BYTES, CONNECTION_BYTES, BASE_BYTES = 128, 8 * MIB, 2048, 64 * MIB
USER = 31870  # tallyd's own, as the image has it; 65532 is that of every distroless image
RULES = []


def read_options():
    """The environment variables that tallyd reads, from the program's own table."""
    table = (DEPLOY.parent / "src/app/options_table.h").read_text(encoding="utf-8")
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


def port_of(address):
    return int(address.rsplit(":", 1)[1])


def matches(selector, labels):
    return all(labels.get(key) == value for key, value in (selector or {}).items())


def is_cloud(objects):
    return bool(of(objects, "TargetGroupBinding"))


def scaled(objects):
    return of(objects, "ScaledObject")


# --- rules ----------------------------------------------------------------------------------------------------------

@rule
def probes_never_count(objects):
    _, main = tallyd(objects)
    for kind, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        probe = main.get(kind, {}).get("httpGet")
        if not probe:
            yield f"no {kind} by HTTP"
        elif probe["path"] != path or probe["port"] not in ("admin", 9090):
            yield f"{kind} asks {probe['port']}{probe['path']}, not {path} on the admin port"


@rule
def grace_covers_the_drain(objects):
    workload, main = tallyd(objects)
    settings = environment(objects)
    grace = pod(workload).get("terminationGracePeriodSeconds", 30)
    serving = seconds(settings["TALLYD_DRAIN_DELAY"])
    whole = seconds(settings["TALLYD_DRAIN_TIMEOUT"])  # from SIGTERM: it covers the delay
    need = whole + SPARE_SECONDS
    if whole < serving + FLUSH_SECONDS:
        yield f"serves on for {serving} s of {whole} s: {FLUSH_SECONDS} s are needed to close connections and to flush"
    if main.get("lifecycle", {}).get("preStop"):
        yield "preStop keeps SIGTERM from making the pod unready at once"
    if grace < need:
        yield f"grace period of {grace} s, but drain and flush need {need} s"
    if is_cloud(objects) and serving < FORGETTING_SECONDS:
        yield f"serves on for {serving} s, the load balancer sends new connections for {FORGETTING_SECONDS}"


@rule
def state_lies_in_memory_that_is_counted(objects):
    workload, main = tallyd(objects)
    settings = environment(objects)
    mounted = {m["mountPath"]: m["name"] for m in main.get("volumeMounts", [])}
    volume = next((v for v in pod(workload).get("volumes", []) if v["name"] == mounted.get(settings.get("TALLYD_STATE_DIR"))), None)
    if volume is None or volume.get("emptyDir", {}).get("medium") != "Memory":
        yield "TALLYD_STATE_DIR is not on a tmpfs"
        return
    if "sizeLimit" not in volume["emptyDir"]:
        yield "the state volume has no size limit"
        return
    workers = int(main["resources"]["limits"]["cpu"])
    keys = int(settings["TALLYD_MAX_KEYS"]) * KEY_BYTES * workers
    volume_bytes, limit = size(volume["emptyDir"]["sizeLimit"]), size(main["resources"]["limits"]["memory"])
    need = volume_bytes + keys + WORKER_BYTES * workers + CONNECTION_BYTES * int(settings["TALLYD_MAX_CONNS"]) * workers + BASE_BYTES
    if volume_bytes < keys:
        yield f"{settings['TALLYD_MAX_KEYS']} keys need {keys // MIB} MiB of state, the volume has {volume_bytes // MIB}"
    if limit < need:
        yield f"memory limit of {limit // MIB} MiB, but volume, keys, workers and connections need {need // MIB} MiB"


@rule
def cores_are_whole_and_pods_guaranteed(objects):
    for workload in workloads(objects):
        for c in containers(workload):
            resources = c.get("resources", {})
            for kind in ("cpu", "memory"):
                asked, most = resources.get("requests", {}).get(kind), resources.get("limits", {}).get(kind)
                if asked is None or asked != most:
                    yield f"{name(workload)} {c['name']}: requests {kind} {asked}, limit {most}: not Guaranteed"
    _, main = tallyd(objects)
    if not re.fullmatch(r"[1-9]\d*", str(main.get("resources", {}).get("limits", {}).get("cpu", ""))):
        yield "tallyd's CPU limit is no whole number of cores"


@rule
def seccomp_profile_is_ours(objects):
    _, main = tallyd(objects)
    profile = main.get("securityContext", {}).get("seccompProfile", {})
    if profile != {"type": "Localhost", "localhostProfile": "tallyd/tallyd.json"}:
        yield f"tallyd's seccomp profile is {profile or 'none'}"
    elif not (DEPLOY / "seccomp" / Path(profile["localhostProfile"]).name).is_file():
        yield "the profile that the pod names is not in deploy/seccomp"


@rule
def containers_are_confined(objects):
    for workload in workloads(objects):
        spec, whole = pod(workload), pod(workload).get("securityContext", {})
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            if spec.get(field):
                yield f"{name(workload)}: {field}"
        if whole.get("sysctls"):
            yield f"{name(workload)}: sets sysctls"
        if any("hostPath" in v for v in spec.get("volumes", [])):
            yield f"{name(workload)}: mounts the host's files"
        for c in containers(workload):
            own = c.get("securityContext", {})
            both = {**whole, **own}
            wanted = {"privileged": (None, False), "allowPrivilegeEscalation": (False,), "readOnlyRootFilesystem": (True,), "runAsNonRoot": (True,)}
            for field, allowed in wanted.items():
                if both.get(field) not in allowed:
                    yield f"{name(workload)} {c['name']}: {field} is {both.get(field)}"
            if own.get("capabilities", {}) != {"drop": ["ALL"]}:
                yield f"{name(workload)} {c['name']}: capabilities {own.get('capabilities')}"
            if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
                yield f"{name(workload)} {c['name']}: no seccomp profile"
    workload, _ = tallyd(objects)
    # Rings lock memory, which the kernel counts per user over the whole node, so no other image may run as ours.
    if pod(workload)["securityContext"].get("runAsUser") != USER:
        yield f"tallyd does not run as {USER}, a user of its own"


@rule
def no_token_and_no_service_links(objects):
    for workload in workloads(objects):
        if pod(workload).get("automountServiceAccountToken") is not False:
            yield f"{name(workload)}: mounts a token of the Kubernetes API"
        if pod(workload).get("enableServiceLinks") is not False:
            yield f"{name(workload)}: Services become variables, such as TALLYD_PORT"
    for account in of(objects, "ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"{name(account)}: mounts a token"


@rule
def pods_spread_over_zones_and_hosts(objects):
    if not is_cloud(objects):
        return
    workload, _ = tallyd(objects)
    spread = {c["topologyKey"]: c for c in pod(workload).get("topologySpreadConstraints") or []}
    zone = spread.get("topology.kubernetes.io/zone", {})
    if (zone.get("maxSkew"), zone.get("whenUnsatisfiable")) != (1, "DoNotSchedule"):
        yield "pods may pile up in one zone"
    if "kubernetes.io/hostname" not in spread:
        yield "pods may pile up on one host"
    for constraint in spread.values():
        if not matches(constraint.get("labelSelector", {}).get("matchLabels"), pod_labels(workload)):
            yield f"the spread over {constraint['topologyKey']} counts other pods"


@rule
def rollout_and_drain_lose_nothing(objects):
    workload, _ = tallyd(objects)
    rolling = workload["spec"].get("strategy", {}).get("rollingUpdate", {})
    if rolling.get("maxUnavailable") != 0:
        yield f"a rollout may take {rolling.get('maxUnavailable')} pods away before others are ready"
    if rolling.get("maxSurge") in (None, 0, "0%"):
        yield "a rollout has no room for a new pod"
    if workload["spec"].get("minReadySeconds", 0) < 5:
        yield "a pod counts as available the moment it is ready"
    budgets = [b for b in of(objects, "PodDisruptionBudget") if matches(b["spec"]["selector"]["matchLabels"], pod_labels(workload))]
    if len(budgets) != 1:
        yield f"{len(budgets)} disruption budgets for tallyd's pods"
    for budget in budgets:
        if budget["spec"].get("maxUnavailable") != 1:
            yield "the disruption budget does not let exactly one pod go"
    for rollout in of(objects, "Rollout"):
        if rollout["spec"]["strategy"].get("blueGreen", {}).get("scaleDownDelaySeconds", 30) < FORGETTING_SECONDS:
            yield "the old pods go before the target group forgets them"


@rule
def images_are_digests(objects):
    for workload in workloads(objects):
        for c in containers(workload):
            image = c["image"]
            built_here = image == "tallyd:local" and c.get("imagePullPolicy") == "Never" and not is_cloud(objects)
            if not built_here and not re.search(r"@sha256:[0-9a-f]{64}$", image):
                yield f"{name(workload)} {c['name']}: image {image} is not a digest"
            if ":latest" in image:
                yield f"{name(workload)} {c['name']}: image {image}"


@rule
def everything_is_in_one_namespace(objects):
    spaces = {o["metadata"].get("namespace") for o in objects if o["kind"] != "Namespace"}
    if spaces != {"tallyd"}:
        yield f"objects lie in {sorted(map(str, spaces))}"
    labels = [o["metadata"].get("labels", {}) for o in of(objects, "Namespace")]
    if [l.get("pod-security.kubernetes.io/enforce") for l in labels] != ["restricted"]:
        yield "the namespace does not enforce Pod Security `restricted`"
    if is_cloud(objects) and labels[0].get("elbv2.k8s.aws/pod-readiness-gate-inject") != "enabled":
        yield "a rollout does not wait for the load balancer"


@rule
def services_meet_their_pods(objects):
    for service in of(objects, "Service"):
        met = [w for w in workloads(objects) if w["metadata"]["namespace"] == service["metadata"]["namespace"]
               and matches(service["spec"]["selector"], pod_labels(w))]
        if not met:
            yield f"{name(service)} selects no pod of its namespace"
        for workload in met:
            ports = {p["name"]: p["containerPort"] for c in containers(workload) for p in c.get("ports", [])}
            for port in service["spec"]["ports"]:
                target = port.get("targetPort", port["port"])
                if target not in ports and target not in ports.values():
                    yield f"{name(service)} sends to port {target}, which {name(workload)} has not"
    services = {s["metadata"]["name"]: s for s in of(objects, "Service")}
    for binding in of(objects, "TargetGroupBinding"):
        reference = binding["spec"]["serviceRef"]
        if reference["port"] not in [p["port"] for p in services.get(reference["name"], {"spec": {"ports": []}})["spec"]["ports"]]:
            yield f"{name(binding)} names {reference}, which is no Service's port"
    for monitor in of(objects, "ServiceMonitor"):
        seen = [s for s in services.values() if matches(monitor["spec"]["selector"]["matchLabels"], s["metadata"]["labels"])]
        if not seen:
            yield f"{name(monitor)} selects no Service"
        for service, endpoint in ((s, e) for s in seen for e in monitor["spec"]["endpoints"]):
            if endpoint["port"] not in [p["name"] for p in service["spec"]["ports"]]:
                yield f"{name(monitor)} scrapes {endpoint['port']}, which {name(service)} has not"
    for policy in of(objects, "PodDisruptionBudget", "NetworkPolicy"):
        selector = policy["spec"].get("selector", policy["spec"].get("podSelector"))["matchLabels"] if policy["metadata"]["name"] != "default-deny" else None
        if selector and not any(matches(selector, pod_labels(w)) for w in workloads(objects)):
            yield f"{name(policy)} selects no pod"


@rule
def ports_are_the_options(objects):
    _, main = tallyd(objects)
    settings = environment(objects)
    ports = {p["name"]: p["containerPort"] for p in main["ports"]}
    for port, option in (("http", "TALLYD_LISTEN"), ("admin", "TALLYD_ADMIN")):
        if ports.get(port) != port_of(settings[option]):
            yield f"port {port} is {ports.get(port)}, {option} is {settings[option]}"
        if not settings[option].startswith("0.0.0.0:"):
            yield f"{option}={settings[option]} cannot be reached from outside the pod"


@rule
def admin_port_is_not_published(objects):
    for service in of(objects, "Service"):
        if service["spec"].get("type", "ClusterIP") != "ClusterIP":
            yield f"{name(service)} is a {service['spec']['type']}; the load balancer is Terraform's"
        admin = any(p.get("targetPort") in ("admin", 9090) for p in service["spec"]["ports"])
        if admin and service["metadata"]["name"] != "tallyd-admin":
            yield f"{name(service)} publishes the admin port"
    for binding in of(objects, "TargetGroupBinding"):
        if binding["spec"]["serviceRef"]["name"] not in ("tallyd", "tallyd-preview"):
            yield f"{name(binding)} binds {binding['spec']['serviceRef']['name']} to the load balancer"


@rule
def promotion_moves_weight_between_two_target_groups(objects):
    for rollout in of(objects, "Rollout"):
        strategy = rollout["spec"]["strategy"]["blueGreen"]
        groups = {b["spec"]["serviceRef"]["name"]: b["spec"]["targetGroupARN"] for b in of(objects, "TargetGroupBinding")}
        two = {groups.get(strategy["activeService"]), groups.get(strategy["previewService"])}
        if None in two or len(two) != 2:
            yield "active and preview do not have a target group each: switching the Service leaves a gap"
        if strategy.get("autoPromotionEnabled", True):
            yield "promotes without moving the listener's weight"
    for binding in of(objects, "TargetGroupBinding"):
        if not binding["spec"]["targetGroupARN"].startswith("arn:aws:elasticloadbalancing:"):
            yield f"{name(binding)} has no target group"


@rule
def network_is_closed(objects):
    policies = of(objects, "NetworkPolicy")
    if not any(p["spec"]["podSelector"] == {} and set(p["spec"]["policyTypes"]) == {"Ingress", "Egress"}
               and not p["spec"].get("ingress") and not p["spec"].get("egress") for p in policies):
        yield "no policy denies by default"
    for policy in policies:
        for direction, peer in (("ingress", "from"), ("egress", "to")):
            for entry in policy["spec"].get(direction, []):
                ports = {p["port"] for p in entry.get("ports", [])}
                if not ports or not entry.get(peer):
                    yield f"{name(policy)}: {direction} open to everyone or on every port"
                allowed = {53, 6379, 4318} if direction == "egress" else {"http", "admin", "redis"}
                if ports - allowed:
                    yield f"{name(policy)}: {direction} on {sorted(map(str, ports - allowed))}"
                for block in (p["ipBlock"]["cidr"] for p in entry.get(peer, []) if "ipBlock" in p):
                    if ipaddress.ip_network(block).prefixlen < 16:
                        yield f"{name(policy)}: {direction} {block} is half the world"


@rule
def redis_is_authenticated_and_encrypted(objects):
    settings = environment(objects)
    url = urlsplit(settings.get("TALLYD_REDIS", ""))
    if url.password or "TALLYD_REDIS_PASSWORD" in settings:
        yield "a password stands in the settings"
    if not is_cloud(objects):
        return
    if url.scheme != "rediss":
        yield f"Redis without TLS: {settings.get('TALLYD_REDIS')}"
    if url.username in (None, "", "default"):
        yield "Redis without a user of its own"
    if settings.get("TALLYD_REDIS_MODE") != "cluster":
        yield "MemoryDB speaks the cluster protocol only"
    if any("INSECURE" in key or "VERIFY" in key for key in settings):
        yield "TLS verification is turned off"
    workload, main = tallyd(objects)
    file = settings.get("TALLYD_REDIS_PASSWORD_FILE", "")
    mount = next((m for m in main["volumeMounts"] if file.startswith(m["mountPath"] + "/")), None)
    volume = next((v for v in pod(workload)["volumes"] if mount and v["name"] == mount["name"]), {})
    secrets = {s["spec"]["target"]["name"]: s for s in of(objects, "ExternalSecret")}
    secret = secrets.get(volume.get("secret", {}).get("secretName"))
    if not secret or Path(file).name not in [d["secretKey"] for d in secret["spec"]["data"]]:
        yield f"no External Secret fills the password file '{file}'"
    elif "subPath" in mount:
        yield "a password mounted by subPath never changes"


@rule
def nothing_secret_is_written_down(objects):
    for o in of(objects, "Secret"):
        yield f"{name(o)} holds a secret in the repository"
    text = repr(objects)
    for pattern in (r"AKIA[0-9A-Z]{16}", r"gh[pousr]_[A-Za-z0-9]{20,}", r"glpat-[\w-]{10,}", r"-----BEGIN [A-Z ]*PRIVATE KEY", r"xox[bp]-\w+"):
        if re.search(pattern, text):
            yield f"something like a token ({pattern})"


@rule
def settings_are_options_of_tallyd(objects):
    unknown = {key for key in environment(objects) if key not in OPTIONS}
    if unknown:
        yield f"no options of tallyd: {sorted(unknown)}"
    maps = {o["metadata"]["name"] for o in of(objects, "ConfigMap")}
    _, main = tallyd(objects)
    for source in main.get("envFrom", []):
        if source["configMapRef"]["name"] not in maps:
            yield f"ConfigMap {source['configMapRef']['name']} does not exist"


@rule
def one_owner_of_the_replicas(objects):
    workload, _ = tallyd(objects)
    rollouts, replicas = of(objects, "Rollout"), workload["spec"].get("replicas")
    if rollouts and replicas != 0:
        yield "the Deployment and its Rollout both run pods"
    if rollouts and rollouts[0]["spec"].get("replicas") is not None and scaled(objects):
        yield "the Rollout sets replicas, KEDA scales them"
    for target in scaled(objects):
        reference = target["spec"]["scaleTargetRef"]
        if [reference["kind"], reference["name"]] != (["Rollout", "tallyd"] if rollouts else ["Deployment", "tallyd"]):
            yield f"{name(target)} scales {reference['kind']}/{reference['name']}, which runs nothing"
        if not rollouts and replicas is not None:
            yield "the Deployment sets replicas, KEDA scales them"
    if not scaled(objects) and replicas is None:
        yield "nobody says how many pods"


@rule
def scaling_is_sane(objects):
    if is_cloud(objects) and not scaled(objects):
        yield "nothing scales it"
    for target in scaled(objects):
        spec = target["spec"]
        least, most = spec.get("minReplicaCount", 0), spec.get("maxReplicaCount", 100)
        triggers = {t["name"]: t for t in spec["triggers"]}
        if least < 2:
            yield f"at least {least} pods: one node's death is an outage"
        if not least <= spec.get("fallback", {}).get("replicas", 0) <= most:
            yield "the fallback for a missing Prometheus is outside of minimum and maximum"
        if not {"prometheus", "cpu"} <= {t["type"] for t in triggers.values()}:
            yield "scales on less than requests and CPU"
        behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        if behavior["scaleDown"].get("stabilizationWindowSeconds", 0) < 300:
            yield "scales down within five minutes"
        if behavior["scaleUp"].get("stabilizationWindowSeconds", 0) > 0:
            yield "waits before it scales up"
        for trigger in (t for t in triggers.values() if t["type"] == "cron"):
            if int(trigger["metadata"]["desiredReplicas"]) > most:
                yield f"event {trigger['name']} wants {trigger['metadata']['desiredReplicas']} pods, the maximum is {most}"
    for rollout in of(objects, "Rollout"):
        if "blueGreen" not in rollout["spec"]["strategy"]:
            yield f"{name(rollout)} is not blue-green"


@rule
def no_schedule_fires_every_minute(objects):
    schedules = [o["spec"]["schedule"] for o in of(objects, "CronJob")]
    schedules += [t["metadata"][key] for s in scaled(objects) for t in s["spec"]["triggers"] if t["type"] == "cron" for key in ("start", "end")]
    for schedule in schedules:
        minute, hour = schedule.split()[:2]
        if not minute.isdigit() or not hour.isdigit():
            yield f"'{schedule}' fires more than once a day"

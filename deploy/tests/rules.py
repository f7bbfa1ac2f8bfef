"""What must hold of every overlay. A rule takes the rendered objects and returns the faults it finds, as sentences.

mutations.py breaks the objects on purpose, at least once per rule; a rule that does not notice is a failing test.
Here: the pods and what they are made of. rules_traffic.py: who reaches them, and how many there are.
"""
import re
from pathlib import Path

import rules_traffic  # its rules are registered with these
from reading import (DEPLOY, MIB, OPTIONS, RULES, USER, containers, environment, is_cloud, matches, name, of, option_size, pod, pod_labels, rule,
                     seconds, size, tallyd, workloads)

FORGETTING_SECONDS = 120  # what a network load balancer takes to forget a target that it was told to forget
SPARE_SECONDS = 5
FLUSH_SECONDS = 20
# Memory of a process, from the design: what a key costs a worker, a worker costs, a connection costs, and the rest.
KEY_BYTES, WORKER_BYTES, CONNECTION_BYTES, BASE_BYTES = 128, 8 * MIB, 2048, 64 * MIB
BUFFER_SHARE = 4  # of the limit, which --max-buffer-bytes takes by itself


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
    asked = settings.get("TALLYD_MAX_BUFFER_BYTES", "auto")
    buffers = limit // BUFFER_SHARE if asked == "auto" else option_size(asked)
    need = volume_bytes + keys + buffers + WORKER_BYTES * workers + CONNECTION_BYTES * int(settings["TALLYD_MAX_CONNS"]) * workers + BASE_BYTES
    need += need // 4  # for what nobody has thought of
    if volume_bytes < keys:
        yield f"{settings['TALLYD_MAX_KEYS']} keys need {keys // MIB} MiB of state, the volume has {volume_bytes // MIB}"
    if limit < need:
        yield f"memory limit of {limit // MIB} MiB, but volume, keys, buffers, workers, connections and a quarter more need {need // MIB} MiB"


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
        # A Deployment's pods have the first of these labels, a Rollout's the second.
        if set(constraint.get("matchLabelKeys", [])) != {"pod-template-hash", "rollouts-pod-template-hash"}:
            yield f"the spread over {constraint['topologyKey']} counts the old pods with the new ones"


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

assert RULES and rules_traffic

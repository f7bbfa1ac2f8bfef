"""What must hold of every overlay: Services, network, Redis, scaling. The rest is in rules.py."""
import ipaddress
import re
from pathlib import Path
from urllib.parse import urlsplit

from reading import containers, environment, is_cloud, matches, name, of, pod, pod_labels, port_of, rule, scaled, tallyd, workloads

AUTOSCALER_LOOKS = 15  # seconds between two looks of Kubernetes' autoscaler
ADMIN_PORT = 9090
BALANCERS_PREFIX = 24  # what infra/ cuts for load balancers in a zone; a subnet of pods is a /18
PROMETHEUS = "http://prometheus-operated.monitoring.svc:9090"  # the Service that the operator makes for every Prometheus


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
def analysis_judges_the_new_pods_alone(objects):
    given = {a["name"] for r in of(objects, "Rollout") for a in r["spec"]["strategy"]["blueGreen"].get("prePromotionAnalysis", {}).get("args", [])
             if a.get("valueFrom", {}).get("podTemplateHashValue") == "Latest"}
    for template in of(objects, "AnalysisTemplate"):
        for metric in template["spec"]["metrics"]:
            selectors = re.findall(r"\{([^{}]*(?:\{\{[^{}]*\}\}[^{}]*)*)\}", metric["provider"]["prometheus"]["query"])
            for selector in selectors:
                asked = re.search(r'pod=~"tallyd-\{\{args\.(\w+)\}\}-', selector)
                if not asked or asked[1] not in given or 'namespace="tallyd"' not in selector:
                    yield f"{name(template)} {metric['name']} asks about {{{selector}}}, which are not the new pods alone"


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
                if all(set(p) == {"podSelector"} for p in entry.get(peer, [{}])):
                    allowed = allowed | {"http", "admin"}  # from one pod of the namespace to another
                if ports - allowed:
                    yield f"{name(policy)}: {direction} on {sorted(map(str, ports - allowed))}"
                for block in (p["ipBlock"]["cidr"] for p in entry.get(peer, []) if "ipBlock" in p):
                    if ipaddress.ip_network(block).prefixlen < 16:
                        yield f"{name(policy)}: {direction} {block} is half the world"


@rule
def admin_port_is_open_to_few(objects):
    """Monitoring, our own router and the chart's test by their labels; health checks from ranges in which load balancers alone lie."""
    for policy in of(objects, "NetworkPolicy"):
        for entry in policy["spec"].get("ingress", []):
            if not {p["port"] for p in entry.get("ports", [{"port": "admin"}])} & {"admin", ADMIN_PORT}:
                continue
            for peer in entry.get("from", [{}]):
                block, space = peer.get("ipBlock", {}).get("cidr"), peer.get("namespaceSelector", {}).get("matchLabels")
                friends = peer.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/name", "") if space is None else ""
                if block and ipaddress.ip_network(block).prefixlen < BALANCERS_PREFIX:
                    yield f"{name(policy)}: {block} may ask the admin port: a whole network, other pods in it"
                elif not block and space != {"kubernetes.io/metadata.name": "monitoring"} and not re.fullmatch(r"tallyd-(router|test)", friends):
                    yield f"{name(policy)}: {peer or 'everybody'} may ask the admin port"


@rule
def health_checks_are_answered(objects):
    """The balancer asks the pods that its binding's Service leads to, on the admin port: they listen there, and let in whoever sends them hits."""
    services = {s["metadata"]["name"]: s["spec"] for s in of(objects, "Service")}
    policies = [p["spec"] for p in of(objects, "NetworkPolicy") if p["metadata"]["name"] != "default-deny"]
    for binding in of(objects, "TargetGroupBinding"):
        selector = services[binding["spec"]["serviceRef"]["name"]]["selector"]
        for workload in (w for w in workloads(objects) if matches(selector, pod_labels(w))):
            if ADMIN_PORT not in [p["containerPort"] for c in containers(workload) for p in c.get("ports", [])]:
                yield f"{name(binding)} leads to {name(workload)}, which does not listen where health checks ask"
            entries = [e for p in policies if matches(p["podSelector"]["matchLabels"], pod_labels(workload)) for e in p.get("ingress", [])]
            asks = {port: {peer["ipBlock"]["cidr"] for e in entries for peer in e["from"] if "ipBlock" in peer and port in [p["port"] for p in e["ports"]]} for port in ("http", "admin")}
            if not asks["http"] or asks["http"] != asks["admin"]:
                yield f"{name(workload)} takes hits from {sorted(asks['http'])} and health checks from {sorted(asks['admin'])}"


@rule
def router_leads_to_every_pod(objects):
    """deploy/components/routing, where it is: it stands behind the Service, and one key is one pod's."""
    router = next((w for w in workloads(objects) if w["metadata"]["name"] == "tallyd-router"), None)
    if router is None:
        return
    config = next(o for o in objects if o["kind"] == "ConfigMap" and "haproxy.cfg" in o["data"])["data"]["haproxy.cfg"]
    services = {s["metadata"]["name"]: s["spec"] for s in of(objects, "Service")}
    for most, asked in re.findall(r"server-template tallyd (\d+) ([a-z-]+)\.", config):
        if services.get(asked, {}).get("clusterIP") != "None":
            yield f"the router asks for {asked}, which has no address for each pod: one server takes all keys"
        elif not matches(services[asked]["selector"], pod_labels(tallyd(objects)[0])):
            yield f"{asked} is not tallyd's pods"
        if any(int(most) < target["spec"]["maxReplicaCount"] for target in scaled(objects)):
            yield f"the router knows at most {most} pods"
    if of(objects, "Rollout"):
        yield "the router would send hits to blue and green alike"
    if not matches(services["tallyd"]["selector"], pod_labels(router)):
        yield "the Service goes past the router: one key is counted by every pod"
    policies = [p["spec"] for p in of(objects, "NetworkPolicy") if p["metadata"]["name"] != "default-deny"]
    takes = lambda labels: [e for p in policies if matches(p["podSelector"]["matchLabels"], labels) for e in p.get("ingress", [])]
    if not any("ipBlock" in peer for entry in takes(pod_labels(router)) for peer in entry["from"]):
        yield "nobody may ask the router: its policy wants the load balancer's network"
    if not any(matches(peer.get("podSelector", {}).get("matchLabels", {"": ""}), pod_labels(router))
               for entry in takes(pod_labels(tallyd(objects)[0])) for peer in entry["from"] if {p["port"] for p in entry["ports"]} >= {"http", "admin"}):
        yield "tallyd does not let the router in"
    if "TALLYD_TRUSTED_PROXIES" not in environment(objects):
        yield "tallyd does not believe the router who the client is: all clients share one limit"


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
def one_owner_of_the_replicas(objects):
    workload, _ = tallyd(objects)
    rollouts, replicas = of(objects, "Rollout"), workload["spec"].get("replicas")
    if rollouts and replicas is not None:
        yield "the Deployment says how many pods, and would end them all before its Rollout has one that is healthy"
    for rollout in rollouts:
        if rollout["spec"]["workloadRef"].get("scaleDown") != "onsuccess":
            yield "the Deployment and its Rollout both run pods, or none does at the change"
    if rollouts and rollouts[0]["spec"].get("replicas") is not None and scaled(objects):
        yield "the Rollout sets replicas, KEDA scales them"
    for target in scaled(objects):
        reference = target["spec"]["scaleTargetRef"]
        if [reference["kind"], reference["name"]] != (["Rollout", "tallyd"] if rollouts else ["Deployment", "tallyd"]):
            yield f"{name(target)} scales {reference['kind']}/{reference['name']}, which runs nothing"
        if not rollouts and replicas is not None:
            yield "the Deployment sets replicas, KEDA scales them"
    if not rollouts and not scaled(objects) and replicas is None:
        yield "nobody says how many pods"


@rule
def rollout_waits_for_its_autoscaler(objects):
    """It begins with one pod; as soon as that is healthy, the pods of a live Deployment end."""
    steps = [p["periodSeconds"] for s in scaled(objects) for p in s["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleUp"]["policies"]]
    for rollout in of(objects, "Rollout"):
        if rollout["spec"].get("replicas") is None and rollout["spec"].get("minReadySeconds", 0) < AUTOSCALER_LOOKS + max(steps, default=0):
            yield f"{name(rollout)} may be healthy before the autoscaler has looked and made its steps"


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
def everything_asks_one_prometheus(objects):
    """The one that reads this namespace's monitors; or the collector sends to it. Nothing is counted by both."""
    asked = {t["metadata"]["serverAddress"] for o in scaled(objects) for t in o["spec"]["triggers"] if t["type"] == "prometheus"}
    asked |= {m["provider"]["prometheus"]["address"] for o in of(objects, "AnalysisTemplate") for m in o["spec"]["metrics"]}
    if asked - {PROMETHEUS}:
        yield f"asks {sorted(asked - {PROMETHEUS})}, the Prometheus of monitoring/kube-prometheus-stack.yaml is {PROMETHEUS}"
    workload, _ = tallyd(objects)
    ways = len(of(objects, "ServiceMonitor", "PodMonitor")) + sum(c["name"] == "collector" for c in containers(workload))
    if ways != 1 and is_cloud(objects):
        yield f"{ways} ways by which its figures are read"
    for target in scaled(objects):
        for trigger in (t for t in target["spec"]["triggers"] if t["type"] == "prometheus"):
            if f'namespace="{target["metadata"]["namespace"]}"' not in trigger["metadata"]["query"]:
                yield f"{name(target)} adds up other namespaces' requests"


@rule
def no_schedule_fires_every_minute(objects):
    schedules = [o["spec"]["schedule"] for o in of(objects, "CronJob")]
    schedules += [t["metadata"][key] for s in scaled(objects) for t in s["spec"]["triggers"] if t["type"] == "cron" for key in ("start", "end")]
    for schedule in schedules:
        minute, hour = schedule.split()[:2]
        if not minute.isdigit() or not hour.isdigit():
            yield f"'{schedule}' fires more than once a day"

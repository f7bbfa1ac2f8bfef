"""The nodes that infra/live gives an environment, and what a pod may ask of them. A rule takes the rendered objects and the
pools, and returns the faults it finds, as sentences."""
import ipaddress
import math
import re

import yaml

import reading
from conftest import DEPLOY, ROOT

# vCPUs and GiB of the types in use: the sizes are the same through all of EC2's generations.
SIZES = {"medium": 1, "large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16}
GIB_PER_CPU = {"c": 2, "m": 4, "t": 2}
MIB = 1024 * 1024
# What the node agents of every node ask for (aws-node, kube-proxy, the identity agent), and what the kubelet evicts at.
DAEMONS_CPU, DAEMONS_BYTES, EVICTION_BYTES = 0.25, 256 * MIB, 100 * MIB
NODES = (ROOT / "infra/modules/nodes/main.tf").read_text(encoding="utf-8")
KUBERNETES_EFFECT = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}


class Pool:
    """One group of alike nodes: the smallest type stands for all."""

    def __init__(self, name, cpus, gib, arch, static=False, labels=None, taints=(), most=None):
        self.name, self.cpus, self.bytes, self.arch, self.static = name, cpus, gib * 1024 * MIB, arch, static
        self.labels, self.taints, self.most = labels or {}, list(taints), most

    def allocatable(self):
        """CPUs and bytes that are left for pods once the system and the node agents have theirs."""
        reserved = {kind: re.search(rf'{kind} += {{ cpu = "(\d+)m", memory = "(\d+)Mi" }}', NODES).groups() for kind in ("kubeReserved", "systemReserved")}
        cpu = 1 if self.static else sum(int(m) for m, _ in reserved.values()) / 1000  # a list of reserved CPUs takes the place of both
        return self.cpus - cpu - DAEMONS_CPU, self.bytes - sum(int(b) for _, b in reserved.values()) * MIB - EVICTION_BYTES - DAEMONS_BYTES

    def takes(self, spec):
        """Whether a pod's tolerations and selector let it come here."""
        tolerated = lambda taint: any(t.get("operator", "Equal") == "Exists" and t.get("key") in (None, taint["key"]) or
                                      (t.get("key"), t.get("value"), t.get("effect")) == (taint["key"], taint["value"], taint["effect"])
                                      for t in spec.get("tolerations", []))
        return reading.matches(spec.get("nodeSelector"), self.labels) and all(map(tolerated, self.taints))


def instance(kind):
    """(vCPUs, GiB, architecture) of a type such as c7g.xlarge. The family's g is AWS's own, arm64, processor."""
    family, size = re.fullmatch(r"([a-z]+\d[a-z]*)\.(\w+)", kind).groups()
    cpus = 2 if family.startswith("t") and size == "medium" else SIZES[size]
    return cpus, cpus * GIB_PER_CPU[family[0]], "arm64" if re.search(r"\dg", family) else "amd64"


def groups(environment):
    """The managed node groups of infra/live."""
    text = (ROOT / "infra/live" / environment / "platform.tfvars").read_text(encoding="utf-8")
    block = re.search(r"^node_groups = \{\n(.*?)^\}", text, re.M | re.S)[1]
    for name, one_line, lines in re.findall(r"^  (\w+) += \{(?: ([^\n]*) \}$|\n(.*?)^  \}$)", block, re.M | re.S):
        body = one_line or lines
        labels = dict(re.findall(r'"([\w./-]+)" += "([\w-]+)"', (re.search(r"labels += \{(.*?)\}", body) or ["", ""])[1]))
        taints = [{"key": k, "value": v, "effect": KUBERNETES_EFFECT[e]} for k, v, e in re.findall(r'key = "([^"]+)", value = "([^"]+)", effect = "(\w+)"', body)]
        for kind in re.findall(r'"([a-z0-9]+\.\w+)"', re.search(r"instance_types += \[(.*?)\]", body)[1]):
            cpus, gib, arch = instance(kind)
            yield Pool(f"{environment} {name} {kind}", cpus, gib, arch, "static_cpus" in body, labels, taints, int(re.search(r"max_size += (\d+)", body)[1]))


def karpenter(text=None):
    """Karpenter's pool, once for each size and architecture that it allows."""
    template = yaml.safe_load(text or (DEPLOY / "cluster/nodepool.yaml").read_text(encoding="utf-8"))["spec"]["template"]
    wants = {r["key"]: r["values"] for r in template["spec"]["requirements"]}
    for arch in wants["kubernetes.io/arch"]:
        for cpus in map(int, wants["karpenter.k8s.aws/instance-cpu"]):
            gib = cpus * GIB_PER_CPU[wants["karpenter.k8s.aws/instance-category"][0]]
            yield Pool(f"Karpenter {arch} {cpus} CPUs", cpus, gib, arch, True, template["metadata"]["labels"], template["spec"]["taints"])


def pools_of(environment):
    return [*groups(environment), *karpenter()]


def asked(workload):
    """CPUs and bytes of a pod: its containers and its sidecars."""
    cpu = lambda text: int(text[:-1]) / 1000 if str(text).endswith("m") else float(text)
    requests = [c["resources"]["requests"] for c in reading.containers(workload)]
    return sum(cpu(r["cpu"]) for r in requests), sum(reading.size(r["memory"]) for r in requests)


def pods_fit_on_their_nodes(objects, pools):
    workload, _ = reading.tallyd(objects)
    cpu, memory = asked(workload)
    allowed = [pool for pool in pools if pool.takes(reading.pod(workload))]
    if not allowed:
        yield "no pool's labels and taints let the pod in"
    for pool in allowed:
        cpus, most = pool.allocatable()
        if cpu > cpus or memory > most:
            yield f"the pod asks for {cpu:g} CPUs and {memory // MIB} MiB, {pool.name} has {cpus:g} and {most // MIB:g} to give"
        if not pool.static:
            yield f"{pool.name} has no static CPU manager: whole cores are not the pod's alone"


def events_fit_on_the_nodes(objects, pools):
    workload, _ = reading.tallyd(objects)
    cpu, memory = asked(workload)
    room = 0
    for pool in pools:
        if pool.most and pool.takes(reading.pod(workload)):
            cpus, most = pool.allocatable()
            room += pool.most * max(0, math.floor(min(cpus / cpu, most / memory)))
    for target in reading.scaled(objects):
        for trigger in (t for t in target["spec"]["triggers"] if t["type"] == "cron"):
            if int(trigger["metadata"]["desiredReplicas"]) > room:
                yield f"event {trigger['name']} wants {trigger['metadata']['desiredReplicas']} pods, the static pool has room for {room}"


def pools_run_on_platforms_we_build(pools, platforms):
    for pool in pools:
        if f"linux/{pool.arch}" not in platforms:
            yield f"{pool.name} is {pool.arch}, the image is built for {sorted(platforms)}"


def platforms():
    """What the release puts into the image's index."""
    return set(re.search(r'^PLATFORMS=\(([^)]+)\)', (ROOT / "docker/publish").read_text(encoding="utf-8"), re.M)[1].split())


def endings():
    """Seconds of each step of a pod's end as infra/ has them."""
    balancer = (ROOT / "infra/modules/lb/variables.tf").read_text(encoding="utf-8")
    variable = re.search(r'variable "deregistration_delay_seconds" \{.*?^\}', balancer, re.M | re.S)[0]
    pool = yaml.safe_load((DEPLOY / "cluster/nodepool.yaml").read_text(encoding="utf-8"))["spec"]["template"]["spec"]
    shutdown = [int(re.search(rf'{name} += "(\d+)s"', NODES)[1]) for name in ("shutdownGracePeriod", "shutdownGracePeriodCriticalPods")]
    return {"deregistration": int(re.search(r"default += (\d+)", variable)[1]), "shutdown": shutdown[0] - shutdown[1],
            "karpenter": reading.seconds(pool["terminationGracePeriod"])}


def each_end_outlasts_the_one_before(objects, ends):
    workload, _ = reading.tallyd(objects)
    settings = reading.environment(objects)
    drain = reading.seconds(settings["TALLYD_DRAIN_TIMEOUT"])
    grace = reading.pod(workload)["terminationGracePeriodSeconds"]
    order = [("drain", drain), ("deregistration", ends["deregistration"]), ("grace period", grace)]
    for (first, less), (second, more) in zip(order, order[1:]):
        if less > more:
            yield f"{first} of {less:g} s is longer than {second} of {more:g} s"
    for last in ("shutdown", "karpenter"):
        if grace > ends[last]:
            yield f"grace period of {grace} s is longer than {last}'s {ends[last]:g} s"


def balancer_ranges(environment):
    """The subnets that infra/ gives load balancers alone, as its module cuts them."""
    text = (ROOT / "infra/live" / environment / "common.tfvars").read_text(encoding="utf-8")
    naming = (ROOT / "infra/modules/naming/main.tf").read_text(encoding="utf-8")
    cut = lambda name, start: [int(n) for n in re.search(rf"{name} += .*?cidrsubnet\({start}, (\d+), (\w+)\)", naming).groups() if n != "i"]
    inner = lambda network, bits, number: list(network.subnets(bits))[number]
    whole = ipaddress.ip_network(re.search(r'^vpc_cidr += "(\S+)"$', text, re.M)[1])
    block = inner(inner(whole, *cut("fourth", r"var\.vpc_cidr")), *cut("balancers", r"local\.fourth"))
    bits, = cut("balancer_cidrs", r"local\.balancers")
    return [str(inner(block, bits, zone)) for zone in range(int(re.search(r"^zone_count += (\d+)$", text, re.M)[1]))]


def health_checks_come_from_load_balancers(objects, ranges):
    for policy in reading.of(objects, "NetworkPolicy"):
        for entry in policy["spec"].get("ingress", []):
            asks = {peer["ipBlock"]["cidr"] for peer in entry["from"] if "ipBlock" in peer}
            if asks and {"admin"} <= {p["port"] for p in entry["ports"]} and asks != set(ranges):
                yield f"{reading.name(policy)} lets {sorted(asks)} ask the admin port, load balancers lie in {ranges}"


def shards(environment):
    """Of the environment's MemoryDB."""
    text = (ROOT / "infra/live" / environment / "data.tfvars").read_text(encoding="utf-8")
    return int(re.search(r"^\s+num_shards\s+= (\d+)$", text, re.M)[1])


def partitions_fit_the_shards(objects, number):
    """As tallyd itself warns (partitions_few, partitions_many): a data set has its partitions for life."""
    table = (ROOT / "src/config/options_table.h").read_text(encoding="utf-8")
    default = re.search(r'"partitions", partitions, COUNT, "(\d+)"', table)[1]
    partitions = int(reading.environment(objects).get("TALLYD_PARTITIONS", default))
    if number > 1 and partitions < 2 * number:
        yield f"{partitions} partitions for {number} shards: some shards have more to store than others, or nothing"
    if partitions > max(63, 16 * number):
        yield f"{partitions} partitions for {number} shards: each costs commands in every flush"

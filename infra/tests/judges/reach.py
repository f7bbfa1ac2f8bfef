"""Who reaches whom: from routes, lists, security groups and endpoints as they are planned a graph of parties and ports.

A party is whoever sends or listens: a security group in its tier, or somebody outside. A way is open when the sender's group, both lists (there
and back), the route and the listener's group let it through. `ways` finds every way that is open, so that the ones nobody wants are found too.
"""
import functools
import ipaddress

WORLD = ipaddress.ip_address("198.51.100.7")
EPHEMERAL = 40000

# Party → tier of its subnets, and how the name of its security group begins. EKS makes the group of its control plane and names it itself.
PARTIES = {
    "lb": ("balancer", "tallyd-{env}-lb-"), "direct-lb": ("balancer", "tallyd-{env}-direct-lb-"), "pods": ("private", "tallyd-{env}-node-"), "store": ("data", "tallyd-{env}-memorydb-"),
    "endpoints": ("private", "tallyd-{env}-endpoints-"), "api": ("private", "tallyd-{env}-api-"), "control-plane": ("private", None), "ops-host": ("private", "tallyd-{env}-ops-"),
    "rotation": ("private", "tallyd-{env}-rotate-"), "connect": ("private", "tallyd-{env}-connect-"),
}

network = functools.lru_cache(None)(ipaddress.ip_network)
# What is tried beside every port that a rule names.
PORTS = (22, 53, 80, 443, 3306, 6379, 8080, 9090, 10250, 30000)


class Net:
    """The subnets, lists, routes and groups of one environment."""

    def __init__(self, env):
        self.env = env
        self.subnets = {s["id"]: s for s in env.all("aws_subnet")}
        self.acl = {i: a for a in env.all("aws_network_acl") for i in a.get("subnet_ids", [])}
        self.rules = {}
        for r in env.all("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"):
            self.rules.setdefault((r["security_group_id"], "ingress" if "ingress" in r.type else "egress"), []).append(r)

    def tier(self, name):
        return [s for s in self.subnets.values() if (s["tags"] or {}).get("Tier") == name]

    def group(self, party):
        """The id of a party's security group, or None where the environment has no such party."""
        prefix = PARTIES[party][1]
        if prefix is None:
            return self.env.all("aws_eks_cluster")[0].block("vpc_config")["cluster_security_group_id"]
        return next((g["id"] for g in self.env.all("aws_security_group") if (g["name_prefix"] or "").startswith(prefix.format(env=self.env.name))), None)

    def listed(self, subnet, direction, address, port):
        """Whether the subnet's list lets a TCP packet through. One without a list of ours has the network's own, which lets everything through."""
        if subnet["id"] not in self.acl:
            return True
        for b in sorted(self.acl[subnet["id"]].blocks(direction), key=lambda b: b["rule_no"]):
            if b["protocol"] in ("-1", "tcp", "6") and address in network(b["cidr_block"]) and (b["protocol"] == "-1" or b["from_port"] <= port <= b["to_port"]):
                return b["action"] == "allow"
        return False

    def grouped(self, group, direction, peer, port, address):
        """Whether a security group lets a new connection through, from or to a group, a prefix list or an address."""
        for r in self.rules.get((group, direction), []):
            if r["ip_protocol"] == "-1" or r["from_port"] <= port <= r["to_port"]:
                if peer and peer in (r["referenced_security_group_id"], r["prefix_list_id"]):
                    return True
                if r["cidr_ipv4"] and address and address in network(r["cidr_ipv4"]):
                    return True
        # EKS makes the control plane's group with a rule of its own: everything out, and everything among its members.
        return group == self.group("control-plane") and (direction == "egress" or peer == group)

    def table(self, subnet):
        return next((a["route_table_id"] for a in self.env.all("aws_route_table_association") if a["subnet_id"] == subnet["id"]), None)

    def routed(self, subnet, address):
        """By what the subnet's table leads to an address outside, or None."""
        for r in self.env.all("aws_route"):
            if r["route_table_id"] == self.table(subnet) and r["destination_cidr_block"] and address in network(r["destination_cidr_block"]):
                return "nat" if r["nat_gateway_id"] else "internet" if r["gateway_id"] else "peering"
        return None

    def inside(self, source, source_group, target, target_group, port):
        """Whether a connection from one subnet and group to another is opened and answered."""
        a, b = (network(s["cidr_block"])[10] for s in (source, target))
        there = source is target or self.listed(source, "egress", b, port) and self.listed(target, "ingress", a, port)
        back = source is target or self.listed(target, "egress", a, EPHEMERAL) and self.listed(source, "ingress", b, EPHEMERAL)
        return bool(there and back and self.grouped(source_group, "egress", target_group, port, b) and self.grouped(target_group, "ingress", source_group, port, a))

    def outside(self, source, group, port, address=WORLD):
        """Whether a connection to a public address is opened and answered, through NAT."""
        public = self.tier("public")
        through = self.routed(source, address) == "nat" and public and all(self.routed(p, address) == "internet" and self.listed(p, "egress", address, port) and self.listed(p, "ingress", address, EPHEMERAL) for p in public)
        return bool(through and self.listed(source, "egress", address, port) and self.listed(source, "ingress", address, EPHEMERAL) and self.grouped(group, "egress", None, port, address))

    def entered(self, peer, address, target, group, port):
        """Whether somebody outside (a prefix list, or an address) gets in and is answered."""
        listed = self.listed(target, "ingress", address, port) and self.listed(target, "egress", address, EPHEMERAL)
        return bool(listed and self.grouped(group, "ingress", peer, port, None if peer else address))

    def ports(self):
        named = {p for rules in self.rules.values() for r in rules if r["ip_protocol"] != "-1" for p in (r["from_port"], r["to_port"])}
        return sorted(named | set(PORTS))

    def parties(self):
        """Party → (group, subnets), those that the environment has."""
        return {p: (self.group(p), self.tier(tier)) for p, (tier, _) in PARTIES.items() if self.group(p)}

    def cloudfront(self):
        """The prefix list that stands for CloudFront, as the load balancer's group names it."""
        return next((r["prefix_list_id"] for r in self.rules.get((self.group("lb"), "ingress"), []) if r["prefix_list_id"]), None)

    def peers(self):
        """Ranges of other environments that a group names."""
        own = network(self.env.all("aws_vpc")[0]["cidr_block"])
        named = {network(r["cidr_ipv4"]) for rules in self.rules.values() for r in rules if r["cidr_ipv4"]}
        return sorted(n for n in named if n.is_private and n.prefixlen > 0 and not n.subnet_of(own))


def ways(env):
    """{(from, to, port)} of every way that is open between all subnets of both; and how many were tried."""
    net, found, tried = Net(env), set(), 0
    parties = net.parties()
    for port in net.ports():
        for name, (group, subnets) in parties.items():
            for other, (target, places) in parties.items():
                tried += len(subnets) * len(places)
                if all(net.inside(a, group, b, target, port) for a in subnets for b in places):
                    found.add((name, other, port))
            tried += len(subnets)
            if all(net.outside(s, group, port) for s in subnets):
                found.add((name, "internet", port))
            for who, peer, address in outsiders(net):
                tried += len(subnets)
                if all(net.entered(peer, address, s, group, port) for s in subnets):
                    found.add((who, name, port))
    return found, tried


def outsiders(net):
    """(who, prefix list or None, address) of everybody who could come in from outside."""
    yield "world", None, WORLD
    if net.cloudfront():
        yield "cloudfront", net.cloudfront(), WORLD
    for n in net.peers():
        yield "peer", None, n[10]


def partly(env):
    """Ways that are open from some subnets and closed from others: an accident of one zone."""
    net = Net(env)
    for port in net.ports():
        for name, (group, subnets) in net.parties().items():
            for other, (target, places) in net.parties().items():
                answers = {net.inside(a, group, b, target, port) for a in subnets for b in places}
                if len(answers) > 1:
                    yield "%s to %s on %d" % (name, other, port)


# Every way that an environment may have, and why. What is open and is not here is a finding, and so is what is here and closed.
# A party that an environment has not got takes its ways with it; "?" marks a way that only some environments open.
WANTED = {
    ("cloudfront", "lb", 8080): "readers' hits, from CloudFront's interfaces in our subnets",
    ("lb", "pods", 8080): "hits, to the pods themselves",
    ("lb", "pods", 9090): "health checks",
    ("world", "direct-lb", 443): "Global Accelerator keeps the reader's address",
    ("direct-lb", "pods", 8080): "hits of servers",
    ("direct-lb", "pods", 9090): "health checks",
    ("pods", "store", 6379): "what was counted",
    ("ops-host", "store", 6379): "people who look",
    ("rotation", "store", 6379): "the new password is tried",
    ("pods", "endpoints", 443): "AWS's interfaces, by private names",
    ("ops-host", "endpoints", 443): "Session Manager",
    ("rotation", "endpoints", 443): "Secrets Manager and MemoryDB's interface",
    ("pods", "internet", 443): "registries and the rest of AWS, through NAT",
    ("ops-host", "internet", 443): "the rest of AWS, through NAT",
    ("rotation", "internet", 443): "MemoryDB's interface, through NAT",
    ("ops-host", "api", 443): "the tunnel to Kubernetes' API",
    ("pods", "control-plane", 443): "kubelet and controllers to Kubernetes' API",
    ("control-plane", "endpoints", 443): "EKS's own rule lets everything out",
    ("connect", "ops-host", 22): "EC2 Instance Connect",
    ("peer", "store", 6379): "? the other region looks at our counters",
}
# Groups whose members trust each other on every port.
AMONG_THEMSELVES = {"pods": "pods to pods; network policies narrow it down", "control-plane": "EKS's own rule"}


def permitted(source, target, port):
    """Why a way may be open, or None."""
    if source == target:
        return AMONG_THEMSELVES.get(source)
    if (source, target) == ("control-plane", "pods") and (port == 443 or port >= 1025):
        return "webhooks, the kubelet, the metrics server"
    if (target, port) == ("direct-lb", 443):
        return "its group takes HTTPS from anywhere, and so from inside as well; a web ACL guards it"
    if (source, target) == ("control-plane", "internet"):
        return "EKS's own rule lets everything out; its interfaces start no connections but to nodes"
    return WANTED.get((source, target, port))

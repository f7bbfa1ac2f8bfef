"""Who reaches whom on which port, from routes, lists and security groups as they are planned; and nothing else from the world."""
import ipaddress

import pytest

import stack

WORLD = ipaddress.ip_address("198.51.100.7")
EPHEMERAL = 40000


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
        return [s for s in self.subnets.values() if s["tags"]["Tier"] == name]

    def group(self, prefix):
        return next(g["id"] for g in self.env.all("aws_security_group") if (g["name_prefix"] or "").startswith(prefix))

    def listed(self, subnet, direction, address, port):
        """Whether the subnet's list lets a TCP packet through."""
        for b in sorted(self.acl[subnet["id"]].blocks(direction), key=lambda b: b["rule_no"]):
            if b["protocol"] in ("-1", "tcp", "6") and address in ipaddress.ip_network(b["cidr_block"]) and (b["protocol"] == "-1" or b["from_port"] <= port <= b["to_port"]):
                return b["action"] == "allow"
        return False

    def grouped(self, group, direction, peer, port, address):
        """Whether a security group lets a new connection through, from or to a group, a prefix list or an address."""
        for r in self.rules.get((group, direction), []):
            if r["ip_protocol"] == "-1" or r["from_port"] <= port <= r["to_port"]:
                if r["referenced_security_group_id"] and r["referenced_security_group_id"] == peer or r["prefix_list_id"] and r["prefix_list_id"] == peer:
                    return True
                if r["cidr_ipv4"] and address and address in ipaddress.ip_network(r["cidr_ipv4"]):
                    return True
        return False

    def routed(self, subnet, address):
        """Whether the subnet's table leads to a public address, and by what."""
        table = next(a["route_table_id"] for a in self.env.all("aws_route_table_association") if a["subnet_id"] == subnet["id"])
        for r in self.env.all("aws_route"):
            if r["route_table_id"] == table and address in ipaddress.ip_network(r["destination_cidr_block"]):
                return "nat" if r["nat_gateway_id"] else "internet" if r["gateway_id"] else "peering"
        return None

    def inside(self, source, source_group, target, target_group, port):
        """Whether a connection from one subnet and group to another is opened and answered."""
        a, b = (ipaddress.ip_network(s["cidr_block"])[10] for s in (source, target))
        there = source is target or self.listed(source, "egress", b, port) and self.listed(target, "ingress", a, port)
        back = source is target or self.listed(target, "egress", a, EPHEMERAL) and self.listed(source, "ingress", b, EPHEMERAL)
        return there and back and self.grouped(source_group, "egress", target_group, port, b) and self.grouped(target_group, "ingress", source_group, port, a)


@pytest.fixture(params=stack.environments())
def env(request):
    return request.param


def pairs(net, one, two):
    return [(a, b) for a in net.tier(one) for b in net.tier(two)]


def test_hits_find_their_way_to_the_store(env, figure):
    net = Net(stack.load_environment(env))
    lb, pod, store = net.group("tallyd-%s-lb-" % env), net.group("tallyd-%s-node-" % env), net.group("tallyd-%s-memorydb-" % env)
    looked = 0
    for a, b in pairs(net, "private", "private"):
        assert net.inside(a, lb, b, pod, 8080) and net.inside(a, lb, b, pod, 9090), "the load balancer does not reach the pods"
        looked += 2
    for a, b in pairs(net, "private", "data"):
        assert net.inside(a, pod, b, store, 6379), "pods do not reach the store"
        assert not net.inside(a, lb, b, store, 6379), "the load balancer reaches the store"
        assert not any(net.inside(a, pod, b, store, p) for p in (22, 443, 8080)), "the store listens to more"
        looked += 5
    figure("ways-" + env, looked)


def test_cloudfront_is_answered_whatever_address_it_has(env):
    net = Net(stack.load_environment(env))
    lb = net.group("tallyd-%s-lb-" % env)
    prefix = [r["prefix_list_id"] for r in net.rules[(lb, "ingress")] if r["prefix_list_id"]]
    assert prefix and net.grouped(lb, "ingress", prefix[0], 8080, None) and not net.grouped(lb, "ingress", prefix[0], 9090, None)
    for s in net.tier("private"):
        for address in (WORLD, ipaddress.ip_network(s["cidr_block"])[9]):
            assert net.listed(s, "ingress", address, 8080) and net.listed(s, "egress", address, EPHEMERAL), "CloudFront at %s gets no answer" % address


def test_nodes_reach_aws_and_registries(env):
    net = Net(stack.load_environment(env))
    pod, endpoint = net.group("tallyd-%s-node-" % env), net.group("tallyd-%s-endpoints-" % env)
    public = net.tier("public")
    for s in net.tier("private"):
        assert all(net.inside(s, pod, t, endpoint, 443) for t in net.tier("private")), "pods do not reach the interface endpoints"
        assert net.routed(s, WORLD) == "nat" and net.grouped(pod, "egress", None, 443, WORLD) and net.listed(s, "egress", WORLD, 443) and net.listed(s, "ingress", WORLD, EPHEMERAL)
        assert not net.grouped(pod, "egress", None, 25, WORLD) and not net.grouped(pod, "egress", None, 22, WORLD)
    for s in public:
        assert net.routed(s, WORLD) == "internet" and net.listed(s, "egress", WORLD, 443) and net.listed(s, "ingress", WORLD, EPHEMERAL)


def test_nothing_else_comes_in_from_the_world(env):
    """Only the direct way's load balancer takes a public address, on 443; no subnet but the public ones has the internet as its way, and they hold gateways only."""
    net = Net(stack.load_environment(env))
    open_ports = {(g, p) for g, d in net.rules if d == "ingress" for p in (22, 80, 443, 6379, 8080, 9090, 10250, 30000) if net.grouped(g, "ingress", None, p, WORLD)}
    direct = {g["id"] for g in net.env.all("aws_security_group") if (g["name_prefix"] or "").startswith("tallyd-%s-direct-lb-" % env)}
    assert open_ports <= {(g, 443) for g in direct}, open_ports
    for name in ("private", "data"):
        assert all(net.routed(s, WORLD) != "internet" for s in net.tier(name))
    assert all(net.routed(s, WORLD) is None for s in net.tier("data"))
    public = {s["id"] for s in net.tier("public")}
    for r in net.env.resources:
        if r.type != "aws_nat_gateway" and r.type not in ("aws_subnet", "aws_route_table_association", "aws_network_acl"):
            assert not public & {r["subnet_id"], *(r["subnet_ids"] or []), *(r["subnets"] or [])}, r


def test_the_tunnel_reaches_the_api(env):
    net = Net(stack.load_environment(env))
    host, api = net.group("tallyd-%s-ops-" % env), net.group("tallyd-%s-api-" % env)
    assert all(net.inside(a, host, b, api, 443) for a, b in pairs(net, "private", "private"))

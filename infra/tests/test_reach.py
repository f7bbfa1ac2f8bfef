"""Who reaches whom: the judges of judges/reach.py and judges/services.py themselves. The rules are in rules/reach.py."""
import copy

import pytest

import stack
from judges import reach, services
from judges.accounts import account

ENVIRONMENTS = stack.environments()


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_graph_has_both_ends_of_a_hit(env, figure):
    """From CloudFront to the store, and nothing in between that is left out: a graph that misses a way would call everything well."""
    found, tried = reach.ways(stack.load_environment(env))
    figure("ways-" + env, [tried, 0])
    assert {("cloudfront", "lb", 8080), ("lb", "pods", 8080), ("lb", "pods", 9090), ("pods", "store", 6379)} <= found
    assert not any(target == "store" and port != 6379 for _, target, port in found), "the store listens to more"
    assert not any(source == "lb" and target not in ("pods",) for source, target, _ in found), "the load balancer reaches more than pods"


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_subnets_have_the_routes_of_their_tier(env):
    """The tiers of data and of balancers lead nowhere, the private one out through NAT, and the public one holds gateways only."""
    net = reach.Net(stack.load_environment(env))
    assert net.tier("balancer") and all(net.routed(s, reach.WORLD) is None for s in net.tier("data") + net.tier("balancer")) and all(net.routed(s, reach.WORLD) == "nat" for s in net.tier("private"))
    assert net.tier("public") and all(net.routed(s, reach.WORLD) == "internet" for s in net.tier("public"))
    public = {s["id"] for s in net.tier("public")}
    for r in net.env.resources:
        if r.type not in ("aws_nat_gateway", "aws_subnet", "aws_route_table_association", "aws_network_acl"):
            assert not public & {r["subnet_id"], *(r["subnet_ids"] or []), *(r["subnets"] or [])}, r


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_what_has_an_endpoint_is_asked_through_it(env):
    """Secrets, images and identities never leave the network; without an endpoint the way is NAT. (Strangers: test_iam_resources.py.)"""
    ways = {(service, ours) for _, _, service, ours, _ in services.needed(account(env))}
    assert {("secretsmanager", True), ("sts", True), ("eks-auth", True), ("ecr.api", True), ("ecr.dkr", True), ("s3", True), ("eks", False)} <= ways


def test_a_way_that_opens_is_noticed():
    """The control: one more rule in a group is one more way in the graph."""
    base = stack.load_environment("prod")
    env = copy.copy(base)
    net = reach.Net(base)
    env.resources = base.resources + [stack.Resource("test", {"address": "x", "mode": "managed", "type": "aws_vpc_security_group_ingress_rule", "name": "x", "values": {
        "security_group_id": net.group("store"), "ip_protocol": "tcp", "from_port": 6379, "to_port": 6379, "referenced_security_group_id": net.group("control-plane"), "cidr_ipv4": None, "prefix_list_id": None}})]
    assert reach.ways(env)[0] - reach.ways(base)[0] == {("control-plane", "store", 6379)}


def test_every_wanted_way_is_open_somewhere():
    """A way that no environment has stands in the list for nothing."""
    everywhere = set().union(*(reach.ways(stack.load_environment(e))[0] for e in ENVIRONMENTS))
    assert set(reach.WANTED) <= everywhere, set(reach.WANTED) - everywhere

"""Who reaches whom, in the graph of judges/reach.py, and which services answer, in that of judges/services.py."""
from judges import reach, services

from .base import fail_if, rule


@rule()
def only_known_ways_are_open(env):
    """Every way that is open between two parties, or to or from outside, is one that somebody wants and can say why."""
    for source, target, port in sorted(reach.ways(env)[0]):
        yield "%s to %s on %d" % (source, target, port), fail_if(not reach.permitted(source, target, port), "is open, and nobody wants it")


@rule()
def wanted_ways_are_open(env):
    """Every way that is wanted between parties that the environment has is open, from every zone to every zone, and is answered."""
    found, _ = reach.ways(env)
    have = set(reach.Net(env).parties()) | {"world", "cloudfront", "internet", "peer"}
    for (source, target, port), why in reach.WANTED.items():
        if {source, target} <= have and not why.startswith("?"):
            yield "%s to %s on %d" % (source, target, port), fail_if((source, target, port) not in found, "is closed: %s" % why)


@rule()
def ways_are_the_same_from_every_zone(env):
    """What is open from one subnet of a tier is open from its siblings: a list that differs by zone is an outage that waits for its turn."""
    uneven = sorted(reach.partly(env))
    yield "ways of %s" % env.name, fail_if(uneven, "open from some zones only: %s" % uneven)


@rule()
def services_answer_those_who_need_them(env):
    """Each role that has to call a service of AWS gets there and is answered: the network leads to the endpoint (or out, without one), and the endpoint's policy, the role's and the boundary allow the call."""
    from judges.accounts import Account
    for text, _, service, ours, problem in services.needed(Account.of(env)):
        yield "%s by %s" % (text, "the endpoint of " + service if ours else "NAT"), problem

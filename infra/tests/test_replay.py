"""Each environment made again at a server that others wrote: see judges/replay.py."""
import pytest

import stack
from judges import replay

ENVIRONMENTS = stack.environments()


@pytest.fixture(scope="module")
def replayed():
    """Replays by environment, each at a server of its own."""
    done = {}

    def of(name):
        if name not in done:
            server = replay.Server()
            try:
                done[name] = replay.replay(stack.load_environment(name), server)
            finally:
                server.stop()
        return done[name]
    return of


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_server_takes_every_call_that_it_knows(env, replayed, figure):
    """In the order of dependencies, with its own ids; no call names what nobody has made yet."""
    r = replayed(env)
    figure("replayed-" + env, [r.calls, len(r.findings)])
    figure("note-replay-" + env, "replayed at moto in %s: %d resources, %d calls; calls that it does not know: %s" % (env, r.made, r.calls, ", ".join("%s × %d" % (k, len(v)) for k, v in sorted(r.unknown.items()))))
    assert not r.findings, "\n".join(r.findings)
    assert r.made > 100 and set(r.unknown) <= set(replay.UNKNOWN), set(r.unknown) - set(replay.UNKNOWN)


def test_what_the_server_does_not_know_is_listed_exactly(replayed):
    """A call that it has learnt, or that no environment makes any more, leaves the list."""
    unknown = set().union(*(replayed(e).unknown for e in ENVIRONMENTS))
    assert unknown == set(replay.UNKNOWN), unknown ^ set(replay.UNKNOWN)


def test_an_order_that_is_wrong_is_noticed():
    """The control: subnets before their network."""
    env = stack.load_environment("dev")
    server = replay.Server()
    try:
        r = replay.Replay(env, server)
        subnet = env.all("aws_subnet")[0]
        r.waiting = {name: env.all("aws_vpc")[0] for name in replay.identities(env.all("aws_vpc")[0])}
        r.make(subnet)
        assert any("before" in f for f in r.findings) and r.made == 0, r.findings
    finally:
        server.stop()

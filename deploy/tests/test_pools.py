"""What deploy/ asks for is what infra/ gives: nodes, architectures, the time to end. Each rule can fail."""
import pytest

import pools
from conftest import CLOUD, container, get, objects_of
from mutations import pod, settings


@pytest.mark.parametrize("environment", CLOUD)
def test_pods_fit_on_the_nodes_that_they_may_have(environment):
    assert list(pools.pods_fit_on_their_nodes(objects_of(environment), pools.pools_of(environment))) == []


@pytest.mark.parametrize("environment", CLOUD)
def test_floors_of_events_fit_on_the_static_pool(environment):
    assert list(pools.events_fit_on_the_nodes(objects_of(environment), pools.pools_of(environment))) == []


@pytest.mark.parametrize("environment", CLOUD)
def test_image_is_built_for_every_node(environment):
    assert list(pools.pools_run_on_platforms_we_build(pools.pools_of(environment), pools.platforms())) == []


@pytest.mark.parametrize("environment", CLOUD)
def test_drain_deregistration_grace_and_shutdown_are_in_order(environment):
    assert list(pools.each_end_outlasts_the_one_before(objects_of(environment), pools.endings())) == []


@pytest.mark.parametrize("environment", [*CLOUD, "dev-routed"])
def test_the_admin_port_is_open_to_the_load_balancers_own_subnets(environment):
    assert list(pools.health_checks_come_from_load_balancers(objects_of(environment), pools.balancer_ranges(environment.split("-routed")[0]))) == []


@pytest.mark.parametrize("ranges", [["10.30.0.0/18"], ["10.30.224.0/24", "10.30.225.0/24"]], ids=["pods", "a zone too few"])
def test_other_subnets_than_the_load_balancers_are_noticed(ranges):
    assert list(pools.health_checks_come_from_load_balancers(objects_of("prod"), ranges))


@pytest.mark.parametrize("environment", CLOUD)
def test_partitions_fit_the_shards_of_memorydb(environment):
    assert list(pools.partitions_fit_the_shards(objects_of(environment), pools.shards(environment))) == []


@pytest.mark.parametrize("partitions, shards", [(16, 9), (2, 2), (64, 3), (1024, 16)])
def test_too_few_and_too_many_partitions_are_noticed(partitions, shards):
    objects = objects_of("prod")
    settings(objects).update(TALLYD_PARTITIONS=str(partitions))
    assert list(pools.partitions_fit_the_shards(objects, shards))


def ask_for(objects, cpu="1", memory="512Mi"):
    container(objects)["resources"]["requests"].update(cpu=cpu, memory=memory)


@pytest.mark.parametrize("environment, change", [
    ("dev", lambda o: ask_for(o, cpu="3")),
    ("staging", lambda o: ask_for(o, cpu="3")),
    ("prod", lambda o: ask_for(o, memory="15Gi")),
    ("prod", lambda o: pod(o).pop("tolerations")),
    ("dev", lambda o: pod(o).pop("nodeSelector")),
    ("prod", lambda o: pod(o)["nodeSelector"].update({"tallyd.io/pool": "other"})),
    ("dev+collector", lambda o: container(o, "collector")["resources"]["requests"].update(cpu="2")),
], ids=["dev-cpu", "staging-cpu", "memory", "no-toleration", "anywhere", "no-pool", "sidecar"])
def test_a_pod_that_fits_nowhere_is_noticed(environment, change):
    objects = objects_of(environment)
    change(objects)
    assert list(pools.pods_fit_on_their_nodes(objects, pools.pools_of(environment.split("+")[0])))


def test_a_pool_of_two_cpus_holds_no_pod_of_two_cores():
    objects = objects_of("dev")
    ask_for(objects, cpu="2")
    small = pools.Pool("c7g.large", 2, 4, "arm64", static=True, labels={"tallyd.io/pool": "hits"})
    assert list(pools.pods_fit_on_their_nodes(objects, [small]))


def test_an_event_above_the_pool_is_noticed():
    objects = objects_of("prod")
    get(objects, "ScaledObject")["spec"]["triggers"][2]["metadata"]["desiredReplicas"] = "500"
    assert list(pools.events_fit_on_the_nodes(objects, pools.pools_of("prod")))


def test_a_pool_without_an_image_is_noticed():
    assert list(pools.pools_run_on_platforms_we_build(pools.pools_of("prod"), {"linux/amd64"}))
    assert list(pools.pools_run_on_platforms_we_build(pools.pools_of("prod"), {"linux/arm64"}))


@pytest.mark.parametrize("change, ends", [
    (lambda o: settings(o).update(TALLYD_DRAIN_TIMEOUT="10m"), {}), (lambda o: pod(o).update(terminationGracePeriodSeconds=75), {}),
    (lambda o: None, {"deregistration": 60}), (lambda o: None, {"shutdown": 80}), (lambda o: None, {"karpenter": 90})])
def test_an_end_before_the_one_before_is_noticed(change, ends):
    objects = objects_of("prod")
    change(objects)
    assert list(pools.each_end_outlasts_the_one_before(objects, {**pools.endings(), **ends}))

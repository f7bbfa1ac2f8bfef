"""Every overlay in a cluster of the real kube-apiserver, scheduler and controllers; its nodes, which kwok plays, are those of
infra/live: `make check-cluster`. Pods get nodes, spread over the zones; draining nodes respects the budget, a lost zone is made up
for; an event's floor is there before the load, holds, and goes again. A Rollout's pods are those of its Deployment, which runs
them here."""
import subprocess
import time
from collections import Counter

import pytest

from autoscaling import SPEED, Figures, autoscaler
from cluster import PATIENCE, Cluster, Watch, is_ready, without_rollout
from conftest import CACHE, CLOUD, DEPLOY, get, objects_of, tool
from event_plot import draw
from nodes import ZONE, ZONES, floors, nodes_for
from test_daemon import wait_for


@pytest.fixture(params=CLOUD)
def overlay(request):
    return request.param


@pytest.fixture
def begin(tmp_path):
    """Starts a cluster with nodes for so many pods, applies an overlay and an autoscaler, and waits until the least is ready."""
    for name in ("kube-controller-manager", "kube-scheduler", "kwok", "kube-apiserver"):
        if not (CACHE / "bin" / name).exists():
            pytest.skip(f"{name} is not built (make check-cluster builds it)")
    tool("etcd"), tool("kubectl")
    running = []

    def start(overlay, pods, spare=0, change=lambda objects: None):
        objects = objects_of(overlay)
        without_rollout(objects)
        change(objects)
        scaled = get(objects, "ScaledObject")
        one = Cluster(tmp_path)
        running.append(one)
        one.figures = Figures(scaled, tmp_path)
        one.apply(nodes_for(overlay, pods, spare), "create")
        one.apply([*one.figures.objects()])
        one.apply(objects)
        one.watch = Watch(one)
        one.figures.pods = lambda: one.watch.pods
        one.apply([autoscaler(scaled)])
        least = scaled["spec"]["minReplicaCount"]
        settled(one, least)
        return one, least
    yield start
    for one in running:
        one.figures.end()
        one.end()


def settled(one, number):
    said = lambda: f"{one.watch.history[-1]} of {number} pods are ready and all\n{one.kubectl('-n', 'tallyd', 'get', 'pods,rs,hpa,events', '-o', 'wide', check=False).stdout[-6000:]}"
    wait_for(lambda: one.watch.whole(number), said, PATIENCE)


def spread(one):
    """Pods by zone, and the nodes that have one."""
    zones = {n["metadata"]["name"]: n["metadata"]["labels"][ZONE] for n in one.api.get("/api/v1/nodes")["items"]}
    on = [p["spec"]["nodeName"] for p in one.watch.pods.values()]
    return Counter(zones[node] for node in on), set(on)


def test_overlay_runs_and_its_pods_are_spread_over_the_zones(begin, overlay):
    one, least = begin(overlay, dict(floors(overlay))["least"])
    counts, used = spread(one)
    print(f"{overlay:8} {least:2} pods on {len(used)} nodes, by zone {dict(counts)}")
    assert sum(counts.values()) == least and len(counts) == min(least, len(ZONES)) and max(counts.values()) - min(counts.values()) <= 1
    assert not [node for node in used if "-system-" in node]


def drain(one, nodes):
    """All at once, as a new image of the nodes makes it: each by kubectl, with Kubernetes' own evictions."""
    calls = [subprocess.Popen(["kubectl", "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", f"--timeout={PATIENCE}s"],
                              env=one.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for node in nodes]
    for call in calls:
        said, _ = call.communicate(timeout=PATIENCE)
        assert call.returncode == 0, said


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_drain_of_every_node_respects_the_budget(begin, name):
    one, least = begin(name, dict(floors(name))["least"], spare=3)
    when, (_, used) = time.monotonic(), spread(one)
    drain(one, used)
    settled(one, least)
    counts, fresh = spread(one)
    low = one.watch.least_since(when)
    print(f"{name:8} {len(used)} nodes drained at once: at least {low} of {least} pods ready all the time, then by zone {dict(counts)}")
    assert low >= least - 1 and not used & fresh and max(counts.values()) - min(counts.values()) <= 1


def test_without_a_budget_the_same_drain_is_noticed(begin):
    one, least = begin("prod", 6, spare=3, change=lambda objects: objects.remove(get(objects, "PodDisruptionBudget")))
    when, (_, used) = time.monotonic(), spread(one)
    drain(one, used)
    settled(one, least)
    assert one.watch.least_since(when) < least - 1


def test_a_lost_zone_is_made_up_for_in_the_others(begin):
    one, least = begin("prod", 6, spare=2)
    lost = [n["metadata"]["name"] for n in one.api.get("/api/v1/nodes")["items"] if n["metadata"]["labels"][ZONE] == "a"]
    when = time.monotonic()
    one.kubectl("delete", "node", *lost)
    wait_for(lambda: one.watch.whole(least) and set(spread_of_living(one)) == {"b", "c"}, lambda: f"{one.watch.history[-1]}", PATIENCE)
    counts, _ = spread(one)
    print(f"zone a lost: {one.watch.least_since(when)} of {least} pods were left, then by zone {dict(counts)}")
    assert one.watch.least_since(when) == least - least // 3 and counts == {"b": least // 2, "c": least // 2}


def spread_of_living(one):
    """As spread(), while pods of lost nodes are still on their way out."""
    zones = {n["metadata"]["name"]: n["metadata"]["labels"][ZONE] for n in one.api.get("/api/v1/nodes")["items"]}
    return Counter(zones.get(p["spec"].get("nodeName"), "a") for p in one.watch.pods.values() if is_ready(p))


class Day:
    """An event day: what it needs, what is there, what the calendar asks for; a line of figures at every look."""

    def __init__(self, one):
        self.one, self.lines, self.began, self.marks = one, [], time.monotonic(), []

    def look(self):
        _, ready, pods = self.one.watch.history[-1]
        figures = self.one.figures
        floor = max([figures.value(t) for t in figures.triggers if t["type"] == "cron"], default=1)
        self.lines.append({"second": time.monotonic() - self.began, "pods": pods, "ready": ready, "needed": figures.needed(), "floor": floor})
        return self.lines[-1]

    def until(self, what, condition, hold=0.0):
        """Looks until the condition has been true for `hold` seconds."""
        self.marks.append((time.monotonic() - self.began, what))
        since, end = None, time.monotonic() + PATIENCE
        while since is None or time.monotonic() - since < hold:
            line = self.look()
            since = (since or time.monotonic()) if condition(line) else None
            assert time.monotonic() < end, f"{what}: {line}"
            time.sleep(0.1)
        return self.lines[-1]["second"] - self.marks[-1][0]

    def short(self):
        return [line for line in self.lines if line["ready"] < line["needed"]]


def test_an_event_day(begin):
    """The cup final in production: calm, the floor begins a lead before the whistle, the peak, its end; then what is left is calm."""
    name, whole = max(floors("prod"), key=lambda f: f[1])
    one, least = begin("prod", whole)
    day, figures = Day(one), one.figures
    figures.load = 200_000
    day.until("calm", lambda line: line["pods"] == least, hold=5)
    figures.events = {name}
    took = day.until("floor", lambda line: line["ready"] == whole, hold=5)
    counts, _ = spread(one)
    figures.load = 5_000_000
    day.until("peak", lambda line: line["ready"] >= whole, hold=10)
    figures.load = 1_000_000
    day.until("half-time", lambda line: line["ready"] >= whole, hold=25)
    figures.load, figures.events = 300_000, set()
    back = day.until("over", lambda line: line["ready"] == line["pods"] == least, hold=3)
    print(f"{name}: {least} pods, {whole} after {took * SPEED / 60:.0f} minutes of the floor, by zone {dict(counts)}; {least} again {back * SPEED / 60:.0f} minutes after the end")
    draw(day.lines, day.marks, CACHE / "event-day.svg", f"{name} in production: pods over time, {SPEED} times as fast; plateaus cut short")
    assert max(counts.values()) - min(counts.values()) <= 1
    assert day.short() == [] and all(line["pods"] <= 96 for line in day.lines)
    down = [line["pods"] for line in day.lines if line["second"] > day.marks[-1][0]]
    assert all(a >= b for a, b in zip(down, down[1:]))


def test_without_its_floor_the_peak_is_noticed(begin):
    """The day can fail: the same peak meets as many pods as a calm day has."""
    one, least = begin("prod", 82)
    day = Day(one)
    one.figures.load = 200_000
    day.until("calm", lambda line: line["pods"] == least, hold=3)
    one.figures.load = 5_000_000
    day.until("peak", lambda line: line["ready"] >= line["needed"])
    assert day.short()

"""Hints in the simulator: pods that come one by one are ranked by the extender's own code, and a repack heeds them too."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from berth_api.packing_policy import PackingPolicy
from berth_planner.options import PlanOptions
from berth_planner.simulated_cluster import SimulatedCluster
from berth_scheduling.scheduler import Scheduler

from .clusters import ZONE, Cluster

ENFORCING = PackingPolicy.model_validate({"metadata": {"name": "p"}, "spec": {"hints": {"enforceStrong": ["default"]}}})


def site() -> Cluster:
    """Two nodes in each of three zones."""
    cluster = Cluster()
    for zone in ("east", "south", "west"):
        cluster.node(f"{zone}-1", zone=zone, gpu=8).node(f"{zone}-2", zone=zone, gpu=8)
    return cluster


def simulated(cluster: Cluster, seed: int, berth: Scheduler | None = None) -> SimulatedCluster:
    return SimulatedCluster(cluster.snapshot(), random.Random(seed), berth or Scheduler())


def arrivals(cluster: SimulatedCluster, workload: str, count: int, hint: str, gpu: int = 1) -> list[str | None]:
    pods = Cluster().pods(workload, count, gpu=gpu, hint=hint, scheduler="berth").all_pods
    return [cluster.arrive(pod) for pod in pods]


@pytest.mark.parametrize("seed", range(5))
def test_replicas_that_come_one_by_one_are_spread(seed: int) -> None:
    cluster = simulated(site(), seed)
    nodes = arrivals(cluster, "web", 6, "spread us over zones")
    assert Counter(str(node).partition("-")[0] for node in nodes) == {"east": 2, "south": 2, "west": 2}
    assert len(set(nodes)) == 6  # and no two share a node


@pytest.mark.parametrize("seed", range(5))
def test_opposite_wishes_on_one_site(seed: int) -> None:
    cluster = simulated(site(), seed)
    arrivals(cluster, "etl", 2, "keep all replicas on one node")
    web = arrivals(cluster, "web", 4, "never next to etl")
    snapshot = cluster.snapshot
    etl = {p.node for p in snapshot.pods if p.workload.name == "etl"}
    assert len(etl) == 1
    assert not etl & set(web)


@pytest.mark.parametrize("seed", range(5))
def test_the_plan_and_the_scheduler_like_the_same_places(seed: int) -> None:
    """What waits is placed by a plan where it would have been placed on arrival."""
    hint = "must be in zone south"
    (node,) = arrivals(simulated(site(), seed), "web", 1, hint)
    waiting = SimulatedCluster(site().pods("web", gpu=1, hint=hint).snapshot(), random.Random(seed), Scheduler())
    waiting.repack(PlanOptions(budget=0.5))
    (pod,) = waiting.snapshot.pods
    zones = {n.name: n.labels[ZONE] for n in waiting.snapshot.nodes}
    assert zones[str(node)] == zones[str(pod.node)] == "south"


def test_an_enforced_wish_waits_and_only_a_repack_satisfies_it() -> None:
    site_now = site().pods("other", gpu=5, on="west-1").pods("more", gpu=8, on="west-2")
    berth = Scheduler()
    berth.policy_changed(None, ENFORCING)
    cluster = simulated(site_now, 1, berth)
    hint = "must run in zone west"
    assert arrivals(cluster, "web", 1, hint, gpu=8) == [None]
    plan = cluster.repack(PlanOptions(budget=0.5, policies=(ENFORCING,)))
    assert plan.disruption.moves == 1
    placed = {p.workload.name: p.node for p in cluster.snapshot.pods}
    assert str(placed["web"]).startswith("west")


def test_without_enforcement_it_takes_another_zone_and_nobody_moves() -> None:
    site_now = site().pods("other", gpu=5, on="west-1").pods("more", gpu=8, on="west-2")
    cluster = simulated(site_now, 1)
    (node,) = arrivals(cluster, "web", 1, "must run in zone west", gpu=8)
    assert node is not None
    assert not node.startswith("west")

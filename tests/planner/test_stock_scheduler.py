"""The simulated stock scheduler likes what the real one's default plugins like, and Berth beside it decides by its ranks."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from berth_cluster.snapshot import PreferredNodeTerm, Taint
from berth_planner.options import PlanOptions
from berth_planner.simulated_cluster import SimulatedCluster
from berth_planner.stock_scheduler import StockScheduler, feasible
from berth_scheduling.scheduler import Scheduler

from .clusters import Cluster, where
from .random_clusters import random_case, snapshot_of


def chosen(cluster: Cluster) -> str | None:
    """Where the last pod of the cluster goes."""
    snapshot = cluster.snapshot()
    placed = StockScheduler(snapshot, random.Random(1)).schedule(snapshot.pods[-1])
    return None if placed is None else placed.node


def test_the_emptier_node_is_better() -> None:
    assert chosen(Cluster().node("n1").node("n2").pods("a", on="n1", cpu=32_000).pods("b")) == "n2"


def test_scores_are_the_plugins_own_figures() -> None:
    cluster = Cluster().node("n1", cpu=4_000, memory=8 << 30).pods("a", cpu=1_000, memory=4 << 30)
    snapshot = cluster.snapshot()
    scores = StockScheduler(snapshot, random.Random(1)).scores(snapshot.pods[0], snapshot.nodes)
    # LeastAllocated (75 + 50) / 2 = 62, balanced (1 - (0.5 - 0.25) / 2) * 100 = 87, no taint 3 * 100
    assert scores == {"n1": 62 + 87 + 300}


def test_a_preferred_node_outweighs_a_little_emptiness() -> None:
    cluster = Cluster().node("n1", disk="ssd").node("n2").pods("a", on="n1", cpu=16_000)
    assert chosen(cluster.pods("b", prefers=[PreferredNodeTerm(10, where(disk="ssd"))])) == "n1"


def test_a_node_that_would_rather_not_is_avoided() -> None:
    spot = Taint("spot", "", "PreferNoSchedule")
    assert chosen(Cluster().node("n1", taints=[spot]).node("n2").pods("a", on="n2", cpu=32_000).pods("b")) == "n2"


def test_equal_nodes_are_taken_at_random() -> None:
    cluster = Cluster().node("n1").node("n2").pods("a")
    snapshot = cluster.snapshot()
    draws = [StockScheduler(snapshot, random.Random(i)).schedule(snapshot.pods[0]) for i in range(20)]
    assert {pod.node for pod in draws if pod is not None} == {"n1", "n2"}


@pytest.mark.parametrize("seed", range(40))
def test_a_pod_is_placed_where_it_may_or_nowhere(seed: int) -> None:
    snapshot, pod = snapshot_of(random_case(random.Random(seed)))
    may = feasible(snapshot, pod)
    placed = StockScheduler(snapshot, random.Random(seed)).schedule(pod)
    assert (placed.node if placed is not None else None) in (may or {None})


def arrivals(berth: Scheduler | None) -> SimulatedCluster:
    """Four nodes of 8 GPUs, and 8 pods of 2 GPUs, one after the other."""
    empty = Cluster()
    for i in range(4):
        empty.node(f"n{i}", gpu=8)
    simulated = SimulatedCluster(empty.snapshot(), random.Random(3), berth)
    for pod in Cluster().pods("small", 8, gpu=2).snapshot().pods:
        assert simulated.arrive(pod) is not None
    return simulated


def test_berth_keeps_whole_nodes_free_where_the_stock_scheduler_strews() -> None:
    big = Cluster().pods("big", gpu=8).snapshot().pods[0]
    assert arrivals(None).arrive(big) is None
    assert arrivals(Scheduler()).arrive(big) is not None


def test_what_the_stock_scheduler_strewed_is_packed_by_moves() -> None:
    simulated = arrivals(None)
    big = replace(Cluster().pods("big", gpu=8).snapshot().pods[0])
    assert simulated.arrive(big) is None
    plan = simulated.repack(PlanOptions(budget=1.0))
    assert simulated.moves == plan.disruption.moves == 2
    assert all(pod.node is not None for pod in simulated.snapshot.pods)
    assert simulated.arrive(replace(big, name="other", uid="other")) is None

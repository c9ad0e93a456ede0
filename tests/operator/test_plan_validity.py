"""Trying the rest of a plan on paper: what stops it, what passes, and how much work a long plan is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from berth_api.packing_plan import Outcome, PackingPlan
from berth_operator.arrivals import Arrivals
from berth_operator.plan_validity import Obstacle, obstacles
from berth_planner.kube_filter import Cluster

from .model_cluster import ModelCluster
from .plans import plan

LONG = 200
"""Waves. Work that grows with the square of it is 100 times what the tests allow."""


def chain(length: int) -> tuple[ModelCluster, PackingPlan]:
    """Nodes half full each; one pod after the other moves up to the node before."""
    cluster = ModelCluster()
    for i in range(length + 1):
        cluster.node(f"n{i}")
    cluster.deploy("web", gpu=4, on=[f"n{i}" for i in range(length + 1)])
    built = plan("p1", cluster)
    for i in range(length):
        built.evicts(f"web-{i + 1}", to=f"n{i}").places("web", on=f"n{i}").next_wave()
    return cluster, built.build()


def found(cluster: ModelCluster, of: PackingPlan) -> list[Obstacle]:
    snapshot = cluster.snapshot()
    arrivals = Arrivals(of, snapshot)
    return obstacles(arrivals, snapshot, range(len(arrivals.steps)), lambda pod: "")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nodes that a filter was asked about."""
    nodes: list[str] = []
    real: Callable[..., object] = Cluster.against

    def against(self: Cluster, pod: object, node: object) -> object:
        nodes.append(node.name)  # type: ignore[attr-defined]
        return real(self, pod, node)

    monkeypatch.setattr(Cluster, "against", against)
    return nodes


def test_each_step_of_a_long_plan_is_tried_once(asked: list[str]) -> None:
    cluster, long = chain(LONG)
    assert found(cluster, long) == []
    assert len(asked) == LONG


def test_the_first_step_that_cannot_work_ends_the_walk_however_long_the_plan_is(asked: list[str]) -> None:
    cluster, long = chain(LONG)
    for name in list(cluster.pods):
        cluster.pods.pop(name)
    cluster.deploy("other", gpu=8, on=[f"n{i}" for i in range(LONG + 1)])
    [obstacle] = found(cluster, long)
    assert obstacle.outcome is Outcome.OVERTAKEN
    assert "n0" in obstacle.message
    assert len(asked) <= 6


def test_what_only_a_leaving_pod_is_in_the_way_of_passes() -> None:
    cluster, plan_ = chain(2)
    cluster.deploy("other", gpu=4, on=["n0"])
    [lasts] = found(cluster, plan_)
    uid = next(uid for uid, pod in cluster.pods.items() if pod.workload.name == "other")
    cluster.pods[uid] = replace(cluster.pods[uid], terminating=True)
    [passes] = found(cluster, plan_)
    assert (lasts.passes, passes.passes) == (False, True)
    assert lasts.message == passes.message


def test_what_a_leaving_pod_hides_does_not_pass() -> None:
    """n0 waits for a pod that is leaving; n1, further on, is full for good."""
    cluster, plan_ = chain(2)
    cluster.deploy("leaving", gpu=4, on=["n0"])
    cluster.deploy("staying", gpu=6, on=["n1"])
    uid = next(uid for uid, pod in cluster.pods.items() if pod.workload.name == "leaving")
    cluster.pods[uid] = replace(cluster.pods[uid], terminating=True)
    [obstacle] = found(cluster, plan_)
    assert not obstacle.passes
    assert "n1" in obstacle.message

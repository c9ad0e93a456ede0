"""A plan's fingerprint changes when, and only when, what it depends on does."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_planner.fingerprint import fingerprint
from berth_planner.options import PlanOptions
from berth_planner.plan import Plan
from berth_planner.planning import make_plan

from .clusters import Cluster


def a_cluster() -> Cluster:
    """Two half-full nodes that one move makes room on, and one that has nothing to do with it."""
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8).node("z", gpu=2)
    cluster.pods("a", 1, gpu=4, on="n1").pods("b", 1, gpu=4, on="n2").pods("far", 1, gpu=1, on="z")
    return cluster.pods("big", 1, gpu=8, priority=100)


@pytest.fixture(scope="module")
def made() -> tuple[Snapshot, Plan, str]:
    snapshot = a_cluster().snapshot()
    plan = make_plan(snapshot, PlanOptions(budget=1.0))
    assert plan.waves
    return snapshot, plan, fingerprint(plan, snapshot)


def with_node(snapshot: Snapshot, name: str, change: Callable[[Node], Node]) -> Snapshot:
    return msgspec.structs.replace(snapshot, nodes=tuple(change(n) if n.name == name else n for n in snapshot.nodes))


def with_pod(snapshot: Snapshot, name: str, **changes: object) -> Snapshot:
    pods = tuple(msgspec.structs.replace(p, **changes) if p.name == name else p for p in snapshot.pods)
    return msgspec.structs.replace(snapshot, pods=pods)


def test_the_same_world_later_is_the_same(made: tuple[Snapshot, Plan, str]) -> None:
    _, plan, before = made
    assert fingerprint(plan, msgspec.structs.replace(a_cluster().snapshot(), taken="later")) == before


@pytest.mark.parametrize(
    "change",
    [
        {"ready": False},
        {"unschedulable": True},
        {"labels": {"zone": "other"}},
        {"allocatable": (("nvidia.com/gpu", 7), ("pods", 110))},
    ],
)
def test_a_touched_node_that_changes_matters(made: tuple[Snapshot, Plan, str], change: dict[str, object]) -> None:
    snapshot, plan, before = made
    touched = plan.placements[0].node
    assert fingerprint(plan, with_node(snapshot, touched, lambda n: msgspec.structs.replace(n, **change))) != before
    assert fingerprint(plan, with_node(snapshot, "z", lambda n: msgspec.structs.replace(n, **change))) == before


@pytest.mark.parametrize(
    "change", [{"terminating": True}, {"uid": "namesake"}, {"node": "z"}, {"immovable": ("DoNotMove",)}]
)
def test_pods_on_touched_nodes_matter(made: tuple[Snapshot, Plan, str], change: dict[str, object]) -> None:
    snapshot, plan, before = made
    assert fingerprint(plan, with_pod(snapshot, "a-0", **change)) != before


def test_a_thief_on_a_touched_node_matters_and_one_elsewhere_does_not(made: tuple[Snapshot, Plan, str]) -> None:
    snapshot, plan, before = made

    def arrived(on: str) -> Snapshot:
        thief: Pod = msgspec.structs.replace(snapshot.pods[0], name="thief", uid="thief", node=on)
        return msgspec.structs.replace(snapshot, pods=(*snapshot.pods, thief))

    assert fingerprint(plan, arrived(plan.placements[0].node)) != before
    assert fingerprint(plan, arrived("z")) == before


def test_a_waiting_pod_that_found_its_own_place_matters(made: tuple[Snapshot, Plan, str]) -> None:
    snapshot, plan, before = made
    assert fingerprint(plan, with_pod(snapshot, "big-0", node="z")) != before
    assert fingerprint(plan, with_pod(snapshot, "big-0", hint="close to the cache")) == before

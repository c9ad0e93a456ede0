"""What if: changed clusters, and what a change is worth."""

from __future__ import annotations

import pytest

from berth_api.reasons import Reason
from berth_planner.compare import compare
from berth_planner.frontier import frontier
from berth_planner.manifests import ManifestError
from berth_planner.options import PlanOptions
from berth_planner.planning import make_plan
from berth_planner.what_if import (
    WhatIfError,
    add_manifests,
    add_nodes,
    cordon,
    remove_nodes,
    set_class_priority,
    set_workload_priority,
)

from .clusters import Cluster

OPTIONS = PlanOptions(budget=0.5)


def full_cluster() -> Cluster:
    cluster = Cluster(priority_classes={"vip": 100}).node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("agent", 1, on="n1", cpu=500, kind="DaemonSet", immovable=[Reason.DAEMON_SET])
    return cluster.pods("a", on="n1", gpu=8, priority=1).pods("b", on="n2", gpu=8, priority=1).pods("want", 2, gpu=8)


def deployment(replicas: int, **resources: str) -> dict[str, object]:
    container = {"name": "c", "resources": {"limits": resources}}
    template = {"metadata": {"labels": {"app": "new"}}, "spec": {"containers": [container], "priorityClassName": "vip"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "new"},
        "spec": {"replicas": replicas, "template": template},
    }


def test_one_more_node_places_one_more_pod() -> None:
    snapshot = full_cluster().snapshot()
    changed = add_nodes(snapshot, like="n1", count=1)
    difference = compare(make_plan(snapshot, OPTIONS), make_plan(changed, OPTIONS))
    assert difference.waiting_less == 1
    assert difference.proven
    added = next(n for n in changed.nodes if n.name == "n1-what-if-1")
    assert added.labels["kubernetes.io/hostname"] == added.name
    assert [p.name for p in changed.pods if p.node == added.name] == ["agent-0-n1-what-if-1"]


def test_a_removed_node_sets_its_pods_waiting() -> None:
    snapshot = full_cluster().snapshot()
    changed = remove_nodes(snapshot, ["n1"])
    assert {p.name for p in changed.pods if p.node is None} == {"a-0", "want-0", "want-1"}
    assert not any(p.name.startswith("agent") for p in changed.pods)
    plan = make_plan(changed, OPTIONS)
    assert [(t.priority, t.pods, t.placed_after) for t in plan.tiers] == [(1, 2, 1), (0, 2, 0)]


def test_a_cordoned_node_takes_nothing_new() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8).pods("a", on="n1", gpu=4).pods("w", 2, gpu=4)
    changed = cordon(cluster.snapshot(), ["n1"])
    assert {p.node for p in make_plan(changed, OPTIONS).placements} == {"n2"}
    assert cordon(changed, ["n1"], undo=True) == cluster.snapshot()


def test_a_deployment_brings_its_pods_with_its_class() -> None:
    snapshot = full_cluster().snapshot()
    changed = add_manifests(snapshot, [deployment(3, **{"nvidia.com/gpu": "8", "cpu": "1"})])
    added = [p for p in changed.pods if p.workload.name == "new"]
    assert [(p.priority, p.is_pending, p.is_movable) for p in added] == [(100, True, True)] * 3
    assert dict(added[0].spec.requests) == {"cpu": 1000, "nvidia.com/gpu": 8, "pods": 1}
    plan = make_plan(changed, OPTIONS)
    assert plan.tiers[0].priority == 100
    assert plan.tiers[0].placed_after == 2


def test_a_hint_beside_the_deployments_name_is_that_of_its_pods() -> None:
    hinted = deployment(2, cpu="1")
    hinted["metadata"] = {"name": "new", "annotations": {"berth.dev/allocation-hint": "on H100s"}}
    changed = add_manifests(full_cluster().snapshot(), [hinted])
    assert [p.hint for p in changed.pods if p.workload.name == "new"] == ["on H100s"] * 2


def test_adding_twice_names_apart() -> None:
    once = add_manifests(full_cluster().snapshot(), [deployment(2, cpu="1")])
    twice = add_manifests(once, [{"kind": "List", "items": [deployment(2, cpu="1")]}])
    assert sum(p.workload.name == "new" for p in twice.pods) == 4


def test_nodes_and_jobs_from_manifests() -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "fresh"},
        "status": {"allocatable": {"cpu": "8", "pods": "10", "nvidia.com/gpu": "8"}},
    }
    job = deployment(1, **{"nvidia.com/gpu": "4"}) | {"kind": "Job", "apiVersion": "batch/v1"}
    job["spec"] = dict(job["spec"]) | {"parallelism": 2, "completions": 1}  # type: ignore[call-overload]
    changed = add_manifests(full_cluster().snapshot(), [node, job])
    assert "fresh" in {n.name for n in changed.nodes}
    assert sum(p.workload.name == "new" for p in changed.pods) == 1


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"kind": "Service", "metadata": {"name": "s"}}, "kind Service cannot be added"),
        ({"metadata": {"name": "s"}}, "has no kind"),
        ({"kind": "Deployment", "metadata": {}}, "no metadata.name"),
        ({"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": "two"}}, "whole number"),
        ({"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 1}}, "template.spec is missing"),
        (
            {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 10**9, "template": {"spec": {}}}},
            "fewer",
        ),
    ],
)
def test_manifests_that_cannot_be_added_say_why(manifest: dict[str, object], said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        add_manifests(full_cluster().snapshot(), [manifest])


def test_priorities_change_who_is_placed() -> None:
    snapshot = full_cluster().snapshot()
    plan = make_plan(set_workload_priority(snapshot, "deploy/want", 50), OPTIONS)
    assert [(t.priority, t.placed_after) for t in plan.tiers if t.priority] == [(50, 2), (1, 0)]


def test_a_class_takes_its_pods_along() -> None:
    cluster = full_cluster().pods("v", gpu=1, priority=100, priority_class="vip")
    changed = set_class_priority(cluster.snapshot(), "vip", 7)
    assert changed.priority_classes["vip"] == 7
    assert [p.priority for p in changed.pods if p.priority_class == "vip"] == [7]


def test_unknown_names_offer_what_there_is() -> None:
    snapshot = full_cluster().snapshot()
    with pytest.raises(WhatIfError, match="no node 'n9'; there are n1, n2"):
        add_nodes(snapshot, like="n9", count=1)
    with pytest.raises(WhatIfError, match="no workload"):
        set_workload_priority(snapshot, "nothing", 1)
    with pytest.raises(WhatIfError, match="no PriorityClass 'x'; there are vip"):
        set_class_priority(snapshot, "x", 1)
    with pytest.raises(WhatIfError, match="give a number"):
        add_nodes(snapshot, like="n1", count=0)


def test_each_move_of_the_frontier_buys_something() -> None:
    cluster = Cluster()
    for i in range(4):
        cluster.node(f"n{i}", gpu=8).pods(f"w{i}", on=f"n{i}", gpu=4)
    cluster.pods("big", 2, gpu=8, priority=1).pods("small", 1, gpu=4)
    points = frontier(cluster.snapshot(), OPTIONS)
    assert [p.disturbed for p in points] == sorted(p.disturbed for p in points)
    assert points[0].disturbed == 0
    assert dict(points[0].placed)[1] == 0
    assert dict(points[-1].placed)[1] == 2
    assert points[-1].gained_per_move == points[-1].gained / points[-1].disturbed
    assert all(p.proven for p in points)

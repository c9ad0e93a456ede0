"""The way back of a plan: the cluster as it was, in a safe order, or the reason why not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from berth_api.packing_plan import EvictionRecord, PackingPlan, PackingPlanStatus, Trigger
from berth_api.reasons import Reason
from berth_api.resource import Condition, Metadata
from berth_cluster.snapshot import Snapshot
from berth_planner.options import PlanOptions
from berth_planner.plan import Plan
from berth_planner.plan_object import plan_specs
from berth_planner.planning import make_plan
from berth_planner.way_back import NoWayBackError, way_back

from .clusters import Cluster

NOW = datetime(2026, 11, 23, tzinfo=UTC)
OPTIONS = PlanOptions(budget=0.5, threads=1)


def packing_plan(plan: Plan, snapshot: Snapshot, *, done: bool = False) -> PackingPlan:
    [spec] = plan_specs(plan, snapshot, policy="", trigger=Trigger.PERSON, now=NOW, deadline_seconds=90, approved=False)
    status = PackingPlanStatus()
    if done:
        finished = Condition(type="Finished", status="True", reason="Completed", last_transition_time=NOW)
        records = [EvictionRecord(pod=e.pod, uid=e.uid, workload="", at=NOW) for e in spec.evictions]
        status = PackingPlanStatus(phase="Completed", conditions=[finished], evictions=records)
    return PackingPlan(metadata=Metadata(name="plan-1", uid="u"), spec=spec, status=status)


def carried_out(snapshot: Snapshot, plan: PackingPlan) -> Snapshot:
    """As controllers and the scheduler leave it: replacements have names of their own."""
    pods = []
    leaves = {e.uid: e.target for e in plan.spec.evictions}
    arrives = {pod: p.node for p in plan.spec.placements for pod in p.pods}
    for pod in snapshot.pods:
        if pod.uid in leaves:
            node = leaves[pod.uid]
            name = f"{pod.name}-new"
            pod = replace(pod, node=node, name=name, uid=f"{pod.uid}-new", phase="Running" if node else "Pending")
        elif pod.key in arrives:
            pod = replace(pod, node=arrives[pod.key], phase="Running")
        pods.append(pod)
    return replace(snapshot, pods=tuple(sorted(pods, key=lambda p: (p.namespace, p.name))))


def counts(snapshot: Snapshot) -> Counter[tuple[str, str | None]]:
    return Counter((str(pod.workload), pod.node) for pod in snapshot.pods)


def after(snapshot: Snapshot, plan: Plan) -> Counter[tuple[str, str | None]]:
    found = counts(snapshot)
    for wave in plan.waves:
        for eviction in wave.evictions:
            found[str(eviction.workload), eviction.node] -= 1
            if eviction.target is None:
                found[str(eviction.workload), None] += 1
        for placement in wave.placements:
            found[str(placement.workload), placement.node] += placement.count
            found[str(placement.workload), None] -= len(placement.pods)
    return +found


def fragmented() -> Snapshot:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    return cluster.pods("left", 1, gpu=4, on="n1").pods("right", 1, gpu=4, on="n2").pods("big", 1, gpu=8).snapshot()


def test_what_was_carried_out_is_undone() -> None:
    snapshot = fragmented()
    plan = packing_plan(make_plan(snapshot, OPTIONS), snapshot, done=True)
    now = carried_out(snapshot, plan)
    back = way_back(now, plan, OPTIONS)
    assert after(now, back) == counts(snapshot)
    assert (back.disruption.moves, back.disruption.evictions, back.disruption.certificate) == (1, 1, "Optimal")
    assert [(t.placed_before, t.placed_after) for t in back.tiers] == [(3, 2)]
    assert back.verified


def test_of_a_proposed_plan_the_way_back_is_from_what_it_would_do() -> None:
    snapshot = fragmented()
    plan = packing_plan(make_plan(snapshot, OPTIONS), snapshot)
    back = way_back(snapshot, plan, OPTIONS)
    assert (back.disruption.moves, back.disruption.evictions) == (1, 1)


def test_no_step_needs_room_that_is_not_free_yet() -> None:
    snapshot = fragmented()
    plan = packing_plan(make_plan(snapshot, OPTIONS), snapshot, done=True)
    now = carried_out(snapshot, plan)
    free = {node.name: 8 for node in now.nodes}
    for pod in now.pods:
        if pod.node:
            free[pod.node] -= dict(pod.spec.requests)["nvidia.com/gpu"]
    for wave in way_back(now, plan, OPTIONS).waves:
        for step in wave.steps:
            for eviction in step.evictions:
                free[eviction.node] += dict(eviction.requests)["nvidia.com/gpu"]
            for placement in step.placements:
                free[placement.node] -= dict(placement.requests)["nvidia.com/gpu"] * placement.count
                assert free[placement.node] >= 0


def test_where_it_is_no_longer_possible_the_reason_is_told() -> None:
    snapshot = fragmented()
    plan = packing_plan(make_plan(snapshot, OPTIONS), snapshot, done=True)
    now = carried_out(snapshot, plan)
    home = plan.spec.evictions[0].node
    moved = next(pod for pod in now.pods if pod.name.endswith("-new"))

    def told(changed: Snapshot) -> str:
        with pytest.raises(NoWayBackError) as found:
            way_back(changed, plan, OPTIONS)
        return str(found.value)

    without = replace(now, nodes=tuple(n for n in now.nodes if n.name != home))
    assert f"node {home}" in told(without)
    assert "does not stand" in told(replace(now, pods=tuple(p for p in now.pods if p is not moved)))
    fixed = tuple(replace(p, immovable=(Reason.DO_NOT_MOVE,)) if p is moved else p for p in now.pods)
    assert "may not be moved" in told(replace(now, pods=fixed))
    taken = Cluster().node("n1", gpu=8).node("n2", gpu=8).pods("thief", 1, gpu=8, on=home).snapshot().pods
    others = tuple(p for p in now.pods if p.node != home)
    thieves = tuple(replace(t, immovable=(Reason.DO_NOT_MOVE,)) for t in taken)
    assert f"{moved.key} cannot go back to {home}" in told(replace(now, pods=(*others, *thieves)))
    assert "room there is taken" in told(replace(now, pods=(*others, *thieves)))
    shut = tuple(replace(n, unschedulable=n.name == home) for n in now.nodes)
    assert f"{moved.key} cannot go back to {home}: the node is closed" in told(replace(now, nodes=shut))
    nothing = packing_plan(make_plan(snapshot, OPTIONS), snapshot)
    finished = nothing.model_copy(update={"status": PackingPlanStatus(conditions=[
        Condition(type="Finished", status="True", reason="Expired", last_transition_time=NOW)])})  # fmt: skip
    with pytest.raises(NoWayBackError, match="nothing to undo"):
        way_back(snapshot, finished, OPTIONS)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2), st.sampled_from([0, 100])), min_size=2, max_size=8))
def test_there_and_back_is_the_cluster_as_it_was(pods: list[tuple[int, int, int]]) -> None:
    """The law: whatever a plan did, the way back leads to the same pods of each workload on the same nodes."""
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    used = {"n1": 0, "n2": 0}
    for i, (gpus, where, priority) in enumerate(pods):
        node = [None, "n1", "n2"][where]
        if node is not None and used[node] + gpus > 8:
            node = None
        if node is None:
            cluster.pods(f"w{i}", 1, gpu=gpus, priority=priority)
        else:
            used[node] += gpus
            cluster.pods(f"w{i}", 1, gpu=gpus, priority=priority, on=node)
    cluster.pods("big", 1, gpu=8, priority=100)
    snapshot = cluster.snapshot()
    made = make_plan(snapshot, OPTIONS)
    if made.is_empty:
        return
    plan = packing_plan(made, snapshot, done=True)
    now = carried_out(snapshot, plan)
    try:
        back = way_back(now, plan, OPTIONS)
    except NoWayBackError as error:
        assert "cannot go back" in str(error)  # noqa: PT017  two pods that each need the other's room
        return
    assert after(now, back) == counts(snapshot)

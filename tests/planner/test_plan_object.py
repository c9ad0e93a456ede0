"""A plan as an object in the cluster: it counts what stands, says what is proven, and never grows past what fits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace

from berth_api.packing_plan import PackingPlanSpec, Trigger
from berth_cluster.snapshot import Snapshot
from berth_planner import plan_object
from berth_planner.options import PlanOptions
from berth_planner.plan import Eviction, Placement, Plan, Wave
from berth_planner.plan_object import LOADING_SECONDS, MAX_BYTES, MAX_MOVES, plan_specs
from berth_planner.planning import make_plan

from .clusters import Cluster

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def planned(snapshot: Snapshot) -> Plan:
    return make_plan(snapshot, PlanOptions(budget=1.0, threads=1))


def specs(plan: Plan, snapshot: Snapshot) -> list[PackingPlanSpec]:
    return plan_specs(
        plan,
        snapshot,
        policy="gold",
        trigger=Trigger.UNSCHEDULABLE,
        now=NOW,
        deadline_seconds=90,
        approved=True,
        resource_versions={"pods": "7"},
        fingerprint="f",
    )


def fragmented() -> Snapshot:
    """Two nodes of 8 GPUs with 6 taken each; 4 wanted at once."""
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    return cluster.pods("small", 3, gpu=2, on="n1").pods("small", 3, gpu=2, on="n2").pods("big", 1, gpu=4).snapshot()


def test_where_replicas_of_services_move_there_is_time_for_them_to_load() -> None:
    snapshot = fragmented()
    [spec] = specs(planned(snapshot), snapshot)
    assert (spec.deadline - NOW).total_seconds() == 90
    services = [replace(p, workload=replace(p.workload, kind="LLMService")) for p in snapshot.pods]
    snapshot = replace(snapshot, pods=tuple(services))
    [spec] = specs(planned(snapshot), snapshot)
    assert (spec.deadline - NOW).total_seconds() == 90 + LOADING_SECONDS


def test_it_says_who_goes_where_and_how_many_stood_there() -> None:
    snapshot = fragmented()
    [spec] = specs(planned(snapshot), snapshot)
    [eviction] = spec.evictions
    arrivals = {p.workload.name: p for p in spec.placements}
    assert arrivals["small"].node == eviction.target != eviction.node
    assert arrivals["small"].standing == 3
    assert arrivals["big"].node == eviction.node
    assert arrivals["big"].standing == 0
    assert arrivals["big"].pods == ["default/big-0"]
    assert arrivals["big"].requests["nvidia.com/gpu"] == 4


def test_pods_that_leave_or_are_leaving_already_do_not_stand() -> None:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    snapshot = cluster.pods("small", 2, gpu=2, on="n1").pods("small", 3, gpu=2, on="n2").snapshot()
    plan = planned(fragmented())
    target = next(p.node for p in plan.placements if p.workload.name == "small")
    going = msgspec.structs.replace(
        snapshot, pods=tuple(msgspec.structs.replace(p, terminating=p.node == target) for p in snapshot.pods)
    )
    [spec] = specs(plan, going)
    assert next(p for p in spec.placements if p.workload.name == "small").standing == 0


def test_it_carries_its_certificate_and_what_it_was_made_on() -> None:
    snapshot = fragmented()
    [spec] = specs(planned(snapshot), snapshot)
    assert spec.summary == "1 waiting pod placed by 1 move; proven: no placement holds more"
    assert spec.certificate.verified
    assert spec.certificate.disruption.moves == 1
    assert (spec.policy, spec.trigger, spec.approved) == ("gold", Trigger.UNSCHEDULABLE, True)
    assert spec.deadline == NOW + timedelta(seconds=90)
    assert spec.snapshot.resource_versions == {"pods": "7"}
    assert spec.snapshot.fingerprint == "f"


def test_it_reads_back_as_it_was_written() -> None:
    snapshot = fragmented()
    [spec] = specs(planned(snapshot), snapshot)
    assert PackingPlanSpec.model_validate(spec.to_json()) == spec


def test_a_plan_too_large_for_one_object_is_cut_between_waves() -> None:
    snapshot = fragmented()
    small = planned(snapshot)
    waves = small.waves * (MAX_MOVES * 2 + 1)
    parts = specs(msgspec.structs.replace(small, waves=waves), snapshot)
    assert sum(len(part.waves) for part in parts) == len(waves)
    for i, part in enumerate(parts, 1):
        assert len(part.evictions) <= MAX_MOVES
        assert len(part.model_dump_json(by_alias=True)) < MAX_BYTES * 1.1
        assert part.summary.startswith(f"part {i} of {len(parts)}: ")


def move(snapshot: Snapshot, name: str, to: str) -> Wave:
    pod = next(p for p in snapshot.pods if p.name == name)
    assert pod.node is not None
    request = pod.spec.requests
    leaves = Eviction(pod.key, pod.uid, pod.workload, pod.priority, pod.node, to, 1, request)
    return Wave((leaves,), (Placement(pod.workload, pod.priority, to, 1, request),))


def test_each_part_counts_what_stands_when_its_turn_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three of a kind on n1: one goes to n2 by the first part, which must find the other two standing; then n2's goes on."""
    monkeypatch.setattr(plan_object, "MAX_MOVES", 1)
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8).node("n3", gpu=8)
    snapshot = cluster.pods("small", 3, gpu=2, on="n1").pods("small", 1, gpu=2, on="n2").snapshot()
    on = {node: [p.name for p in snapshot.pods if p.node == node] for node in ("n1", "n2")}
    waves = (move(snapshot, on["n1"][0], "n2"), move(snapshot, on["n2"][0], "n1"), move(snapshot, on["n1"][1], "n2"))
    plan = msgspec.structs.replace(planned(fragmented()), waves=waves)
    parts = specs(plan, snapshot)
    # n2 holds its own pod; then n1 the two that stayed; then n2 the one that came, for its own has gone
    assert [p.standing for part in parts for p in part.placements] == [1, 2, 1]

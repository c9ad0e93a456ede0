"""Policies, plan objects and waiting pods, a line each, on top of the planner's clusters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from berth_api.packing_plan import (
    DisruptionCertificate,
    EvictionRecord,
    PackingPlan,
    PackingPlanSpec,
    PackingPlanStatus,
    PlanCertificate,
    PlannedEviction,
    PlannedStep,
    PlannedWave,
    PlanSnapshot,
    Trigger,
    WorkloadRef,
)
from berth_api.packing_policy import PackingPolicy, PackingPolicySpec
from berth_api.resource import Condition, Metadata
from berth_cluster.snapshot import Pod, Snapshot

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def ago(**delta: float) -> datetime:
    return NOW - timedelta(**delta)


def policy(name: str, *, created: datetime = NOW, **spec: Any) -> PackingPolicy:
    metadata = Metadata(name=name, creation_timestamp=created, generation=1)
    return PackingPolicy(metadata=metadata, spec=PackingPolicySpec.model_validate(spec))


def waiting(pod: Pod, **changes: Any) -> Pod:
    """As kube-scheduler leaves a pod of ours that it could not place."""
    return msgspec.structs.replace(pod, **{"scheduler": "berth", "unschedulable": True, **changes})


def of_berth(snapshot: Snapshot) -> Snapshot:
    """All pods use our scheduler; those without a node were refused."""
    pods = (
        waiting(p) if p.node is None else msgspec.structs.replace(p, scheduler="berth", moved_at=p.moved_at)
        for p in snapshot.pods
    )
    return msgspec.structs.replace(snapshot, pods=tuple(pods))


def evicted(workload: str, at: datetime, number: int = 0) -> EvictionRecord:
    name = f"{workload}-{number}"
    return EvictionRecord(pod=f"default/{name}", uid=f"uid-{name}", workload=f"default/Deployment/{workload}", at=at)


def plan_object(
    name: str,
    *,
    policy: str = "",
    approved: bool = True,
    finished: str = "",
    records: Sequence[EvictionRecord] = (),
    planned: Sequence[str] = (),
    created: datetime = NOW,
    deadline: datetime = NOW + timedelta(minutes=10),
    trigger: Trigger = Trigger.UNSCHEDULABLE,
) -> PackingPlan:
    """planned: workloads of which one pod each is to be evicted; their uids are those of `evicted`."""
    evictions = [
        PlannedEviction(
            pod=f"default/{w}-0",
            uid=f"uid-{w}-0",
            workload=WorkloadRef(namespace="default", kind="Deployment", name=w),
            priority=0,
            node="n1",
            requests={"cpu": 1},
        )
        for w in planned
    ]
    conditions = []
    if finished:
        conditions.append(Condition(type="Finished", status="True", reason=finished, last_transition_time=created))
    return PackingPlan(
        metadata=Metadata(name=name, uid=f"uid-{name}", creation_timestamp=created, resource_version="1"),
        spec=PackingPlanSpec(
            policy=policy,
            trigger=trigger,
            summary="",
            approved=approved,
            deadline=deadline,
            certificate=PlanCertificate(
                tiers=[],
                disruption=DisruptionCertificate(
                    moves=len(evictions), evictions=0, value=0, bound=0, certificate="Optimal"
                ),
                verified=True,
                solve_seconds=0,
            ),
            snapshot=PlanSnapshot(taken=created),
            waves=[PlannedWave(steps=[PlannedStep(evictions=evictions)])],
        ),
        status=PackingPlanStatus(conditions=conditions, evictions=list(records)),
    )

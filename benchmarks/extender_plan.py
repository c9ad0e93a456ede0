"""An active plan that keeps two pods' room on each of many nodes: the case in which filter has most to look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from berth_api.packing_plan import (
    DisruptionCertificate,
    PackingPlan,
    PackingPlanSpec,
    PackingPlanStatus,
    PlanCertificate,
    PlanCondition,
    PlannedPlacement,
    PlannedStep,
    PlannedWave,
    PlanSnapshot,
    Trigger,
    WorkloadRef,
)
from berth_api.resource import Condition, Metadata

REQUESTS = {"cpu": 4_000, "memory": 16 * 2**30, "nvidia.com/gpu": 2, "pods": 1}


def active_plan(nodes: Sequence[str], uid: str = "plan-uid") -> PackingPlan:
    """Approved just now, for pods of a workload that nobody asks about."""
    now = datetime.now(UTC)
    workload = WorkloadRef(namespace="default", kind="Deployment", name="planned", uid="planned-uid")
    placements = [
        PlannedPlacement(workload=workload, priority=0, node=node, count=2, requests=REQUESTS) for node in nodes
    ]
    disruption = DisruptionCertificate(moves=0, evictions=0, value=0, bound=0, certificate="Optimal")
    return PackingPlan(
        metadata=Metadata(name="plan", uid=uid),
        spec=PackingPlanSpec(
            trigger=Trigger.UNSCHEDULABLE,
            summary="Two pods a node.",
            approved=True,
            deadline=now + timedelta(hours=1),
            certificate=PlanCertificate(tiers=[], disruption=disruption, verified=True, solve_seconds=0.1),
            snapshot=PlanSnapshot(taken=now),
            waves=[PlannedWave(steps=[PlannedStep(placements=placements)])],
        ),
        status=PackingPlanStatus(
            conditions=[
                Condition(type=PlanCondition.APPROVED, status="True", reason="TakenUp", last_transition_time=now)
            ]
        ),
    )

"""Plans to be carried out on a model cluster, a step in a few calls.

plan("p1", cluster).evicts("web-1", to="n1").places("web", on="n1").then().places("big", on="n2", pods=["big-0"])
"""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from berth_api.packing_plan import (
    DisruptionCertificate,
    PackingPlan,
    PackingPlanSpec,
    PlanCertificate,
    PlannedEviction,
    PlannedPlacement,
    PlannedStep,
    PlannedWave,
    PlanSnapshot,
    Trigger,
    WorkloadRef,
)
from berth_api.resource import Metadata
from berth_cluster.snapshot import WorkloadKey
from berth_planner.plan import Plan

from .model_cluster import ModelCluster


def reference(key: WorkloadKey) -> WorkloadRef:
    return WorkloadRef(namespace=key.namespace, kind=key.kind, name=key.name, uid=key.uid)


class PlanBuilder:
    def __init__(self, name: str, cluster: ModelCluster, deadline: float = 600.0) -> None:
        self._name = name
        self._cluster = cluster
        self._deadline = deadline
        self._approved = True
        self._trigger = Trigger.UNSCHEDULABLE
        self._waves: list[list[tuple[list[PlannedEviction], list[PlannedPlacement]]]] = [[([], [])]]

    def evicts(self, pod: str, to: str | None = None) -> Self:
        victim = self._cluster.pod(pod)
        assert victim.node is not None
        self._waves[-1][-1][0].append(
            PlannedEviction(
                pod=victim.key,
                uid=victim.uid,
                workload=reference(victim.workload),
                priority=victim.priority,
                node=victim.node,
                target=to,
                requests=dict(victim.spec.requests),
            )
        )
        return self

    def places(self, app: str, count: int = 1, *, on: str, pods: tuple[str, ...] = ()) -> Self:
        owner = self._cluster.owners[app]
        self._waves[-1][-1][1].append(
            PlannedPlacement(
                workload=reference(owner.key),
                priority=owner.priority,
                node=on,
                count=count,
                requests=dict(owner.spec.requests),
                pods=[f"default/{name}" for name in pods],
            )
        )
        return self

    def then(self) -> Self:
        """The next step of the wave."""
        self._waves[-1].append(([], []))
        return self

    def next_wave(self) -> Self:
        self._waves.append([([], [])])
        return self

    def proposed(self) -> Self:
        self._approved = False
        return self

    def because(self, trigger: Trigger) -> Self:
        self._trigger = trigger
        return self

    def build(self) -> PackingPlan:
        waves = [
            PlannedWave(steps=[PlannedStep(evictions=e, placements=self._with_standing(p)) for e, p in steps])
            for steps in self._waves
        ]
        return plan_of_waves(
            self._name, waves, self._cluster, deadline=self._deadline, approved=self._approved, trigger=self._trigger
        )

    def _with_standing(self, placements: list[PlannedPlacement]) -> list[PlannedPlacement]:
        leaving = {e.uid for steps in self._waves for evictions, _ in steps for e in evictions}
        return [p.model_copy(update={"standing": standing(self._cluster, p, leaving)}) for p in placements]


def standing(cluster: ModelCluster, placement: PlannedPlacement, leaving: set[str]) -> int:
    return sum(
        pod.node == placement.node
        and pod.workload.name == placement.workload.name
        and not pod.terminating
        and pod.uid not in leaving
        for pod in cluster.pods.values()
    )


def plan_of_waves(
    name: str,
    waves: list[PlannedWave],
    cluster: ModelCluster,
    *,
    deadline: float = 600.0,
    approved: bool = True,
    trigger: Trigger = Trigger.UNSCHEDULABLE,
) -> PackingPlan:
    return PackingPlan(
        metadata=Metadata(name=name, uid=f"uid-{name}", creation_timestamp=cluster.now, generation=1),
        spec=PackingPlanSpec(
            trigger=trigger,
            summary="a test",
            approved=approved,
            deadline=cluster.now + timedelta(seconds=deadline),
            certificate=PlanCertificate(
                tiers=[],
                disruption=DisruptionCertificate(moves=0, evictions=0, value=0, bound=0, certificate="Optimal"),
                verified=True,
                solve_seconds=0.1,
            ),
            snapshot=PlanSnapshot(taken=cluster.now),
            waves=waves,
        ),
    )


def planned(name: str, plan: Plan, cluster: ModelCluster, *, deadline: float = 600.0) -> PackingPlan:
    """What the planner found, as an object."""
    leaving = {e.uid for wave in plan.waves for e in wave.evictions}
    waves = []
    for wave in plan.waves:
        steps = []
        for step in wave.steps:
            evictions = [
                PlannedEviction(
                    pod=e.pod,
                    uid=e.uid,
                    workload=reference(e.workload),
                    priority=e.priority,
                    node=e.node,
                    target=e.target,
                    requests=dict(e.requests),
                )
                for e in step.evictions
            ]
            placements = [
                PlannedPlacement(
                    workload=reference(p.workload),
                    priority=p.priority,
                    node=p.node,
                    count=p.count,
                    requests=dict(p.requests),
                    pods=list(p.pods),
                )
                for p in step.placements
            ]
            placements = [p.model_copy(update={"standing": standing(cluster, p, leaving)}) for p in placements]
            steps.append(PlannedStep(evictions=evictions, placements=placements))
        waves.append(PlannedWave(steps=steps))
    return plan_of_waves(name, waves, cluster, deadline=deadline)


def plan(name: str, cluster: ModelCluster, deadline: float = 600.0) -> PlanBuilder:
    return PlanBuilder(name, cluster, deadline)

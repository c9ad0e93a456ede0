"""Nodes, pods and plans as the scheduler sees them, a line each, and a clock that stands still until told.

stage = Stage(node("n1", gpu=8), node("n2", gpu=8))
stage.plan(plan("p1").places("big", 1, on="n2", gpu=8))
stage.filter(pod("small", gpu=1))
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Self

from msgspec.structs import replace

from berth_api.packing_plan import (
    DisruptionCertificate,
    PackingPlan,
    PackingPlanSpec,
    PackingPlanStatus,
    PlanCertificate,
    PlanCondition,
    PlannedEviction,
    PlannedPlacement,
    PlannedStep,
    PlannedWave,
    PlanSnapshot,
    Trigger,
    WorkloadRef,
)
from berth_api.resource import Condition, Metadata
from berth_cluster.snapshot import Gang, Node, Pod, PodSpec, WorkloadKey
from berth_scheduling.answers import FilterAnswer, PreemptAnswer
from berth_scheduling.scheduler import Scheduler
from berth_scheduling.settings import Settings

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
GPU = "nvidia.com/gpu"


def amounts(gpu: int = 0, cpu: int = 0, pods: int = 1) -> tuple[tuple[str, int], ...]:
    given = {"cpu": cpu * 1000, GPU: gpu, "pods": pods}
    return tuple(sorted((name, amount) for name, amount in given.items() if amount))


def node(name: str, *, gpu: int = 8, cpu: int = 64, pods: int = 110, labels: dict[str, str] | None = None) -> Node:
    return Node(name, amounts(gpu, cpu, pods), labels=labels or {})


def pod(
    name: str,
    workload: str | None = None,
    *,
    gpu: int = 0,
    cpu: int = 1,
    on: str | None = None,
    priority: int = 0,
    gang: tuple[str, int] | None = None,
    spec: PodSpec | None = None,
    never: bool = False,
    scheduler: str = "berth",
) -> Pod:
    """A pod of the Deployment `workload`, or a bare one."""
    uid = f"uid-{name}"
    owner = (
        WorkloadKey("default", "Deployment", workload, f"uid-{workload}")
        if workload
        else WorkloadKey("default", "Pod", name, uid)
    )
    return Pod(
        namespace="default",
        name=name,
        uid=uid,
        spec=replace(spec or PodSpec(()), requests=amounts(gpu, cpu)),
        priority=priority,
        workload=owner,
        phase="Running" if on else "Pending",
        node=on,
        scheduler=scheduler,
        gang=Gang(*gang) if gang else None,
        preemption_policy="Never" if never else "PreemptLowerPriority",
    )


class PlanBuilder:
    """Steps in order; `then()` begins the next one. Active unless said otherwise."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._steps: list[tuple[list[PlannedEviction], list[PlannedPlacement]]] = [([], [])]
        self._conditions = [PlanCondition.APPROVED]
        self._deadline = START + timedelta(minutes=10)

    def then(self) -> Self:
        self._steps.append(([], []))
        return self

    def places(
        self,
        workload: str,
        count: int,
        *,
        on: str,
        gpu: int = 0,
        cpu: int = 1,
        priority: int = 0,
        standing: int = 0,
        pods: Sequence[str] = (),
        kind: str = "Deployment",
    ) -> Self:
        ref = WorkloadRef(namespace="default", kind=kind, name=workload, uid=f"uid-{workload}")
        self._steps[-1][1].append(
            PlannedPlacement(
                workload=ref,
                priority=priority,
                node=on,
                count=count,
                standing=standing,
                requests=dict(amounts(gpu, cpu)),
                pods=[f"default/{name}" for name in pods],
            )
        )
        return self

    def evicts(self, victim: Pod, to: str | None = None) -> Self:
        assert victim.node is not None
        key = victim.workload
        ref = WorkloadRef(namespace=key.namespace, kind=key.kind, name=key.name, uid=key.uid)
        self._steps[-1][0].append(
            PlannedEviction(
                pod=victim.key,
                uid=victim.uid,
                workload=ref,
                priority=victim.priority,
                node=victim.node,
                target=to,
                requests=dict(victim.spec.requests),
            )
        )
        return self

    def proposed(self) -> Self:
        self._conditions = []
        return self

    def finished(self) -> Self:
        self._conditions = [PlanCondition.APPROVED, PlanCondition.FINISHED]
        return self

    def until(self, deadline: datetime) -> Self:
        self._deadline = deadline
        return self

    def build(self) -> PackingPlan:
        return PackingPlan(
            metadata=Metadata(name=self._name, uid=f"uid-{self._name}"),
            spec=PackingPlanSpec(
                trigger=Trigger.UNSCHEDULABLE,
                summary="a test",
                deadline=self._deadline,
                certificate=PlanCertificate(
                    tiers=[],
                    disruption=DisruptionCertificate(moves=0, evictions=0, value=0, bound=0, certificate="Optimal"),
                    verified=True,
                    solve_seconds=0.1,
                ),
                snapshot=PlanSnapshot(taken=START),
                waves=[PlannedWave(steps=[PlannedStep(evictions=e, placements=p) for e, p in self._steps])],
            ),
            status=PackingPlanStatus(
                conditions=[
                    Condition(type=c, status="True", reason="Test", last_transition_time=START)
                    for c in self._conditions
                ]
            ),
        )


def plan(name: str) -> PlanBuilder:
    return PlanBuilder(name)


class Stage:
    """A scheduler with what it was told, and its two clocks."""

    def __init__(self, *things: Node | Pod, settings: Settings | None = None, leader: bool = True) -> None:
        self.seconds = 0.0
        self.scheduler = Scheduler(
            settings or Settings(), clock=lambda: self.seconds, now=lambda: START + timedelta(seconds=self.seconds)
        )
        self.scheduler.leader_alive = leader
        self.nodes: dict[str, Node] = {}
        self.pods: dict[str, Pod] = {}
        self.plans: dict[str, PackingPlan] = {}
        self.tell(*things)

    def tell(self, *things: Node | Pod) -> None:
        """Each is new, or as it is from now on."""
        for thing in things:
            if isinstance(thing, Node):
                self.scheduler.node_changed(self.nodes.get(thing.name), thing)
                self.nodes[thing.name] = thing
            else:
                self.scheduler.pod_changed(self.pods.get(thing.uid), thing)
                self.pods[thing.uid] = thing

    def remove(self, thing: Node | Pod) -> None:
        if isinstance(thing, Node):
            self.scheduler.node_changed(self.nodes.pop(thing.name), None)
        else:
            self.scheduler.pod_changed(self.pods.pop(thing.uid), None)

    def plan(self, given: PlanBuilder) -> PackingPlan:
        made = given.build()
        self.scheduler.plan_changed(self.plans.get(made.metadata.uid), made)
        self.plans[made.metadata.uid] = made
        return made

    def delete_plan(self, made: PackingPlan) -> None:
        self.scheduler.plan_changed(self.plans.pop(made.metadata.uid), None)

    def bind(self, waiting: Pod, to: str) -> Pod:
        """As the watch tells of it."""
        bound = replace(waiting, node=to, phase="Running")
        self.tell(bound)
        return bound

    def filter(self, asked: Pod, names: Sequence[str] | None = None) -> FilterAnswer:
        """Offered by default: every node, as if kube-scheduler's own filters passed them all."""
        return self.scheduler.filter(asked, list(self.nodes) if names is None else names)

    def preempt(self, asked: Pod, **candidates: list[Pod]) -> PreemptAnswer:
        return self.scheduler.preempt(asked, {name: [p.uid for p in victims] for name, victims in candidates.items()})

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.scheduler.expire()

"""Clusters for scenarios, a node or a workload in a line:

cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
cluster.pods("web", 2, gpu=4, on="n1").pods("big", 1, priority=100, gpu=8)
plan = make_plan(cluster.snapshot())
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from berth_api.reasons import Reason
from berth_cluster.snapshot import (
    DisruptionBudget,
    Gang,
    HostPort,
    LabelSelector,
    Node,
    NodeTerm,
    Operator,
    Pod,
    PodSpec,
    PodTerm,
    PreferredNodeTerm,
    Requirement,
    Snapshot,
    SpreadTerm,
    Taint,
    Toleration,
    WorkloadKey,
)

GPU = "nvidia.com/gpu"
NAMESPACE = "default"


def amounts(gpu: int, cpu: int, memory: int, pods: int) -> tuple[tuple[str, int], ...]:
    named = {"cpu": cpu, "memory": memory, GPU: gpu, "pods": pods}
    return tuple(sorted((name, amount) for name, amount in named.items() if amount))


def selects(**labels: str) -> LabelSelector:
    return LabelSelector(tuple(Requirement(k, Operator.IN, (v,)) for k, v in sorted(labels.items())))


def where(**labels: str) -> NodeTerm:
    return NodeTerm(tuple(Requirement(k, Operator.IN, (v,)) for k, v in sorted(labels.items())))


def pod_term(topology: str, **labels: str) -> PodTerm:
    return PodTerm(selects(**labels), topology, frozenset([NAMESPACE]))


def spread(topology: str, max_skew: int = 1, min_domains: int = 1, **labels: str) -> SpreadTerm:
    return SpreadTerm(max_skew, topology, selects(**labels), min_domains)


HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"


@dataclass
class Cluster:
    nodes: list[Node] = field(default_factory=list)
    all_pods: list[Pod] = field(default_factory=list)
    budgets: list[DisruptionBudget] = field(default_factory=list)
    priority_classes: dict[str, int] = field(default_factory=dict)

    def node(
        self,
        name: str,
        *,
        gpu: int = 0,
        cpu: int = 64_000,
        memory: int = 1 << 38,
        pods: int = 110,
        zone: str | None = None,
        taints: Sequence[Taint] = (),
        cordoned: bool = False,
        ready: bool = True,
        **labels: str,
    ) -> Cluster:
        all_labels = {HOSTNAME: name, **labels} | ({ZONE: zone} if zone else {})
        self.nodes.append(Node(name, amounts(gpu, cpu, memory, pods), all_labels, tuple(taints), cordoned, ready))
        return self

    def pods(
        self,
        workload: str,
        count: int = 1,
        *,
        on: str | None = None,
        gpu: int = 0,
        cpu: int = 1000,
        memory: int = 1 << 30,
        priority: int = 0,
        priority_class: str = "",
        kind: str = "Deployment",
        gang: int | None = None,
        labels: dict[str, str] | None = None,
        node_selector: dict[str, str] | None = None,
        tolerations: Sequence[Toleration] = (),
        affinity: Sequence[PodTerm] = (),
        anti_affinity: Sequence[PodTerm] = (),
        spread: Sequence[SpreadTerm] = (),
        prefers: Sequence[PreferredNodeTerm] = (),
        ports: Sequence[int | HostPort] = (),
        volume: NodeTerm | None = None,
        unmodelled: Sequence[str] = (),
        immovable: Sequence[Reason] = (),
        never: bool = False,
        gated: bool = False,
        terminating: bool = False,
        nominated: str | None = None,
        scheduler: str = "default-scheduler",
        move_cost: int = 1,
        created: str = "2026-01-01T00:00:00Z",
        hint: str = "",
    ) -> Cluster:
        spec = PodSpec(
            requests=amounts(gpu, cpu, memory, 1),
            labels=tuple(sorted({"app": workload, **(labels or {})}.items())),
            node_selector=tuple(sorted((node_selector or {}).items())),
            preferred_nodes=tuple(prefers),
            tolerations=tuple(tolerations),
            affinity=tuple(affinity),
            anti_affinity=tuple(anti_affinity),
            spread=tuple(spread),
            ports=tuple(p if isinstance(p, HostPort) else HostPort(p) for p in ports),
            volume_nodes=((volume,),) if volume else (),
            unmodelled=tuple(unmodelled),
        )
        for _ in range(count):
            number = sum(p.workload.name == workload for p in self.all_pods)
            name = f"{workload}-{number}"
            self.all_pods.append(
                Pod(
                    NAMESPACE,
                    name,
                    f"uid-{name}",
                    spec,
                    priority,
                    WorkloadKey(NAMESPACE, kind, workload),
                    "Running" if on else "Pending",
                    node=on,
                    scheduler=scheduler,
                    priority_class=priority_class,
                    preemption_policy="Never" if never else "PreemptLowerPriority",
                    gated=gated,
                    nominated_node=nominated,
                    terminating=terminating,
                    immovable=tuple(immovable),
                    move_cost=move_cost,
                    gang=None if gang is None else Gang(workload, gang),
                    created=created,
                    hint=hint,
                )
            )
        return self

    def budget(self, name: str, allowed: int, **labels: str) -> Cluster:
        self.budgets.append(DisruptionBudget(NAMESPACE, name, selects(**labels), allowed))
        return self

    def snapshot(self) -> Snapshot:
        return Snapshot(
            tuple(sorted(self.nodes, key=lambda n: n.name)),
            tuple(sorted(self.all_pods, key=lambda p: (p.namespace, p.name))),
            tuple(self.budgets),
            priority_classes=self.priority_classes,
        )

"""The stock scheduler's choice of victims for one pod, as a plan: what is done when no better answer came in time.

As `pkg/scheduler/framework/preemption` does it: on each node that admits the pod, all pods of lower priority are taken off,
then as many as possible are put back, those whose eviction would break a disruption budget first, important ones before
others; of the nodes that remain the one is chosen with the fewest budget violations, the lowest top victim, the smallest sum
of priorities, the fewest victims, the latest start of its most important victims. What differs: pods that must not move stay,
whoever they belong to; and a pod that may evict nobody (`preemptionPolicy: Never`) evicts nobody.

Filters are those of `kube_filter`, straight from Kubernetes' terms. Cost: only nodes whose victims would free enough are
looked at closely, and at most `MAX_CANDIDATES` of them, those with the fewest movable pods first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from berth_cluster.budgets import budgets_by_namespace
from berth_cluster.matching import labels_of, node_matches, selector_matches
from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_planner.kube_filter import Cluster
from berth_planner.plan import DisruptionReport, Eviction, Placement, Plan, Step, TierReport, Wave

MAX_CANDIDATES = 100
"""Nodes looked at closely: the stock scheduler's own default is a tenth of them, at least 100."""

_PRIORITY_OFFSET = 2**31 + 1
"""Upstream's: makes every priority positive, so that more victims never have a smaller sum."""


class Choice(msgspec.Struct, frozen=True):
    """A node and who leaves it for the pod. No victims: there is room as things stand."""

    node: str
    victims: tuple[Pod, ...]
    budget_violations: int


def choose_victims(
    snapshot: Snapshot, pod: Pod, *, allow_budget_violations: bool = True, closed: Collection[str] = ()
) -> Choice | None:
    """None: evicting pods of lower priority makes room for it nowhere. closed: nodes that would not take it even so."""
    cluster = Cluster(snapshot.nodes, snapshot.pods)
    budgets = _Budgets(snapshot)
    found = (_on_node(cluster, budgets, pod, node) for node in _candidates(cluster, pod, closed))
    choices = [c for c in found if c is not None and (allow_budget_violations or not c.budget_violations)]
    return min(choices, key=_rank, default=None)


def preemption_plan(
    snapshot: Snapshot, pod: Pod, *, allow_budget_violations: bool = True, closed: Collection[str] = ()
) -> Plan | None:
    """The choice as an ordinary plan of one wave: evict, then place. Its counts claim nothing beyond what it does."""
    choice = choose_victims(snapshot, pod, allow_budget_violations=allow_budget_violations, closed=closed)
    if choice is None:
        return None
    evictions = tuple(
        Eviction(v.key, v.uid, v.workload, v.priority, choice.node, None, v.move_cost, v.spec.requests)
        for v in choice.victims
    )
    placement = Placement(pod.workload, pod.priority, choice.node, 1, pod.spec.requests, (pod.key,))
    gains: dict[int, int] = defaultdict(int)
    gains[pod.priority] += 1
    for victim in choice.victims:
        gains[victim.priority] -= 1
    listed = tuple((p, gain) for p, gain in sorted(gains.items(), reverse=True) if gain)
    wave = Wave(evictions, (placement,), listed, (Step(evictions, (placement,)),))
    used = {p.node for p in snapshot.pods if p.node is not None}
    return Plan(
        tiers=tuple(_tiers(snapshot, gains)),
        disruption=DisruptionReport(
            0, len(evictions), float(sum(e.move_cost for e in evictions)), 0.0, "Bounded", "none"
        ),
        waves=(wave,),
        nodes_in_use_before=len(used),
        nodes_in_use_after=len(used | {choice.node}),
        elapsed_seconds=0.0,
        first_improvement_seconds=None,
        verified=False,
        notes=("the stock scheduler's choice of victims, since no plan was found in time",),
    )


def _candidates(cluster: Cluster, pod: Pod, closed: Collection[str]) -> Iterable[Node]:
    """Nodes where room would do if everybody who may leave left, those with fewest to take off first."""
    found: list[tuple[int, str]] = []
    for name, node in cluster.nodes.items():
        if name in closed or node_matches(pod.spec, node) is not None:
            continue
        free = dict(node.allocatable)
        leaving = 0
        for other in cluster.on[name].values():
            if _may_leave(other, pod):
                leaving += 1
            else:
                for resource, amount in other.spec.requests:
                    free[resource] = free.get(resource, 0) - amount
        if all(not amount or free.get(resource, 0) >= amount for resource, amount in pod.spec.requests):
            found.append((leaving, name))
    return [cluster.nodes[name] for _, name in sorted(found)[:MAX_CANDIDATES]]


def _may_leave(other: Pod, pod: Pod) -> bool:
    return (
        pod.preemption_policy != "Never"
        and other.priority < pod.priority
        and other.is_movable
        and not other.terminating
        and other.node is not None
    )


def _on_node(cluster: Cluster, budgets: _Budgets, pod: Pod, node: Node) -> Choice | None:
    leaving = sorted(
        (other for other in cluster.on[node.name].values() if _may_leave(other, pod)),
        key=lambda p: (-p.priority, p.created, p.key),
    )
    for other in leaving:
        cluster.remove(other, node.name)
    victims: list[Pod] = []
    violations = 0
    try:
        if cluster.against(pod, node) is not None:
            return None
        violating, others = budgets.split(leaving)
        for group in (violating, others):
            for other in group:
                cluster.place(other, node.name)
                if cluster.against(pod, node) is not None:
                    cluster.remove(other, node.name)
                    victims.append(other)
                    violations += group is violating
    finally:
        for other in leaving:
            cluster.place(other, node.name)
    return Choice(node.name, tuple(victims), violations)


def _rank(choice: Choice) -> tuple[object, ...]:
    """Smaller is better. An earlier start is a longer life: the node whose top victims started last is taken."""
    if not choice.victims:
        return (0, 0, 0, 0, (), choice.node)
    top = max(v.priority for v in choice.victims)
    earliest = min(v.created for v in choice.victims if v.priority == top)
    return (
        choice.budget_violations,
        top + _PRIORITY_OFFSET,
        sum(v.priority + _PRIORITY_OFFSET for v in choice.victims),
        len(choice.victims),
        tuple(-ord(c) for c in earliest),
        choice.node,
    )


class _Budgets:
    """Which victims would break a budget, counted in the order in which they are looked at, as upstream does."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._by_namespace = budgets_by_namespace(snapshot.budgets)

    def split(self, pods: Sequence[Pod]) -> tuple[list[Pod], list[Pod]]:
        allowed: dict[tuple[str, str], int] = {}
        violating: list[Pod] = []
        others: list[Pod] = []
        for pod in pods:
            broken = False
            for budget in self._by_namespace.get(pod.namespace, ()):
                if selector_matches(budget.selector, labels_of(pod.spec)):
                    key = (budget.namespace, budget.name)
                    allowed[key] = allowed.get(key, budget.disruptions_allowed) - 1
                    broken |= allowed[key] < 0
            (violating if broken else others).append(pod)
        return violating, others


def _tiers(snapshot: Snapshot, gains: Mapping[int, int]) -> Iterable[TierReport]:
    pods: dict[int, int] = defaultdict(int)
    placed: dict[int, int] = defaultdict(int)
    for p in snapshot.pods:
        if p.gated or p.terminating:
            continue
        pods[p.priority] += 1
        placed[p.priority] += p.node is not None
    for priority in sorted(pods, reverse=True):
        after = placed[priority] + gains.get(priority, 0)
        done = after >= pods[priority]
        yield TierReport(
            priority,
            "",
            pods[priority],
            placed[priority],
            after,
            pods[priority],
            "Optimal" if done else "Bounded",
            "none",
        )

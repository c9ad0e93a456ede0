"""Which policy holds for which pod, and a snapshot as one policy sees it.

Without any PackingPolicy the built-in defaults hold for everybody. With policies, each pod belongs to the oldest one whose
scope covers it; a pod that none covers is not planned for and not moved (ordinary preemption still serves it, see
`fallback`). Scopes of two policies overlap when some namespace and some priority is in both: the younger one then holds only
outside the older one and is told so (`Conflict=True`).

`scoped` turns policy into facts that the planner knows already: waiting pods of other policies are left out, and pods that
must stay where they are get a reason for it. Cost: one pass over the pods.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from berth_api.annotations import SCHEDULER
from berth_api.packing_policy import PackingPolicy, PackingPolicySpec, Scope, oldest_first
from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod, Snapshot

BUILT_IN = ""
"""Name of the policy that holds when there is none."""


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    name: str
    spec: PackingPolicySpec

    def covers(self, pod: Pod) -> bool:
        return self.spec.scope.covers(pod.namespace, pod.priority)


DEFAULTS = PolicyInForce(BUILT_IN, PackingPolicySpec())
"""Holds when there is no policy, and sets the patience for pods that none covers."""


class PoliciesInForce:
    """All policies, oldest first."""

    def __init__(self, policies: Iterable[PackingPolicy]) -> None:
        self.objects = tuple(oldest_first(policies))
        ordered = (PolicyInForce(p.metadata.name, p.spec) for p in self.objects)
        self.all: tuple[PolicyInForce, ...] = tuple(ordered) or (DEFAULTS,)
        self.conflicts: Mapping[str, str] = dict(_conflicts(self.all))
        """Name of a policy to the older one that it overlaps with."""

    @property
    def specs(self) -> dict[str, PackingPolicySpec]:
        return {policy.name: policy.spec for policy in self.all}

    def named(self, name: str) -> PolicyInForce | None:
        return next((policy for policy in self.all if policy.name == name), None)

    def of(self, pod: Pod) -> PolicyInForce | None:
        return next((policy for policy in self.all if policy.covers(pod)), None)


def _conflicts(policies: tuple[PolicyInForce, ...]) -> Iterable[tuple[str, str]]:
    for i, younger in enumerate(policies):
        for older in policies[:i]:
            if _overlap(older.spec.scope, younger.spec.scope):
                yield younger.name, older.name
                break


def _overlap(a: Scope, b: Scope) -> bool:
    if a.namespaces and b.namespaces and not set(a.namespaces) & set(b.namespaces):
        return False
    lowest = max((s.min_priority for s in (a, b) if s.min_priority is not None), default=None)
    highest = min((s.max_priority for s in (a, b) if s.max_priority is not None), default=None)
    return lowest is None or highest is None or lowest <= highest


def scoped(
    snapshot: Snapshot,
    policies: PoliciesInForce,
    policy: PolicyInForce,
    now: datetime,
    spent_workloads: Collection[str] = (),
    *,
    only_refused: bool = False,
) -> Snapshot:
    """The snapshot as this policy may plan it. spent_workloads: namespace/kind/name of those without moves left.

    only_refused: of the waiting pods those that kube-scheduler could not place (and gangs, which are nothing in part). It is
    busy with the others, and a plan for them would be out of date before it is written.
    """
    in_scope = _NodeScope(snapshot, policy.spec.scope.node_selector)
    pods: list[Pod] = []
    for pod in snapshot.pods:
        if pod.scheduler != SCHEDULER:
            pods.append(pod)
        elif pod.node is None:
            if policies.of(pod) is policy and (pod.unschedulable or pod.gang is not None or not only_refused):
                pods.append(pod)
        else:
            why = [] if policies.of(pod) is policy and in_scope(pod.node) else [Reason.OUT_OF_SCOPE]
            pods.append(_held(pod, policy.spec, now, why, spent_workloads))
    return msgspec.structs.replace(snapshot, pods=tuple(pods))


def preemptable(
    snapshot: Snapshot, policies: PoliciesInForce, now: datetime, spent_workloads: Collection[str] = ()
) -> Snapshot:
    """The snapshot for ordinary preemption: scopes do not count, but what rests, stands alone or is spent stays."""
    pods = tuple(
        pod
        if pod.node is None or pod.scheduler != SCHEDULER
        else _held(pod, (policies.of(pod) or DEFAULTS).spec, now, [], spent_workloads)
        for pod in snapshot.pods
    )
    return msgspec.structs.replace(snapshot, pods=pods)


def resting_until(pod: Pod, rest_seconds: int) -> datetime | None:
    """When a pod that was moved may be moved again; None for one that was not. An unreadable time is no time."""
    if not pod.moved_at:
        return None
    try:
        moved = datetime.fromisoformat(pod.moved_at)
    except ValueError:
        return None
    return (moved if moved.tzinfo else moved.replace(tzinfo=UTC)) + timedelta(seconds=rest_seconds)


def _held(
    pod: Pod, spec: PackingPolicySpec, now: datetime, reasons: list[Reason], spent_workloads: Collection[str]
) -> Pod:
    until = resting_until(pod, spec.rest_seconds)
    if until is not None and now < until:
        reasons.append(Reason.RESTING)
    if spent_workloads and str(pod.workload) in spent_workloads:
        reasons.append(Reason.MOVE_BUDGET_SPENT)
    own = pod.immovable
    if spec.move_standalone_pods and own == (Reason.NO_CONTROLLER,):
        own = ()
    found = (*own, *reasons)
    return pod if found == pod.immovable else msgspec.structs.replace(pod, immovable=found)


class _NodeScope:
    """Whether pods of a node may be moved; without a selector those of every node may."""

    def __init__(self, snapshot: Snapshot, selector: Mapping[str, str]) -> None:
        self._inside: frozenset[str] | None = None
        if selector:
            wanted = selector.items()
            self._inside = frozenset(n.name for n in snapshot.nodes if wanted <= dict(n.labels).items())

    def __call__(self, node: str) -> bool:
        return self._inside is None or node in self._inside

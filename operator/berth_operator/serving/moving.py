"""What a service does for a plan that moves one of its replicas: one more replica, until that one answers. Pure.

The executor marks the replica that is to leave (`berth_operator.relieving`). As long as the mark holds the Deployment is asked for
one more; once enough replicas answer without the marked one it is asked for as many as before, and the ReplicaSet takes the
marked one away: of pods that are all ready the one with the lowest deletion cost goes first (`ActivePodsWithRanks`). Were
another one taken, because it had just become unready, the mark still stands and it begins anew.

A mark holds while its plan is carried out; one whose plan has ended, or has taken it back, is void. It is taken off when the
Deployment is seen to be asked for no more than it should: then the disruption budget counts anew, and rightly. All follows from what stands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from berth_api.annotations import DELETION_COST, LOWEST_DELETION_COST, RELIEVED_BY
from berth_api.packing_plan import PackingPlan, PlannedEviction
from berth_api.packing_policy import PackingPolicy
from berth_cluster.leases import Lease
from berth_cluster.reflector import Place
from berth_cluster.snapshot import Node, Pod
from berth_operator.serving.names import REVISION_LABEL
from berth_operator.serving.seen import SeenPod

Plans = Callable[[], Mapping[str, PackingPlan]]


class Moves(msgspec.Struct, frozen=True):
    """Of one service, now."""

    extra: int = 0
    """Replicas beyond those asked for."""
    told: str = ""
    """What moves where, in words; empty when nothing does."""
    void: tuple[SeenPod, ...] = ()
    """Pods whose mark is to be taken off."""


NONE = Moves()


def moves_of(
    pods: Sequence[SeenPod], desired: int | None, revision: str, routed: Collection[str], plans: Plans
) -> Moves:
    """desired: replicas asked for; None where an autoscaler of the cluster decides."""
    marked = [pod for pod in pods if RELIEVED_BY in (pod.metadata.annotations or {})]
    if not marked:
        return NONE
    known = {plan.metadata.uid: plan for plan in plans().values()}
    standing = [pod for pod in marked if not pod.leaves]
    void = tuple(pod for pod in standing if _has_ended(known.get(_mark(pod)), pod))
    alive = [pod for pod in pods if not pod.leaves and not pod.has_ended]
    moving = {pod.name: plan for pod in alive if (plan := known.get(_mark(pod))) and _holds(plan, pod)}
    rolls_out = any(pod.label(REVISION_LABEL) != revision for pod in alive)
    if not moving or not desired or rolls_out:
        return Moves(void=void)
    answering = sum(pod.ready and pod.name in routed and pod.name not in moving for pod in alive)
    extra = 1 if answering < desired - len(moving) + 1 else 0
    first = next(pod for pod in standing if pod.name in moving)
    return Moves(extra, _told(first, moving[first.name]), void)


def unmarked(pod: SeenPod) -> dict[str, str | None]:
    """Annotations to write on a pod whose mark is void. A deletion cost that somebody else has written meanwhile stays."""
    written: dict[str, str | None] = {RELIEVED_BY: None}
    if (pod.metadata.annotations or {}).get(DELETION_COST) == LOWEST_DELETION_COST:
        written[DELETION_COST] = None
    return written


class MovingServices:
    """Listens for plans; says which services they move replicas of, whenever such a plan has changed."""

    def __init__(self, changed: Callable[[Place], None]) -> None:
        self._changed = changed

    def plan_changed(self, old: PackingPlan | None, new: PackingPlan | None) -> None:
        plan = new or old
        if plan is not None and (new is None or plan.status.evictions or plan.is_finished):
            for place in {(e.workload.namespace, e.workload.name) for e in plan.spec.evictions if _of_service(e)}:
                self._changed(place)

    def node_changed(self, old: Node | None, new: Node | None) -> None: ...

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None: ...

    def policy_changed(self, old: PackingPolicy | None, new: PackingPolicy | None) -> None: ...

    def lease_changed(self, old: Lease | None, new: Lease | None) -> None: ...


def _mark(pod: SeenPod) -> str:
    return (pod.metadata.annotations or {}).get(RELIEVED_BY, "")


def _holds(plan: PackingPlan, pod: SeenPod) -> bool:
    """The plan is carried out and means this pod, and the pod is the one that the ReplicaSet would take."""
    cost = (pod.metadata.annotations or {}).get(DELETION_COST)
    under_way = plan.is_approved and not plan.is_finished and not plan.spec.cancelled
    return under_way and cost == LOWEST_DELETION_COST and _eviction(plan, pod) is not None


def _has_ended(plan: PackingPlan | None, pod: SeenPod) -> bool:
    """No plan will go on with it. A plan that is not shown as taken up may be one that our watch is behind with."""
    return plan is None or plan.is_finished or _eviction(plan, pod) is None


def _eviction(plan: PackingPlan, pod: SeenPod) -> PlannedEviction | None:
    return next((e for e in plan.spec.evictions if e.uid == pod.metadata.uid), None)


def _of_service(eviction: PlannedEviction) -> bool:
    return eviction.workload.kind == "LLMService"


def _told(pod: SeenPod, plan: PackingPlan) -> str:
    eviction = _eviction(plan, pod)
    target = eviction.target if eviction is not None and eviction.target is not None else "another node"
    return (
        f"{pod.name} moves from {pod.node} to {target}, by {plan.metadata.name}; a new replica answers before it leaves"
    )

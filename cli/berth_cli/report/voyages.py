"""Where each pod that a plan touches goes, and in which waves it leaves and lands.

A plan names the pods it evicts, but counts what it places, because controllers recreate a pod under another name. To draw
an arrow, an eviction and the placement of its replacement must be one voyage: each placement takes the pods it names, then
evicted pods of its workload that were meant for its node, then evicted pods of it with no target, then waiting ones.
Linear in pods, evictions and placements.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from berth_cluster.snapshot import Snapshot, WorkloadKey
from berth_planner.plan import Eviction, Placement, Plan, Step

AT_ANCHOR = -1
"""Instead of a node's index: waits for a node."""

Kind = tuple[WorkloadKey, int, tuple[tuple[str, int], ...]]
"""Workload, priority and requests: pods of one kind replace each other."""


class PlanMismatchError(ValueError):
    """The plan names a pod or node that the snapshot lacks: it was made from another snapshot."""


@dataclass(slots=True)
class Voyage:
    """Pod `pod` leaves its node in wave `leaves` (0: it waited already) and lands on `node` in wave `lands` (0: never).

    Steps count from 0 within their wave.
    """

    pod: int
    leaves: int
    leave_step: int
    target: int
    node: int = AT_ANCHOR
    lands: int = 0
    land_step: int = 0


def voyages(snapshot: Snapshot, plan: Plan) -> list[Voyage]:
    """One voyage for each pod that leaves or lands, in the order of the waves. Waves count from 1.

    Raises PlanMismatchError when the plan does not belong to the snapshot.
    """
    harbour = _Harbour(snapshot, plan)
    for number, wave in enumerate(plan.waves, 1):
        for step, part in enumerate(wave.steps or (Step(wave.evictions, wave.placements),)):
            for eviction in part.evictions:
                harbour.evict(eviction, number, step)
            for placement in part.placements:
                harbour.place(placement, number, step)
    return harbour.voyages


class _Harbour:
    """Which pods are on their way: evicted ones by where they are meant to go, waiting ones that no placement names."""

    def __init__(self, snapshot: Snapshot, plan: Plan) -> None:
        self.voyages: list[Voyage] = []
        self._pods = snapshot.pods
        self._nodes = {node.name: i for i, node in enumerate(snapshot.nodes)}
        self._by_key = {pod.key: i for i, pod in enumerate(snapshot.pods)}
        self._afloat: dict[int, Voyage] = {}
        self._meant: dict[Kind, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._waiting: dict[Kind, list[int]] = defaultdict(list)
        named = {key for wave in plan.waves for placement in wave.placements for key in placement.pods}
        for i in range(len(snapshot.pods) - 1, -1, -1):
            pod = snapshot.pods[i]
            if pod.is_pending and pod.key not in named:
                self._waiting[self._kind(i)].append(i)

    def _kind(self, pod: int) -> Kind:
        p = self._pods[pod]
        return p.workload, p.priority, p.spec.requests

    def _pod(self, key: str) -> int:
        if key not in self._by_key:
            raise PlanMismatchError(f"the plan names pod {key!r}, which the snapshot does not have: plan it again")
        return self._by_key[key]

    def _node(self, name: str) -> int:
        if name not in self._nodes:
            raise PlanMismatchError(f"the plan names node {name!r}, which the snapshot does not have: plan it again")
        return self._nodes[name]

    def evict(self, eviction: Eviction, wave: int, step: int) -> None:
        pod = self._pod(eviction.pod)
        target = AT_ANCHOR if eviction.target is None else self._node(eviction.target)
        self._afloat[pod] = Voyage(pod, wave, step, target)
        self.voyages.append(self._afloat[pod])
        self._meant[self._kind(pod)][target].append(pod)

    def place(self, placement: Placement, wave: int, step: int) -> None:
        node = self._node(placement.node)
        for key in placement.pods:
            self._land(self._pod(key), node, wave, step)
        for _ in range(placement.count - len(placement.pods)):
            self._land(self._unnamed(placement, node), node, wave, step)

    def _unnamed(self, placement: Placement, node: int) -> int:
        """An evicted pod meant for this node, else one meant for none, else one meant for another, else a waiting one."""
        kind = (placement.workload, placement.priority, placement.requests)
        meant = self._meant[kind]
        for target in (node, AT_ANCHOR, *(t for t in meant if t not in (node, AT_ANCHOR))):
            queue = meant.get(target, [])
            while queue:
                if (pod := queue.pop()) in self._afloat:
                    return pod
        if self._waiting[kind]:
            return self._waiting[kind].pop()
        raise PlanMismatchError(
            f"the plan places {placement.count} pods of {placement.workload} on {placement.node!r}, "
            "more than the snapshot has of them to place: plan it again"
        )

    def _land(self, pod: int, node: int, wave: int, step: int) -> None:
        voyage = self._afloat.pop(pod, None)
        if voyage is None:
            voyage = Voyage(pod, 0, 0, node)
            self.voyages.append(voyage)
        voyage.node, voyage.lands, voyage.land_step = node, wave, step

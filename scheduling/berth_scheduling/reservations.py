"""Room that active plans keep, for whom, and what is left of it.

Told of plans and, by node, of pods that came, went or were approved; counts again lazily, only the nodes concerned. A plan
keeps room from `Approved` until it is finished, deleted or past its deadline, whichever is first, by the clock handed in:
without any leader it lapses by itself.

Pods are recognised by workload and request, for controllers rename them, or by name where the plan names them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import numpy as np
import numpy.typing as npt

from berth_api.packing_plan import PackingPlan, WorkloadRef
from berth_cluster.snapshot import Pod
from berth_scheduling.kept_room import Group, GroupKey, KeptRoom, Owner, Victim, kept_requests
from berth_scheduling.room import Amounts, Requests, Room


class Reservations:
    """`charge` and `kept` are indexed as the room's table, and current after `refresh`."""

    def __init__(self, room: Room, approved: Callable[[str, GroupKey], int], now: Callable[[], datetime]) -> None:
        self._room = room
        self._approved = approved
        self._now = now
        self._plans: dict[str, PackingPlan] = {}
        self._ends: datetime | None = None
        self._nodes: dict[str, KeptRoom] = {}
        self._of_group: dict[tuple[Owner, Requests], list[tuple[KeptRoom, Group]]] = {}
        self._of_pod: dict[str, list[tuple[KeptRoom, Group]]] = {}
        self._dirty: set[str] = set()
        self._row_of: dict[str, int] = {}
        self._stale = False
        self._width = room.width
        self._by_priority: dict[int, tuple[Amounts, npt.NDArray[np.bool_]]] = {}
        self.charge: Amounts = np.zeros_like(room.free)
        self.kept: npt.NDArray[np.bool_] = np.zeros(room.free.shape, np.bool_)
        self.holding: npt.NDArray[np.bool_] = np.zeros(room.size, np.bool_)
        """bool [rows]: something is kept there."""

    @property
    def is_empty(self) -> bool:
        return not self._plans

    @property
    def uids(self) -> tuple[str, ...]:
        return tuple(sorted(self._plans))

    @property
    def pods(self) -> int:
        """Places still kept."""
        self.refresh()
        return sum(group.left for node in self._nodes.values() for group in node.groups)

    def plan_changed(self, old: PackingPlan | None, new: PackingPlan | None) -> None:
        """Only a plan that begins or ends to be active costs anything: its spec never changes otherwise."""
        if old is not None and (new is None or new.metadata.uid != old.metadata.uid):
            self._stale |= self._plans.pop(plan_identity(old), None) is not None
        if new is None:
            return
        identity = plan_identity(new)
        if not new.is_active(self._now()):
            self._stale |= self._plans.pop(identity, None) is not None
        elif identity not in self._plans:
            self._plans[identity] = new
            self._stale = True
        if self._stale:
            self._ends = min((plan.spec.deadline for plan in self._plans.values()), default=None)

    def touch(self, node: str) -> None:
        """Something on this node changed: pods, approvals, the node itself."""
        if node in self._nodes:
            self._dirty.add(node)

    def refresh(self) -> None:
        """Brings everything up to date. Without active plans it costs a comparison."""
        if self._ends is not None and self._now() >= self._ends:
            now = self._now()
            self._plans = {uid: plan for uid, plan in self._plans.items() if plan.is_active(now)}
            self._ends = min((plan.spec.deadline for plan in self._plans.values()), default=None)
            self._stale = True
        if self._stale:
            self._rebuild()
        if not self._nodes:
            return
        if self._width != self._room.width or self.charge.shape != self._room.free.shape:
            self._width = self._room.width
            self._clear()
        if self._dirty:
            self._by_priority.clear()
            for name in self._dirty:  # all rows first: one that was given up may be another of these nodes' by now
                row = self._row_of.pop(name, None)
                if row is not None:
                    self.charge[row], self.kept[row], self.holding[row] = 0, False, False
            for name in self._dirty:
                self._recount(self._nodes[name])
            self._dirty.clear()

    def places_for(self, pod: Pod) -> list[tuple[KeptRoom, Group]]:
        """Nodes that keep a place for this pod, with the group it belongs to there."""
        self.refresh()
        if not self._nodes:
            return []
        workload, requests = pod.workload, kept_requests(pod.spec.requests)
        found = self._of_group.get(((workload.namespace, workload.kind, workload.name), requests), ())
        places = [(n, g) for n, g in found if g.left and g.key.means(workload.uid, requests)]
        for node, group in self._of_pod.get(pod.key, ()):
            if group.left and group.key.requests == requests and (node, group) not in places:
                places.append((node, group))
        return places

    def charge_besides(self, node: KeptRoom, group: Group) -> tuple[Amounts | None, Amounts | None]:
        """(charge, kept) of a node for a pod that takes a place of this group."""
        return node.charge(self._victims_here(node), self._room.vector, mine=group)

    def charge_after(self, node: str, at_least: int, gone: Iterable[str]) -> tuple[Amounts | None, Amounts | None]:
        """(charge, kept) of a node by places of this priority or more, when the pods `gone` have left."""
        self.refresh()
        kept = self._nodes.get(node)
        if kept is None:
            return None, None
        return kept.charge(self._victims_here(kept), self._room.vector, at_least=at_least, gone=frozenset(gone))

    def charges_at_least(self, priority: int) -> tuple[Amounts, npt.NDArray[np.bool_]]:
        """(charge, kept) of all rows, by places of this priority or more only."""
        found = self._by_priority.get(priority)
        if found is None:
            charge, kept = np.zeros_like(self.charge), np.zeros_like(self.kept)
            for node in self._nodes.values():
                row = self._room.rows.get(node.node)
                if row is None:
                    continue
                amounts, counted = node.charge(self._victims_here(node), self._room.vector, at_least=priority)
                if amounts is not None and counted is not None:
                    charge[row], kept[row] = amounts, counted > 0
            found = self._by_priority[priority] = (charge, kept)
        return found

    def text(self, node: str) -> str:
        """What is said of a node to those that may not have it."""
        return self._nodes[node].text

    def _victims_here(self, node: KeptRoom) -> dict[str, Amounts]:
        holds = {}
        for victim in node.victims:
            pod = self._room.bound(victim.uid)
            if pod is not None and pod.node == node.node:
                holds[victim.uid] = self._room.vector(pod.spec.requests)
        return holds

    def _rebuild(self) -> None:
        self._nodes, self._of_group, self._of_pod = {}, {}, {}
        for number, (_, plan) in enumerate(sorted(self._plans.items())):
            steps = [step for wave in plan.spec.waves for step in wave.steps]
            for order, step in enumerate(steps):
                for placement in step.placements:
                    requests = kept_requests(placement.requests.items())
                    key = GroupKey(owner_of(placement.workload), placement.workload.uid, requests)
                    node = self._nodes.setdefault(placement.node, KeptRoom(placement.node))
                    known = len(node.groups)
                    group = node.add(key, placement.priority, placement.standing, number, order, placement.count)
                    if len(node.groups) > known:
                        self._of_group.setdefault((key.owner, requests), []).append((node, group))
                    for pod in placement.pods:
                        self._of_pod.setdefault(pod, []).append((node, group))
                    if plan.metadata.name not in node.plan_names:
                        node.plan_names.append(plan.metadata.name)
                        node.text = f"kept for plan {', '.join(node.plan_names)}"
            for order, step in enumerate(steps):
                for eviction in step.evictions:
                    if eviction.node in self._nodes:
                        self._nodes[eviction.node].victims.append(Victim(number, order, eviction.uid))
        self._stale = False
        self._clear()

    def _clear(self) -> None:
        self.charge = np.zeros_like(self._room.free)
        self.kept = np.zeros(self._room.free.shape, np.bool_)
        self.holding = np.zeros(self._room.size, np.bool_)
        self._row_of.clear()
        self._by_priority.clear()
        self._dirty = set(self._nodes)

    def _recount(self, node: KeptRoom) -> None:
        node.recount(self._room.pods_on(node.node), self._approved)
        row = self._room.rows.get(node.node)
        if row is None:
            return
        charge, kept = node.charge(self._victims_here(node), self._room.vector)
        if charge is None or kept is None:
            return
        self._row_of[node.node] = row
        self.charge[row], self.kept[row], self.holding[row] = charge, kept > 0, True


def owner_of(workload: WorkloadRef) -> Owner:
    return workload.namespace, workload.kind, workload.name


def plan_identity(plan: PackingPlan) -> str:
    return plan.metadata.uid or plan.metadata.name

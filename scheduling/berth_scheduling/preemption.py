"""Which of kube-scheduler's preemption candidates may go ahead.

With a live leader a pod that a plan could serve gets none: the planning loop will move pods, or evict within budgets, and
keep the freed room for it, which this verb cannot. kube-scheduler does not ask again soon, and nothing depends on that. For
all others the stock choice stands, but not on a node whose freed room is kept for pods of the same priority or more:
the pod would be rejected there afterwards, and its victims would have gone for nothing.

From 1.38 on candidates without victims are offered too: nodes that only an extender rejected. They pass when they fit beside
what is kept, which means that it was not we who rejected them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from berth_cluster.snapshot import Pod
from berth_scheduling.answers import Outcome, PreemptAnswer
from berth_scheduling.ledger import Ledger
from berth_scheduling.reservations import Reservations
from berth_scheduling.room import Room


class Preemption:
    def __init__(self, scheduler_name: str, room: Room, reservations: Reservations, ledger: Ledger) -> None:
        self._scheduler_name = scheduler_name
        self._room = room
        self._reservations = reservations
        self._ledger = ledger

    def answer(self, pod: Pod, candidates: Mapping[str, Sequence[str]], *, leader_alive: bool) -> PreemptAnswer:
        if pod.preemption_policy == "Never":
            return PreemptAnswer({}, Outcome.NEVER_PREEMPTS)
        if leader_alive and self._can_be_planned(pod):
            return PreemptAnswer({}, Outcome.LEFT_TO_PLAN)
        left = {node: list(victims) for node, victims in candidates.items() if self._leaves_room(pod, node, victims)}
        if len(left) == len(candidates):
            return PreemptAnswer(left, Outcome.OFFERED)
        return PreemptAnswer(left, Outcome.REDUCED if left else Outcome.NONE_LEFT)

    def _can_be_planned(self, pod: Pod) -> bool:
        return pod.scheduler == self._scheduler_name and not pod.spec.unmodelled

    def _leaves_room(self, pod: Pod, node: str, victims: Sequence[str]) -> bool:
        """The pod fits beside what is kept for its own priority or more, once its victims are gone."""
        charge, kept = self._reservations.charge_after(node, pod.priority, victims)
        row = self._room.rows.get(node)
        if charge is None or kept is None or row is None:
            return True
        freed = np.zeros_like(charge)
        for uid in victims:
            victim = self._room.bound(uid)
            if victim is not None and victim.node == node:
                freed = freed + self._room.vector(victim.spec.requests)
        request = self._room.vector(pod.spec.requests)
        available = self._room.free[row] + freed - charge - self._ledger.pending[row]
        return bool(((available >= request) | (kept == 0) | (request == 0)).all())

"""Which of the offered nodes a pod may have.

kube-scheduler's own filters have seen to it that the pod fits on every node offered, and they know better than our cache
what is assumed and what has just gone. So nothing is rejected because our own count of free room is lower: only what
active plans keep for others, and gangs, stand in a pod's way. Where no plan is active every offered node passes, and a
node that our cache does not know passes always.

In order, the first that finds a node:

1. a node where an active plan keeps a place for this pod. Only the best of them is returned, for kube-scheduler asks for no
   ranks when there is one node, and the place that is taken is known at once;
2. nodes whose free room, less what is kept there for others, less pods approved for there, fits;
3. for a pod of higher priority than those that room is kept for: nodes that fit when only places of its own priority or
   more count. It would preempt those pods anyway; the plan will end `Overtaken`. Not for one that has a place of its own
   coming: it would break the plan that is about to serve it.

Nodes that an enforced wish of the pod's hint rules out are out before all this.

Rejected nodes are unresolvable for preemption: evicting pods there would not make the room free for this pod.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from berth_cluster.snapshot import Pod
from berth_scheduling.answers import FilterAnswer, Outcome
from berth_scheduling.gangs import Gangs
from berth_scheduling.hints import Hints
from berth_scheduling.kept_room import Group, KeptRoom
from berth_scheduling.ledger import Ledger
from berth_scheduling.ranking import Ranking
from berth_scheduling.reservations import Reservations
from berth_scheduling.room import NOWHERE, Amounts, Room, Rows
from berth_scheduling.settings import Settings

Mask = npt.NDArray[np.bool_]


class Filtering:
    def __init__(
        self,
        settings: Settings,
        room: Room,
        reservations: Reservations,
        ledger: Ledger,
        ranking: Ranking,
        gangs: Gangs,
        hints: Hints,
    ) -> None:
        self._settings = settings
        self._room = room
        self._reservations = reservations
        self._ledger = ledger
        self._ranking = ranking
        self._gangs = gangs
        self._hints = hints

    def answer(self, pod: Pod, names: Sequence[str], *, leader_alive: bool) -> FilterAnswer:
        """Writes the approval into the ledger."""
        self._ledger.strike(pod.uid or pod.key)
        if pod.gang is not None and leader_alive and (missing := self._gangs.missing(pod, pod.gang)):
            return _none(names, _waiting_for_gang(pod, missing), Outcome.WAITING_FOR_GANG)
        rows = self._room.rows_of(names)
        ruled_out = self._hints.ruled_out(pod, names, rows)
        if not ruled_out:
            return self._among(pod, names, rows)
        left = [i for i, name in enumerate(names) if name not in ruled_out]
        if not left:
            return FilterAnswer([], {}, ruled_out, Outcome.HINT_ENFORCED)
        answer = self._among(pod, [names[i] for i in left], rows[left])
        return replace(answer, unresolvable=ruled_out | answer.unresolvable)

    def _among(self, pod: Pod, names: Sequence[str], rows: Rows) -> FilterAnswer:
        """Of nodes that its hint leaves it."""
        self._reservations.refresh()
        if self._reservations.is_empty:
            return self._approve(pod, names, rows, Outcome.ALL, {})
        place = self._own_place(pod, rows)
        if place is not None:
            node, group = place
            row = self._room.rows[node.node]
            self._ledger.approve(pod, np.array([row]), (node.node, group.key))
            return FilterAnswer([node.node], {}, {}, Outcome.PLANNED)
        passes = self._passes(pod, rows, self._reservations.charge, self._reservations.kept)
        if passes.all():
            return self._approve(pod, names, rows, Outcome.ALL, {})
        rejected = {names[i]: self._reservations.text(names[i]) for i in np.flatnonzero(~passes).tolist()}
        if passes.any():
            return self._approve(pod, names, rows, Outcome.SOME, rejected, np.flatnonzero(passes))
        if self._reservations.places_for(pod):
            return FilterAnswer([], {}, rejected, Outcome.KEPT)
        overtaken = self._passes(pod, rows, *self._reservations.charges_at_least(pod.priority))
        if overtaken.any():
            chosen = np.flatnonzero(overtaken)
            for i in chosen.tolist():
                rejected.pop(names[i], None)
            return self._approve(pod, names, rows, Outcome.OVERTAKES, rejected, chosen)
        return FilterAnswer([], {}, rejected, Outcome.KEPT)

    def _own_place(self, pod: Pod, rows: Rows) -> tuple[KeptRoom, Group] | None:
        """The best place that a plan keeps for this pod on a node offered, where others' claims leave room for it."""
        places = self._reservations.places_for(pod)
        if not places:
            return None
        offered = np.zeros(self._room.size, np.bool_)
        offered[rows] = True
        offered[NOWHERE] = False
        found = self._room.rows_of([node.node for node, _ in places])
        candidates = np.flatnonzero(offered[found])
        for i in candidates[self._ranking.order(pod, found[candidates])].tolist():
            node, group = places[i]
            if self._fits_beside(pod, int(found[i]), node, group):
                return node, group
        return None

    def _fits_beside(self, pod: Pod, row: int, node: KeptRoom, group: Group) -> bool:
        """Others' places are left their room. Where there are none, kube-scheduler's own check is enough."""
        charge, kept = self._reservations.charge_besides(node, group)
        if charge is None or kept is None:
            return True
        request = self._room.vector(pod.spec.requests)
        available = self._room.free[row] - charge - self._ledger.pending[row]
        return bool(((available >= request) | (kept == 0) | (request == 0)).all())

    def _passes(self, pod: Pod, rows: Rows, charge: Amounts, kept: Mask) -> Mask:
        """bool [rows]: the request fits beside what is kept. Only resources that are kept there can reject."""
        passes = np.ones(len(rows), np.bool_)
        held = np.flatnonzero(self._reservations.holding[rows])
        if not len(held):
            return passes
        request = self._room.vector(pod.spec.requests)
        columns = np.flatnonzero(request)
        where = np.ix_(rows[held], columns)
        available = self._room.free[where] - charge[where] - self._ledger.pending[where]
        passes[held] = ((available >= request[columns]) | ~kept[where]).all(axis=1)
        return passes

    def _approve(
        self,
        pod: Pod,
        names: Sequence[str],
        rows: Rows,
        outcome: Outcome,
        rejected: dict[str, str],
        chosen: Rows | None = None,
    ) -> FilterAnswer:
        """chosen: positions in `names` and `rows` of those that pass; None: all."""
        if chosen is not None:
            rows = rows[chosen]
        narrow_to = self._settings.narrow_to
        if (
            narrow_to is not None
            and len(rows) > max(self._settings.narrow_above, narrow_to)
            and not pod.spec.soft_preferences
            and not pod.spec.preferred_nodes
        ):
            best = self._ranking.best(pod, rows, narrow_to)
            rows = rows[best]
            chosen = best if chosen is None else chosen[best]
            outcome = Outcome.NARROWED if outcome is Outcome.ALL else outcome
        self._ledger.approve(pod, rows)
        nodes = list(names) if chosen is None else [names[i] for i in chosen.tolist()]
        return FilterAnswer(nodes, {}, rejected, outcome)


def _none(names: Sequence[str], text: str, outcome: Outcome) -> FilterAnswer:
    return FilterAnswer([], {}, dict.fromkeys(names, text), outcome)


def _waiting_for_gang(pod: Pod, missing: int) -> str:
    gang = pod.gang.key if pod.gang is not None else ""
    return f"waiting for gang {gang}: room for {missing} more is missing"

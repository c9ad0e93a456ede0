"""Which of the nodes that may take a pod suits it best: lowest cost first, and as ranks for kube-scheduler.

Three things are compared, each only where those before it are equal:

1. *wishes*: what the pod and the nodes' owner said themselves, added up. Preferred node affinity is one intent of strength
   1.0, shared out by its weights; so is keeping off a node with a PreferNoSchedule taint that the pod does not tolerate. With a
   hint they count among its plain wishes, after the strong and before the weak ones (`berth_intent.scoring`);
2. *packing*: how much room the pod would spoil there for those that usually come (`packing`). Left out for pods with preferences that only kube-scheduler
   weighs: its own scores decide those;
3. *models*: whether the pod's model lies there already (`model_locality`), where packing decides.

Ranks are whole numbers: the best nodes get 10, the next best 9, and so on; nodes of equal cost share a rank and leave the
choice to the in-tree plugins (DESIGN.md, "Traps": kube-scheduler multiplies by a weight of 121 or more). Only the first place
is never shared where packing decides: of a burst of equal pods on equal nodes, each would otherwise begin a node of its own,
for kube-scheduler asks about the next pod before the watch has shown where the last one went. With one best node it is known,
and counts as taken at once (`Room.assumed`).

Cost: figures are kept per request and per set of wishes, for all nodes, and only rows that changed since are renewed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from berth_cluster.matching import term_matches, tolerates
from berth_cluster.snapshot import Node, Pod, PodSpec
from berth_intent.scoring import MAX_KEY
from berth_scheduling.hints import Hints
from berth_scheduling.model_locality import HoldsModel
from berth_scheduling.node_figures import Costs, NodeFigures
from berth_scheduling.packing import Packing
from berth_scheduling.room import Room, Rows

MAX_RANK = 10
DIGITS = 9
"""Costs that differ by less than this many decimals are equal."""


class Wish(Protocol):
    """A preference about nodes. Answers are costs from 0, for as many nodes; strength 1.0 is the most one wish may cost."""

    def key(self, spec: PodSpec) -> object | None:
        """Equal for pods that wish the same; None: no wish."""

    def cost(self, spec: PodSpec, node: Node) -> float: ...


class AvoidsTaints:
    """PreferNoSchedule: the node's owner would rather have other pods there."""

    def key(self, spec: PodSpec) -> object | None:
        return spec.tolerations

    def cost(self, spec: PodSpec, node: Node) -> float:
        taints = [taint for taint in node.taints if taint.effect == "PreferNoSchedule"]
        return float(any(not tolerates(spec.tolerations, taint) for taint in taints))


class PrefersNodes:
    """preferredDuringScheduling node affinity: the share of the weights that the node does not meet."""

    def key(self, spec: PodSpec) -> object | None:
        return spec.preferred_nodes or None

    def cost(self, spec: PodSpec, node: Node) -> float:
        total = sum(preferred.weight for preferred in spec.preferred_nodes)
        met = sum(p.weight for p in spec.preferred_nodes if p.weight and term_matches(p.term, node))
        return 1.0 - met / total if total else 0.0


class Ranking:
    def __init__(
        self, room: Room, packing: Packing, hints: Hints, wishes: Sequence[Wish] = (AvoidsTaints(), PrefersNodes())
    ) -> None:
        self._room = room
        self._packing = packing
        self._hints = hints
        self._wishes = wishes
        self._holds = HoldsModel()
        self._wished = NodeFigures(room, 0.0)

    def best(self, pod: Pod, rows: Rows, count: int) -> Rows:
        """Positions in `rows` of the `count` best of them, ascending."""
        if len(rows) <= count:
            return np.arange(len(rows))
        wished, packing, models = self._costs(pod, rows)
        if models is not None:
            return np.sort(self.order(pod, rows)[:count])
        if wished is None:
            return np.arange(count) if packing is None else np.sort(np.argpartition(packing, count)[:count])
        last = np.partition(wished, count - 1)[count - 1]
        ahead, ties = np.flatnonzero(wished < last), np.flatnonzero(wished == last)
        left = count - len(ahead)
        if packing is not None and left < len(ties):
            ties = ties[np.argpartition(packing[ties], left)]
        return np.sort(np.concatenate([ahead, ties[:left]]))

    def order(self, pod: Pod, rows: Rows) -> Rows:
        """Positions in `rows`, the best first."""
        wished, packing, models = self._costs(pod, rows)
        keys = [np.round(costs, DIGITS) for costs in (models, packing, wished) if costs is not None]
        return np.lexsort(keys) if keys else np.arange(len(rows))

    def ranks(self, pod: Pod, rows: Rows) -> npt.NDArray[np.int64]:
        """int64 [rows], 0 to 10, 10 the best."""
        wished, packing, models = self._costs(pod, rows)
        if wished is None and packing is None:
            return np.full(len(rows), MAX_RANK)
        levels = np.zeros(len(rows))
        for costs in (wished, packing, models):
            if costs is not None:
                distinct = np.unique(np.round(costs, DIGITS))
                levels = levels * (len(rows) + 1) + np.searchsorted(distinct, np.round(costs, DIGITS))
        best = np.unique(levels)[:MAX_RANK]
        ranks: npt.NDArray[np.int64] = MAX_RANK - np.searchsorted(best, levels)
        ties = np.flatnonzero(ranks == MAX_RANK)
        if packing is not None and len(ties) > 1:
            ranks[ties] = MAX_RANK - 1
            ranks[ties[np.argmin(rows[ties])]] = MAX_RANK
        return ranks

    def _costs(self, pod: Pod, rows: Rows) -> tuple[Costs | None, Costs | None, Costs | None]:
        """Costs of wishes, of packing and of models, None where there is nothing to compare."""
        native = [costs[rows] for wish in self._wishes if (costs := self._wish_costs(wish, pod.spec)) is not None]
        reading = self._hints.reading(pod)
        wished: Costs | None = None
        if reading is not None:
            keys = self._hints.keys(pod, reading, rows, [1.0 - costs for costs in native])
            wished = (MAX_KEY - keys).astype(np.float64)
        elif native:
            wished = native[0] if len(native) == 1 else np.add.reduce(native)
        if pod.spec.soft_preferences:
            return wished, None, None
        models = self._wish_costs(self._holds, pod.spec)
        return wished, self._packing.costs(pod.spec.requests)[rows], None if models is None else models[rows]

    def _wish_costs(self, wish: Wish, spec: PodSpec) -> Costs | None:
        """Of all rows; None where no node costs anything."""
        key = wish.key(spec)
        if key is None:
            return None
        kept = self._wished.under((type(wish), key))
        if self._room.relabelled_at > kept.tick:
            for row in np.flatnonzero(self._room.relabelled > kept.tick).tolist():
                node = self._room.nodes[row]
                kept.figures[row] = wish.cost(spec, node) if node is not None else 0.0
            kept.differ = bool(kept.figures.any())
            kept.tick = self._room.tick
        return kept.figures if kept.differ else None

"""How well nodes suit a pod's hint, wish by wish, by the one scoring function: its own node, or the best when it waits.

Where the others stand is taken from the snapshot. Cost: a pass over the nodes a pod.
"""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np

from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_intent.sentences import phrase
from berth_planner.company import Company
from berth_planner.hint_reading import HintReading, Reading
from berth_planner.node_sets import NodeSets
from berth_planner.wishes import Wishes

BEST_SHOWN = 3
"""Nodes that are judged for a pod that waits."""
LEAST_BETTER = 1e-9


class WishJudged(msgspec.Struct, frozen=True):
    intent: str
    wish: str
    strength: float
    text: str
    satisfaction: float
    """0 to 1, on this node."""
    best: float
    """On the node that satisfies it most, of those that the pod's rules allow."""
    reason: str


class NodeJudged(msgspec.Struct, frozen=True):
    node: str
    score: float
    """0 to 1: all wishes together, the strong ones first."""
    has_room: bool
    wishes: tuple[WishJudged, ...]


class PodHint(msgspec.Struct, frozen=True):
    pod: str
    scheduler: str
    hint: str
    node: str | None
    allowed: int
    """Nodes that its rules allow, its own among them."""
    with_room: int
    """Those of them that have room for it as things stand."""
    nodes: tuple[NodeJudged, ...]
    """Its own, then the best that has room if that is better; the best few when it waits, those with room first."""


class HintedPods:
    """Of one snapshot."""

    def __init__(self, snapshot: Snapshot, reading: HintReading) -> None:
        self._nodes = snapshot.nodes
        self._reading = reading
        self._rows = {node.name: row for row, node in enumerate(snapshot.nodes)}
        self._sets = NodeSets(snapshot.nodes)
        self._company = Company(snapshot, Wishes(snapshot, reading, self._sets))
        self._used: list[Counter[str]] = [Counter() for _ in snapshot.nodes]
        for pod in snapshot.pods:
            if pod.node in self._rows:
                self._used[self._rows[pod.node]].update(dict(pod.spec.requests))

    def explain(self, pod: Pod) -> tuple[PodHint, Reading] | None:
        """None: it has no hint that is read."""
        reading = self._reading.of(pod)
        if reading is None:
            return None
        own = self._rows.get(pod.node or "")
        allowed = self._sets.eligible(pod.spec).copy()
        if own is not None:
            allowed[own] = True
            if not pod.terminating:
                self._company.leave(pod, own)  # it is never counted itself
        try:
            scores = self._company.opinion(pod)
            rows = [int(row) for row in np.flatnonzero(allowed)]
            room = {row for row in rows if self._has_room(pod, row)}
            order = sorted(rows, key=lambda row: (row not in room, -scores[row]))
            if not reading.counting:
                shown = []
            elif own is None:
                shown = order[:BEST_SHOWN]
            else:
                shown = [own, *(r for r in order[:1] if scores[r] > scores[own] + LEAST_BETTER)]
            nodes = tuple(self._judged(pod, reading, row, float(scores[row]), row in room) for row in shown)
        finally:
            if own is not None and not pod.terminating:
                self._company.stand(pod, own)
        return PodHint(pod.key, pod.scheduler, pod.hint, pod.node, len(rows), len(room), nodes), reading

    def _judged(self, pod: Pod, reading: Reading, row: int, score: float, has_room: bool) -> NodeJudged:
        judgements = self._company.judgements(pod, row)
        wishes = tuple(
            WishJudged(
                wish.intent.value, phrase(wish), wish.strength, wish.text, found.satisfaction, found.best, found.reason
            )
            for wish, found in zip(reading.counting, judgements, strict=True)
        )
        return NodeJudged(self._nodes[row].name, score, has_room, wishes)

    def _has_room(self, pod: Pod, row: int) -> bool:
        node: Node = self._nodes[row]
        if node.name == pod.node:
            return True
        has, used = node.amounts, self._used[row]
        return all(used[name] + amount <= has.get(name, 0) for name, amount in pod.spec.requests if amount)

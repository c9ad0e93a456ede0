"""The leanest state so far, offered to by several threads: nodes in use first, then disruption, at counts that are given."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from berth_solver.allowances import Allowances
from berth_solver.fewest_nodes import capped_bound, fullest_bound, roomiest_bound
from berth_solver.problem import IntArray
from berth_solver.solution import Evidence
from berth_solver.state import Ground, State


@dataclass(frozen=True, slots=True)
class LeanBound:
    """A proven bound and the evidence for it."""

    value: int
    evidence: Evidence


class Leanest:
    """The best state and what is proven: of the nodes at these counts, of the disruption at these counts and nodes."""

    def __init__(
        self,
        ground: Ground,
        state: State,
        clock: Callable[[], float],
        seed: int,
        threads: int,
        accepts: Callable[[IntArray], bool] | None = None,
    ) -> None:
        """accepts: whether a placement keeps what the search does not know of."""
        self.ground, self.clock, self.seed, self.threads = ground, clock, seed, threads
        self.accepts = accepts
        self.allowances = Allowances.of(ground)
        self.best = state.copy(seed)
        self.best.relabel()
        self.placed = state.placed()
        self.nodes = in_use(self.best)
        self.disruption = self.best.disruption()
        self.nodes_bound = LeanBound(
            max(roomiest_bound(ground, self.placed), capped_bound(ground)), Evidence("trivial")
        )
        self._moves_bound = LeanBound(0, Evidence("trivial"))
        self._moves_for = -1
        self._lock = threading.Lock()

    def offer(self, state: State) -> bool:
        """Take a relabelled state when it is better, has the same counts and keeps the caps."""
        nodes, disruption = in_use(state), state.disruption()
        with self._lock:
            if (nodes, disruption) >= (self.nodes, self.disruption):
                return False
            if state.placed() != self.placed or (self.allowances and not self.allowances.keep(state)):
                return False
            if (state.load > self.ground.cap).any():
                return False
            if self.accepts is not None and not self.accepts(state.placement()):
                return False
            self.best, self.nodes, self.disruption = state.copy(), nodes, disruption
        return True

    def copy(self, seed: int) -> State:
        """The best state, with a random stream of its own."""
        with self._lock:
            return self.best.copy(seed)

    @property
    def has_fewest_nodes(self) -> bool:
        return self.nodes <= self.nodes_bound.value

    @property
    def has_fewest_moves(self) -> bool:
        """Given the nodes in use."""
        return self.disruption <= self.moves_bound.value

    @property
    def moves_bound(self) -> LeanBound:
        """On at most as many nodes as are in use."""
        if self._moves_for != self.nodes:
            self._moves_bound, self._moves_for = LeanBound(*fullest_bound(self.ground, self.nodes)), self.nodes
        return self._moves_bound

    def note_moves_bound(self, bound: int, evidence: Evidence, nodes: int) -> None:
        """A bound on the disruption on at most `nodes` nodes."""
        if nodes == self.nodes and bound > self.moves_bound.value:
            self._moves_bound = LeanBound(bound, evidence)

    def note_nodes_bound(self, bound: int, evidence: Evidence) -> None:
        if bound > self.nodes_bound.value:
            self.nodes_bound = LeanBound(bound, evidence)


def in_use(state: State) -> int:
    """Nodes that hold a movable pod."""
    return int((state.head >= 0).sum())

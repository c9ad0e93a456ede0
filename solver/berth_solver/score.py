"""What a placement is worth: the objective, compared lexicographically.

Pods placed per tier from the highest down; then disruption, or, when consolidation was asked for, nodes in use and then
disruption; then preference. Cost: a pass over the [classes, nodes] table and one
over what stands, 3 ms at 2,300 classes and 1,000 nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from berth_solver.problem import IntArray, Problem, preference_table

PREFERENCE_STEP = 1e-9
"""Preferences that differ by less are equal: the certificates' own tolerance."""


@dataclass(frozen=True, slots=True)
class Score:
    """The value of one placement, tiers highest first. `nodes_in_use` is 0 where consolidation was not asked for."""

    placed: tuple[int, ...]
    nodes_in_use: int
    disruption: int
    preference: float

    def is_better_than(self, other: Score) -> bool:
        """Strictly better, by strict priority."""
        mine, theirs = self._key(), other._key()
        return mine > theirs or (mine == theirs and self.preference > other.preference + PREFERENCE_STEP)

    def _key(self) -> tuple[int, ...]:
        return (*self.placed, -self.nodes_in_use, -self.disruption)


def score(problem: Problem, placement: IntArray, consolidate: bool = False) -> Score:
    return Score(
        placed_per_tier(problem, placement),
        nodes_in_use(problem, placement) if consolidate else 0,
        disruption(problem, placement),
        preference(problem, placement),
    )


def placed_per_tier(problem: Problem, placement: IntArray) -> tuple[int, ...]:
    """Pods placed of each priority, highest first."""
    placed = placement.sum(axis=1)
    of_tier = dict.fromkeys(problem.priorities, 0)
    for pod_class, count in zip(problem.classes, placed.tolist(), strict=True):
        of_tier[pod_class.priority] += count
    return tuple(of_tier.values())


def disruption(problem: Problem, placement: IntArray) -> int:
    """Running pods that are not left on their node, weighted by move cost."""
    standing: dict[tuple[int, int], int] = {}
    for s in problem.standing:
        standing[s.pod_class, s.node] = standing.get((s.pod_class, s.node), 0) + s.count
    if not standing:
        return 0
    at = np.array(list(standing), np.int64)
    gone = np.maximum(np.array(list(standing.values()), np.int64) - placement[at[:, 0], at[:, 1]], 0)
    where = np.flatnonzero(gone)
    return sum(
        problem.classes[c].move_cost * k for c, k in zip(at[where, 0].tolist(), gone[where].tolist(), strict=True)
    )


def preference(problem: Problem, placement: IntArray) -> float:
    """Sum of the preference of every placed pod for its node."""
    return float(sum(value * int(placement[c, n]) for (c, n), value in preference_table(problem).items()))


def nodes_in_use(problem: Problem, placement: IntArray) -> int:
    """Nodes that hold a pod which could be elsewhere; immovable ones do not count, since nothing can empty their node."""
    movable = np.array([c.movable for c in problem.classes], np.bool_)
    return int(placement[movable].any(axis=0).sum())

"""Values of the stages after the counts, and the bounds on them that plain arithmetic gives. Part of the verifier."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from berth_solver.check_bounds import Terrain
from berth_solver.problem import IntArray, Problem


def preference_of(problem: Problem, placement: IntArray) -> float:
    """Sum over all placed pods of their preference for their node."""
    return math.fsum(int(placement[c, n]) * share for c, k in enumerate(problem.classes) for n, share in k.preference)


def nodes_in_use_of(problem: Problem, placement: IntArray) -> int:
    """Nodes that hold a movable pod: nothing can empty a node of immovable ones."""
    movable = np.array([c.movable for c in problem.classes], np.bool_)
    return int(np.count_nonzero(placement[movable].sum(axis=0)))


def most_preference(problem: Problem, terrain: Terrain, decided: Mapping[int, int]) -> float:
    """Each tier's pods on the nodes they like best, as many as are placed, room aside."""
    likes: dict[int, list[tuple[float, int]]] = {}
    for c, pod_class in enumerate(problem.classes):
        left = int(problem.totals[c])
        for n, share in sorted(pod_class.preference, key=lambda choice: -choice[1]):
            here = min(left, int(terrain.may_hold[c, n]))
            left -= here
            if here:
                likes.setdefault(pod_class.priority, []).append((share, here))
    total = []
    for priority, choices in likes.items():
        left = decided[priority]
        for share, count in sorted(choices, reverse=True):
            total.append(share * min(count, left))
            left -= min(count, left)
    return math.fsum(total)


def least_nodes_in_use(problem: Problem, terrain: Terrain, decided: Mapping[int, int]) -> int:
    """For each resource: how many of the roomiest nodes hold the smallest pods that make up the counts."""
    placed_somewhere = 0
    least = 0
    room = np.sort(terrain.room, axis=0)[::-1]
    for r in range(len(problem.resources)):
        demand = 0
        for priority, count in decided.items():
            members = [c for c, k in enumerate(problem.classes) if k.priority == priority]
            left = count - int(problem.totals[[c for c in members if terrain.fixed[c]]].sum())
            placed_somewhere = max(placed_somewhere, left)
            for c in sorted([c for c in members if not terrain.fixed[c]], key=lambda c: int(problem.requests[c, r])):
                taken = max(0, min(left, int(problem.totals[c])))
                demand += taken * int(problem.requests[c, r])
                left -= taken
        if demand > 0:
            least = max(least, 1 + int(np.searchsorted(np.cumsum(room[:, r]), demand, side="left")))
    return max(least, 1 if placed_somewhere > 0 else 0)

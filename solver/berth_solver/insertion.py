"""Greedy insertion: place what fits as things stand, highest tier first, disturbing nobody.

Each pod goes to the fullest node that takes it (best fit), to one it was moved from if possible. A gang is placed as a
whole or not at all. Pods that no rule concerns are placed by whole nodes at once; the others one by one, which costs about
0.1 ms each at 1,000 nodes. Used to fill up after every step of a search, so that no answer leaves room unused.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from berth_solver.occupancy import Occupancy
from berth_solver.problem import BoolArray, Problem

LOOK_AT_CLOCK_EVERY = 16
"""Pods inserted between two looks at the clock."""


def insert_pending(occupancy: Occupancy, deadline: float, clock: Callable[[], float]) -> int:
    """Adds pods until nothing fits or time is up; returns how many."""
    placed = 0
    for unit in insertion_units(occupancy):
        if clock() >= deadline:
            break
        placed += insert_unit(occupancy, unit, deadline, clock)
    return placed


def insertion_units(occupancy: Occupancy) -> list[tuple[int, ...]]:
    """What is inserted together: the classes of a gang, or one class. Highest priority first, then the largest."""
    problem = occupancy.problem
    waiting = np.flatnonzero(occupancy.placed < problem.totals).tolist()
    units: dict[tuple[int, ...], None] = {}
    for c in waiting:
        gangs = occupancy.rules.gangs_of[c]
        members = {c, *(int(m) for gang in gangs for m in gang.classes)}
        units[tuple(sorted(members))] = None
    size = relative_size(problem)

    def order(unit: tuple[int, ...]) -> tuple[float, float, tuple[int, ...]]:
        return (-max(problem.classes[c].priority for c in unit), -max(size[c] for c in unit), unit)

    return sorted(units, key=order)


def relative_size(problem: Problem) -> list[float]:
    """Each class's request as a share of the cluster, summed over resources."""
    whole = np.maximum(np.maximum(problem.capacity, 0).sum(axis=0), 1).astype(np.float64)
    return [float(v) for v in (problem.requests / whole).sum(axis=1)]


def insert_unit(occupancy: Occupancy, unit: tuple[int, ...], deadline: float, clock: Callable[[], float]) -> int:
    """Inserts the pods of a unit; all its gangs end whole or as they were."""
    problem = occupancy.problem
    done: list[tuple[int, int, int]] = []
    for c in sorted(unit, key=lambda c: -problem.classes[c].priority):
        if occupancy.rules.gangs_of[c] or occupancy.rules.domain_rules_of[c]:
            done += _insert_singly(occupancy, c, deadline, clock)
        else:
            done += _insert_by_node(occupancy, c)
    if any(_is_torn(occupancy, c) for c in unit):
        for c, n, count in reversed(done):
            occupancy.add(c, n, -count)
        return 0
    return sum(count for _, _, count in done)


def _is_torn(occupancy: Occupancy, c: int) -> bool:
    return any(
        0 < int(occupancy.placed[gang.classes].sum()) < gang.gang.minimum
        and not (gang.runs_short and not occupancy.fresh_of[gang.classes].any())
        for gang in occupancy.rules.gangs_of[c]
    )


def _insert_singly(
    occupancy: Occupancy, c: int, deadline: float, clock: Callable[[], float]
) -> list[tuple[int, int, int]]:
    done: list[tuple[int, int, int]] = []
    missing = int(occupancy.problem.totals[c] - occupancy.placed[c])
    for i in range(missing):
        if i % LOOK_AT_CLOCK_EVERY == 0 and clock() >= deadline:
            break
        allowed = occupancy.insertable(c, ignore_gangs=True)
        if not allowed.any():
            break
        n = best_node(occupancy, c, allowed)
        occupancy.add(c, n, 1)
        done.append((c, n, 1))
    return done


def _insert_by_node(occupancy: Occupancy, c: int) -> list[tuple[int, int, int]]:
    done: list[tuple[int, int, int]] = []
    problem = occupancy.problem
    asks = problem.requests[c] > 0
    while (missing := int(problem.totals[c] - occupancy.placed[c])) > 0:
        allowed = occupancy.insertable(c)
        if not allowed.any():
            break
        n = best_node(occupancy, c, allowed)
        gone = int(problem.standing_counts[c, n] - occupancy.placement[c, n])
        room = (occupancy.free[n, asks] // problem.requests[c, asks]).tolist()
        count = 1 if gone > 0 else min([missing, *room])  # returning pods obey rules of their own, one at a time
        occupancy.add(c, n, count)
        done.append((c, n, count))
    return done


def best_node(occupancy: Occupancy, c: int, allowed: BoolArray) -> int:
    """Of the allowed nodes one that a pod of the class was moved from, else the fullest; ties to the lowest index."""
    problem = occupancy.problem
    candidates = np.flatnonzero(allowed)
    home = candidates[occupancy.placement[c, candidates] < problem.standing_counts[c, candidates]]
    if len(home):
        candidates = home
    typical = np.maximum(np.maximum(problem.capacity, 0).mean(axis=0), 1.0)
    room = (occupancy.free[candidates] / typical).sum(axis=1)
    return int(candidates[int(room.argmin())])

"""Other questions about the same cluster: one pod alone, or the cluster once a placement stands.

Everything not mentioned stays as it is, so that an answer says something about the real problem.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from berth_solver.problem import Constraints, IntArray, PodClass, Problem, Standing


def standing_at(problem: Problem, placement: IntArray, asked: Collection[int] | None = None) -> Problem:
    """The problem as it is once `placement` stands. What is not placed is pending, in the classes `asked` (None: all)."""
    left = problem.totals - placement.sum(axis=1)
    classes: tuple[PodClass, ...] = tuple(
        replace(k, pending=int(left[c]) if k.movable and (asked is None or c in asked) else 0)
        for c, k in enumerate(problem.classes)
    )
    rows, columns = np.nonzero(placement)
    standing = tuple(Standing(int(c), int(n), int(placement[c, n])) for c, n in zip(rows, columns, strict=True))
    return replace(problem, classes=classes, standing=standing)


def focused(problem: Problem, wanted: Mapping[int, int], *, priority: int | None = None) -> Problem:
    """No pending pods but `wanted` (class -> how many), as classes of their own, the last ones, in the order given.

    priority: theirs, instead of their class's. They play their class's part in every rule; the plan's caps do not apply.
    """
    count = len(problem.classes)
    copies = {c: count + i for i, c in enumerate(wanted)}
    classes = [replace(k, pending=0) for k in problem.classes]
    for c, pending in wanted.items():
        k = problem.classes[c]
        classes.append(replace(k, pending=pending, priority=k.priority if priority is None else priority))

    def joined(members: frozenset[int]) -> frozenset[int]:
        return members | {copies[c] for c in members if c in copies}

    rules = problem.constraints
    constraints = Constraints(
        limits=tuple(replace(r, classes=joined(r.classes)) for r in rules.limits),
        exclusions=tuple(replace(r, classes=joined(r.classes), others=joined(r.others)) for r in rules.exclusions),
        affinities=tuple(replace(r, classes=joined(r.classes), others=joined(r.others)) for r in rules.affinities),
        spreads=tuple(
            replace(r, classes=joined(r.classes), counted=None if r.counted is None else joined(r.counted))
            for r in rules.spreads
        ),
        gangs=tuple(replace(r, classes=joined(r.classes)) for r in rules.gangs),
        budgets=rules.budgets,
    )
    return replace(problem, classes=tuple(classes), constraints=constraints)

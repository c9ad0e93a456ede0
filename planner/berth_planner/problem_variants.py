"""Other questions about the same cluster: one pod alone, or the cluster once a placement stands.

Everything not mentioned stays as it is, so that an answer says something about the real problem.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from berth_planner.packing import MAX_MOVES_BUDGET
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


def frozen(problem: Problem) -> Problem:
    """Nobody moves: what stands is weight. The classes keep their numbers, without standing pods; where a rule counts
    standing pods, copies of their classes that do not move follow them. Caps and budgets have nothing left to bind."""
    load = problem.standing_counts.T @ problem.requests
    capacity = np.maximum(problem.capacity - load, 0)
    capacity[problem.overloaded] = 0  # takes nothing new, not even a pod that asks for none of what is short
    rules = problem.constraints
    counted = {
        *(c for r in rules.limits for c in r.classes),
        *(c for r in rules.exclusions for c in r.classes | r.others),
        *(c for r in rules.affinities for c in r.classes | r.others),
        *(c for r in rules.spreads for c in r.classes | (r.counted or frozenset())),
        *(c for r in rules.gangs for c in r.classes),
    }
    stands = {s.pod_class for s in problem.standing}
    copies = {c: len(problem.classes) + i for i, c in enumerate(sorted(counted & stands))}
    none = (0,) * len(problem.resources)
    classes = [k if k.movable else replace(k, pending=0) for k in problem.classes]
    classes += [replace(problem.classes[c], request=none, pending=0, movable=False, preference=()) for c in copies]
    standing = tuple(replace(s, pod_class=copies[s.pod_class]) for s in problem.standing if s.pod_class in copies)
    constraints = replace(_joined(rules, copies), budgets=(), max_disruption=None, max_evictions=None)
    return replace(
        problem,
        capacity=capacity,
        classes=tuple(classes),
        standing=standing,
        constraints=constraints,
    )


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

    rules = _joined(problem.constraints, copies)
    budgets = tuple(b for b in rules.budgets if b.name != MAX_MOVES_BUDGET)
    constraints = replace(rules, budgets=budgets, max_disruption=None, max_evictions=None)
    return replace(problem, classes=tuple(classes), constraints=constraints)


def _joined(rules: Constraints, copies: Mapping[int, int]) -> Constraints:
    """Copies of classes play the part of their originals in every rule between pods; budgets stay as they are."""

    def joined(members: frozenset[int]) -> frozenset[int]:
        return members | {copies[c] for c in members if c in copies}

    return replace(
        rules,
        limits=tuple(replace(r, classes=joined(r.classes)) for r in rules.limits),
        exclusions=tuple(replace(r, classes=joined(r.classes), others=joined(r.others)) for r in rules.exclusions),
        affinities=tuple(replace(r, classes=joined(r.classes), others=joined(r.others)) for r in rules.affinities),
        spreads=tuple(
            replace(r, classes=joined(r.classes), counted=None if r.counted is None else joined(r.counted))
            for r in rules.spreads
        ),
        gangs=tuple(replace(r, classes=joined(r.classes)) for r in rules.gangs),
    )

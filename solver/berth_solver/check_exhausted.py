"""Searches a small problem completely, to confirm a bound whose evidence is that a solver has searched it. Verifier only.

Depth first, one (class, node) cell after the other, large classes first. Only one question is asked: is there a placement
worth more than the claim? So a branch ends when what it can still be worth does not beat the claim, when a decided tier's
count can no longer be met, or when the cheapest pods that are still needed exceed the room left in all. Rules that more
pods can only break further (limits, exclusions) are checked after each class, the others at the end.

Cost: exponential. A few milliseconds at 4 nodes and 4 classes; beyond about 10 nodes or 15 classes it seldom finishes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from berth_solver.check_bounds import Terrain
from berth_solver.check_placement import ViolationCode, placement_violations
from berth_solver.problem import BoolArray, IntArray, Problem

MAX_CELLS = 2_000
"""Cells of a problem that is worth starting on."""
CLOCK_EVERY = 256
PREFERENCE_UNIT = 1 << 40
"""Preferences are added up as whole numbers of this fraction."""

_ONLY_GROWS = {ViolationCode.LIMIT_EXCEEDED, ViolationCode.EXCLUSION_BROKEN}


class NotSearchedError(Exception):
    """The space was too large for the time."""


@dataclass(frozen=True, slots=True)
class _Worth:
    """What is maximised: so much for each pod placed, for each that stays, and for each on a node it likes (by node)."""

    placed: list[int]
    stays: list[int]
    likes: list[list[int]]

    @staticmethod
    def of(
        problem: Problem,
        placed: list[int] | None = None,
        stays: list[int] | None = None,
        likes: list[list[int]] | None = None,
    ) -> _Worth:
        nothing = [0] * len(problem.classes)
        return _Worth(placed or nothing, stays or nothing, likes or [[0] * len(problem.nodes)] * len(nothing))


@dataclass(frozen=True, slots=True)
class Given:
    """What earlier stages have decided: counts by priority, nodes in use and disruption at most; None: not yet."""

    counts: Mapping[int, int]
    most_nodes: int | None = None
    most_lost: int | None = None


def most_placed(
    problem: Problem,
    terrain: Terrain,
    wanted: BoolArray,
    decided: Mapping[int, int],
    bound: int,
    is_late: Callable[[], bool],
) -> int:
    """`bound` when no more pods of `wanted` can be placed, else some larger number. Raises NotSearchedError."""
    worth = _Worth.of(problem, placed=wanted.astype(int).tolist())
    found = _Search(problem, terrain, worth, Given(decided), bound, is_late).run()
    return bound if found is None else found


def least_disruption(
    problem: Problem, terrain: Terrain, given: Given, bound: float, is_late: Callable[[], bool]
) -> float:
    """`bound` when no smaller disruption is possible with all counts as given, else some smaller one."""
    standing = problem.standing_counts.sum(axis=1).tolist()
    costs = [c.move_cost for c in problem.classes]
    stands = sum(cost * count for cost, count in zip(costs, standing, strict=True))
    target = stands - int(-(-bound // 1))
    found = _Search(problem, terrain, _Worth.of(problem, stays=costs), given, target, is_late).run()
    return bound if found is None else stands - found


def fewer_nodes_do(problem: Problem, terrain: Terrain, given: Given, bound: int, is_late: Callable[[], bool]) -> bool:
    """Whether the counts can be had on fewer than `bound` nodes."""
    fewer = Given(given.counts, bound - 1)
    return _Search(problem, terrain, _Worth.of(problem), fewer, -1, is_late).run() is not None


def best_preference(
    problem: Problem, terrain: Terrain, given: Given, bound: float, is_late: Callable[[], bool]
) -> float:
    """`bound` when no higher preference is possible, to a billionth, else some higher one."""
    likes = [[0] * len(problem.nodes) for _ in problem.classes]
    for c, pod_class in enumerate(problem.classes):
        for n, share in pod_class.preference:
            likes[c][n] = round(share * PREFERENCE_UNIT)
    target = round((bound + 1e-9) * PREFERENCE_UNIT)
    found = _Search(problem, terrain, _Worth.of(problem, likes=likes), given, target, is_late).run()
    return bound if found is None else found / PREFERENCE_UNIT


class _Search:
    def __init__(
        self,
        problem: Problem,
        terrain: Terrain,
        worth: _Worth,
        given: Given,
        target: int,
        is_late: Callable[[], bool],
    ) -> None:
        self.most_nodes = len(problem.nodes) if given.most_nodes is None else given.most_nodes
        lost = [cap for cap in (problem.constraints.max_disruption, given.most_lost) if cap is not None]
        self.most_lost = min(lost, default=None)
        self.pods_on = [0] * len(problem.nodes)
        """Movable pods on each node."""
        self.problem, self.worth, self.target, self.is_late = problem, worth, target, is_late
        self.order = self._relevant(terrain, given.counts)
        self.nodes = len(problem.nodes)
        self.standing: list[list[int]] = problem.standing_counts.tolist()
        self.totals: list[int] = problem.totals.tolist()
        self.may_hold: list[list[int]] = terrain.may_hold.tolist()
        self.fixed: list[bool] = terrain.fixed.tolist()
        self.staying = frozenset[int]().union(*[b.classes for b in problem.constraints.budgets if not b.max_disrupted])
        self.requests = [list(c.request) for c in problem.classes]
        self.free: list[list[int]] = terrain.room.tolist()
        self.room: list[int] = terrain.room.sum(axis=0).tolist()
        self.needs = dict(given.counts)
        self.placement: IntArray = np.where(terrain.fixed[:, None], problem.standing_counts, 0)
        self.placement[self.order] = 0
        self.lost = 0
        self.steps = 0
        self.reach = self._reach(terrain)
        self.cheapest = self._cheapest(terrain)

    def _relevant(self, terrain: Terrain, decided: Mapping[int, int]) -> list[int]:
        """Classes that the question depends on, large ones first: the rest may as well not be placed."""
        problem, constraints = self.problem, self.problem.constraints
        groups: list[frozenset[int]] = [limit.classes for limit in constraints.limits]
        groups += [gang.classes for gang in constraints.gangs] + [budget.classes for budget in constraints.budgets]
        groups += [group for e in constraints.exclusions for group in (e.classes, e.others)]
        groups += [group for a in constraints.affinities for group in (a.classes, a.others)]
        groups += [group for s in constraints.spreads for group in (s.classes, s.counted or frozenset())]
        bound = frozenset[int]().union(*groups)
        capped = constraints.max_disruption is not None or constraints.max_evictions is not None
        size = (problem.requests / np.maximum(terrain.room.sum(axis=0), 1)).sum(axis=1)
        kept = [
            c
            for c, k in enumerate(problem.classes)
            if capped or c in bound or k.priority in decided or self.worth.placed[c] or self.worth.stays[c]
        ]
        return sorted(kept, key=lambda c: (not terrain.fixed[c], -float(size[c])))

    def _reach(self, terrain: Terrain) -> list[int]:
        """What the classes from the i-th on can still be worth."""
        most = terrain.most_placed().tolist()
        worth = [
            (self.worth.placed[c] + max(self.worth.likes[c], default=0)) * most[c]
            + self.worth.stays[c] * min(most[c], sum(self.standing[c]))
            for c in self.order
        ]
        return [*reversed(list(accumulate(reversed(worth)))), 0]

    def _cheapest(self, terrain: Terrain) -> list[dict[int, list[list[int]]]]:
        """For the classes from the i-th on, by decided tier and resource: the least that k pods ask for, k = 0, 1, ..."""
        most = terrain.most_placed().tolist()
        tables = []
        for i in range(len(self.order) + 1):
            table = {}
            for priority in self.needs:
                later = [c for c in self.order[i:] if self.problem.classes[c].priority == priority]
                table[priority] = [
                    list(accumulate(sorted([self.requests[c][r] for c in later for _ in range(most[c])]), initial=0))
                    for r in range(len(self.room))
                ] or [[0] * (1 + sum(most[c] for c in later))]
            tables.append(table)
        return tables

    def run(self) -> int | None:
        """A worth beyond the target that some placement has, or None when none has."""
        if len(self.order) * self.nodes > MAX_CELLS:
            raise NotSearchedError(f"{len(self.order)} classes on {self.nodes} nodes are too many to search again")
        try:
            return self._class(0, 0)
        except RecursionError as error:
            # a level for each cell, on top of what the caller has already
            raise NotSearchedError("the search goes deeper than Python's stack") from error

    def _class(self, i: int, worth: int) -> int | None:
        """Decides the classes from the i-th on."""
        if worth + self.reach[i] <= self.target:
            return None
        for priority, need in self.needs.items():
            for r, least in enumerate(self.cheapest[i][priority]):
                if need < 0 or need >= len(least) or (self.room and least[need] > self.room[r]):
                    return None
        if self.most_lost is not None and self.lost > self.most_lost:
            return None
        constraints = self.problem.constraints
        if i and (constraints.limits or constraints.exclusions) and self._breaks(_ONLY_GROWS):
            return None
        if i == len(self.order):
            return None if constraints and self._breaks(None) else worth
        return self._cell(i, 0, self.totals[self.order[i]], worth)

    def _breaks(self, codes: set[ViolationCode] | None) -> bool:
        return any(codes is None or v.code in codes for v in placement_violations(self.problem, self.placement))

    def _cell(self, i: int, n: int, left: int, worth: int) -> int | None:
        """Decides how many of the i-th class's pods, of which `left` have no place yet, stand on node n and later."""
        if n == self.nodes:
            return self._class(i + 1, worth)
        self.steps += 1
        if self.steps % CLOCK_EVERY == 0 and self.is_late():
            raise NotSearchedError("the search did not end in time")
        c = self.order[i]
        request, free, stood = self.requests[c], self.free[n], self.standing[c][n]
        most = min(left, self.may_hold[c][n], *[f // a for f, a in zip(free, request, strict=True) if a])
        least = stood if self.fixed[c] or c in self.staying else 0
        priority = self.problem.classes[c].priority
        for x in range(most, least - 1, -1):
            self._put(c, n, x, 1)
            gained = (self.worth.placed[c] + self.worth.likes[c][n]) * x + self.worth.stays[c] * min(x, stood)
            # the class itself can still be worth what its remaining pods are
            rest = (self.worth.placed[c] + max(self.worth.likes[c])) * (left - x)
            rest += self.worth.stays[c] * min(left - x, sum(self.standing[c][n + 1 :]))
            found = None
            if worth + gained + rest + self.reach[i + 1] > self.target and self._may_go_on(priority):
                found = self._cell(i, n + 1, left - x, worth + gained)
            self._put(c, n, x, -1)
            if found is not None:
                return found
        return None

    def _may_go_on(self, priority: int) -> bool:
        """More pods cannot mend a tier with too many, or too many nodes in use."""
        return self.needs.get(priority, 0) >= 0 and sum(map(bool, self.pods_on)) <= self.most_nodes

    def _put(self, c: int, n: int, x: int, sign: int) -> None:
        """Decides that x pods of class c stand on node n (sign 1), or takes that back (-1)."""
        for r, amount in enumerate(self.requests[c]):
            self.free[n][r] -= sign * x * amount
            self.room[r] -= sign * x * amount
        self.placement[c, n] += sign * x
        self.pods_on[n] += 0 if self.fixed[c] else sign * x
        pod_class = self.problem.classes[c]
        if pod_class.priority in self.needs:
            self.needs[pod_class.priority] -= sign * x
        self.lost += sign * pod_class.move_cost * max(0, self.standing[c][n] - x)

"""The integers of a CP-SAT model of a problem: which counts may change, in which range, and sums of them.

For each free pair of class and node an integer x (pods there) and, where pods of the class stand now, an integer s <= x
(pods that stay); x - s are new. A smaller s than min(x, standing) only tightens every rule, so s needs no lower bound.
Pairs that are not free are constants, taken from the incumbent; every sum below includes them. Costs 5 us a pair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from berth_solver.cpsat import IntegerModel, Linear
from berth_solver.occupancy import Occupancy
from berth_solver.problem import BoolArray, IntArray, Problem
from berth_solver.rules import Tally

Flag = int | bool
"""A variable's index, or a constant."""


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """The part of a placement that may change: `pairs` is bool [len(classes), len(nodes)]."""

    classes: IntArray
    nodes: IntArray
    pairs: BoolArray

    @classmethod
    def whole(cls, problem: Problem) -> Neighbourhood:
        classes, nodes = len(problem.classes), len(problem.nodes)
        return cls(np.arange(classes), np.arange(nodes), np.ones((classes, nodes), np.bool_))


class FreeCounts:
    """The counts that may change around the placement of `occupancy`, as variables of `cp`.

    free: what may change (None: everything). keep_standing: nobody leaves a node.
    """

    def __init__(self, occupancy: Occupancy, free: Neighbourhood | None, keep_standing: bool) -> None:
        self.occupancy = occupancy
        self.problem = occupancy.problem
        self.cp = IntegerModel()
        self.derived: list[tuple[int, Callable[[Sequence[int]], int]]] = []
        """Variables that follow from the counts, with how: what a hint needs."""
        self._flags: dict[tuple[int, int], Flag] = {}
        self._choose_pairs(free, keep_standing)

    def _choose_pairs(self, free: Neighbourhood | None, keep_standing: bool) -> None:
        problem, occupancy = self.problem, self.occupancy
        free = free or Neighbourhood.whole(problem)
        rows, columns = free.classes, free.nodes
        grid = np.ix_(rows, columns)
        open_ = free.pairs & occupancy.rules.movable[rows][:, None]
        placement = np.where(open_, occupancy.placement[grid], 0)
        standing, requests = problem.standing_counts[grid], problem.requests[rows]
        self.residual = occupancy.free[columns] + placement.T @ requests
        rest = problem.totals[rows] - occupancy.placed[rows] + placement.sum(axis=1)
        fits = np.repeat(rest[:, None], len(columns), axis=1)
        for r in range(requests.shape[1]):
            asks = requests[:, r] > 0
            fits[asks] = np.minimum(fits[asks], np.maximum(self.residual[:, r], 0) // requests[asks, r][:, None])
        overloaded = problem.overloaded[columns]
        may_be_new = problem.eligibility[grid] & ~overloaded
        most = np.where(
            overloaded, np.minimum(standing, rest[:, None]), np.where(may_be_new, fits, np.minimum(standing, fits))
        )
        most = np.where(open_, most, 0).astype(np.int64)
        i, j = np.nonzero(most)
        self.pair_class: IntArray = rows[i]
        self.pair_node: IntArray = columns[j]
        self.pair_now: IntArray = placement[i, j]
        self.rest = dict(zip(rows.tolist(), rest.tolist(), strict=True))
        self.nodes = columns
        self.x: list[int] = []
        self._stay: list[Linear] = []
        self._fresh: list[Linear] = []
        self.of_class: dict[int, list[int]] = {}
        self.of_node: dict[int, list[int]] = {}
        for p, (c, n, top, stood) in enumerate(
            zip(rows[i].tolist(), columns[j].tolist(), most[i, j].tolist(), standing[i, j].tolist(), strict=True)
        ):
            self._add_pair(top, stood, keep_standing)
            self.of_class.setdefault(c, []).append(p)
            self.of_node.setdefault(n, []).append(p)
        self._left_now: IntArray = np.maximum(standing[i, j] - self.pair_now, 0)
        self._fresh_now: IntArray = np.maximum(self.pair_now - standing[i, j], 0)
        self.stood: IntArray = standing[i, j]

    def _add_pair(self, top: int, stood: int, keep_standing: bool) -> None:
        x = self.cp.variable(min(stood, top) if keep_standing else 0, top)
        self.x.append(x)
        if stood == 0:
            self._stay.append(Linear())
            self._fresh.append(Linear([x], [1]))
        elif top <= stood:
            self._stay.append(Linear([x], [1]))
            self._fresh.append(Linear())
        elif keep_standing:
            self._stay.append(Linear([], [], stood))
            self._fresh.append(Linear([x], [1], -stood))
        else:
            s = self.cp.variable(0, stood)
            self.derived.append((s, lambda values, x=x, stood=stood: min(values[x], stood)))  # type: ignore[misc]
            self.cp.at_most(Linear([s, x], [1, -1]), 0)
            self._stay.append(Linear([s], [1]))
            self._fresh.append(Linear([x, s], [1, -1]))

    # Expressions

    def by_domain(self, tally: Tally) -> dict[int, list[int]]:
        """The free pairs of a tally in each domain that has any."""
        result: dict[int, list[int]] = {}
        of = tally.domains.of
        for c in tally.classes.tolist():
            for p in self.of_class.get(c, ()):
                d = int(of[self.pair_node[p]])
                if d >= 0:
                    result.setdefault(d, []).append(p)
        return result

    def count(self, tally: Tally, d: int, pairs: list[int]) -> Linear:
        settled = int(self.occupancy.counts[tally.index][d]) - int(self.pair_now[pairs].sum())
        return Linear([self.x[p] for p in pairs], [1] * len(pairs), settled)

    def flag(self, tally: Tally, d: int, pairs: list[int]) -> Flag:
        """True where a new pod of the tally is in domain d for sure; else a variable that any new one raises to 1."""
        known = self._flags.get((tally.index, d))
        if known is not None:
            return known
        settled = int(self.occupancy.fresh[tally.index][d]) - int(self._fresh_now[pairs].sum())
        fresh = [self._fresh[p] for p in pairs if self.cp.maximum(self._fresh[p]) > 0]
        flag: Flag
        if settled > 0 or not fresh:
            flag = settled > 0
        else:
            flag = self.cp.variable(0, 1)
            self.derived.append((flag, lambda values: int(any(k.value(values) > 0 for k in fresh))))
            for k in fresh:
                self.cp.at_most(k.plus(Linear([flag], [1]), -self.cp.maximum(k)), 0)
        self._flags[tally.index, d] = flag
        return flag

    def at_most_if(self, flag: Flag, linear: Linear, most: int) -> None:
        if flag is True:
            self.cp.at_most(linear, most)
        elif flag is not False:
            excess = self.cp.maximum(linear) - most
            if excess > 0:
                self.cp.at_most(linear.plus(Linear([flag], [1]), excess), most + excess)

    def at_least_if(self, flag: Flag, linear: Linear, least: int) -> None:
        self.at_most_if(flag, Linear().plus(linear, -1), -least)

    def keep_inside(self, tally: Tally) -> None:
        """No new pod of the tally on a node in no domain."""
        for c in tally.classes.tolist():
            for p in self.of_class.get(c, ()):
                if tally.domains.of[self.pair_node[p]] < 0:
                    self.cp.at_most(self._fresh[p], 0)

    def sum_of(self, pairs: list[int]) -> Linear:
        return Linear([self.x[p] for p in pairs], [1] * len(pairs))

    def total(self, classes: IntArray) -> Linear:
        pairs = [p for c in classes.tolist() for p in self.of_class.get(c, ())]
        result = self.sum_of(pairs)
        result.constant = int(self.occupancy.placed[classes].sum()) - int(self.pair_now[pairs].sum())
        return result

    def fresh_total(self, classes: IntArray) -> Linear:
        pairs = [p for c in classes.tolist() for p in self.of_class.get(c, ())]
        result = Linear([], [], int(self.occupancy.fresh_of[classes].sum()) - int(self._fresh_now[pairs].sum()))
        for p in pairs:
            result = result.plus(self._fresh[p])
        return result

    def left(self, classes: list[int]) -> Linear:
        result = Linear([], [], int(self.occupancy.left_of[classes].sum()))
        for c in classes:
            for p in self.of_class.get(c, ()):
                if self.stood[p]:
                    self.add_left(result, p, 1)
        return result

    def disruption(self) -> Linear:
        """Weighted by move cost."""
        result = Linear()
        for c in np.flatnonzero(self.occupancy.left_of).tolist():
            result.constant += self.problem.classes[c].move_cost * int(self.occupancy.left_of[c])
        for p, c in enumerate(self.pair_class.tolist()):
            cost = self.problem.classes[c].move_cost
            if self.stood[p] and cost:
                self.add_left(result, p, cost)
        return result

    def add_left(self, linear: Linear, p: int, weight: int) -> None:
        """Adds the standing pods of a pair that leave, in place of what the incumbent's constant counted for it."""
        stay = self._stay[p]
        linear.constant += weight * (int(self.stood[p]) - stay.constant - int(self._left_now[p]))
        for v, k in zip(stay.variables, stay.coefficients, strict=True):
            linear.add(v, -weight * k)

"""A problem as a CP-SAT model over counts, with every constraint, and part of the placement held fixed if wanted.

The counts are those of `cpsat_counts`, the constraints those of `cpsat_rules`; here are capacity, objectives, and the way
from and to placements. Holding pairs fixed is how a neighbourhood of a large problem is solved.

Coefficients stay exact: a capacity row is divided by the common divisor of its requests. A row whose sum might overflow
64 bits is rounded to the safe side, and then `exact` is False: what is found is sound, bounds are not.
Building costs 10 to 20 us a pair, rules included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from berth_solver.cpsat import Linear
from berth_solver.cpsat_counts import FreeCounts, Neighbourhood
from berth_solver.cpsat_rules import add_rules
from berth_solver.occupancy import Occupancy
from berth_solver.problem import BoolArray, IntArray

LARGEST_ROW_SUM = 1 << 60


class PackingModel(FreeCounts):
    """The model around the placement of `occupancy`, which must keep every rule; arguments as in `FreeCounts`.

    consolidate: with a flag for each node in use.
    """

    def __init__(
        self,
        occupancy: Occupancy,
        free: Neighbourhood | None = None,
        keep_standing: bool = False,
        consolidate: bool = False,
    ) -> None:
        super().__init__(occupancy, free, keep_standing)
        self.exact = True
        self._class_rows()
        self._node_rows(consolidate)
        add_rules(self)

    def _class_rows(self) -> None:
        for c, pairs in self.of_class.items():
            self.cp.at_most(self.sum_of(pairs), self.rest[c])

    def _node_rows(self, consolidate: bool) -> None:
        self._in_use = Linear()
        if consolidate:
            self._in_use.constant = self._nodes_in_use_outside()
        for j, n in enumerate(self.nodes.tolist()):
            pairs = self.of_node.get(n, [])
            in_use = self._in_use_flag(n, pairs) if consolidate and pairs else None
            if not self.problem.overloaded[n]:
                for r in range(len(self.problem.resources)):
                    self._capacity_row(pairs, r, int(self.residual[j, r]), in_use)

    def _capacity_row(self, pairs: list[int], r: int, capacity: int, in_use: int | None) -> None:
        requests = [int(self.problem.requests[self.pair_class[p], r]) for p in pairs]
        row = Linear([self.x[p] for p, k in zip(pairs, requests, strict=True) if k], [k for k in requests if k])
        if not row.variables:
            return
        total = self.cp.maximum(row)
        if total <= capacity:
            return
        divisor = math.gcd(*row.coefficients)
        if total // divisor > LARGEST_ROW_SUM:
            self.exact = False
            divisor = -(-total // LARGEST_ROW_SUM)
        row.coefficients = [-(-k // divisor) for k in row.coefficients]
        capacity //= divisor
        if in_use is not None:
            row.add(in_use, -capacity)
            capacity = 0
        self.cp.at_most(row, capacity)

    def _in_use_flag(self, n: int, pairs: list[int]) -> int | None:
        inside = self.occupancy.placement[:, n].copy()
        inside[self.pair_class[pairs]] -= self.pair_now[pairs]
        if inside[self.occupancy.rules.movable].any():
            self._in_use.constant += 1
            return None
        flag = self.cp.variable(0, 1)
        xs = [self.x[p] for p in pairs]
        self.derived.append((flag, lambda values: int(any(values[x] for x in xs))))
        for x in xs:
            self.cp.at_most(Linear([x, flag], [1, -self.cp.most[x]]), 0)
        self._in_use.add(flag, 1)
        return flag

    def _nodes_in_use_outside(self) -> int:
        used: BoolArray = np.asarray(self.occupancy.placement[self.occupancy.rules.movable].any(axis=0))
        used[self.pair_node] = False
        return int(used.sum())

    # Objectives, constants of the fixed part included

    def tier(self, priority: int) -> Linear:
        """Pods placed of the priority."""
        tier = self.problem.priorities.index(priority)
        return self.total(np.flatnonzero(self.occupancy.rules.tier_of == tier))

    def nodes_in_use(self) -> Linear:
        return self._in_use

    def preference(self) -> Linear:
        """The preference of every free pair's pods, times `Rules.preference.scale`; what is fixed is not in it."""
        result = Linear()
        weights = self.occupancy.rules.preference.weights
        if weights is not None:
            for x, weight in zip(self.x, weights[self.pair_class, self.pair_node].tolist(), strict=True):
                if weight:
                    result.add(x, weight)
        return result

    # Placements in and out

    def hint(self, placement: IntArray) -> list[int]:
        """Start from this placement; returns its value for every variable."""
        values = [0] * len(self.cp.least)
        for x, count in zip(self.x, placement[self.pair_class, self.pair_node].tolist(), strict=True):
            values[x] = count
        for variable, derive in self.derived:
            values[variable] = derive(values)
        self.cp.hint(values)
        return values

    def changes(self, values: Sequence[int]) -> list[tuple[int, int, int]]:
        """(class, node, how many more) where the solution differs from the placement of `occupancy`."""
        found = np.array([values[x] for x in self.x], np.int64) - self.pair_now
        where = np.flatnonzero(found)
        triples = zip(self.pair_class[where], self.pair_node[where], found[where], strict=True)
        return [(int(c), int(n), int(k)) for c, n, k in triples]

    def placement(self, values: Sequence[int]) -> IntArray:
        result = self.occupancy.placement.copy()
        result[self.pair_class, self.pair_node] = [values[x] for x in self.x]
        return result

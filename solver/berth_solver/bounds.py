"""The cheap bound on a tier: a linear program that knows each kind of node only by its total room.

Nodes on which the same classes may be form a group; the relaxation spreads every class over the groups that take it, in
fractions, under the group's summed capacity, and keeps the counts of the tiers above. Its dual prices are the evidence, and
the bound is computed from them in exact fractions, so that rounding in the solver can weaken but never falsify it.

One to twenty milliseconds up to a thousand nodes of a few kinds. It is tight whenever fragments are not the problem, which at
90 to 105 % usage is nearly always within a pod or two.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from ortools.linear_solver import pywraplp

from berth_solver.problem import BoolArray, IntArray
from berth_solver.solution import Evidence
from berth_solver.state import Ground

TIER_SCALE = 1 << 30
"""Prices of decided tiers are whole numbers over this."""
PRICE_BITS = 32
"""Bits kept of a resource's price: enough for the bound, few enough to multiply exactly."""
UNIT_BITS = 140
"""Resource prices are whole multiples of 2 to the minus this."""
MOST_PAIRS = 200_000
"""(class, kind of node) pairs beyond which the program is not built."""


def capacity_bound(
    ground: Ground, rank: int, placed: Sequence[int], seconds: float, wanted: Collection[int] | None = None
) -> tuple[int, Evidence] | None:
    """The most movable pods of tier `rank` given the counts above it, with evidence; None when time or size forbid it.

    wanted: count only pods of these classes, all of that tier.
    """
    problem = ground.problem
    width = len(problem.resources)
    movable = np.array([c.movable for c in problem.classes], np.bool_)
    classes = np.flatnonzero(movable & (ground.tier <= rank) & (problem.totals > 0))
    usable = ground.mask[ground.group[classes]] | (problem.standing_counts[classes] > 0)
    kinds, kind_of = _kinds(usable)
    if len(classes) * len(kinds) > MOST_PAIRS:
        return None
    tier, total = ground.tier[classes], problem.totals[classes]
    counted = tier == rank if wanted is None else np.isin(classes, sorted(wanted))
    req, cap = ground.req[classes, :width], ground.cap[:, :width]
    room = np.zeros((len(kinds), width), np.int64)
    np.add.at(room, kind_of, cap)
    largest = np.zeros((len(kinds), width), np.int64)
    np.maximum.at(largest, kind_of, cap)
    allowed = kinds.T & np.asarray((req[:, None, :] <= largest[None, :, :]).all(axis=2), np.bool_)
    whole = np.array([placed[u] == int(total[tier == u].sum()) for u in range(rank)] + [False], np.bool_)
    relaxation = _Relaxation(req, total, allowed, room)
    duals = relaxation.solve(counted, whole[tier], tier, {u: placed[u] for u in range(rank) if not whole[u]}, seconds)
    if duals is None:
        return None
    prices = [[_short(p) for p in row] for row in duals.resources]
    cheapest = _cheapest(prices, req, allowed)
    unit = 1 << UNIT_BITS
    tiers = {u: max(0, round(p * TIER_SCALE)) for u, p in duals.tiers.items()}
    for u in np.flatnonzero(whole).tolist():
        # high enough that every pod of a whole tier is worth placing; more would change nothing
        dearest = max((cheapest[x] for x in np.flatnonzero(tier == u).tolist()), default=0)
        tiers[u] = -(-dearest * TIER_SCALE // unit)
    rates = [[int(math.ldexp(p, UNIT_BITS)) for p in row] for row in prices]
    value = sum(rates[k][r] * int(room[k, r]) for k in range(len(kinds)) for r in range(width))
    for x in range(len(classes)):
        worth = unit * int(counted[x]) + tiers.get(int(tier[x]), 0) * (unit // TIER_SCALE)
        value += int(total[x]) * max(0, worth - cheapest[x])
    value -= sum(price * (unit // TIER_SCALE) * placed[u] for u, price in tiers.items())
    evidence = Evidence(
        "capacity",
        resource_prices=tuple(tuple(row) for row in prices),
        price_group=tuple(kind_of.tolist()),
        tier_prices=tuple((ground.priorities[u], tiers[u]) for u in sorted(tiers)),
        scale=TIER_SCALE,
    )
    return value // unit, evidence


@dataclass(frozen=True, slots=True)
class _Duals:
    resources: list[list[float]]
    """[kind of node][resource]."""
    tiers: dict[int, float]


@dataclass(frozen=True, eq=False)
class _Relaxation:
    """The linear program: fractions of each class on each kind of node that takes it."""

    req: IntArray
    total: IntArray
    allowed: BoolArray
    room: IntArray

    def solve(
        self, counted: BoolArray, whole: BoolArray, tier: IntArray, kept: dict[int, int], seconds: float
    ) -> _Duals | None:
        """counted: classes to place most of; whole: all of these must be placed; kept: least of a tier's pods."""
        solver = pywraplp.Solver.CreateSolver("GLOP")
        infinity = solver.infinity()
        scale = np.maximum(self.req.max(axis=0, initial=1), 1).astype(np.float64)
        choices = self.allowed.sum(axis=1)
        # a whole class with one kind of node to go to is just load there
        room = self.room.astype(np.float64)
        settled = whole & (choices == 1)
        for k in range(len(self.room)):
            here = settled & self.allowed[:, k]
            room[k] -= (self.req[here] * self.total[here, None]).sum(axis=0)
        rows = [[solver.Constraint(-infinity, float(v)) for v in row / scale] for row in room]
        tier_rows = {u: solver.Constraint(float(count), infinity) for u, count in kept.items()}
        objective = solver.Objective()
        objective.SetMaximization()
        weights = self.req / scale
        for x in np.flatnonzero(~settled).tolist():
            most = float(self.total[x])
            row = None
            if whole[x] or choices[x] > 1:
                row = solver.Constraint(most if whole[x] else -infinity, most)
            for k in np.flatnonzero(self.allowed[x]).tolist():
                variable = solver.NumVar(0.0, most, "")
                if row is not None:
                    row.SetCoefficient(variable, 1.0)
                if int(tier[x]) in tier_rows:
                    tier_rows[int(tier[x])].SetCoefficient(variable, 1.0)
                if counted[x]:
                    objective.SetCoefficient(variable, 1.0)
                for r in np.flatnonzero(self.req[x]):
                    rows[k][r].SetCoefficient(variable, float(weights[x, r]))
        solver.SetTimeLimit(max(1, int(seconds * 1000)))
        if solver.Solve() != pywraplp.Solver.OPTIMAL:
            return None
        return _Duals(
            [
                [max(0.0, row.dual_value()) / float(s) for row, s in zip(rows_of, scale, strict=True)]
                for rows_of in rows
            ],
            {u: max(0.0, -row.dual_value()) for u, row in tier_rows.items()},
        )


def _kinds(usable: BoolArray) -> tuple[BoolArray, IntArray]:
    """Kinds of nodes by who may be there: bool [kinds, classes] and the kind of each node."""
    found: dict[bytes, int] = {}
    columns = np.ascontiguousarray(np.packbits(usable, axis=0).T)
    kind_of = np.array([found.setdefault(column.tobytes(), len(found)) for column in columns], np.int64)
    first = np.full(len(found), len(kind_of), np.int64)
    np.minimum.at(first, kind_of, np.arange(len(kind_of)))
    return np.ascontiguousarray(usable[:, first].T), kind_of


def _short(price: float) -> float:
    """The price with few enough bits to be a whole multiple of 2^-UNIT_BITS."""
    if price <= 0.0:
        return 0.0
    mantissa, exponent = math.frexp(price)
    if exponent - PRICE_BITS < -UNIT_BITS:
        return 0.0
    return math.ldexp(round(math.ldexp(mantissa, PRICE_BITS)), exponent - PRICE_BITS)


def _cheapest(prices: list[list[float]], req: IntArray, allowed: BoolArray) -> list[int]:
    """For each class the least price of its request over the kinds of nodes that take it, in 2^-UNIT_BITS."""
    never = 1 << (2 * UNIT_BITS)
    answer = [never] * len(req)
    columns = [req[:, r].tolist() for r in range(req.shape[1])]
    for k, row in enumerate(prices):
        rates = [int(math.ldexp(p, UNIT_BITS)) for p in row]
        for x in np.flatnonzero(allowed[:, k]).tolist():
            price = sum(rate * columns[r][x] for r, rate in enumerate(rates))
            if price < answer[x]:
                answer[x] = price
    return answer

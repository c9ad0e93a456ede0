"""The cheap bound on a tier: a linear program that knows each kind of node only by its total room.

Nodes on which the same classes may be form a group; the relaxation spreads every class over the groups that take it, in
fractions, under the group's summed capacity, and keeps the counts of the tiers above. Its dual prices are the evidence, and
the bound is computed from them in exact fractions, so that rounding in the solver can weaken but never falsify it.

One to twenty milliseconds up to a thousand nodes of a few kinds. It is tight whenever fragments are not the problem, which at
90 to 105 % usage is nearly always within a pod or two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from ortools.linear_solver import pywraplp

from berth_solver.problem import BoolArray, IntArray
from berth_solver.solution import Evidence
from berth_solver.state import Ground

TIER_SCALE = 1 << 30
"""Prices of decided tiers are whole numbers over this."""
MOST_PAIRS = 400_000
"""(class, group) pairs beyond which the program is not built."""


def capacity_bound(ground: Ground, rank: int, placed: Sequence[int], seconds: float) -> tuple[int, Evidence] | None:
    """The most movable pods of tier `rank` given the counts above it, with evidence; None when time or size forbid it."""
    problem = ground.problem
    width = len(problem.resources)
    movable = np.array([c.movable for c in problem.classes], np.bool_)
    classes = np.flatnonzero(movable & (ground.tier <= rank))
    counts = problem.standing_counts[classes]
    usable = ground.mask[ground.group[classes]] | (counts > 0)
    kinds, group_of = _groups(usable)
    if len(classes) * len(kinds) > MOST_PAIRS:
        return None
    room = np.zeros((len(kinds), width), np.int64)
    np.add.at(room, group_of, ground.cap[:, :width])
    largest = np.zeros((len(kinds), width), np.int64)
    np.maximum.at(largest, group_of, ground.cap[:, :width])
    req = ground.req[classes, :width]
    total = problem.totals[classes]
    solver = pywraplp.Solver.CreateSolver("GLOP")
    infinity = solver.infinity()
    scale = np.maximum(largest.max(axis=0), 1).astype(np.float64)
    room_rows = [
        [solver.Constraint(-infinity, float(room[g, r] / scale[r])) for r in range(width)] for g in range(len(kinds))
    ]
    whole = {u for u in range(rank) if placed[u] == int(total[ground.tier[classes] == u].sum())}
    class_rows = []
    for x, c in enumerate(classes):
        least = float(total[x]) if int(ground.tier[c]) in whole else -infinity
        class_rows.append(solver.Constraint(least, float(total[x])))
    tier_rows = {u: solver.Constraint(float(placed[u]), infinity) for u in range(rank) if u not in whole}
    objective = solver.Objective()
    objective.SetMaximization()
    fits: BoolArray = np.asarray((req[:, None, :] <= largest[None, :, :]).all(axis=2), np.bool_)
    for x, c in enumerate(classes):
        t = int(ground.tier[c])
        for g in np.flatnonzero(kinds[:, x] & fits[x]):
            variable = solver.NumVar(0.0, infinity, "")
            class_rows[x].SetCoefficient(variable, 1.0)
            if t in tier_rows:
                tier_rows[t].SetCoefficient(variable, 1.0)
            if t == rank:
                objective.SetCoefficient(variable, 1.0)
            for r in np.flatnonzero(req[x]):
                room_rows[g][r].SetCoefficient(variable, float(req[x, r] / scale[r]))
    solver.SetTimeLimit(max(1, int(seconds * 1000)))
    if solver.Solve() != pywraplp.Solver.OPTIMAL:
        return None
    prices = [[max(0.0, row.dual_value()) / scale[r] for r, row in enumerate(rows)] for rows in room_rows]
    tiers = {u: max(0, round(-row.dual_value() * TIER_SCALE)) for u, row in tier_rows.items()}
    cheapest = _cheapest(prices, req, kinds & fits.T)
    for u in whole:
        # high enough that every pod of a whole tier is worth placing; more would change nothing
        members = np.flatnonzero(ground.tier[classes] == u)
        tiers[u] = math.ceil(max((cheapest[x] for x in members if total[x]), default=Fraction(0)) * TIER_SCALE)
    evidence = Evidence(
        "capacity",
        resource_prices=tuple(tuple(row) for row in prices),
        price_group=tuple(int(g) for g in group_of),
        tier_prices=tuple((ground.priorities[u], tiers[u]) for u in sorted(tiers)),
        scale=TIER_SCALE,
    )
    value = sum(
        (Fraction(prices[g][r]) * int(room[g, r]) for g in range(len(kinds)) for r in range(width)), Fraction(0)
    )
    for x, c in enumerate(classes):
        t = int(ground.tier[c])
        worth = Fraction(1) if t == rank else Fraction(tiers[t], TIER_SCALE)
        value += int(total[x]) * max(Fraction(0), worth - cheapest[x])
    for u, price in tiers.items():
        value -= Fraction(price, TIER_SCALE) * placed[u]
    return int(value // 1), evidence


def _groups(usable: BoolArray) -> tuple[BoolArray, IntArray]:
    """Kinds of nodes by who may be there: bool [kinds, classes] and the kind of each node."""
    if not len(usable):
        return np.zeros((1, 0), np.bool_), np.zeros(usable.shape[1], np.int64)
    packed = np.packbits(usable, axis=0)
    _, first, group_of = np.unique(packed, axis=1, return_index=True, return_inverse=True)
    return usable[:, first].T, np.asarray(group_of, np.int64).reshape(-1)


def _cheapest(prices: list[list[float]], req: IntArray, allowed: BoolArray) -> list[Fraction]:
    """For each class the least price of its request over the kinds of nodes that take it; very dear where none does."""
    rates = [[Fraction(p) for p in row] for row in prices]
    distinct: dict[tuple[bytes, bytes], Fraction] = {}
    answer = []
    for x in range(len(req)):
        key = (req[x].tobytes(), allowed[:, x].tobytes())
        if key not in distinct:
            distinct[key] = min(
                (
                    sum((rates[g][r] * int(a) for r, a in enumerate(req[x]) if a), Fraction(0))
                    for g in np.flatnonzero(allowed[:, x])
                ),
                default=Fraction(1 << 40),
            )
        answer.append(distinct[key])
    return answer

"""Recomputes bounds that know what using a node costs. Part of the verifier: no search code in it.

A Lagrange bound, as in `check_bounds`, with one more price. At prices for pods and tiers, a node in use is worth at most its
best filling less the price of using it, and a node left empty is worth nothing; so each node adds max(0, best - price).

- Nodes in use: using a node costs 1, placed pods are worth nothing but their prices. Minus the bound are the nodes needed.
- Or arithmetic: a cap on disruption allows only so many nodes to be emptied, those with the least on them at best.
- Disruption: pods that stay are worth their move cost. Given that K nodes are in use, price x K comes back on top.

Cost: a knapsack for each distinct node; when prices are good it need only be shown that none is worth more than the price.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np

from berth_solver.check_bounds import MAX_PRICE, EvidenceError, Proven, Terrain, tier_prices
from berth_solver.check_filling import Filling, Items, exact_filling, quick_filling, useful_items
from berth_solver.problem import IntArray, Problem
from berth_solver.solution import Evidence


def nodes_kept_by_the_cap(problem: Problem) -> int:
    """Of the nodes that hold movable pods, those that cannot be emptied without more disruption than the caps allow.

    Budgets: pods that leave are each in some budget, or in none; so no more leave than all budgets allow together, and those
    in none.
    """
    weighted: dict[int, int] = {}
    pods: dict[int, int] = {}
    in_a_budget = {c for budget in problem.constraints.budgets for c in budget.classes}
    stands = problem.standing_counts.sum(axis=1)
    most = sum(min(b.max_disrupted, int(stands[sorted(b.classes)].sum())) for b in problem.constraints.budgets)
    for s in problem.standing:
        pod_class = problem.classes[s.pod_class]
        if pod_class.movable:
            weighted[s.node] = weighted.get(s.node, 0) + s.count * pod_class.move_cost
            pods[s.node] = pods.get(s.node, 0) + s.count
            most += 0 if s.pod_class in in_a_budget else s.count
    kept = 0
    if problem.constraints.max_disruption is not None:
        kept = _too_dear(weighted, problem.constraints.max_disruption)
    return max(kept, _too_dear(pods, most))


def _too_dear(price: Mapping[int, int], most: int) -> int:
    """How many of the nodes are left when the cheapest are emptied for at most `most` in all."""
    emptied = 0
    for cost in sorted(price.values()):
        most -= cost
        if most < 0:
            break
        emptied += 1
    return len(price) - emptied


def fewest_nodes(
    terrain: Terrain, decided: Mapping[int, int], evidence: Evidence, bound: int, is_late: Callable[[], bool]
) -> Proven:
    """Minus the nodes in use, at most: the evidence proves `bound` when this is no more than -bound."""
    none = np.zeros(len(terrain.problem.classes), np.int64)
    return _most_net(terrain, none, evidence.scale, decided, evidence, Fraction(-bound), is_late)


def most_staying(
    terrain: Terrain,
    costs: IntArray,
    nodes_in_use: int,
    decided: Mapping[int, int],
    evidence: Evidence,
    enough: Fraction,
    is_late: Callable[[], bool],
) -> Proven:
    """The most that can stay (weighted by move costs) on at most that many nodes."""
    price = evidence.node_price
    if not 0 <= price <= MAX_PRICE:
        raise EvidenceError(f"the price of using a node, {price}, is out of range")
    if int(costs.max(initial=0)) * evidence.scale > MAX_PRICE:
        raise EvidenceError("move cost times scale is out of range")
    back = Fraction(price * nodes_in_use, evidence.scale)
    net = _most_net(terrain, costs * evidence.scale, price, decided, evidence, enough - back, is_late)
    return Proven(net.least + back, net.most + back)


def _most_net(
    terrain: Terrain,
    stay_worth: IntArray,
    node_price: int,
    decided: Mapping[int, int],
    evidence: Evidence,
    enough: Fraction,
    is_late: Callable[[], bool],
) -> Proven:
    """The most that staying pods can be worth less the price of the nodes in use; stops once it is below `enough` + 1."""
    problem = terrain.problem
    prices = tier_prices(evidence, decided)
    if len(evidence.class_prices) != len(problem.classes):
        raise EvidenceError(f"{len(evidence.class_prices)} class prices are given for {len(problem.classes)} classes")
    if any(not 0 <= p <= MAX_PRICE for p in evidence.class_prices):
        raise EvidenceError("a class price is negative or out of range")
    class_prices = np.array(evidence.class_prices, np.int64)
    worth = np.array([prices.get(c.priority, 0) for c in problem.classes], np.int64) - class_prices
    constant = sum(int(p) * int(total) for p, total in zip(class_prices, problem.totals, strict=True))
    constant -= sum(price * decided.get(priority, 0) for priority, price in prices.items())
    # immovable pods are where they are, and use no node: they only bring their price
    gain = worth + stay_worth
    constant += sum(int(gain[c]) * int(problem.totals[c]) for c in np.flatnonzero(terrain.fixed).tolist())
    kinds, certain = _kinds(terrain, worth, stay_worth, node_price)
    constant += certain
    fillings = [quick_filling(items, room) for items, room, _ in kinds]
    target = math.floor(enough * evidence.scale) - constant + evidence.scale - 1

    def sums() -> tuple[int, int]:
        least = sum(max(0, f.least - node_price) * k for f, (_, _, k) in zip(fillings, kinds, strict=True))
        most = sum(max(0, f.most - node_price) * k for f, (_, _, k) in zip(fillings, kinds, strict=True))
        return least, most

    # none above the price of its node, if that can be shown; what is above it then exactly
    for goal in (node_price, 0):
        for i, (items, room, _) in enumerate(kinds):
            least, most = sums()
            if most <= target or least > target or is_late():
                break
            known = fillings[i]
            if known.most > max(goal, known.least):
                found = exact_filling(items, room, is_late, max(goal, known.least))
                fillings[i] = Filling(max(found.least, known.least), min(found.most, known.most))
    least, most = sums()
    return Proven(Fraction(least + constant, evidence.scale), Fraction(most + constant, evidence.scale))


def _kinds(
    terrain: Terrain, worth: IntArray, stay_worth: IntArray, node_price: int
) -> tuple[list[tuple[Items, IntArray, int]], int]:
    """Distinct nodes with how many there are, and the net worth of nodes over their capacity, which take nothing new."""
    problem = terrain.problem
    standing, requests = problem.standing_counts, problem.requests
    load = standing.T @ requests
    over = np.asarray((load > problem.capacity).any(axis=1), np.bool_)
    attractive = np.flatnonzero((worth > 0) & ~terrain.fixed)
    staying = np.flatnonzero((stay_worth > 0) & (worth + stay_worth > 0) & ~terrain.fixed)
    certain = 0
    found: dict[bytes, tuple[Items, IntArray, int]] = {}
    for n in range(len(problem.nodes)):
        stood = standing[:, n]
        if over[n]:
            best = np.where(terrain.fixed, 0, np.maximum(worth + stay_worth, 0))
            certain += max(0, int((best * stood).sum()) - node_price)
            continue
        here = staying[stood[staying] > 0]
        more = terrain.may_hold[attractive, n] - np.where(stay_worth[attractive] > 0, stood[attractive], 0)
        items = useful_items(
            np.concatenate([worth[here] + stay_worth[here], worth[attractive]]),
            np.concatenate([terrain.weights[here], terrain.weights[attractive]]),
            np.concatenate([stood[here], more]),
            terrain.spaces[n],
        )
        key = b"".join(a.tobytes() for a in (terrain.spaces[n], items.worth, items.weight, items.count))
        _, _, count = found.get(key, (items, terrain.spaces[n], 0))
        found[key] = (items, terrain.spaces[n], count + 1)
    return list(found.values()), certain

"""Recomputes the bound that a piece of evidence proves, in exact arithmetic. Part of the verifier: no search code in it.

Every bound here is a Lagrange bound: drop the rules that are awkward, charge prices for breaking them, and what the rest
can reach at most is a bound for any prices at all. So it does not matter where prices come from; they only have to be
well formed. What may stand where: a class may use a node it is eligible for, up to its total, any other node up to what
stands there now; a node over its capacity keeps at most what stands on it; immovable pods are where they are.

- capacity prices: sum of price x capacity over the nodes, plus for each pod what it is worth above the cheapest node.
- pattern prices: sum over the nodes of the best filling at these prices (`check_filling`), plus the prices of all pods.

`wanted` are the classes whose pods are counted (a tier, or a gang). Cost: capacity 0.1 s at 5,000 nodes; patterns a
knapsack for each distinct node.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from berth_solver.check_filling import Filling, Items, exact_filling, quick_filling, useful_items
from berth_solver.problem import BoolArray, IntArray, Problem
from berth_solver.solution import Evidence

MAX_PRICE = 1 << 44
"""Largest pattern price times a node's pods stays inside 64 bits; a few of the dearest moves for one pod are in it."""


class EvidenceError(ValueError):
    """The evidence is malformed: it proves nothing."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What the evidence proves lies in [least, most] (as a bound on a maximum); equal when it was computed exactly."""

    least: Fraction
    most: Fraction


@dataclass(frozen=True, eq=False)
class Terrain:
    """Where pods may be, ever: the relaxation that all evidence is about.

    may_hold: int64 [classes, nodes], most pods of a class that are ever on a node, were the class alone.
    room: int64 [nodes, resources], capacity of a node; what stands there on a node that is over its capacity.
    """

    problem: Problem
    may_hold: IntArray
    room: IntArray
    fixed: BoolArray
    """[classes]: immovable."""
    weights: IntArray
    """int64 [classes, resources + limits of single nodes]: a member of such a limit weighs 1 there."""
    spaces: IntArray
    """int64 [nodes, resources + limits of single nodes]: what the weights of a node's movable pods may sum up to."""

    @staticmethod
    def of(problem: Problem) -> Terrain:
        standing = problem.standing_counts
        eligible = np.zeros(standing.shape, np.bool_)
        for c, pod_class in enumerate(problem.classes):
            if pod_class.movable:
                if pod_class.eligible is None:
                    eligible[c] = True
                else:
                    eligible[c, sorted(pod_class.eligible)] = True
        load = standing.T @ problem.requests
        over = np.asarray((load > problem.capacity).any(axis=1), np.bool_)
        eligible[:, over] = False
        may_hold = np.where(eligible, np.maximum(problem.totals[:, None], standing), standing)
        room = np.where(over[:, None], load, problem.capacity)
        for c, request in enumerate(problem.requests):
            for r in np.flatnonzero(request).tolist():
                may_hold[c] = np.minimum(may_hold[c], room[:, r] // request[r])
        fixed = np.array([not c.movable for c in problem.classes], np.bool_)
        weights, spaces = [problem.requests], [room]
        for limit in problem.constraints.limits:
            # more than stand there means that one is new; then the limit binds, and immovable pods take their part of it
            members = sorted(limit.classes)
            domain = np.array(limit.domain_of, np.int64)
            taken = np.zeros(int(domain.max(initial=-1)) + 2, np.int64)
            np.add.at(taken, domain, standing[[c for c in members if fixed[c]]].sum(axis=0))
            left = np.where(domain >= 0, np.maximum(limit.maximum - taken[domain], 0), may_hold.max(initial=0))
            may_hold[members] = np.minimum(may_hold[members], np.maximum(standing[members], left))
            if len(set(domain[domain >= 0].tolist())) == int((domain >= 0).sum()):
                movable = [c for c in members if not fixed[c]]
                weight = np.zeros((len(fixed), 1), np.int64)
                weight[movable] = 1
                unbound = int(problem.totals.sum())
                stays = standing[movable].sum(axis=0)
                weights.append(weight)
                spaces.append(np.where(domain >= 0, np.maximum(left, stays), unbound)[:, None])
        return Terrain(problem, may_hold, room, fixed, np.hstack(weights), np.hstack(spaces))

    def most_placed(self) -> IntArray:
        """int64 [classes]: most pods of each class that fit, were it alone."""
        return np.asarray(np.minimum(self.may_hold.sum(axis=1), self.problem.totals), np.int64)


def tier_prices(evidence: Evidence, decided: Mapping[int, int]) -> dict[int, int]:
    """Price by priority. Raises EvidenceError when a price is for a tier whose count is not fixed yet."""
    prices = dict(evidence.tier_prices)
    if len(prices) < len(evidence.tier_prices):
        raise EvidenceError("a tier has two prices")
    for priority, price in prices.items():
        if priority not in decided and price:
            raise EvidenceError(f"priority {priority} has a price, but its count is not decided at this stage")
        if abs(price) > MAX_PRICE:
            raise EvidenceError(f"priority {priority}: the price {price} is out of range")
    if not 1 <= evidence.scale <= MAX_PRICE:
        raise EvidenceError(f"the scale {evidence.scale} is out of range")
    return prices


def capacity_count(terrain: Terrain, wanted: BoolArray, decided: Mapping[int, int], evidence: Evidence) -> Proven:
    """The most pods of `wanted` that capacity prices allow, given how many of each decided tier are placed."""
    problem = terrain.problem
    prices, group = _resource_prices(problem, evidence)
    tiers = {p: Fraction(price, evidence.scale) for p, price in tier_prices(evidence, decided).items()}
    bound = -sum((price * decided.get(priority, 0) for priority, price in tiers.items()), Fraction(0))
    for g, price in enumerate(prices):
        room = terrain.room[group == g].astype(object).sum(axis=0)
        bound += sum((Fraction(p) * int(amount) for p, amount in zip(price, room, strict=True) if p), Fraction(0))
    usable = np.stack(
        [(terrain.may_hold[:, group == g] > 0).any(axis=1) for g in range(len(prices))]
        or [np.zeros(len(problem.classes), np.bool_)]
    )
    rough = np.array(prices, np.float64).reshape(len(prices), len(problem.resources)) @ problem.requests.T.astype(
        np.float64
    )
    for c, pod_class in enumerate(problem.classes):
        worth = Fraction(int(wanted[c])) + tiers.get(pod_class.priority, Fraction(0))
        where = np.flatnonzero(usable[: len(prices), c])
        if worth <= 0 or not len(where):
            continue
        if terrain.fixed[c]:
            bound += worth * int(problem.totals[c])
            continue
        # the exact minimum is among those that are smallest in floating point, give or take its rounding
        least = rough[where, c].min()
        near = where[rough[where, c] <= least * (1 + 1e-12) + 1e-290]
        cheapest = min(_exact_dot(prices[g], pod_class.request) for g in near.tolist())
        bound += int(problem.totals[c]) * max(Fraction(0), worth - cheapest)
    return Proven(bound, bound)


def _exact_dot(prices: tuple[float, ...], request: tuple[int, ...]) -> Fraction:
    return sum((Fraction(p) * amount for p, amount in zip(prices, request, strict=True) if p and amount), Fraction(0))


def _resource_prices(problem: Problem, evidence: Evidence) -> tuple[list[tuple[float, ...]], IntArray]:
    """Distinct price vectors, and which of them each node has. Raises EvidenceError."""
    if len(evidence.price_group) != len(problem.nodes):
        raise EvidenceError(f"{len(evidence.price_group)} price groups are given for {len(problem.nodes)} nodes")
    for prices in evidence.resource_prices:
        if len(prices) != len(problem.resources):
            raise EvidenceError(f"{len(prices)} resource prices are given for {len(problem.resources)} resources")
        if any(not math.isfinite(p) or p < 0 for p in prices):
            raise EvidenceError("a resource price is negative or not finite")
    if any(not 0 <= g < len(evidence.resource_prices) for g in evidence.price_group):
        raise EvidenceError("a node's price group does not exist")
    distinct: dict[tuple[float, ...], int] = {}
    for prices in evidence.resource_prices:
        distinct.setdefault(prices, len(distinct))
    number = [distinct[prices] for prices in evidence.resource_prices]
    return list(distinct), np.array([number[g] for g in evidence.price_group], np.int64)


@dataclass(frozen=True, slots=True)
class PatternStage:
    """What a pod is worth in a stage, in 1/scale.

    worth: int64 [classes], of every pod placed, before its class's price; stay_worth: int64 [classes], on top for each
    pod that stays where it stands (None: staying is worth nothing).
    """

    worth: IntArray
    stay_worth: IntArray | None = None


def pattern_bound(
    terrain: Terrain,
    stage: PatternStage,
    decided: Mapping[int, int],
    evidence: Evidence,
    enough: Fraction,
    is_late: Callable[[], bool],
) -> Proven:
    """The most that fillings at these prices are worth, divided by the scale; stops early once it is below `enough`."""
    problem = terrain.problem
    prices = tier_prices(evidence, decided)
    if len(evidence.class_prices) != len(problem.classes):
        raise EvidenceError(f"{len(evidence.class_prices)} class prices are given for {len(problem.classes)} classes")
    if any(not 0 <= p <= MAX_PRICE for p in evidence.class_prices):
        raise EvidenceError("a class price is negative or out of range")
    class_prices = np.array(evidence.class_prices, np.int64)
    of_tier = np.array([prices.get(c.priority, 0) for c in problem.classes], np.int64)
    worth = stage.worth + of_tier - class_prices
    stay_worth = np.zeros_like(worth) if stage.stay_worth is None else stage.stay_worth
    constant = sum(int(p) * int(total) for p, total in zip(class_prices, problem.totals, strict=True))
    constant -= sum(price * decided.get(priority, 0) for priority, price in prices.items())
    fillings = _fillings(terrain, worth, stay_worth)
    constant += fillings.certain
    nodes = _Nodes(fillings.kinds)
    least, most = nodes.bounded(int(enough * evidence.scale) - constant, is_late)
    return Proven(Fraction(least + constant, evidence.scale), Fraction(most + constant, evidence.scale))


@dataclass(frozen=True, slots=True)
class _Kind:
    """Nodes with the same room and the same items: one knapsack for all of them."""

    items: Items
    room: IntArray
    nodes: int


@dataclass(frozen=True, slots=True)
class _Fillings:
    kinds: tuple[_Kind, ...]
    certain: int
    """Worth of nodes over their capacity and of immovable pods: no choice there."""


def _fillings(terrain: Terrain, worth: IntArray, stay_worth: IntArray) -> _Fillings:
    problem = terrain.problem
    standing = problem.standing_counts
    requests = problem.requests
    load = standing.T @ requests
    over = np.asarray((load > problem.capacity).any(axis=1), np.bool_)
    certain = int(((worth + stay_worth)[terrain.fixed] * standing[terrain.fixed].sum(axis=1)).sum())
    attractive = np.flatnonzero((worth > 0) & ~terrain.fixed)
    staying = np.flatnonzero((stay_worth > 0) & (worth + stay_worth > 0) & ~terrain.fixed)
    found: dict[bytes, tuple[Items, IntArray, int]] = {}
    for n in range(len(problem.nodes)):
        stood = standing[:, n]
        if over[n]:
            best = np.maximum(worth + stay_worth, 0)
            certain += int((best * stood)[~terrain.fixed].sum())
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
    return _Fillings(tuple(_Kind(*kind) for kind in found.values()), certain)


class _Nodes:
    """The sum of the best fillings over all nodes, made exact one kind after the other while that is needed."""

    def __init__(self, kinds: tuple[_Kind, ...]) -> None:
        self.kinds = kinds
        self.fillings: list[Filling] = []

    def bounded(self, enough: int, is_late: Callable[[], bool]) -> tuple[int, int]:
        """(least, most). Stops as soon as most <= enough, or least > enough, or time is up.

        First each kind is only shown to be worth no more than its best known filling and its share of what may be added
        without reaching beyond `enough`; exactly only where that was not enough.
        """
        self.fillings = [quick_filling(kind.items, kind.room) for kind in self.kinds]
        for shared in (True, False):
            gap = [(f.most - f.least) * kind.nodes for f, kind in zip(self.fillings, self.kinds, strict=True)]
            todo = sorted((k for k in range(len(self.kinds)) if gap[k]), key=gap.__getitem__, reverse=True)
            for i, k in enumerate(todo):
                least, most = self._sums()
                if most <= enough or least > enough or is_late():
                    return least, most
                rest = todo[i:]
                done = most - sum(gap[j] for j in rest)
                share = max(0, enough - done) // sum(self.kinds[j].nodes for j in rest) if shared else 0
                self._tighten(k, share, is_late)
        return self._sums()

    def _tighten(self, k: int, share: int, is_late: Callable[[], bool]) -> None:
        kind, known = self.kinds[k], self.fillings[k]
        found = exact_filling(kind.items, kind.room, is_late, known.least + share)
        self.fillings[k] = Filling(max(found.least, known.least), min(found.most, known.most))

    def _sums(self) -> tuple[int, int]:
        pairs = list(zip(self.fillings, self.kinds, strict=True))
        return sum(f.least * k.nodes for f, k in pairs), sum(f.most * k.nodes for f, k in pairs)

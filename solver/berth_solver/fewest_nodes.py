"""How few nodes can do: proven bounds, and the programs of `columns` with a price on using a node.

`roomiest_bound` is arithmetic: for each resource, how many of the roomiest nodes hold the smallest pods that make up the
counts. `with_empties` goes further. It lets a node be left empty by a pod like any other: an *empty* fills its node whole,
so that it shares it with nobody. Most empties placed are fewest nodes used, and "at most K nodes" is a kept count of empties;
column generation, assembly and enumeration need to know nothing of it.

Cost: one more class for each distinct capacity among the groups, hence refused beyond MOST_EMPTIES.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from berth_solver.columns import ColumnGeneration, Prices, Stage
from berth_solver.problem import IntArray, Problem
from berth_solver.solution import Evidence
from berth_solver.stages import GroupedStage, counting_stage, evidence, moves_stage
from berth_solver.state import Ground

MOST_EMPTIES = 64
"""Distinct capacities beyond which no program is built."""


def roomiest_bound(ground: Ground, placed: Sequence[int]) -> int:
    """Nodes that movable pods need at least, given how many of each tier are placed."""
    problem = ground.problem
    width = len(problem.resources)
    movable = np.array([c.movable for c in problem.classes], np.bool_)
    least = 1 if sum(placed) else 0
    for r in range(width):
        demand = 0
        for rank, count in enumerate(placed):
            members = np.flatnonzero(movable & (ground.tier == rank))
            members = members[np.argsort(ground.req[members, r], kind="stable")]
            before = np.cumsum(problem.totals[members]) - problem.totals[members]
            taken = np.clip(count - before, 0, problem.totals[members])
            demand += sum(int(t) * int(a) for t, a in zip(taken, ground.req[members, r], strict=True))
        rooms = list(accumulate(sorted(ground.cap[:, r].tolist(), reverse=True)))
        if demand > 0:
            least = max(least, 1 + bisect_left(rooms, demand))
    return least


def capped_bound(ground: Ground) -> int:
    """Nodes that stay in use because emptying more of them would disturb more than the caps allow."""
    problem = ground.problem
    constraints = problem.constraints
    movable = np.array([c.movable for c in problem.classes], np.bool_)
    standing = problem.standing_counts[movable]
    occupied = standing.any(axis=0)
    kept = 0
    if constraints.max_disruption is not None:
        weight = ground.cost[movable].astype(np.int64) @ standing
        kept = _cannot_be_emptied(weight[occupied], constraints.max_disruption)
    if constraints.budgets:
        # what budgets allow together, and the pods that are in none
        stood = problem.standing_counts.sum(axis=1)
        free = movable.copy()
        allowed = 0
        for budget in constraints.budgets:
            members = sorted(budget.classes)
            free[members] = False
            allowed += min(budget.max_disrupted, int(stood[members].sum()))
        kept = max(kept, _cannot_be_emptied(standing.sum(axis=0)[occupied], allowed + int(stood[free].sum())))
    return kept


def _cannot_be_emptied(weights: IntArray, most: int) -> int:
    """How many of these weights are left when the smallest are taken as long as their sum is at most `most`."""
    return len(weights) - bisect_right(list(accumulate(sorted(weights.tolist()))), most)


@dataclass(frozen=True, eq=False)
class EmptiesStage:
    """A stage in which nodes may be left empty, and the stage without that, which has the way back to classes and nodes."""

    grouped: GroupedStage
    stage: Stage
    empty_of: IntArray
    """[groups]: the class (of `stage`) that empties a node of the group."""

    @property
    def kinds(self) -> int:
        """Kinds of pods in the stage without empties: the first ones of the other."""
        return len(self.grouped.first)

    def seed(self, generation: ColumnGeneration, placement: IntArray) -> None:
        """The fills of a placement, and an empty for every group."""
        own = self.grouped.stage
        fills = self.grouped.fills(placement)
        fits = fills.any(axis=1) & (fills @ own.req <= own.cap[self.grouped.group_of_node]).all(axis=1)
        padded = np.zeros((len(fills), len(self.stage.total)), np.int64)
        padded[:, : self.kinds] = fills
        for n in np.flatnonzero(fits).tolist():
            generation.add(int(self.grouped.group_of_node[n]), padded[n])
        for g, empty in enumerate(self.empty_of.tolist()):
            alone = np.zeros(len(self.stage.total), np.int64)
            alone[empty] = 1
            generation.add(g, alone)

    def place(self, chosen: Sequence[tuple[int, IntArray, int]], problem: Problem) -> IntArray:
        """Counts [classes, nodes] of a choice of fills, each where most of it stays."""
        own = [(g, fill[: self.kinds], times) for g, fill, times in chosen if fill[: self.kinds].any()]
        return self.grouped.place(own, problem.standing_counts, problem.totals)

    def evidence(self, ground: Ground, prices: Prices, capped: bool) -> Evidence:
        """capped: the last kept row holds the number of empties, and its price is that of using a node."""
        ranks = len(self.grouped.ranks)
        own = replace(prices, pod=prices.pod[: self.kinds], kept=prices.kept[:ranks])
        found = evidence(ground, self.grouped, own)
        return replace(found, node_price=int(prices.kept[ranks])) if capped else found


def emptying_stage(ground: Ground, placed: Sequence[int]) -> EmptiesStage | None:
    """Most empty nodes at these counts."""
    grouped = counting_stage(ground, len(ground.priorities), placed)
    return _with_empties(grouped, 1, None)


def staying_stage(ground: Ground, placed: Sequence[int], nodes: int) -> EmptiesStage | None:
    """Most (weighted) staying pods at these counts on at most `nodes` nodes."""
    return _with_empties(moves_stage(ground, placed), 0, len(ground.problem.nodes) - nodes)


def _with_empties(grouped: GroupedStage, worth: int, least: int | None) -> EmptiesStage | None:
    own = grouped.stage
    caps, kind = np.unique(own.cap, axis=0, return_inverse=True)
    kind = np.asarray(kind).reshape(-1)
    if len(caps) > MOST_EMPTIES:
        return None
    kinds, groups = len(own.total), len(own.size)
    alone = np.zeros((groups, len(caps)), np.int64)
    alone[np.arange(groups), kind] = 1
    none = np.zeros(len(caps), np.int64)
    kept = own.kept if least is None else (*own.kept, (kinds + np.arange(len(caps)), least))
    stage = Stage(
        np.concatenate([own.req, caps]),
        own.cap,
        own.size,
        np.concatenate([own.standing, np.zeros_like(alone)], axis=1),
        np.concatenate([own.most_new, alone], axis=1),
        np.concatenate([own.value, none + worth]),
        np.concatenate([own.bonus, none]),
        # one more than there are nodes: it never binds, so that its price is nothing
        np.concatenate([own.total, np.bincount(kind, own.size, len(caps)).astype(np.int64) + 1]),
        np.concatenate([own.exact, none > 0]),
        kept,
    )
    return EmptiesStage(grouped, stage, np.asarray(kinds + kind, np.int64))


def fullest_bound(ground: Ground, nodes: int) -> tuple[int, Evidence]:
    """Least disruption on at most `nodes` nodes: what stands on the fullest of them stays at best, all else leaves."""
    problem = ground.problem
    movable = np.array([c.movable for c in problem.classes], np.bool_)
    weight = ground.cost.astype(np.int64) * movable
    stands = np.sort(weight @ problem.standing_counts)[::-1]
    if nodes >= len(stands):
        return 0, Evidence("trivial")
    least = int(stands[nodes:].sum())
    if not least:
        return 0, Evidence("trivial")
    prices = (0,) * len(problem.classes)
    return least, Evidence("patterns", class_prices=prices, scale=1, node_price=int(stands[nodes]))

"""From a problem and the counts decided so far to the linear programs of `columns`, and from their answers back.

A counting stage knows the tiers down to the one it counts; a moves stage knows all of them. Nodes are grouped by what tells
them apart in that stage, so that 5,000 nodes of a kind cost as much as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from berth_solver.columns import SCALE, Prices, Stage
from berth_solver.problem import IntArray
from berth_solver.solution import Evidence
from berth_solver.state import Ground


@dataclass(frozen=True, eq=False)
class GroupedStage:
    """A stage with the way back: which classes it knows and which nodes each group holds."""

    stage: Stage
    classes: IntArray
    nodes: list[IntArray]
    group_of_node: IntArray
    ranks: tuple[int, ...]
    """The tier of each kept row."""

    def fill_of(self, placement: IntArray, node: int) -> IntArray:
        """What a placement puts on a node, in the stage's classes."""
        return np.asarray(placement[self.classes, node], np.int64)

    def place(self, chosen: Sequence[tuple[int, IntArray, int]], like: IntArray) -> IntArray:
        """Counts [classes, nodes]: the chosen fills on the nodes of their groups, each where it leaves most as in `like`."""
        placement = np.zeros_like(like)
        here = like[self.classes]
        left = [np.asarray(nodes, np.int64) for nodes in self.nodes]
        for g, fill, times in sorted(chosen, key=lambda choice: -int(choice[1].sum())):
            nodes = left[g]
            if times < len(nodes):
                used = np.flatnonzero(fill)
                stays = np.minimum(fill[used, None], here[used][:, nodes]).sum(axis=0)
                order = np.argsort(-stays, kind="stable")
                nodes, left[g] = nodes[order[:times]], nodes[np.sort(order[times:])]
            else:
                left[g] = nodes[:0]
            placement[np.ix_(self.classes, nodes)] = fill[:, None]
        return placement


def _grouped(
    ground: Ground,
    classes: IntArray,
    standing: IntArray,
    value: IntArray,
    bonus: IntArray,
    placed: Sequence[int],
    last: int,
) -> GroupedStage:
    """standing [classes of the stage, nodes]: the copies that may be there although nothing new may come, and earn a bonus."""
    problem = ground.problem
    width = len(problem.resources)
    counts = problem.standing_counts[classes]
    usable = ground.mask[ground.group[classes]]
    allowed = np.where(usable, -1, counts)
    key = np.concatenate([ground.cap[:, :width], allowed.T, standing.T], axis=1)
    rows: dict[bytes, int] = {}
    group_of = np.array([rows.setdefault(row.tobytes(), len(rows)) for row in key], np.int64)
    first = np.full(len(rows), len(key), np.int64)
    np.minimum.at(first, group_of, np.arange(len(key)))
    size = np.bincount(group_of, minlength=len(rows))
    total = problem.totals[classes]
    # who may come: anyone where usable, else only as many as stand there
    most = np.where(usable[:, first], total[:, None], counts[:, first])
    most_new = np.maximum(most - standing[:, first], 0)
    exact = np.zeros(len(classes), np.bool_)
    kept: list[tuple[IntArray, int]] = []
    ranks: list[int] = []
    for rank in range(last):
        members = np.flatnonzero(ground.tier[classes] == rank)
        if placed[rank] == int(total[members].sum()):
            exact[members] = True
        elif placed[rank] > 0:
            kept.append((members, int(placed[rank])))
            ranks.append(rank)
    stage = Stage(
        np.ascontiguousarray(ground.req[classes, :width]),
        np.ascontiguousarray(ground.cap[first, :width]),
        np.asarray(size, np.int64),
        np.ascontiguousarray(standing[:, first].T),
        np.ascontiguousarray(most_new.T),
        value,
        bonus,
        total,
        exact,
        tuple(kept),
    )
    order = np.argsort(group_of, kind="stable")
    nodes = np.split(order, np.cumsum(size)[:-1])
    return GroupedStage(stage, classes, nodes, group_of, tuple(ranks))


def counting_stage(ground: Ground, rank: int, placed: Sequence[int]) -> GroupedStage:
    """Most pods of tier `rank`, given the counts of the tiers above."""
    classes = _movable(ground, rank + 1)
    value = (ground.tier[classes] == rank).astype(np.int64)
    none = np.zeros((len(classes), len(ground.problem.nodes)), np.int64)
    return _grouped(ground, classes, none, value, np.zeros_like(value), placed, rank)


def moves_stage(ground: Ground, placed: Sequence[int]) -> GroupedStage:
    """Most (weighted) staying pods, given the counts of all tiers."""
    classes = _movable(ground, len(ground.priorities))
    cost = ground.cost[classes].astype(np.int64)
    return _grouped(
        ground,
        classes,
        ground.problem.standing_counts[classes],
        np.zeros_like(cost),
        cost,
        placed,
        len(ground.priorities),
    )


def _movable(ground: Ground, ranks: int) -> IntArray:
    movable = np.array([c.movable for c in ground.problem.classes], np.bool_)
    classes = np.flatnonzero(movable & (ground.tier < ranks))
    # classes of equal request side by side: pricing treats them as one shape
    return classes[np.lexsort(ground.req[classes].T)]


def evidence(ground: Ground, grouped: GroupedStage, prices: Prices) -> Evidence:
    """The prices in the terms of `Evidence`: pods' prices >= 0, one price for each tier already decided.

    A tier that is placed whole has a free price for each of its classes here; a tier price as high as the most negative of
    them makes all class prices >= 0 and changes nothing, since every pod of the tier is placed.
    """
    class_prices = np.zeros(len(ground.problem.classes), np.int64)
    class_prices[grouped.classes] = prices.pod
    tier_prices: dict[int, int] = {
        ground.priorities[r]: int(p) for r, p in zip(grouped.ranks, prices.kept, strict=True)
    }
    exact = grouped.classes[grouped.stage.exact]
    for rank in sorted({int(r) for r in ground.tier[exact]}):
        members = exact[ground.tier[exact] == rank]
        lift = max(0, -int(class_prices[members].min()))
        class_prices[members] += lift
        tier_prices[ground.priorities[rank]] = lift
    return Evidence(
        "patterns",
        class_prices=tuple(int(p) for p in class_prices),
        tier_prices=tuple(sorted(tier_prices.items(), reverse=True)),
        scale=SCALE,
    )

"""From a problem and the counts decided so far to the linear programs of `columns`, and from their answers back.

A counting stage knows the tiers down to the one it counts; a moves stage knows all of them. Two kinds of likeness make
large clusters small: nodes that nothing tells apart in the stage form a group, and classes of equal request, eligibility and
move cost whose tiers are all placed whole form one *kind*, since a pod of one may then stand for a pod of another: every one
of them has a place, and only where somebody stays matters.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from berth_solver.columns import SCALE, Prices, Stage
from berth_solver.problem import IntArray
from berth_solver.solution import Evidence
from berth_solver.state import Ground

MAX_PRICE = 1 << 44
"""The verifier takes no larger ones: they would leave 64 bits."""


@dataclass(frozen=True, eq=False)
class GroupedStage:
    """A stage with the way back: which classes each of its kinds stands for, and which nodes each group holds."""

    stage: Stage
    classes: IntArray
    """All classes of the stage, those of one kind side by side."""
    first: IntArray
    """[kinds]: where each kind begins in `classes`."""
    nodes: list[IntArray]
    group_of_node: IntArray
    ranks: tuple[int, ...]
    """The tier of each kept row."""

    def fills(self, placement: IntArray) -> IntArray:
        """What a placement puts on each node, in kinds: int64 [nodes, kinds]."""
        if not len(self.first):
            return np.zeros((placement.shape[1], 0), np.int64)
        return np.ascontiguousarray(np.add.reduceat(placement[self.classes], self.first, axis=0).T)

    def place(self, chosen: Sequence[tuple[int, IntArray, int]], like: IntArray, totals: IntArray) -> IntArray:
        """Counts [classes, nodes]: the chosen fills on the nodes of their groups, each where it leaves most as in `like`.

        totals: pods of each class of the problem.
        """
        here = self.fills(like)
        slots = np.zeros_like(here)
        left = [np.asarray(nodes, np.int64) for nodes in self.nodes]
        for g, fill, times in sorted(chosen, key=lambda choice: -int(choice[1].sum())):
            nodes = left[g]
            if times < len(nodes):
                used = np.flatnonzero(fill)
                stays = np.minimum(fill[used], here[np.ix_(nodes, used)]).sum(axis=1)
                order = np.argsort(-stays, kind="stable")
                nodes, left[g] = nodes[order[:times]], nodes[np.sort(order[times:])]
            else:
                left[g] = nodes[:0]
            slots[nodes] = fill
        placement = np.zeros_like(like)
        last = np.append(self.first[1:], len(self.classes))
        for k, (begin, end) in enumerate(zip(self.first, last, strict=True)):
            members = self.classes[begin:end]
            placement[members] = _share_out(slots[:, k], like[members], totals[members])
        return placement


def _share_out(slots: IntArray, standing: IntArray, total: IntArray) -> IntArray:
    """The classes of a kind [classes, nodes] in its slots [nodes]: who stands there stays, the others take the rest in turn."""
    if len(total) == 1:
        return slots[None, :]
    counts = np.zeros_like(standing)
    left = slots.copy()
    for c in range(len(total)):
        counts[c] = np.minimum(standing[c], left)
        left -= counts[c]
    lacking = total - counts.sum(axis=1)
    where = np.repeat(np.arange(len(slots)), left)
    who = np.repeat(np.arange(len(total)), np.maximum(lacking, 0))
    pairs = min(len(where), len(who))
    np.add.at(counts, (who[:pairs], where[:pairs]), 1)
    return counts


def _grouped(
    ground: Ground, classes: IntArray, bonus: IntArray, value: IntArray, placed: Sequence[int], last: int
) -> GroupedStage:
    """bonus, value: [classes]. Nodes are told apart by who stands there only if a bonus depends on it."""
    problem = ground.problem
    tier, total = ground.tier[classes], problem.totals[classes]
    whole = np.zeros(last + 1, np.bool_)
    for rank in range(last):
        whole[rank] = placed[rank] == int(total[tier == rank].sum())
    # kinds: equal request side by side (pricing treats them as one shape), then equal in everything that matters
    tag = np.where(whole[np.minimum(tier, last)], -1, tier)
    key = np.column_stack([ground.req[classes], ground.group[classes], bonus, value, tag, ground.cost[classes]])
    order = np.lexsort(key.T[::-1])
    classes, key = classes[order], key[order]
    change = np.append(True, (key[1:] != key[:-1]).any(axis=1)) if len(classes) else np.zeros(0, np.bool_)
    first = np.flatnonzero(change)
    bonus, value, total = bonus[order][first], value[order][first], np.add.reduceat(problem.totals[classes], first)
    tag = tag[order][first]
    standing = np.ascontiguousarray(np.add.reduceat(problem.standing_counts[classes], first, axis=0).T)
    earning = standing if bonus.any() else np.zeros_like(standing)
    usable = ground.mask[ground.group[classes[first]]].T
    allowed = np.where(usable, -1, standing)
    table = np.concatenate([ground.cap, allowed, earning], axis=1)
    rows: dict[bytes, int] = {}
    group_of = np.array([rows.setdefault(row.tobytes(), len(rows)) for row in table], np.int64)
    example = np.full(len(rows), len(table), np.int64)
    np.minimum.at(example, group_of, np.arange(len(table)))
    size = np.bincount(group_of, minlength=len(rows))
    # who may come: anyone where usable, else only as many as stand there
    most = np.where(usable[example], total, standing[example])
    kept: list[tuple[IntArray, int]] = []
    ranks: list[int] = []
    for rank in range(last):
        if not whole[rank] and placed[rank] > 0:
            kept.append((np.flatnonzero(tag == rank), int(placed[rank])))
            ranks.append(rank)
    stage = Stage(
        np.ascontiguousarray(ground.req[classes[first]]),
        np.ascontiguousarray(ground.cap[example]),
        np.asarray(size, np.int64),
        np.ascontiguousarray(earning[example]),
        np.ascontiguousarray(np.maximum(most - earning[example], 0)),
        value,
        bonus,
        np.asarray(total, np.int64),
        tag == -1,
        tuple(kept),
    )
    nodes = np.split(np.argsort(group_of, kind="stable"), np.cumsum(size)[:-1])
    return GroupedStage(stage, classes, first, nodes, group_of, tuple(ranks))


def counting_stage(
    ground: Ground, rank: int, placed: Sequence[int], wanted: Collection[int] | None = None
) -> GroupedStage:
    """Most pods of tier `rank` (of its classes `wanted` alone, if given), given the counts of the tiers above."""
    classes = _movable(ground, rank + 1)
    counted = ground.tier[classes] == rank if wanted is None else np.isin(classes, sorted(wanted))
    value = counted.astype(np.int64)
    return _grouped(ground, classes, np.zeros_like(value), value, placed, rank)


def moves_stage(ground: Ground, placed: Sequence[int]) -> GroupedStage:
    """Most (weighted) staying pods, given the counts of all tiers."""
    classes = _movable(ground, len(ground.priorities))
    cost = ground.cost[classes].astype(np.int64)
    return _grouped(ground, classes, cost, np.zeros_like(cost), placed, len(ground.priorities))


def _movable(ground: Ground, ranks: int) -> IntArray:
    movable = np.array([c.movable for c in ground.problem.classes], np.bool_)
    return np.flatnonzero(movable & (ground.tier < ranks) & (ground.problem.totals > 0))


def is_in_range(proof: Evidence) -> bool:
    """Whether the verifier can take these prices. Where many dear moves make way for one pod they may be too large."""
    prices = (*proof.class_prices, *(price for _, price in proof.tier_prices))
    return max(map(abs, prices), default=0) <= MAX_PRICE


def evidence(ground: Ground, grouped: GroupedStage, prices: Prices) -> Evidence:
    """The prices in the terms of `Evidence`: pods' prices >= 0, one price for each tier already decided.

    A tier that is placed whole has a free price for each of its classes here; a tier price as high as the most negative of
    them makes all class prices >= 0 and changes nothing, since every pod of the tier is placed.
    """
    class_prices = np.zeros(len(ground.problem.classes), np.int64)
    kind_of = np.searchsorted(grouped.first, np.arange(len(grouped.classes)), side="right") - 1
    class_prices[grouped.classes] = prices.pod[kind_of]
    tier_prices: dict[int, int] = {
        ground.priorities[r]: int(p) for r, p in zip(grouped.ranks, prices.kept, strict=True)
    }
    exact = grouped.classes[grouped.stage.exact[kind_of]]
    for rank in sorted({int(r) for r in ground.tier[exact]}):
        members = exact[ground.tier[exact] == rank]
        lift = max(0, -int(class_prices[members].min()))
        class_prices[members] += lift
        tier_prices[ground.priorities[rank]] = lift
    return Evidence(
        "patterns",
        class_prices=tuple(class_prices.tolist()),
        tier_prices=tuple(sorted(tier_prices.items(), reverse=True)),
        scale=SCALE,
    )

"""The most that one node can be worth at given prices, exactly: the bounded knapsack under the verifier's pattern bound.

Method: prices per resource (a Lagrange relaxation of the capacity) give an upper bound and, for each item, what a
departure from the relaxed answer costs. Items are then decided one after the other over a growing table of states (worth
so far, room left); a state goes when its bound does not beat the best filling known, or when another is at least as good
in all. What remains at the end is the optimum. When the table grows too large or time is up, the best bound of the
surviving states is still an upper bound, and is returned as one. All comparisons are in integers: the prices are rounded,
which keeps every bound valid, since any non-negative prices are.

Cost: 1 to 50 ms a node at 8 pods a node and 100 classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from berth_solver.problem import IntArray

MAX_WORTH = 1 << 50
"""Largest worth of one node's filling, in price units: leaves room for fractions of prices inside 64 bits."""
MAX_STATES = 400_000
STRONGEST = 256
"""States that the others are compared with."""
PRICE_ROUNDS = 12
COMPLETIONS = 32
"""States completed greedily at each step, for a better filling to compare with."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Items:
    """worth: int64 [items], > 0; weight: int64 [items, resources]; count: int64 [items], > 0."""

    worth: IntArray
    weight: IntArray
    count: IntArray


@dataclass(frozen=True, slots=True)
class Filling:
    """The optimum lies in [least, most]."""

    least: int
    most: int


def useful_items(worth: IntArray, weight: IntArray, count: IntArray, room: IntArray) -> Items:
    """Those that are worth something and fit at all, in the numbers that fit."""
    copies = count.copy()
    for r in range(weight.shape[1]):
        heavy = weight[:, r] > 0
        copies[heavy] = np.minimum(copies[heavy], max(int(room[r]), 0) // weight[heavy, r])
        if room[r] < 0:
            copies[:] = 0
    keep = (worth > 0) & (copies > 0)
    return Items(worth[keep], weight[keep], copies[keep])


def quick_filling(items: Items, room: IntArray) -> Filling:
    """Bounds from resource prices alone."""
    total = _worth_of_all(items)
    if total > MAX_WORTH:
        return Filling(0, total)
    if not len(items.worth) or ((items.count @ items.weight) <= room).all():
        return Filling(total, total)
    return _Table(items, room).quick()


def exact_filling(items: Items, room: IntArray, is_late: Callable[[], bool], target: int = 0) -> Filling:
    """The optimum (least == most), or bounds when the table outgrows MAX_STATES or `is_late` says so.

    target: it is enough to know that the optimum is at most this, which is much less work; then `most` is the target.
    """
    quick = quick_filling(items, room)
    if quick.least == quick.most or quick.most > MAX_WORTH or quick.most <= target:
        return quick
    return _Table(items, room).exact(is_late, target)


def _worth_of_all(items: Items) -> int:
    """In Python's integers: counts and prices come from outside."""
    return sum(worth * count for worth, count in zip(items.worth.tolist(), items.count.tolist(), strict=True))


class _Table:
    """One knapsack that is not trivial: its prices, its items in the order of decision, its states."""

    def __init__(self, items: Items, room: IntArray) -> None:
        self.room = room
        prices = _best_prices(items, room)
        total = _worth_of_all(items)
        self.shift = max(0, 60 - total.bit_length() - 2)
        # ceil keeps a price that matters from vanishing; any non-negative integers give a valid bound
        self.prices = np.ceil(np.ldexp(prices, self.shift)).astype(np.int64)
        if int(self.prices.astype(object) @ room.astype(object)) > (1 << 61):
            self.prices[:] = 0
        reduced = (items.worth << self.shift) - items.weight @ self.prices
        order = np.argsort(-np.abs(reduced), kind="stable")
        self.worth, self.weight, self.count = items.worth[order], items.weight[order], items.count[order]
        gain = np.maximum(reduced[order], 0) * self.count
        self.suffix_gain = np.concatenate([np.cumsum(gain[::-1])[::-1], [0]]).astype(np.int64)
        self.suffix_worth = np.concatenate([np.cumsum((self.worth * self.count)[::-1])[::-1], [0]]).astype(np.int64)
        cost = np.maximum((self.weight @ self.prices).astype(np.float64), 1e-9)
        self.efficient = np.argsort(-self.worth / cost, kind="stable")

    def quick(self) -> Filling:
        worth, room = np.zeros(1, np.int64), self.room[:, None].copy()
        return Filling(self._complete(worth, room, 0), int(self._bounds(worth, room, 0)[0]))

    def exact(self, is_late: Callable[[], bool], target: int) -> Filling:
        """States are columns: worth [states], room [resources, states]."""
        worth, room = np.zeros(1, np.int64), self.room[:, None].copy()
        best = self._complete(worth, room, 0)
        for i in range(len(self.worth)):
            worth, room = self._decide(worth, room, i)
            bounds = self._bounds(worth, room, i + 1)
            alive = bounds > max(best, target)
            worth, room, bounds = worth[alive], room[:, alive], bounds[alive]
            if len(worth) > STRONGEST:
                worth, room, bounds = _undominated(worth, room, bounds)
            if not len(worth):
                break
            top = np.argsort(-bounds, kind="stable")[:COMPLETIONS]
            best = max(best, self._complete(worth[top], room[:, top], i + 1))
            if len(worth) > MAX_STATES or is_late():
                return Filling(best, max(best, target, int(bounds.max())))
        return Filling(best, max(best, target))

    def _decide(self, worth: IntArray, room: IntArray, i: int) -> tuple[IntArray, IntArray]:
        """Every state with 0, 1, ... copies of item i."""
        worths, rooms = [worth], [room]
        weight = self.weight[i][:, None]
        for _ in range(int(self.count[i])):
            worth, room = worth + self.worth[i], room - weight
            fits = room.min(axis=0) >= 0
            worth, room = worth[fits], room[:, fits]
            if not len(worth):
                break
            worths.append(worth)
            rooms.append(room)
        return np.concatenate(worths), np.concatenate(rooms, axis=1)

    def _bounds(self, worth: IntArray, room: IntArray, i: int) -> IntArray:
        """Most that each state can reach with items i and later."""
        relaxed = ((self.prices @ room) + self.suffix_gain[i]) >> self.shift
        return np.asarray(worth + np.minimum(relaxed, self.suffix_worth[i]), np.int64)

    def _complete(self, worth: IntArray, room: IntArray, i: int) -> int:
        """The best of the states, each filled up greedily with the items from i on."""
        worth, room = worth.copy(), room.copy()
        for j in self.efficient.tolist():
            if j < i:
                continue
            weight = self.weight[j]
            heavy = weight > 0
            copies = np.full(len(worth), self.count[j])
            if heavy.any():
                copies = np.minimum(copies, (room[heavy] // weight[heavy, None]).min(axis=0))
            worth += copies * self.worth[j]
            room -= copies * weight[:, None]
        return int(worth.max())


def _undominated(worth: IntArray, room: IntArray, bounds: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Drops states that one of the strongest is at least as good as, in worth and in room."""
    order = np.lexsort((-worth, -bounds))
    worth, room, bounds = worth[order], room[:, order], bounds[order]
    judge = 0
    while judge < min(STRONGEST, len(worth)):
        alive = np.ones(len(worth), np.bool_)
        for k in range(judge, min(judge + 32, STRONGEST, len(worth))):
            if alive[k]:
                beaten = worth <= worth[k]
                for r in range(len(room)):
                    beaten &= room[r] <= room[r, k]
                beaten[k] = False
                alive &= ~beaten
        judge = int(np.count_nonzero(alive[: judge + 32]))
        worth, room, bounds = worth[alive], room[:, alive], bounds[alive]
    return worth, room, bounds


def _best_prices(items: Items, room: IntArray) -> FloatArray:
    """Resource prices that make the relaxation's bound small: exact line searches, one direction after the other."""
    worth, count = items.worth.astype(np.float64), items.count.astype(np.float64)
    # in shares of the room, so that memory in bytes and processors in thousandths weigh alike
    unit = np.maximum(room.astype(np.float64), 1.0)
    weight, width = items.weight / unit, items.weight.shape[1]
    space = room / unit

    def bound(prices: FloatArray) -> float:
        return float(prices @ space + count @ np.maximum(worth - weight @ prices, 0.0))

    def along(base: FloatArray, direction: FloatArray) -> FloatArray:
        pull = weight @ direction
        moving = pull > 0
        ends = (worth[moving] - weight[moving] @ base) / pull[moving]
        order = np.argsort(-ends)
        filled = np.cumsum((count[moving] * pull[moving])[order])
        at = int(np.searchsorted(filled, float(space @ direction), side="right"))
        step = float(ends[order[at]]) if at < len(order) else 0.0
        return base + max(step, 0.0) * direction

    best = along(np.zeros(width), np.ones(width))
    best_bound = bound(best)
    for round_ in range(PRICE_ROUNDS):
        before = best_bound
        for r in range(width):
            base = best.copy()
            base[r] = 0.0
            trials = [along(base, np.eye(width)[r])]
            # a kink can stop every axis: leave it by trading one resource's price against the others'
            trade = best.copy()
            trade[r] *= 0.5 + round_ / PRICE_ROUNDS
            if trade.any():
                trials.append(along(np.zeros(width), trade))
            for trial in trials:
                if (value := bound(trial)) < best_bound:
                    best, best_bound = trial, value
        if best_bound > before * (1 - 1e-6) and round_ >= PRICE_ROUNDS // 2:
            break
    return np.asarray(best / unit, np.float64)

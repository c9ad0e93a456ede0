"""Fill one node best at given prices: the exact pricing of the Dantzig-Wolfe relaxation, compiled.

A bounded knapsack in R dimensions. Its linear relaxation is solved in the dual by a few subgradient steps: multipliers
lambda give every item a margin d = profit - lambda . weight, and the bound U = lambda . capacity + sum of positive margins.
Any fill's profit is U minus its penalties (margin of good items left out, of bad items taken in, lambda . room unused), so a
search that decides items of the largest margin first and stops when the penalty reaches U minus the best known sees little.
Items whose single penalty is already too large are fixed before the search.

A search cut short by its step limit still returns a valid upper bound: the best bound among what it left open.
Profits are whole numbers, so that sums are exact; only the pruning uses floats, with a margin of 1/100 of a unit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from berth_solver.compiled import compiled
from berth_solver.problem import IntArray

FloatArray = npt.NDArray[np.float64]
SmallArray = npt.NDArray[np.int16]

MARGIN = 0.01
"""Slack for rounding in the pruning test, in units of profit (which are whole numbers)."""
DUAL_STEPS = 60
"""Subgradient steps for the multipliers of one node."""


@compiled
def _dual(
    k: int, profit: IntArray, weight: IntArray, most: IntArray, cap: IntArray, lam: FloatArray, best_lam: FloatArray
) -> float:
    """Minimise U(lambda) from the warm start `lam`; best_lam gets the best multipliers. Returns U."""
    r_count = cap.shape[0]
    best = 1e300
    step = 1.0
    usage = np.empty(r_count, np.float64)
    work = lam.copy()
    for it in range(DUAL_STEPS):
        value = 0.0
        for r in range(r_count):
            value += work[r] * cap[r]
            usage[r] = 0.0
        for x in range(k):
            d = float(profit[x])
            for r in range(r_count):
                d -= work[r] * weight[x, r]
            if d > 0:
                value += d * most[x]
                for r in range(r_count):
                    usage[r] += weight[x, r] * most[x]
        if value < best - 1e-9:
            best = value
            for r in range(r_count):
                best_lam[r] = work[r]
        else:
            step *= 0.8
            for r in range(r_count):
                work[r] = best_lam[r]
            if it & 1:
                continue
        # multiplicative steps in the direction of the excess suit prices of very different magnitude
        for r in range(r_count):
            if cap[r] <= 0:
                work[r] = best_lam[r]
                continue
            excess = (usage[r] - cap[r]) / cap[r]
            if excess > 1.0:
                excess = 1.0
            if excess < -1.0:
                excess = -1.0
            work[r] = work[r] * (1.0 + 0.5 * step * excess) + 1e-3 * step * max(0.0, excess) * best / (cap[r] * r_count)
    return best


@compiled
def fill_best(
    k: int,
    profit: IntArray,
    weight: IntArray,
    most: IntArray,
    cap: IntArray,
    lam: FloatArray,
    floor: int,
    limit: int,
    count: IntArray,
    best_count: IntArray,
    found: SmallArray,
    found_profit: IntArray,
    steps: IntArray,
) -> tuple[int, int]:
    """The best fill of k items: (best profit, upper bound). Profit `floor` (or -1) is already known and not looked for again.

    profit int64[k], weight int64[k, R], most int64[k], cap int64[R]; lam: warm start, left at the multipliers used.
    limit: search steps at most. best_count: copies of each item in the best fill found (meaningful if profit > floor).
    found: int16 [rows, k]; with rows > 0 every fill of profit > floor is written there (as long as there is room) and the
    floor does not rise; found_profit their profits. steps[0] += steps made; steps[1] = fills found.
    """
    r_count = cap.shape[0]
    rows = found.shape[0]
    best_lam = lam.copy()
    bound = _dual(k, profit, weight, most, cap, lam, best_lam)
    for r in range(r_count):
        lam[r] = best_lam[r]
    best = floor
    steps[1] = 0
    if bound <= best + 1 - MARGIN:
        return best, int(np.floor(bound + MARGIN))
    margin = np.empty(k, np.float64)
    for x in range(k):
        d = float(profit[x])
        for r in range(r_count):
            d -= lam[r] * weight[x, r]
        margin[x] = d
    # a greedy fill first, by margin, so that the search starts with something
    order = np.argsort(-margin[:k])
    if rows == 0:
        room = cap.copy()
        total = 0
        for y in range(k):
            x = order[y]
            if profit[x] <= 0:
                count[x] = 0
                continue
            copies = most[x]
            for r in range(r_count):
                if weight[x, r] > 0:
                    copies = min(copies, room[r] // weight[x, r])
            count[x] = copies
            total += copies * profit[x]
            for r in range(r_count):
                room[r] -= copies * weight[x, r]
        if total > best:
            best = total
            for x in range(k):
                best_count[x] = count[x]
    # order of decision: the largest margin first; those that cannot deviate are fixed
    order = np.argsort(-np.abs(margin[:k]))
    n = k
    tail_weight = np.zeros((n + 1, r_count), np.float64)
    tail_value = np.zeros(n + 1, np.float64)
    for y in range(n - 1, -1, -1):
        x = order[y]
        tail_value[y] = tail_value[y + 1] + max(0.0, margin[x]) * most[x]
        for r in range(r_count):
            tail_weight[y, r] = tail_weight[y + 1, r] + weight[x, r] * most[x]
    room = cap.copy()
    value = np.zeros(n + 1, np.int64)
    first = np.zeros(n, np.int64)
    tried = np.zeros(n, np.int64)
    for x in range(k):
        count[x] = 0
    open_bound = -1.0
    level = 0
    entering = True
    made = 0
    while level >= 0:
        if entering:
            made += 1
            # bound of this subtree
            b = float(value[level]) + tail_value[level]
            for r in range(r_count):
                usable = float(room[r])
                if usable > tail_weight[level, r]:
                    usable = tail_weight[level, r]
                b += lam[r] * usable
            if b <= best + 1 - MARGIN:
                level -= 1
                entering = False
                continue
            if level == n:
                if rows > 0:
                    if steps[1] < rows:
                        for x in range(k):
                            found[steps[1], x] = count[x]
                        found_profit[steps[1]] = value[level]
                    steps[1] += 1
                    if steps[1] > rows:
                        made = limit + 1
                elif value[level] > best:
                    best = value[level]
                    for x in range(k):
                        best_count[x] = count[x]
                level -= 1
                entering = False
                continue
            if made > limit:
                if b > open_bound:
                    open_bound = b
                level -= 1
                entering = False
                continue
            x = order[level]
            copies = most[x]
            for r in range(r_count):
                if weight[x, r] > 0:
                    copies = min(copies, room[r] // weight[x, r])
            # good items from many to none, bad ones from none to many
            first[level] = copies
            tried[level] = 0
            start = copies if margin[x] > 0 else 0
            count[x] = start
            for r in range(r_count):
                room[r] -= start * weight[x, r]
            value[level + 1] = value[level] + start * profit[x]
            level += 1
            continue
        # back at a level: the next number of copies
        x = order[level]
        tried[level] += 1
        if tried[level] > first[level]:
            for r in range(r_count):
                room[r] += count[x] * weight[x, r]
            count[x] = 0
            level -= 1
            continue
        change = -1 if margin[x] > 0 else 1
        count[x] += change
        for r in range(r_count):
            room[r] -= change * weight[x, r]
        value[level + 1] = value[level] + count[x] * profit[x]
        level += 1
        entering = True
    steps[0] += made
    upper = best
    if made > limit and open_bound > 0:
        upper = max(best, int(np.floor(open_bound + MARGIN)))
    return best, upper


@compiled
def price(
    cap: IntArray,
    req: IntArray,
    gain: IntArray,
    bonus: IntArray,
    standing: IntArray,
    most_new: IntArray,
    floor: IntArray,
    limit: int,
    lam: FloatArray,
    groups: IntArray,
    counts: IntArray,
    profits: IntArray,
    uppers: IntArray,
    steps: IntArray,
) -> None:
    """Fill each node group of `groups` best. counts[g]: copies per class; profits[g]: its profit; uppers[g]: valid bound.

    gain int64[C]: profit of one more pod of a class; bonus int64[C]: added for the first standing[g, c] of them.
    most_new[g, c]: copies beyond the standing ones that may come. floor[g]: only fills above it are of interest
    (profits[g] == floor[g] when there is none). lam[g]: multipliers, kept from call to call.
    """
    c_count, r_count = req.shape
    profit = np.empty(2 * c_count, np.int64)
    weight = np.empty((2 * c_count, r_count), np.int64)
    most = np.empty(2 * c_count, np.int64)
    owner = np.empty(2 * c_count, np.int64)
    count = np.empty(2 * c_count, np.int64)
    best_count = np.empty(2 * c_count, np.int64)
    no_rows = np.empty((0, 0), np.int16)
    no_profits = np.empty(0, np.int64)
    for y in range(groups.shape[0]):
        g = groups[y]
        k = 0
        for c in range(c_count):
            for kind in range(2):
                copies = int(standing[g, c] if kind == 0 else most_new[g, c])
                worth = gain[c] + bonus[c] if kind == 0 else gain[c]
                if copies <= 0 or worth <= 0:
                    continue
                for r in range(r_count):
                    if req[c, r] > 0:
                        copies = min(copies, int(cap[g, r] // req[c, r]))
                if copies <= 0:
                    continue
                profit[k] = worth
                most[k] = copies
                owner[k] = c
                for r in range(r_count):
                    weight[k, r] = req[c, r]
                k += 1
        counts[g, :] = 0
        best, upper = fill_best(
            k, profit, weight, most, cap[g], lam[g], floor[g], limit, count, best_count, no_rows, no_profits, steps
        )  # fmt: skip
        profits[g] = best
        uppers[g] = max(best, upper)
        if best > floor[g]:
            for x in range(k):
                counts[g, owner[x]] += best_count[x]


@compiled
def enumerate_fills(
    cap: IntArray,
    req: IntArray,
    gain: IntArray,
    bonus: IntArray,
    standing: IntArray,
    most_new: IntArray,
    floor: int,
    limit: int,
    lam: FloatArray,
    found_counts: SmallArray,
    found_profit: IntArray,
    steps: IntArray,
) -> int:
    """All fills of one node of profit > floor, as copies per class in found_counts [rows, C]; how many, -1 if too many.

    Fills that differ only in worthless pods are not listed apart: classes of no profit are left out.
    """
    c_count, r_count = req.shape
    rows = found_counts.shape[0]
    profit = np.empty(2 * c_count, np.int64)
    weight = np.empty((2 * c_count, r_count), np.int64)
    most = np.empty(2 * c_count, np.int64)
    owner = np.empty(2 * c_count, np.int64)
    count = np.empty(2 * c_count, np.int64)
    best_count = np.empty(2 * c_count, np.int64)
    k = 0
    for c in range(c_count):
        for kind in range(2):
            copies = standing[c] if kind == 0 else most_new[c]
            worth = gain[c] + bonus[c] if kind == 0 else gain[c]
            if copies <= 0:
                continue
            for r in range(r_count):
                if req[c, r] > 0:
                    copies = min(copies, cap[r] // req[c, r])
            if copies <= 0:
                continue
            profit[k] = worth
            most[k] = copies
            owner[k] = c
            for r in range(r_count):
                weight[k, r] = req[c, r]
            k += 1
    found = np.empty((rows, k), np.int16)
    before = steps[0]
    fill_best(k, profit, weight, most, cap, lam, floor, limit, count, best_count, found, found_profit, steps)
    if steps[1] > rows or steps[0] - before > limit:
        return -1
    for y in range(steps[1]):
        for c in range(c_count):
            found_counts[y, c] = 0
        for x in range(k):
            found_counts[y, owner[x]] += found[y, x]
    return int(steps[1])

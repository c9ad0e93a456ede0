"""Fill one node best at given prices: the exact pricing of the Dantzig-Wolfe relaxation, compiled.

A bounded knapsack in R dimensions. Pods of equal request form a *shape*; of a shape the dearest pods come first, so that
only the number of each shape is to be decided, and its profit is a concave function of that number. The linear relaxation
is solved in the dual by a few subgradient steps: multipliers lambda give every pod a margin d = profit - lambda . request,
and the bound U = lambda . capacity + sum of positive margins.

Any fill's profit is U minus its penalties (margin of good pods left out, of bad pods taken in, lambda . room unused), so a
search that decides the shapes with the largest margins first, and stops when the penalty reaches U minus the best known,
sees little. A search cut short by its step limit still returns a valid upper bound: the best bound among what it left open.
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
    k: int, begin: IntArray, unit: IntArray, weight: IntArray, cap: IntArray, lam: FloatArray, best_lam: FloatArray
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
            rent = 0.0
            for r in range(r_count):
                rent += work[r] * weight[x, r]
            copies = 0
            for u in range(begin[x], begin[x + 1]):
                d = unit[u] - rent
                if d <= 0:
                    break
                value += d
                copies += 1
            for r in range(r_count):
                usage[r] += weight[x, r] * copies
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
    begin: IntArray,
    unit: IntArray,
    weight: IntArray,
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
    """The best fill of k shapes: (best profit, upper bound). Profit `floor` is already known and not looked for again.

    unit[begin[x]:begin[x + 1]]: profits of the pods of shape x, the dearest first; weight int64 [k, R]; cap int64 [R];
    lam: warm start, left at the multipliers used. limit: search steps at most. best_count: pods of each shape in the best
    fill found (meaningful if its profit is above the floor). found: int16 [rows, k]; with rows > 0 every fill of profit
    above the floor is written there (as long as there is room) and the floor does not rise; found_profit their profits.
    steps[0] += steps made; steps[1] = fills found.
    """
    r_count = cap.shape[0]
    rows = found.shape[0]
    best_lam = lam.copy()
    bound = _dual(k, begin, unit, weight, cap, lam, best_lam)
    for r in range(r_count):
        lam[r] = best_lam[r]
    best = floor
    steps[1] = 0
    if bound <= best + 1 - MARGIN:
        return best, int(np.floor(bound + MARGIN))
    # how many of each shape the relaxation takes, what the first deviation costs, and the profit of the first j pods
    liked = np.zeros(k, np.int64)
    price_of_change = np.empty(k, np.float64)
    good = np.zeros(k, np.float64)
    prefix = np.zeros(begin[k] + k + 1, np.int64)
    for x in range(k):
        rent = 0.0
        for r in range(r_count):
            rent += lam[r] * weight[x, r]
        change = 1e300
        base = begin[x] + x
        for u in range(begin[x], begin[x + 1]):
            d = unit[u] - rent
            if d > 0:
                liked[x] += 1
                good[x] += d
            if abs(d) < change:
                change = abs(d)
            prefix[base + 1 + u - begin[x]] = prefix[base + u - begin[x]] + unit[u]
        price_of_change[x] = change
    order = np.argsort(-price_of_change)
    if rows == 0:
        # a greedy fill first, the relaxation's favourites, so that the search starts with something
        room = cap.copy()
        total = 0
        for y in range(k):
            x = order[y]
            copies = begin[x + 1] - begin[x]
            for r in range(r_count):
                if weight[x, r] > 0:
                    copies = min(copies, room[r] // weight[x, r])
            copies = min(copies, liked[x] if liked[x] > 0 else copies)
            while copies > 0 and unit[begin[x] + copies - 1] <= 0:
                copies -= 1
            count[x] = copies
            total += prefix[begin[x] + x + copies]
            for r in range(r_count):
                room[r] -= copies * weight[x, r]
        if total > best:
            best = total
            for x in range(k):
                best_count[x] = count[x]
    n = k
    tail_weight = np.zeros((n + 1, r_count), np.float64)
    tail_value = np.zeros(n + 1, np.float64)
    for y in range(n - 1, -1, -1):
        x = order[y]
        tail_value[y] = tail_value[y + 1] + good[x]
        for r in range(r_count):
            tail_weight[y, r] = tail_weight[y + 1, r] + weight[x, r] * (begin[x + 1] - begin[x])
    room = cap.copy()
    value = np.zeros(n + 1, np.int64)
    most = np.zeros(n, np.int64)
    start = np.zeros(n, np.int64)
    for x in range(k):
        count[x] = 0
    open_bound = -1.0
    level = 0
    entering = True
    fruitless = False
    made = 0
    while level >= 0:
        if entering:
            made += 1
            b = float(value[level]) + tail_value[level]
            for r in range(r_count):
                usable = float(room[r])
                if usable > tail_weight[level, r]:
                    usable = tail_weight[level, r]
                b += lam[r] * usable
            if b <= best + 1 - MARGIN:
                level -= 1
                entering = False
                fruitless = True
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
                fruitless = False
                continue
            if made > limit:
                if b > open_bound:
                    open_bound = b
                level -= 1
                entering = False
                fruitless = False
                continue
            x = order[level]
            copies = begin[x + 1] - begin[x]
            for r in range(r_count):
                if weight[x, r] > 0:
                    copies = min(copies, room[r] // weight[x, r])
            most[level] = copies
            start[level] = min(copies, liked[x])
            count[x] = start[level]
            for r in range(r_count):
                room[r] -= count[x] * weight[x, r]
            value[level + 1] = value[level] + prefix[begin[x] + x + count[x]]
            level += 1
            continue
        # back at a level: from the relaxation's number down to none, then up to the most
        x = order[level]
        before = count[x]
        if before <= start[level]:
            # fewer still is worse still: a fruitless step down ends the way down
            after = before - 1
            if after < 0 or (fruitless and before < start[level]):
                after = start[level] + 1
        else:
            after = before + 1
        if after > most[level]:
            for r in range(r_count):
                room[r] += before * weight[x, r]
            count[x] = 0
            level -= 1
            fruitless = False
            continue
        count[x] = after
        for r in range(r_count):
            room[r] -= (after - before) * weight[x, r]
        value[level + 1] = value[level] + prefix[begin[x] + x + after]
        level += 1
        entering = True
    steps[0] += made
    upper = best
    if made > limit and open_bound > 0:
        upper = max(best, int(np.floor(open_bound + MARGIN)))
    return best, upper


@compiled
def _gather(
    g_cap: IntArray,
    req: IntArray,
    shape_of: IntArray,
    gain: IntArray,
    bonus: IntArray,
    standing: IntArray,
    most_new: IntArray,
    begin: IntArray,
    unit: IntArray,
    owner: IntArray,
    weight: IntArray,
    first_unit: int,
) -> int:
    """The shapes of one node and their pods' profits, the dearest first; classes are sorted by shape. How many shapes.

    Only pods of profit above 0 are of use. A shape gets no more pods than fit on the node alone.
    """
    c_count, r_count = req.shape
    k = 0
    n = first_unit
    c = 0
    while c < c_count:
        shape = shape_of[c]
        begin[k] = n
        fit = 1 << 30
        for r in range(r_count):
            if req[c, r] > 0:
                fit = min(fit, int(g_cap[r] // req[c, r]))
        first = c
        while c < c_count and shape_of[c] == shape:
            for kind in range(2):
                copies = int(standing[c] if kind == 0 else most_new[c])
                worth = int(gain[c] + bonus[c] if kind == 0 else gain[c])
                if worth <= 0 or fit <= 0:
                    continue
                for _ in range(min(copies, fit)):
                    # insertion into the sorted run, at most `fit` long
                    if n - begin[k] == fit:
                        if unit[n - 1] >= worth:
                            break
                        n -= 1
                    y = n
                    while y > begin[k] and unit[y - 1] < worth:
                        unit[y] = unit[y - 1]
                        owner[y] = owner[y - 1]
                        y -= 1
                    unit[y] = worth
                    owner[y] = c
                    n += 1
            c += 1
        if n > begin[k]:
            for r in range(r_count):
                weight[k, r] = req[first, r]
            k += 1
    begin[k] = n
    return k


@compiled
def price(
    cap: IntArray,
    req: IntArray,
    shape_of: IntArray,
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

    Classes are sorted by shape_of (equal requests, equal number). gain int64[C]: profit of one more pod of a class;
    bonus int64[C]: added for the first standing[g, c] of them. most_new[g, c]: copies beyond the standing ones that may
    come. floor[g]: only fills above it are of interest (profits[g] == floor[g] when there is none). lam[g]: multipliers,
    kept from call to call.
    """
    c_count, r_count = req.shape
    begin = np.empty(c_count + 2, np.int64)
    weight = np.empty((c_count + 1, r_count), np.int64)
    count = np.empty(c_count + 1, np.int64)
    best_count = np.empty(c_count + 1, np.int64)
    no_rows = np.empty((0, 0), np.int16)
    no_profits = np.empty(0, np.int64)
    units = np.int64(16)
    for y in range(groups.shape[0]):
        g = groups[y]
        total = np.int64(16)
        for c in range(c_count):
            total += standing[g, c] + most_new[g, c]
        units = max(units, total)
    unit = np.empty(units, np.int64)
    owner = np.empty(units, np.int64)
    for y in range(groups.shape[0]):
        g = groups[y]
        k = _gather(
            cap[g], req, shape_of, gain, bonus, standing[g], most_new[g], begin, unit, owner, weight, 0
        )  # fmt: skip
        counts[g, :] = 0
        best, upper = fill_best(
            k, begin, unit, weight, cap[g], lam[g], floor[g], limit, count, best_count, no_rows, no_profits, steps
        )  # fmt: skip
        profits[g] = best
        uppers[g] = max(best, upper)
        if best > floor[g]:
            for x in range(k):
                for u in range(begin[x], begin[x] + best_count[x]):
                    counts[g, owner[u]] += 1


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

    Here every class is a shape of its own, and pods of no profit are listed too: a solution may need them.
    """
    c_count, r_count = req.shape
    rows = found_counts.shape[0]
    total = 16
    for c in range(c_count):
        total += int(standing[c] + most_new[c])
    begin = np.empty(c_count + 2, np.int64)
    unit = np.empty(total, np.int64)
    weight = np.empty((c_count + 1, r_count), np.int64)
    owner = np.empty(c_count + 1, np.int64)
    count = np.empty(c_count + 1, np.int64)
    best_count = np.empty(c_count + 1, np.int64)
    k = 0
    n = 0
    for c in range(c_count):
        fit = 1 << 30
        for r in range(r_count):
            if req[c, r] > 0:
                fit = min(fit, int(cap[r] // req[c, r]))
        copies = min(fit, int(standing[c] + most_new[c]))
        if copies <= 0:
            continue
        begin[k] = n
        for x in range(copies):
            unit[n] = gain[c] + bonus[c] if x < standing[c] else gain[c]
            n += 1
        owner[k] = c
        for r in range(r_count):
            weight[k, r] = req[c, r]
        k += 1
    begin[k] = n
    found = np.empty((rows, k), np.int16)
    before = steps[0]
    fill_best(k, begin, unit, weight, cap, lam, floor, limit, count, best_count, found, found_profit, steps)
    if steps[1] > rows or steps[0] - before > limit:
        return -1
    for y in range(steps[1]):
        for c in range(c_count):
            found_counts[y, c] = 0
        for x in range(k):
            found_counts[y, owner[x]] = found[y, x]
    return int(steps[1])

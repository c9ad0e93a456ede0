"""The bound for clusters that are full to the last unit: all pods fit only if some node can be filled almost perfectly.

Suppose every pod were placed. What stays unused over all nodes is then known: capacity minus requests, resource by resource,
and no single node can leave more than that. Some node holds at most the average number of pods. So if no set of at most
that many pods fills any node up to that leftover, one pod at least stays outside, and the bound drops by one.

Where requests are fine-grained and usage is 100 %, linear programs cannot see this (they fill nodes in fractions), and it
settles nearly every case. All sets of up to half the pods are listed and sorted by the scarcest resource; pairs of halves
that meet in the window are then found in one sweep. 26 classes of 8 pods a node take 10 ms, 100 classes half a second.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from berth_solver.compiled import compiled
from berth_solver.problem import IntArray
from berth_solver.state import Ground

MOST_HALVES = 6_000_000
"""Sets of up to half the pods; more are not listed (8 pods a node of 102 classes: 4.9 million)."""
MOST_PODS = 12
SECONDS_PER_HALF = 2.5e-7
"""Measured: listing, sorting and sweeping, a half."""


@compiled
def _list_halves(req: IntArray, most_of: IntArray, cap: IntArray, size: int, sums: IntArray, pods: IntArray) -> int:
    """All sets of up to `size` pods that fit: their sums [.., R] and how many pods; returns how many sets."""
    c_count, r_count = req.shape
    chosen = np.zeros(size + 1, np.int64)
    level = 0
    total = np.zeros((size + 1, r_count), np.int64)
    n = 0
    for r in range(r_count):
        sums[0, r] = 0
    pods[0] = 0
    n = 1
    chosen[0] = -1
    # sets as non-decreasing sequences of classes
    chosen[0] = 0
    while level >= 0:
        c = chosen[level]
        if c >= c_count:
            level -= 1
            if level >= 0:
                chosen[level] += 1
            continue
        copies = 1
        for x in range(level):
            if chosen[x] == c:
                copies += 1
        fits = copies <= most_of[c]
        for r in range(r_count):
            total[level + 1, r] = total[level, r] + req[c, r]
            if total[level + 1, r] > cap[r]:
                fits = False
        if not fits:
            chosen[level] += 1
            continue
        if n >= sums.shape[0]:
            return -1
        for r in range(r_count):
            sums[n, r] = total[level + 1, r]
        pods[n] = level + 1
        n += 1
        if level + 1 < size:
            level += 1
            chosen[level] = c
        else:
            chosen[level] += 1
    return n


@compiled
def _meets(
    sums: IntArray, pods: IntArray, order: IntArray, cap: IntArray, left: IntArray, most: int, main: int
) -> bool:
    """Whether two halves of together at most `most` pods fill `cap` up to `left` in every resource."""
    n, r_count = order.shape[0], sums.shape[1]
    low = n
    for x in range(n):
        a = order[x]
        least = cap[main] - left[main] - sums[a, main]
        greatest = cap[main] - sums[a, main]
        # as a grows, the window moves down
        while low > 0 and sums[order[low - 1], main] >= least:
            low -= 1
        y = low
        while y < n and sums[order[y], main] <= greatest:
            b = order[y]
            y += 1
            if pods[a] + pods[b] > most:
                continue
            ok = True
            for r in range(r_count):
                unused = cap[r] - sums[a, r] - sums[b, r]
                if unused < 0 or unused > left[r]:
                    ok = False
                    break
            if ok:
                return True
    return False


def all_cannot_fit(ground: Ground, last: int, clock: Callable[[], float], deadline: float) -> bool:
    """Proven: not all pods of the tiers 0..last fit together. False when it cannot be shown, or not in time."""
    problem = ground.problem
    width = len(problem.resources)
    classes = np.flatnonzero((ground.tier <= last) & (problem.totals > 0) & (ground.req.sum(axis=1) > 0))
    total = problem.totals[classes]
    # equal requests are one kind of pod here
    req, kind = np.unique(ground.req[classes, :width], axis=0, return_inverse=True)
    most_of = np.zeros(len(req), np.int64)
    np.add.at(most_of, np.asarray(kind).reshape(-1), total)
    cap = ground.cap[:, :width]
    left = cap.sum(axis=0) - most_of @ req
    used = req.any(axis=0)
    if (left < 0).any() or not used.any():
        return bool((left < 0).any())
    average = int(most_of.sum()) // max(1, len(cap))
    half = (average + 1) // 2
    tightness = np.where(used, left / np.maximum(cap.max(axis=0), 1), np.inf)
    main = int(np.argmin(tightness))
    if average > MOST_PODS or tightness[main] > 0.05:
        return False
    size = 1.0
    for x in range(half):
        size = size * (len(req) + x) / (x + 1)
    if size > MOST_HALVES or clock() + SECONDS_PER_HALF * 1.3 * size > deadline:
        return False
    room = min(MOST_HALVES, int(1.4 * size) + 1000)
    sums = np.empty((room, width), np.int64)
    pods = np.empty(room, np.int64)
    for kind_of_node in np.unique(cap, axis=0):
        n = _list_halves(req, most_of, kind_of_node, half, sums, pods)
        if n < 0 or clock() >= deadline:
            return False
        order = np.argsort(sums[:n, main])
        # a resource that nobody requests is not a reason
        window = np.where(used, left, np.iinfo(np.int64).max // 4)
        if clock() >= deadline or _meets(sums, pods, order, kind_of_node, window, average, main):
            return False
    return True

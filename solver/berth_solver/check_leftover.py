"""Confirms that not all pods of some tiers fit, by what would be left over. Part of the verifier.

Suppose all were placed. Then what stays unused over all nodes is known for each resource: room minus requests, and no node
leaves more unused than that. Some node holds at most the average number of the pods that request anything. So if no kind of
node can be filled with at most that many pods and leave no more than that, not all are placed.

Method: the pods of a filling are split into two halves of at most half the number. All multisets of that size are listed
once (as sums), sorted by the scarcest resource, and for each half the partners in its window are looked at.
Cost: with 26 requests and 8 pods a node 0.2 s, with 100 about 20 s; refused beyond MOST_HALVES.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np

from berth_solver.check_bounds import EvidenceError, Terrain
from berth_solver.problem import BoolArray, IntArray

MOST_HALVES = 8_000_000
BLOCK = 500_000
"""Pairs of halves looked at together."""


class NotListedError(Exception):
    """There are too many fillings to list, in all or in the time."""


def cannot_all_be_placed(terrain: Terrain, members: BoolArray, is_late: Callable[[], bool]) -> bool:
    """Whether the argument holds for the pods of `members` together. Raises NotListedError, EvidenceError."""
    problem = terrain.problem
    total = np.where(members & problem.requests.any(axis=1), problem.totals, 0)
    asked = [sum(int(t) * int(a) for t, a in zip(total, column, strict=True)) for column in problem.requests.T]
    offered = [sum(column) for column in terrain.room.T.tolist()]
    unused = [o - a for o, a in zip(offered, asked, strict=True)]
    if min(unused, default=0) < 0:
        return True
    if not len(problem.nodes) or not total.any():
        raise EvidenceError("all pods of these tiers ask for nothing")
    requests, kind = np.unique(problem.requests[total > 0], axis=0, return_inverse=True)
    copies = np.bincount(np.asarray(kind).reshape(-1), weights=total[total > 0]).astype(np.int64)
    most = int(total.sum()) // len(problem.nodes)
    halves = comb(len(requests) + (most + 1) // 2, (most + 1) // 2)
    if halves > MOST_HALVES:
        raise NotListedError(f"{halves} halves of a filling are too many to list")
    sums, sizes = _halves(requests, copies, (most + 1) // 2, terrain.room.max(axis=0))
    rooms = np.unique(terrain.room, axis=0)
    return not any(_some_pair_fills(sums, sizes, room, np.array(unused), most, is_late) for room in rooms)


def _halves(requests: IntArray, copies: IntArray, size: int, room: IntArray) -> tuple[IntArray, IntArray]:
    """Sums and sizes of all multisets of at most `size` pods, as non-decreasing sequences of kinds."""
    sums, last = np.zeros((1, requests.shape[1]), np.int64), np.zeros(1, np.int64)
    run = np.zeros(1, np.int64)
    all_sums, all_sizes = [sums], [np.zeros(1, np.int64)]
    for length in range(1, size + 1):
        repeats = len(requests) - last
        parent = np.repeat(np.arange(len(last)), repeats)
        step = np.arange(len(parent)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        kind = last[parent] + step
        again = np.where((step == 0) & (length > 1), run[parent] + 1, 1)
        grown = sums[parent] + requests[kind]
        keep = (again <= copies[kind]) & (grown <= room).all(axis=1)
        sums, last, run = grown[keep], kind[keep], again[keep]
        all_sums.append(sums)
        all_sizes.append(np.full(len(sums), length))
    return np.concatenate(all_sums), np.concatenate(all_sizes)


def _some_pair_fills(
    sums: IntArray, sizes: IntArray, room: IntArray, unused: IntArray, most: int, is_late: Callable[[], bool]
) -> bool:
    """Whether two halves of together at most `most` pods leave at most `unused` of `room` in every resource."""
    main = int(np.argmin(unused / np.maximum(room, 1)))
    order = np.argsort(sums[:, main], kind="stable")
    sums, sizes = sums[order], sizes[order]
    sorted_main = sums[:, main]
    first = np.searchsorted(sorted_main, room[main] - unused[main] - sorted_main, side="left")
    after = np.searchsorted(sorted_main, room[main] - sorted_main, side="right")
    # each pair once: the partner comes no earlier in the order
    first = np.maximum(first, np.arange(len(sums)))
    widths = np.maximum(after - first, 0)
    ends = np.cumsum(widths)
    begin = 0
    while begin < len(sums):
        if is_late():
            raise NotListedError("the fillings were not all looked at in time")
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + BLOCK, side="right")))
        left = np.repeat(np.arange(begin, end), widths[begin:end])
        right = np.arange(len(left)) - np.repeat(ends[begin:end] - widths[begin:end] - done, widths[begin:end])
        right += first[left]
        rest = room - sums[left] - sums[right]
        fills = (rest >= 0).all(axis=1) & (rest <= unused).all(axis=1) & (sizes[left] + sizes[right] <= most)
        if fills.any():
            return True
        begin = end
    return False

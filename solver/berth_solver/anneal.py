"""Compiled local search: put one more pod in by repacking a few nodes, and bring pods home by the same means.

The atom is `_repack`: the movable pods of k nodes, some of them in an unplaced bin, are shifted and swapped under
simulated annealing on the total overload until nothing is over capacity; with a move price it goes on and keeps the
feasible state that leaves the most pods at home. Around it, `insert` picks a waiting pod, nodes with slack, evicts of lower
tiers only what the room demands, and commits on success; so every commit is a lexicographic gain. `settle` picks nodes with
displaced pods and commits whatever keeps the counts and disturbs less.

A proposal costs 30 to 60 ns; a call makes a bounded number of them, so that the caller can watch the clock between calls.
All functions release the GIL; two threads may work on one `State` as long as their node pools and queues are disjoint.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from berth_solver.compiled import compiled, compiled_inline
from berth_solver.problem import BoolArray, IntArray

FloatArray = npt.NDArray[np.float64]
RandomState = npt.NDArray[np.uint64]

BIN_PODS = 12
"""Waiting pods of the same tier that take part in a repacking, to be exchanged for placed ones."""
MAX_ITEMS = 3000
"""Pods in one repacking at most."""
MAX_SUBSET = 512
"""Nodes in one repacking at most."""

INSERT_HOT, INSERT_COLD = 0.03, 0.0003
"""First and last temperature when one more pod must fit, in units of a node's mean capacity.

Of 25 cases one pod short of their bound (16 and 32 nodes, usage 1.00 and 1.05), annealing 8,000 proposals a pod in 1.2 s
settled 11 from these temperatures, 8 from (0.06, 0.0008); with 400 proposals a pod, 3."""
MOVE_PRICE, SETTLE_HOT, SETTLE_COLD = 0.05, 0.05, 0.004
"""What a displaced pod costs beside an overload, and the temperatures when pods are brought home."""

EXPONENTIALS = -np.log((np.arange(1024) + 0.5) / 1024.0)
"""Exponentially distributed numbers to draw from: an accepted worsening is at most temperature times one of them."""


@compiled_inline
def _random(state: RandomState) -> np.uint64:
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return np.uint64((x * np.uint64(2685821657736338717)) >> np.uint64(32))


@compiled_inline
def _below(state: RandomState, n: int) -> int:
    """A random integer in 0..n-1."""
    # signed: compiled code would turn a mix of signed and unsigned into floats
    return np.int64((_random(state) * np.uint64(n)) >> np.uint64(32))  # type: ignore[return-value]


@compiled
def link(node: IntArray, head: IntArray, nxt: IntArray, prv: IntArray, i: int, n: int) -> None:
    """Put pod i at the head of node n's list."""
    node[i] = n
    h = head[n]
    nxt[i] = h
    prv[i] = -1
    if h >= 0:
        prv[h] = i
    head[n] = i


@compiled
def unlink(node: IntArray, head: IntArray, nxt: IntArray, prv: IntArray, i: int) -> None:
    """Take pod i off its node."""
    n = node[i]
    if prv[i] >= 0:
        nxt[prv[i]] = nxt[i]
    else:
        head[n] = nxt[i]
    if nxt[i] >= 0:
        prv[nxt[i]] = prv[i]
    node[i] = -1


@compiled
def relabel(cls: IntArray, home: IntArray, node: IntArray, head: IntArray, nxt: IntArray, prv: IntArray) -> int:
    """Swap equal pods so that those at a node are the ones whose home it is; returns how many came home."""
    gained = 0
    for i in range(cls.shape[0]):
        h = home[i]
        if h < 0 or node[i] == h:
            continue
        j = head[h]
        while j >= 0:
            if cls[j] == cls[i] and home[j] != h:
                break
            j = nxt[j]
        if j < 0:
            continue
        away = node[i]
        unlink(node, head, nxt, prv, j)
        if away >= 0:
            unlink(node, head, nxt, prv, i)
            link(node, head, nxt, prv, j, away)
        link(node, head, nxt, prv, i, h)
        gained += 1
    return gained


@compiled
def put_all(
    cls: IntArray,
    req: IntArray,
    where: IntArray,
    node: IntArray,
    head: IntArray,
    nxt: IntArray,
    prv: IntArray,
    load: IntArray,
) -> None:
    """Put every item on the node that `where` names (-1: none)."""
    for i in range(cls.shape[0]):
        if where[i] >= 0:
            link(node, head, nxt, prv, i, where[i])
            for r in range(req.shape[1]):
                load[where[i], r] += req[cls[i], r]


@compiled
def _repack(
    k: int,
    m: int,
    cap: IntArray,
    load: IntArray,
    nodes: IntArray,
    item_cls: IntArray,
    item_loc: IntArray,
    item_home: IntArray,
    best_loc: IntArray,
    req: IntArray,
    mask: BoolArray,
    group: IntArray,
    tier: IntArray,
    scale: FloatArray,
    cost: FloatArray,
    move_price: float,
    t0: float,
    t1: float,
    proposals: int,
    rng: RandomState,
    exponentials: FloatArray,
) -> bool:
    """Anneal m items over k local nodes and the bin (index k). True when a state without overload was found.

    move_price 0: stops at the first such state, left in item_loc. Otherwise best_loc holds the cheapest one found.
    """
    r_count = cap.shape[1]
    over = 0.0
    for j in range(k):
        for r in range(r_count):
            d = load[j, r] - cap[j, r]
            if d > 0:
                over += d * scale[r]
    moved = 0.0
    for i in range(m):
        if item_home[i] >= 0 and item_loc[i] != item_home[i]:
            moved += cost[item_cls[i]]
    found = False
    best = 1e300
    if over <= 0.0:
        found = True
        best = moved
        for i in range(m):
            best_loc[i] = item_loc[i]
        if move_price == 0.0:
            return True
    clean = over <= 0.0
    cooling = (t1 / t0) ** (1.0 / max(1, proposals // 64))
    temperature = t0
    for step in range(proposals):
        if step & 63 == 0:
            temperature *= cooling
        i = _below(rng, m)
        a = item_loc[i]
        ci = item_cls[i]
        q = -1
        if a == k or _below(rng, 4) != 0:
            q = _below(rng, m)
            b = item_loc[q]
        else:
            b = _below(rng, k)
        if a == b:
            continue
        cq = -1
        if q >= 0:
            cq = item_cls[q]
            if (a == k or b == k) and tier[ci] != tier[cq]:
                continue
        if b < k and item_home[i] != b and not mask[group[ci], nodes[b]]:
            continue
        if q >= 0 and a < k and item_home[q] != a and not mask[group[cq], nodes[a]]:
            continue
        delta = 0.0
        for r in range(r_count):
            shift = req[ci, r]
            if q >= 0:
                shift -= req[cq, r]
            if shift == 0:
                continue
            if a < k:
                before = load[a, r] - cap[a, r]
                after = before - shift
                if before > 0:
                    delta -= before * scale[r]
                if after > 0:
                    delta += after * scale[r]
            if b < k:
                before = load[b, r] - cap[b, r]
                after = before + shift
                if before > 0:
                    delta -= before * scale[r]
                if after > 0:
                    delta += after * scale[r]
        moves = 0.0
        if item_home[i] >= 0:
            if item_home[i] == a:
                moves += cost[ci]
            elif item_home[i] == b:
                moves -= cost[ci]
        if q >= 0 and item_home[q] >= 0:
            if item_home[q] == b:
                moves += cost[cq]
            elif item_home[q] == a:
                moves -= cost[cq]
        total = delta + move_price * moves
        if total > 0.0 and total > temperature * exponentials[_random(rng) & np.uint64(1023)]:
            continue
        for r in range(r_count):
            shift = req[ci, r]
            if q >= 0:
                shift -= req[cq, r]
            load[a, r] -= shift
            load[b, r] += shift
        item_loc[i] = b
        if q >= 0:
            item_loc[q] = a
        moved += moves
        over += delta
        if over < 1e-7:
            # the running sum of floats decides only when to look; whole numbers decide whether it fits
            clean = True
            for j in range(k):
                for r in range(r_count):
                    if load[j, r] > cap[j, r]:
                        clean = False
            if clean:
                over = 0.0
                found = True
                if move_price == 0.0:
                    return True
                if moved < best - 1e-9:
                    best = moved
                    for x in range(m):
                        best_loc[x] = item_loc[x]
    return found


@compiled
def fill(
    cap: IntArray,
    req: IntArray,
    mask: BoolArray,
    group: IntArray,
    scale: FloatArray,
    cls: IntArray,
    node: IntArray,
    load: IntArray,
    head: IntArray,
    nxt: IntArray,
    prv: IntArray,
    pool: IntArray,
    queue: IntArray,
    queue_len: int,
) -> int:
    """Place waiting pods where there is room, tightest node first; returns the new queue length."""
    r_count = cap.shape[1]
    kept = 0
    last_class, last_target = -1, -1
    # room only shrinks here: where one pod of a class found none, the next will not either
    hopeless = np.zeros(req.shape[0], np.bool_)
    for x in range(queue_len):
        i = queue[x]
        c = cls[i]
        best = 1e300
        target = -1
        if c == last_class:
            # the tightest node for this class took a pod of it just now: if another fits, none is tighter
            target = last_target
            for r in range(r_count):
                if req[c, r] > 0 and load[target, r] + req[c, r] > cap[target, r]:
                    target = -1
                    break
        for y in range(0 if hopeless[c] or target >= 0 else pool.shape[0]):
            n = pool[y]
            if not mask[group[c], n]:
                continue
            left = 0.0
            fits = True
            for r in range(r_count):
                slack = cap[n, r] - load[n, r] - req[c, r]
                if slack < 0 and req[c, r] > 0:
                    fits = False
                    break
                left += slack * scale[r]
            if fits and left < best:
                best = left
                target = n
        if target < 0:
            hopeless[c] = True
            queue[kept] = i
            kept += 1
            continue
        link(node, head, nxt, prv, i, target)
        for r in range(r_count):
            load[target, r] += req[c, r]
        last_class, last_target = c, target
    return kept


@compiled
def _pick_by_slack(
    cap: IntArray,
    load: IntArray,
    scale: FloatArray,
    pool: IntArray,
    taken: IntArray,
    stamp: int,
    rounds: int,
    rng: RandomState,
) -> int:
    """The node with the most slack of a few drawn at random, not yet taken; -1 when all drawn were taken."""
    r_count = cap.shape[1]
    best = -1e300
    choice = -1
    for _ in range(rounds):
        n = pool[_below(rng, pool.shape[0])]
        if taken[n] == stamp:
            continue
        slack = 0.0
        for r in range(r_count):
            slack += (cap[n, r] - load[n, r]) * scale[r]
        if slack > best:
            best = slack
            choice = n
    return choice


@compiled
def insert(
    cap: IntArray,
    req: IntArray,
    mask: BoolArray,
    group: IntArray,
    tier: IntArray,
    scale: FloatArray,
    cost: FloatArray,
    cls: IntArray,
    home: IntArray,
    node: IntArray,
    load: IntArray,
    head: IntArray,
    nxt: IntArray,
    prv: IntArray,
    pool: IntArray,
    queue: IntArray,
    queue_len: int,
    attempts: int,
    most_nodes: int,
    effort: int,
    contested: int,
    exponentials: FloatArray,
    rng: RandomState,
    outcome: IntArray,
) -> int:
    """Try `attempts` times to place one more pod of the queue; returns the new queue length.

    pool: the nodes that may change. queue[:queue_len]: unplaced pods. effort: proposals per pod of a repacking.
    contested: only pods of tiers up to this rank are tried. outcome[0] counts commits, outcome[1] proposals made.
    """
    n_all, r_count = cap.shape
    taken = np.zeros(n_all, np.int64)
    stamp = 0
    nodes = np.empty(MAX_SUBSET, np.int64)
    item = np.empty(MAX_ITEMS, np.int64)
    item_cls = np.empty(MAX_ITEMS, np.int64)
    item_loc = np.empty(MAX_ITEMS, np.int64)
    item_home = np.empty(MAX_ITEMS, np.int64)
    best_loc = np.empty(MAX_ITEMS, np.int64)
    local_cap = np.empty((MAX_SUBSET + 1, r_count), np.int64)
    local_load = np.empty((MAX_SUBSET + 1, r_count), np.int64)
    slack = np.empty(r_count, np.int64)
    most = min(most_nodes, pool.shape[0], MAX_SUBSET)
    for _ in range(attempts):
        if queue_len == 0:
            break
        # a waiting pod: the highest tier of three drawn, the smaller one of equals
        x = _below(rng, queue_len)
        for _draw in range(2):
            y = _below(rng, queue_len)
            if tier[cls[queue[y]]] < tier[cls[queue[x]]]:
                x = y
        p = queue[x]
        c = cls[p]
        if tier[c] > contested:
            continue
        stamp += 1
        # nodes: one where the pod may go, the others by slack
        k = 0
        for _draw in range(64):
            n = _pick_by_slack(cap, load, scale, pool, taken, stamp, 4, rng)
            if n >= 0 and mask[group[c], n]:
                fits = True
                for r in range(r_count):
                    if req[c, r] > cap[n, r]:
                        fits = False
                if fits:
                    nodes[0] = n
                    taken[n] = stamp
                    k = 1
                    break
        if k == 0:
            continue
        want = most
        if most > 2:
            want = 2 + _below(rng, most - 1)
            if _below(rng, 2) == 0:
                want = min(want, 2 + _below(rng, most - 1))
        tries = 0
        while k < want and tries < 4 * want:
            tries += 1
            n = _pick_by_slack(cap, load, scale, pool, taken, stamp, 3, rng)
            if n >= 0:
                nodes[k] = n
                taken[n] = stamp
                k += 1
        m = 0
        full = False
        for r in range(r_count):
            slack[r] = -req[c, r]
        for j in range(k):
            n = nodes[j]
            for r in range(r_count):
                local_cap[j, r] = cap[n, r]
                local_load[j, r] = load[n, r]
                slack[r] += cap[n, r] - load[n, r]
            i = head[n]
            while i >= 0:
                if m >= MAX_ITEMS - BIN_PODS - 2:
                    full = True
                    break
                item[m] = i
                item_cls[m] = cls[i]
                item_loc[m] = j
                item_home[m] = -1
                if home[i] == n:
                    item_home[m] = j
                m += 1
                i = nxt[i]
        if full:
            continue
        for r in range(r_count):
            local_load[k, r] = 0
        # room by evicting from below: the lowest tier first, what relieves the shortage most
        possible = True
        while True:
            short = False
            for r in range(r_count):
                if slack[r] < 0 and req[c, r] > 0:
                    short = True
            if not short:
                break
            victim = -1
            rank = tier[c]
            relief = 0.0
            for y in range(m):
                if item_loc[y] == k:
                    continue
                t = tier[item_cls[y]]
                if t <= tier[c]:
                    continue
                gain = 0.0
                for r in range(r_count):
                    if slack[r] < 0:
                        gain += min(-slack[r], req[item_cls[y], r]) * scale[r]
                if gain > 0.0 and (t > rank or (t == rank and gain > relief)):
                    victim = y
                    rank = t
                    relief = gain
            if victim < 0:
                possible = False
                break
            j = item_loc[victim]
            for r in range(r_count):
                local_load[j, r] -= req[item_cls[victim], r]
                slack[r] += req[item_cls[victim], r]
            item_loc[victim] = k
        if not possible:
            continue
        # the pod itself, at first on the node chosen for it
        item[m] = p
        item_cls[m] = c
        item_loc[m] = 0
        item_home[m] = -1
        for r in range(r_count):
            local_load[0, r] += req[c, r]
        m += 1
        # other waiting pods of this tier, to exchange for
        for _draw in range(min(BIN_PODS, queue_len - 1)):
            y = _below(rng, queue_len)
            i = queue[y]
            if i == p or tier[cls[i]] != tier[c]:
                continue
            known = False
            for z in range(m):
                if item[z] == i:
                    known = True
            if known:
                continue
            item[m] = i
            item_cls[m] = cls[i]
            item_loc[m] = k
            item_home[m] = -1
            m += 1
        proposals = effort * m
        outcome[1] += proposals
        if not _repack(
            k, m, local_cap, local_load, nodes, item_cls, item_loc, item_home, best_loc,
            req, mask, group, tier, scale, cost, 0.0, INSERT_HOT, INSERT_COLD, proposals, rng, exponentials,
        ):  # fmt: skip
            continue
        outcome[0] += 1
        for y in range(m):
            i = item[y]
            j = item_loc[y]
            target = -1
            if j < k:
                target = nodes[j]
            if node[i] == target:
                continue
            if node[i] >= 0:
                n = node[i]
                unlink(node, head, nxt, prv, i)
                for r in range(r_count):
                    load[n, r] -= req[cls[i], r]
                if target < 0:
                    queue[queue_len] = i
                    queue_len += 1
            else:
                for z in range(queue_len):
                    if queue[z] == i:
                        queue_len -= 1
                        queue[z] = queue[queue_len]
                        break
            if target >= 0:
                link(node, head, nxt, prv, i, target)
                for r in range(r_count):
                    load[target, r] += req[cls[i], r]
    return queue_len


@compiled
def settle(
    cap: IntArray,
    req: IntArray,
    mask: BoolArray,
    group: IntArray,
    tier: IntArray,
    scale: FloatArray,
    cost: FloatArray,
    cls: IntArray,
    home: IntArray,
    node: IntArray,
    load: IntArray,
    head: IntArray,
    nxt: IntArray,
    prv: IntArray,
    pool: IntArray,
    displaced: IntArray,
    displaced_len: int,
    unplaced: IntArray,
    unplaced_len: int,
    attempts: int,
    most_nodes: int,
    effort: int,
    exponentials: FloatArray,
    rng: RandomState,
    outcome: IntArray,
) -> int:
    """Bring displaced pods home at equal counts: repack a displaced pod's home, its present node and a few others.

    displaced: running pods away from home (unplaced ones too), a sample to draw from; stale entries are skipped.
    unplaced: pods without a node; those of one tier may be exchanged. outcome[0] counts commits, outcome[2] the gain.
    """
    n_all, r_count = cap.shape
    taken = np.zeros(n_all, np.int64)
    stamp = 0
    nodes = np.empty(MAX_SUBSET, np.int64)
    item = np.empty(MAX_ITEMS, np.int64)
    item_cls = np.empty(MAX_ITEMS, np.int64)
    item_loc = np.empty(MAX_ITEMS, np.int64)
    item_home = np.empty(MAX_ITEMS, np.int64)
    best_loc = np.empty(MAX_ITEMS, np.int64)
    local_cap = np.empty((MAX_SUBSET + 1, r_count), np.int64)
    local_load = np.empty((MAX_SUBSET + 1, r_count), np.int64)
    in_pool = np.zeros(n_all, np.bool_)
    for y in range(pool.shape[0]):
        in_pool[pool[y]] = True
    most = min(most_nodes, pool.shape[0], MAX_SUBSET)
    for _ in range(attempts):
        if displaced_len == 0:
            break
        p = displaced[_below(rng, displaced_len)]
        if home[p] < 0 or node[p] == home[p] or not in_pool[home[p]]:
            continue
        if node[p] >= 0 and not in_pool[node[p]]:
            continue
        stamp += 1
        k = 1
        nodes[0] = home[p]
        taken[home[p]] = stamp
        if node[p] >= 0:
            nodes[1] = node[p]
            taken[node[p]] = stamp
            k = 2
        want = most
        if most > 2:
            want = 2 + _below(rng, most - 1)
        tries = 0
        while k < want and tries < 6 * want:
            tries += 1
            n = -1
            choice = _below(rng, 3)
            if choice == 0:
                n = _pick_by_slack(cap, load, scale, pool, taken, stamp, 3, rng)
            else:
                i = displaced[_below(rng, displaced_len)]
                if choice == 1:
                    n = home[i]
                elif node[i] >= 0:
                    n = node[i]
            if n >= 0 and in_pool[n] and taken[n] != stamp:
                nodes[k] = n
                taken[n] = stamp
                k += 1
        m = 0
        full = False
        before = 0.0
        for j in range(k):
            n = nodes[j]
            for r in range(r_count):
                local_cap[j, r] = cap[n, r]
                local_load[j, r] = load[n, r]
            i = head[n]
            while i >= 0:
                if m >= MAX_ITEMS - BIN_PODS - 2:
                    full = True
                    break
                item[m] = i
                item_cls[m] = cls[i]
                item_loc[m] = j
                item_home[m] = -1
                h = home[i]
                if h >= 0 and taken[h] == stamp:
                    for z in range(k):
                        if nodes[z] == h:
                            item_home[m] = z
                    if item_home[m] != j:
                        before += cost[cls[i]]
                m += 1
                i = nxt[i]
        if full:
            continue
        for r in range(r_count):
            local_load[k, r] = 0
        for _draw in range(min(BIN_PODS, unplaced_len)):
            i = unplaced[_below(rng, unplaced_len)]
            if node[i] >= 0:
                continue
            known = False
            for z in range(m):
                if item[z] == i:
                    known = True
            if known:
                continue
            item[m] = i
            item_cls[m] = cls[i]
            item_loc[m] = k
            item_home[m] = -1
            if home[i] >= 0 and taken[home[i]] == stamp:
                for z in range(k):
                    if nodes[z] == home[i]:
                        item_home[m] = z
                before += cost[cls[i]]
            m += 1
        proposals = effort * m
        outcome[1] += proposals
        if not _repack(
            k, m, local_cap, local_load, nodes, item_cls, item_loc, item_home, best_loc,
            req, mask, group, tier, scale, cost, MOVE_PRICE, SETTLE_HOT, SETTLE_COLD, proposals, rng, exponentials,
        ):  # fmt: skip
            continue
        after = 0.0
        for y in range(m):
            if item_home[y] >= 0 and best_loc[y] != item_home[y]:
                after += cost[item_cls[y]]
        if after > before - 1e-9:
            continue
        outcome[0] += 1
        outcome[2] += int(before - after + 0.5)
        for y in range(m):
            i = item[y]
            j = best_loc[y]
            target = -1
            if j < k:
                target = nodes[j]
            if node[i] == target:
                continue
            if node[i] >= 0:
                n = node[i]
                unlink(node, head, nxt, prv, i)
                for r in range(r_count):
                    load[n, r] -= req[cls[i], r]
            else:
                for z in range(unplaced_len):
                    if unplaced[z] == i:
                        unplaced_len -= 1
                        unplaced[z] = unplaced[unplaced_len]
                        break
            if target >= 0:
                link(node, head, nxt, prv, i, target)
                for r in range(r_count):
                    load[target, r] += req[cls[i], r]
            else:
                unplaced[unplaced_len] = i
                unplaced_len += 1
    return unplaced_len

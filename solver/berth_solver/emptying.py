"""Empty nodes one after the other into the room that is left on others in use, compiled.

Nodes are tried in a given order. All pods of a node, the largest first, must find room on other nodes in use (their home if
it has room, else the tightest that takes them), or the node stays as it was. What stays where it is costs no disruption, and
the problem's caps are kept pod by pod.

Cost: a pass over the nodes in use for each pod tried, about 1 ns a node and resource; called for a few nodes at a time, so
that the caller can watch the clock. Releases the GIL.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from berth_solver.allowances import Allowances
from berth_solver.anneal import FloatArray, link, unlink
from berth_solver.compiled import compiled
from berth_solver.problem import BoolArray, IntArray
from berth_solver.state import State

CHUNK_LOOKS = 2_000_000
"""(pod, node) pairs looked at between two looks at the clock, about 5 ms."""


@compiled
def _empty_each(
    cap: IntArray,
    req: IntArray,
    mask: BoolArray,
    group: IntArray,
    scale: FloatArray,
    cls: IntArray,
    home: IntArray,
    node: IntArray,
    load: IntArray,
    head: IntArray,
    nxt: IntArray,
    prv: IntArray,
    order: IntArray,
    in_use: BoolArray,
    budget_of: IntArray,
    allowance: IntArray,
    only: IntArray,
) -> int:
    """Try to empty each node of `order`; returns how many were. in_use[n] is cleared for each.

    budget_of [classes, budgets]: how much of each allowance a pod of the class costs when it leaves its home; allowance
    [budgets] is drawn down, and a node whose pods would overdraw one is left alone. only [classes]: -1, or the one node that
    may still have room for a pod of the class: room on nodes in use only shrinks, so that no other is looked at again.
    """
    r_count = cap.shape[1]
    budgets = allowance.shape[0]
    items = cls.shape[0]
    moved = np.empty(items, np.int64)
    target = np.empty(items, np.int64)
    emptied = 0
    for x in range(order.shape[0]):
        n = order[x]
        if not in_use[n]:
            continue
        m = 0
        i = head[n]
        while i >= 0:
            moved[m] = i
            m += 1
            i = nxt[i]
        # the largest first
        for a in range(1, m):
            p = moved[a]
            size = 0.0
            for r in range(r_count):
                size += req[cls[p], r] * scale[r]
            b = a - 1
            while b >= 0:
                other = 0.0
                for r in range(r_count):
                    other += req[cls[moved[b]], r] * scale[r]
                if other >= size:
                    break
                moved[b + 1] = moved[b]
                b -= 1
            moved[b + 1] = p
        affordable = True
        for k in range(budgets):
            spent = 0
            for a in range(m):
                if home[moved[a]] == n:
                    spent += budget_of[cls[moved[a]], k]
            if spent > allowance[k]:
                affordable = False
        if not affordable:
            continue
        done = 0
        for a in range(m):
            p = moved[a]
            c = cls[p]
            best = 1e300
            to = -1
            first = 0
            last = in_use.shape[0]
            if only[c] >= 0:
                first = only[c]
                last = first + 1
            for t in range(first, last):
                if not in_use[t] or t == n or not (mask[group[c], t] or home[p] == t):
                    continue
                left = 0.0
                fits = True
                for r in range(r_count):
                    slack = cap[t, r] - load[t, r] - req[c, r]
                    if slack < 0 and req[c, r] > 0:
                        fits = False
                        break
                    left += slack * scale[r]
                if fits:
                    if home[p] == t:
                        left -= 1e6
                    if left < best:
                        best = left
                        to = t
            if to < 0:
                if a == 0:
                    # nothing was moved yet: there is no room but perhaps here
                    only[c] = n
                break
            unlink(node, head, nxt, prv, p)
            link(node, head, nxt, prv, p, to)
            for r in range(r_count):
                load[n, r] -= req[c, r]
                load[to, r] += req[c, r]
            target[a] = to
            done += 1
        if done < m:
            for a in range(done):
                p = moved[a]
                unlink(node, head, nxt, prv, p)
                link(node, head, nxt, prv, p, n)
                for r in range(r_count):
                    load[n, r] += req[cls[p], r]
                    load[target[a], r] -= req[cls[p], r]
            continue
        for a in range(m):
            for k in range(budgets):
                if home[moved[a]] == n:
                    allowance[k] -= budget_of[cls[moved[a]], k]
                elif home[moved[a]] == node[moved[a]]:
                    allowance[k] += budget_of[cls[moved[a]], k]
        in_use[n] = False
        emptied += 1
    return emptied


@compiled
def _clear(
    req: IntArray,
    cls: IntArray,
    node: IntArray,
    load: IntArray,
    head: IntArray,
    nxt: IntArray,
    prv: IntArray,
    nodes: IntArray,
    queue: IntArray,
    queue_len: int,
) -> int:
    """Take all pods off these nodes and put them in the queue; returns its new length."""
    for x in range(nodes.shape[0]):
        n = nodes[x]
        while head[n] >= 0:
            i = head[n]
            unlink(node, head, nxt, prv, i)
            for r in range(req.shape[1]):
                load[n, r] -= req[cls[i], r]
            queue[queue_len] = i
            queue_len += 1
    return queue_len


def empty_in_order(
    state: State,
    order: IntArray,
    allowances: Allowances,
    clock: Callable[[], float],
    deadline: float,
) -> int:
    """Empty what can be emptied of `order`, in place, until the deadline; returns how many nodes. Relabels the state."""
    g = state.ground
    in_use: BoolArray = state.head >= 0
    left = allowances.left(state)
    pods = max(1, len(g.cls) // max(1, int(in_use.sum())))
    chunk = max(1, CHUNK_LOOKS // (pods * max(1, int(in_use.sum()))))
    emptied = 0
    only = np.full(len(g.req), -1, np.int64)
    for begin in range(0, len(order), chunk):
        if clock() >= deadline:
            break
        emptied += int(
            _empty_each(
                g.cap, g.req, g.mask, g.group, g.scale, g.cls, g.home,
                state.node, state.load, state.head, state.nxt, state.prv,
                order[begin : begin + chunk], in_use, allowances.price, left, only,
            )
        )  # fmt: skip
    state.relabel()
    return emptied


def take_off(state: State, nodes: IntArray) -> IntArray:
    """Take all pods off these nodes, in place; returns them."""
    g = state.ground
    queue = np.empty(len(g.cls), np.int64)
    length = _clear(g.req, g.cls, state.node, state.load, state.head, state.nxt, state.prv, nodes, queue, 0)
    return queue[:length].copy()

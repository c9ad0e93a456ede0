"""A placement pod by pod, in the arrays that the compiled search works on, and back to counts.

Every movable pod is an item with a class, a home (the node where it stands, or -1) and a node. Pods of one class are
interchangeable: `relabel` swaps identities so that as many as possible are at home, and counts never change by it.
Limits whose domains are single nodes become further columns of capacity, so that the search honours them for free.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from berth_solver import anneal
from berth_solver.compiled import compiled
from berth_solver.problem import BoolArray, IntArray, Limit, Problem

FloatArray = npt.NDArray[np.float64]


@compiled
def _relabel(cls: IntArray, home: IntArray, node: IntArray, head: IntArray, nxt: IntArray, prv: IntArray) -> int:
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
        anneal.unlink(node, head, nxt, prv, j)
        if away >= 0:
            anneal.unlink(node, head, nxt, prv, i)
            anneal.link(node, head, nxt, prv, j, away)
        anneal.link(node, head, nxt, prv, i, h)
        gained += 1
    return gained


@compiled
def _spread_out(
    class_index: IntArray,
    node_index: IntArray,
    counts: IntArray,
    next_item: IntArray,
    node: IntArray,
    head: IntArray,
    nxt: IntArray,
    prv: IntArray,
) -> None:
    """Give unplaced items of each class the nodes that a table of counts names."""
    for x in range(class_index.shape[0]):
        c = class_index[x]
        for _ in range(counts[x]):
            anneal.link(node, head, nxt, prv, next_item[c], node_index[x])
            next_item[c] += 1


@dataclass(frozen=True, eq=False)
class Ground:
    """What does not change while searching: capacities, requests, who may go where."""

    problem: Problem
    cap: IntArray
    req: IntArray
    mask: BoolArray
    group: IntArray
    tier: IntArray
    """Rank of each class's tier, 0 the highest."""
    scale: FloatArray
    """1 / mean capacity of each resource: makes overloads comparable."""
    cost: FloatArray
    cls: IntArray
    home: IntArray
    priorities: tuple[int, ...]


def node_level(limit: Limit) -> bool:
    """Whether each domain is one node, so that the limit is a capacity."""
    domains = [d for d in limit.domain_of if d >= 0]
    return len(set(domains)) == len(domains)


def make_ground(problem: Problem) -> Ground:
    """Arrays of a problem. Immovable classes are left out: their request is zero and their place fixed."""
    counts = problem.standing_counts
    movable = np.array([c.movable for c in problem.classes], np.bool_)
    cap, req = problem.capacity, problem.requests
    usable = problem.eligibility.copy()
    usable[:, problem.overloaded] = False
    extra_cap, extra_req = [], []
    for limit in problem.constraints.limits:
        if not node_level(limit):
            continue
        members = sorted(limit.classes)
        column = np.zeros(len(problem.classes), np.int64)
        column[members] = 1
        here = counts[members].sum(axis=0)
        bound = np.array([d >= 0 for d in limit.domain_of], np.bool_)
        room = np.where(bound, limit.maximum, np.int64(problem.totals.sum()))
        full = bound & (here > limit.maximum)
        usable[np.ix_(column > 0, full)] = False
        fixed = counts[[c for c in members if not movable[c]]].sum(axis=0)
        extra_cap.append(np.maximum(room, here) - fixed)
        extra_req.append(np.where(movable, column, 0))
    load = counts.T @ req
    cap = np.maximum(cap, np.where(problem.overloaded[:, None], load, cap))
    if extra_cap:
        cap = np.concatenate([cap, np.array(extra_cap, np.int64).T], axis=1)
        req = np.concatenate([req, np.array(extra_req, np.int64).T], axis=1)
    cap = np.maximum(cap, load if not extra_cap else 0)
    mask, group = np.unique(usable, axis=0, return_inverse=True) if len(usable) else (usable, np.zeros(0, np.int64))
    priorities = tuple(sorted({c.priority for c in problem.classes if c.movable}, reverse=True))
    rank = {p: r for r, p in enumerate(priorities)}
    mean = cap.mean(axis=0) if len(cap) else np.ones(cap.shape[1])
    cls, home = [], []
    for c, pod_class in enumerate(problem.classes):
        if not pod_class.movable:
            continue
        at = np.repeat(np.arange(len(problem.nodes)), counts[c])
        home.append(np.concatenate([at, np.full(pod_class.pending, -1)]))
        cls.append(np.full(len(at) + pod_class.pending, c))
    return Ground(
        problem,
        np.ascontiguousarray(cap, np.int64),
        np.ascontiguousarray(req, np.int64),
        np.ascontiguousarray(mask),
        np.asarray(group, np.int64).reshape(-1),
        np.array([rank.get(c.priority, 0) for c in problem.classes], np.int64),
        1.0 / np.maximum(mean, 1.0),
        np.array([c.move_cost for c in problem.classes], np.float64),
        np.concatenate(cls).astype(np.int64) if cls else np.zeros(0, np.int64),
        np.concatenate(home).astype(np.int64) if home else np.zeros(0, np.int64),
        priorities,
    )


class State:
    """Where every movable pod is. Cheap to copy; the compiled kernels change it in place."""

    def __init__(self, ground: Ground, seed: int) -> None:
        items, nodes = len(ground.cls), len(ground.problem.nodes)
        self.ground = ground
        self.node = np.full(items, -1, np.int64)
        self.load = np.zeros((nodes, ground.cap.shape[1]), np.int64)
        self.head = np.full(nodes, -1, np.int64)
        self.nxt = np.full(items, -1, np.int64)
        self.prv = np.full(items, -1, np.int64)
        self.rng = np.array([(seed * 0x9E3779B97F4A7C15 + 0x1234567) % (1 << 63) or 1], np.uint64)
        self.outcome = np.zeros(3, np.int64)

    @classmethod
    def of(cls, ground: Ground, placement: IntArray, seed: int) -> State:
        """The state with these counts [classes, nodes] (those of immovable classes are ignored)."""
        state = cls(ground, seed)
        table = placement.copy()
        table[[c for c, k in enumerate(ground.problem.classes) if not k.movable]] = 0
        class_index, node_index = np.nonzero(table)
        next_item = np.searchsorted(ground.cls, np.arange(len(ground.problem.classes)))
        _spread_out(
            class_index, node_index, table[class_index, node_index], next_item,
            state.node, state.head, state.nxt, state.prv,
        )  # fmt: skip
        state.load = np.ascontiguousarray(table.T @ ground.req)
        state.relabel()
        return state

    def copy(self, seed: int | None = None) -> State:
        twin = State(self.ground, seed if seed is not None else 1)
        twin.node, twin.load, twin.head = self.node.copy(), self.load.copy(), self.head.copy()
        twin.nxt, twin.prv = self.nxt.copy(), self.prv.copy()
        if seed is None:
            twin.rng = self.rng.copy()
        return twin

    def relabel(self) -> int:
        g = self.ground
        return int(_relabel(g.cls, g.home, self.node, self.head, self.nxt, self.prv))

    def placement(self) -> IntArray:
        """Counts [classes, nodes], immovable classes where they stand."""
        g = self.ground
        table = np.zeros((len(g.problem.classes), len(g.problem.nodes)), np.int64)
        at = self.node >= 0
        np.add.at(table, (g.cls[at], self.node[at]), 1)
        for s in g.problem.standing:
            if not g.problem.classes[s.pod_class].movable:
                table[s.pod_class, s.node] += s.count
        return table

    def placed(self) -> tuple[int, ...]:
        """Movable pods placed in each tier, highest first."""
        g = self.ground
        ranks = g.tier[g.cls[self.node >= 0]]
        return tuple(int(x) for x in np.bincount(ranks, minlength=len(g.priorities)))

    def disruption(self) -> int:
        """Running pods away from home, weighted by move cost; exact after `relabel`."""
        g = self.ground
        away = (g.home >= 0) & (self.node != g.home)
        return int(g.cost[g.cls[away]].sum())

    def waiting(self) -> IntArray:
        return np.flatnonzero(self.node < 0)

    def fill(self, pool: IntArray, order: IntArray) -> int:
        """Place waiting pods, in this order, where there is room; returns how many are left."""
        g = self.ground
        queue = order.copy()
        return int(
            anneal.fill(
                g.cap, g.req, g.mask, g.group, g.scale, g.cls, self.node, self.load, self.head, self.nxt, self.prv,
                pool, queue, len(queue),
            )
        )  # fmt: skip

    def insert(
        self, pool: IntArray, queue: IntArray, length: int, attempts: int, most_nodes: int, effort: int, contested: int
    ) -> int:
        """See `anneal.insert`; the queue must have room for every pod."""
        g = self.ground
        return int(
            anneal.insert(
                g.cap, g.req, g.mask, g.group, g.tier, g.scale, g.cost, g.cls, g.home,
                self.node, self.load, self.head, self.nxt, self.prv,
                pool, queue, length, attempts, most_nodes, effort, contested,
                anneal.EXPONENTIALS, self.rng, self.outcome,
            )
        )  # fmt: skip

    def settle(
        self, pool: IntArray, displaced: IntArray, unplaced: IntArray, attempts: int, most_nodes: int, effort: int
    ) -> None:
        """See `anneal.settle`."""
        g = self.ground
        waiting = np.concatenate([unplaced, np.zeros(len(displaced) + 64, np.int64)])
        anneal.settle(
            g.cap, g.req, g.mask, g.group, g.tier, g.scale, g.cost, g.cls, g.home,
            self.node, self.load, self.head, self.nxt, self.prv,
            pool, displaced, len(displaced), waiting, len(unplaced), attempts, most_nodes, effort,
            anneal.EXPONENTIALS, self.rng, self.outcome,
        )  # fmt: skip

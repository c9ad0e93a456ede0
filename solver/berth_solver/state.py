"""A placement pod by pod, in the arrays that the compiled search works on, and back to counts.

Every movable pod is an item with a class, a home (the node where it stands, or -1) and a node. Pods of one class are
interchangeable: `relabel` swaps identities so that as many as possible are at home, and counts never change by it.
Limits whose domains are single nodes become further columns of capacity, so that the search honours them for free.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from berth_solver import anneal
from berth_solver.problem import BoolArray, Constraints, IntArray, Limit, Problem

FloatArray = npt.NDArray[np.float64]

MOST_LIMITS = 12
"""Limits of single nodes that become columns of capacity."""


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


def capacity_limits(problem: Problem) -> tuple[Limit, ...]:
    """The limits of single nodes that are turned into columns of capacity: those that can bind, and not too many.

    Each column is paid for in every repacking, so beyond MOST_LIMITS the others are left to the constrained search.
    """
    single: dict[int, bool] = {}
    found = []
    for limit in problem.constraints.limits:
        key = id(limit.domain_of)
        if key not in single:
            single[key] = node_level(limit)
        if single[key] and int(problem.totals[sorted(limit.classes)].sum()) > limit.maximum:
            found.append(limit)
    # those with somebody waiting matter most
    found.sort(key=lambda x: -sum(problem.classes[c].pending for c in x.classes))
    return tuple(found[:MOST_LIMITS])


def unknown_constraints(problem: Problem) -> Constraints:
    """What the compiled search does not know of, or not wholly.

    A node that holds too many pods of a limit takes a new one only once enough have left, which a capacity cannot say.
    """
    known = {id(x) for x in capacity_limits(problem) if not _is_violated(problem, x)}
    # a limit that all its pods together do not reach says nothing
    rest = (
        x
        for x in problem.constraints.limits
        if id(x) not in known and int(problem.totals[sorted(x.classes)].sum()) > x.maximum
    )
    return replace(problem.constraints, limits=tuple(rest))


def _is_violated(problem: Problem, limit: Limit) -> bool:
    held = problem.standing_counts[sorted(limit.classes)].sum(axis=0)
    return bool(((held > limit.maximum) & (np.array(limit.domain_of, np.int64) >= 0)).any())


def make_ground(problem: Problem) -> Ground:
    """Arrays of a problem. Immovable classes are left out: their request is zero and their place fixed."""
    counts = problem.standing_counts
    movable = np.array([c.movable for c in problem.classes], np.bool_)
    usable = problem.eligibility.copy()
    usable[:, problem.overloaded] = False
    cap = np.maximum(problem.capacity, np.where(problem.overloaded[:, None], problem.standing_load, problem.capacity))
    req = problem.requests
    for limit in capacity_limits(problem):
        column, room = _limit_as_resource(problem, limit, usable)
        req = np.concatenate([req, np.where(movable, column, 0)[:, None]], axis=1)
        cap = np.concatenate([cap, room[:, None]], axis=1)
    rows: dict[bytes, int] = {}
    group = np.array([rows.setdefault(row.tobytes(), len(rows)) for row in usable], np.int64)
    mask = np.array([np.frombuffer(row, np.bool_) for row in rows], np.bool_).reshape(len(rows), len(problem.nodes))
    priorities = tuple(sorted({c.priority for c in problem.classes if c.movable}, reverse=True))
    rank = {p: r for r, p in enumerate(priorities)}
    class_of, at = np.nonzero(np.where(movable[:, None], counts, 0))
    standing = counts[class_of, at]
    pending = np.array([c.pending for c in problem.classes], np.int64)
    cls = np.concatenate([np.repeat(class_of, standing), np.repeat(np.arange(len(pending)), pending)])
    home = np.concatenate([np.repeat(at, standing), np.full(int(pending.sum()), -1)])
    order = np.argsort(cls, kind="stable")
    mean = cap.mean(axis=0) if len(cap) else np.ones(cap.shape[1])
    return Ground(
        problem,
        np.ascontiguousarray(cap, np.int64),
        np.ascontiguousarray(req, np.int64),
        mask,
        group,
        np.array([rank.get(c.priority, 0) for c in problem.classes], np.int64),
        1.0 / np.maximum(mean, 1.0),
        np.array([c.move_cost for c in problem.classes], np.float64),
        np.ascontiguousarray(cls[order], np.int64),
        np.ascontiguousarray(home[order], np.int64),
        priorities,
    )


def _limit_as_resource(problem: Problem, limit: Limit, usable: BoolArray) -> tuple[IntArray, IntArray]:
    """A limit of single nodes as a resource: 1 for each member, and its room on every node, which a violation widens.

    Where immovable pods use it up nobody new can ever come; `usable` is changed accordingly.
    """
    members = sorted(limit.classes)
    column = np.zeros(len(problem.classes), np.int64)
    column[members] = 1
    here = problem.standing_counts[members].sum(axis=0)
    fixed = problem.standing_counts[[c for c in members if not problem.classes[c].movable]].sum(axis=0)
    bound = np.array([d >= 0 for d in limit.domain_of], np.bool_)
    room = np.where(bound, limit.maximum, int(problem.totals.sum()))
    usable[np.ix_(column > 0, bound & (fixed >= limit.maximum))] = False
    return column, np.maximum(room, here) - fixed


@dataclass(frozen=True, eq=False)
class Stream:
    """A stream of random numbers, and where its user's commits, proposals and gains are counted."""

    rng: npt.NDArray[np.uint64]
    outcome: IntArray

    @staticmethod
    def seeded(seed: int) -> Stream:
        return Stream(
            np.array([(seed * 0x9E3779B97F4A7C15 + 0x1234567) % (1 << 63) or 1], np.uint64), np.zeros(3, np.int64)
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
        stream = Stream.seeded(seed)
        self.rng, self.outcome = stream.rng, stream.outcome

    @classmethod
    def at(cls, ground: Ground, where: IntArray, seed: int) -> State:
        """The state with every pod on the node that `where` names (-1: none)."""
        state = cls(ground, seed)
        anneal.put_all(
            ground.cls, ground.req, where, state.node, state.head, state.nxt, state.prv, state.load
        )  # fmt: skip
        return state

    @classmethod
    def of(cls, ground: Ground, placement: IntArray, seed: int) -> State:
        """The state with these counts [classes, nodes] (those of immovable classes are ignored)."""
        movable = np.array([c.movable for c in ground.problem.classes], np.bool_)
        class_of, node_of = np.nonzero(np.where(movable[:, None], placement, 0))
        times = placement[class_of, node_of]
        class_of, node_of = np.repeat(class_of, times), np.repeat(node_of, times)
        # items are sorted by class: the first ones of each class get its nodes in turn
        first = np.searchsorted(ground.cls, np.arange(len(movable)))
        offset = np.arange(len(class_of)) - np.searchsorted(class_of, class_of)
        where = np.full(len(ground.cls), -1, np.int64)
        where[first[class_of] + offset] = node_of
        state = cls.at(ground, where, seed)
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
        return int(anneal.relabel(g.cls, g.home, self.node, self.head, self.nxt, self.prv))

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
        self,
        pool: IntArray,
        pods: IntArray,
        attempts: int,
        most_nodes: int,
        effort: int,
        stream: Stream | None = None,
    ) -> IntArray:
        """Try to place waiting `pods` by repacking nodes of the pool; who waits now, of them and of those evicted for them.

        See `anneal.insert`.
        """
        g = self.ground
        own = stream or Stream(self.rng, self.outcome)
        queue = np.zeros(len(g.cls), np.int64)
        queue[: len(pods)] = pods
        left = anneal.insert(
            g.cap, g.req, g.mask, g.group, g.tier, g.scale, g.cost, g.cls, g.home,
            self.node, self.load, self.head, self.nxt, self.prv,
            pool, queue, len(pods), attempts, most_nodes, effort, len(g.priorities),
            anneal.EXPONENTIALS, own.rng, own.outcome,
        )  # fmt: skip
        return queue[:left].copy()

    def settle(
        self,
        pool: IntArray,
        displaced: IntArray,
        unplaced: IntArray,
        attempts: int,
        most_nodes: int,
        effort: int,
        stream: Stream | None = None,
    ) -> None:
        """Bring displaced pods home within the pool at equal counts; see `anneal.settle`."""
        g = self.ground
        own = stream or Stream(self.rng, self.outcome)
        waiting = np.concatenate([unplaced, np.zeros(anneal.BIN_PODS + 1, np.int64)])
        anneal.settle(
            g.cap, g.req, g.mask, g.group, g.tier, g.scale, g.cost, g.cls, g.home,
            self.node, self.load, self.head, self.nxt, self.prv,
            pool, displaced, len(displaced), waiting, len(unplaced), attempts, most_nodes, effort,
            anneal.EXPONENTIALS, own.rng, own.outcome,
        )  # fmt: skip

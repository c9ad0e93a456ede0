"""Which node takes which load, so that most pods stay: loads are handed to nodes anew, as wholes.

A placement says what lies together. On which node it lies matters only for who stays, and any node with the room and the
right to hold the load would do. That is a transport problem between distinct loads and distinct nodes (capacity, who may
come, who stands there), solved exactly by min-cost flow as long as the pairs are few enough; beyond, each load is offered
only the nodes where most of it would stay.

Cost: one pass over loads x nodes x pods a load; 5 ms at 50 loads and 160 kinds of nodes, 0.1 s at 300 loads and 500 nodes that
all differ, 30 ms at 5,000 nodes of few kinds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.graph.python import min_cost_flow

from berth_solver.problem import BoolArray, IntArray
from berth_solver.state import Ground, State

MOST_ARCS = 200_000
PAIRS_A_SECOND = 1_000_000
"""(distinct load, distinct node): more than fit into the time are not begun."""
MOST_KINDS = 64
"""Kinds of nodes (capacity and eligibility) through which a load may go where none of it stands."""


@dataclass(frozen=True, eq=False)
class _Distinct:
    """Rows that differ, which of them each original is, and how many originals each has."""

    first: IntArray
    of: IntArray
    size: IntArray

    @staticmethod
    def rows(table: IntArray) -> _Distinct:
        found: dict[bytes, int] = {}
        rows = np.ascontiguousarray(table)
        of = np.array([found.setdefault(row.tobytes(), len(found)) for row in rows], np.int64)
        first = np.full(len(found), len(of), np.int64)
        np.minimum.at(first, of, np.arange(len(of)))
        return _Distinct(first, of, np.bincount(of, minlength=len(found)).astype(np.int64))


def most_at_home(state: State, seed: int, seconds: float) -> State | None:
    """The same loads on the nodes where most of them stays; None when that is where they are, or not told in the time."""
    ground = state.ground
    problem = ground.problem
    movable = np.array([c.movable for c in problem.classes], np.bool_)
    counts = np.where(movable[:, None], state.placement(), 0)
    standing = np.where(movable[:, None], problem.standing_counts, 0)
    used = np.flatnonzero(counts.any(axis=0))
    loads = _Distinct.rows(counts[:, used].T)
    kinds = _Distinct.rows(np.concatenate([ground.cap, ground.mask.T.astype(np.int64)], axis=1))
    nodes = _Distinct.rows(np.concatenate([kinds.of[:, None], standing.T], axis=1))
    if len(loads.first) * len(nodes.first) > PAIRS_A_SECOND * seconds or not len(used):
        return None
    transport = _Transport(ground, counts[:, used[loads.first]], loads, nodes, kinds, standing)
    where = transport.solve(nodes.of[used], loads.of)
    if where is None:
        return None
    table = np.zeros_like(counts)
    for load in range(len(loads.first)):
        table[:, where[loads.of[: len(where)] == load]] = counts[:, used[loads.first[load]]][:, None]
    moved = State.of(ground, table, seed)
    return moved if moved.disruption() < state.disruption() else None


class _Transport:
    """The network: loads on the left, nodes on the right, and one hub for each kind of node between them."""

    def __init__(
        self,
        ground: Ground,
        fills: IntArray,
        loads: _Distinct,
        nodes: _Distinct,
        kinds: _Distinct,
        standing: IntArray,
    ) -> None:
        self.loads, self.nodes = loads, nodes
        self.kind_of = kinds.of[nodes.first]
        cap = ground.cap[nodes.first]
        stands = standing[:, nodes.first]
        usable = ground.mask[:, nodes.first]
        tails, heads, stays = [], [], []
        most = max(8, MOST_ARCS // max(1, len(loads.first)))
        through = len(kinds.first) <= MOST_KINDS
        self.passes: list[tuple[int, int]] = []
        for b in range(len(loads.first)):
            members = np.flatnonzero(fills[:, b])
            here = fills[members, b][:, None]
            weight = ground.cost[members].astype(np.int64)
            stay = np.minimum(here, stands[members])
            new_allowed: BoolArray = usable[ground.group[members]]
            load = (here * ground.req[members]).sum(axis=0)
            fits = (load <= cap).all(axis=1)
            allowed = fits & ((stay == here) | new_allowed).all(axis=0)
            worth = weight @ stay
            choice = np.flatnonzero(allowed & (worth > 0))
            if len(choice) > most:
                choice = choice[np.argsort(-worth[choice], kind="stable")[:most]]
            tails += [b] * len(choice)
            heads += choice.tolist()
            stays += worth[choice].tolist()
            if through:
                welcome = np.unique(self.kind_of[fits & new_allowed.all(axis=0)])
                self.passes += [(b, k) for k in welcome.tolist()]
        self.arcs = np.array([tails, heads, stays], np.int64).reshape(3, len(tails))

    def solve(self, present: IntArray, load_of: IntArray) -> IntArray | None:
        """The node of each load; `present`: the distinct node where each load lies now."""
        lefts, rights = len(self.loads.first), len(self.nodes.first)
        hub = lefts + rights
        # where a load lies now it may stay, whatever the limits on arcs left out
        now = np.unique(np.stack([load_of, present]), axis=1)
        known = set(zip(self.arcs[0].tolist(), self.arcs[1].tolist(), strict=True))
        extra = np.array([pair for pair in now.T.tolist() if tuple(pair) not in known], np.int64).reshape(-1, 2).T
        tails = np.concatenate([self.arcs[0], extra[0]])
        heads = np.concatenate([self.arcs[1], extra[1]])
        stays = np.concatenate([self.arcs[2], np.zeros(extra.shape[1], np.int64)])
        passes = np.array(self.passes, np.int64).reshape(-1, 2).T
        many = int(self.loads.size.sum())
        flow = min_cost_flow.SimpleMinCostFlow()
        capacity = np.full(len(tails), many)
        arcs = flow.add_arcs_with_capacity_and_unit_cost(tails, lefts + heads, capacity, -stays)
        into = flow.add_arcs_with_capacity_and_unit_cost(
            passes[0], hub + passes[1], np.full(passes.shape[1], many), np.zeros(passes.shape[1], np.int64)
        )
        outof = flow.add_arcs_with_capacity_and_unit_cost(
            hub + self.kind_of, lefts + np.arange(rights), self.nodes.size, np.zeros(rights, np.int64)
        )
        sink = hub + int(self.kind_of.max(initial=0)) + 1
        flow.add_arcs_with_capacity_and_unit_cost(
            lefts + np.arange(rights), np.full(rights, sink), self.nodes.size, np.zeros(rights, np.int64)
        )
        flow.set_nodes_supplies(np.arange(lefts), self.loads.size)
        flow.set_nodes_supplies(np.array([sink]), np.array([-many]))
        if flow.solve() != flow.OPTIMAL:
            return None
        direct = np.asarray(flow.flows(arcs), np.int64)
        pairs = [np.repeat(np.stack([tails, heads]), direct, axis=1)]
        entering, leaving = np.asarray(flow.flows(into), np.int64), np.asarray(flow.flows(outof), np.int64)
        for k in np.unique(passes[1]).tolist():
            mine = passes[1] == k
            loads = np.repeat(passes[0][mine], entering[mine])
            nodes = np.repeat(np.flatnonzero(self.kind_of == k), leaving[self.kind_of == k])
            pairs.append(np.stack([loads, nodes]))
        chosen = np.concatenate(pairs, axis=1)
        return self._nodes_of(chosen, load_of)

    def _nodes_of(self, chosen: IntArray, load_of: IntArray) -> IntArray:
        """From (distinct load, distinct node) pairs to a node for each load."""
        node_order = np.argsort(self.nodes.of, kind="stable")
        begins = np.cumsum(self.nodes.size) - self.nodes.size
        by_node = chosen[:, np.argsort(chosen[1], kind="stable")]
        first = np.searchsorted(by_node[1], by_node[1])
        nodes = node_order[begins[by_node[1]] + np.arange(by_node.shape[1]) - first]
        where = np.zeros(len(load_of), np.int64)
        where[np.argsort(load_of, kind="stable")] = nodes[np.argsort(by_node[0], kind="stable")]
        return where

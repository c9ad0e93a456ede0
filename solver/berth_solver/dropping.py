"""Drop a node and insert its pods into the others by repacking, again and again; and bring pods home on what is left.

The repacking is that of the counts (`anneal.insert`, `anneal.settle`), on the nodes in use only. While nothing comes of it,
more nodes are repacked at once and for longer, up to all of them; then another node is dropped instead.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from berth_solver.emptying import take_off
from berth_solver.homing import most_at_home
from berth_solver.lean import Leanest, in_use
from berth_solver.problem import IntArray
from berth_solver.state import State

ROUND_PROPOSALS = 150_000
"""Proposals between two looks at the clock, about 5 ms."""
BARREN_ROUNDS = 60
"""Rounds without gain after which another node is dropped instead."""
GENTLE_ROUNDS = 10
"""The same where little is to be moved: a node that takes long to drop is a node to keep."""
GENTLE_FAILURES = 40
"""Nodes in a row that could not be dropped before it is given up."""
EXCHANGE_SHARE = 0.3
"""Of the drops: two nodes for another one, which matters where nodes differ."""
REACH = (6, 12, 24, 48, 512)
"""Nodes in one repacking, in turns while nothing comes of it."""
EFFORT = (100, 200, 400, 800, 1600)
"""Proposals a pod, likewise."""


class Dropping:
    """The local search on a `Leanest`, in one thread."""

    def __init__(self, lean: Leanest, until: float, stop: Callable[[], bool], seed: int) -> None:
        self.lean, self.ground = lean, lean.ground
        self.until, self.stop = until, stop
        self.random = np.random.default_rng(seed)

    @property
    def is_over(self) -> bool:
        return self.lean.clock() >= self.until or self.stop()

    def fewer_nodes(self) -> None:
        """From the leanest state, whatever it disturbs."""
        while not self.is_over and not self.lean.has_fewest_nodes:
            state = self.lean.copy(int(self.random.integers(1 << 30)))
            pool, pods = self._without_some(state)
            if self._insert_all(state, pool, pods, BARREN_ROUNDS):
                state.relabel()
                self.lean.offer(state)

    def fewer_moves(self) -> None:
        """At the same number of nodes: whole loads to better nodes, and pods home by repacking, in turns."""
        state = self.lean.copy(int(self.random.integers(1 << 30)))
        while not self.is_over and not self.lean.has_fewest_moves:
            before = state.disruption()
            better = most_at_home(state, int(self.random.integers(1 << 30)), self.until - self.lean.clock())
            if better is not None:
                state = better
                self.lean.offer(state)
            self._bring_home(state)
            if state.disruption() >= before:
                return

    def better_nodes(self) -> None:
        """Whole loads to the nodes where most of them stays, once."""
        left = self.until - self.lean.clock()
        better = most_at_home(self.lean.copy(1), int(self.random.integers(1 << 30)), left)
        if better is not None:
            self.lean.offer(better)

    def gently(self, state: State) -> None:
        """From a state that keeps much: drop nodes with little to keep until it has as few nodes as the leanest."""
        failures = 0
        while in_use(state) > self.lean.nodes:
            if self.is_over or failures > GENTLE_FAILURES:
                return
            trial = state.copy(int(self.random.integers(1 << 30)))
            used = np.flatnonzero(trial.head >= 0)
            order = used[least_kept_first(trial, used)]
            victim = order[[int(self.random.integers(1 + min(failures, len(order) - 1)))]]
            pods = take_off(trial, victim)
            if self._insert_all(trial, np.setdiff1d(used, victim), pods, GENTLE_ROUNDS):
                trial.relabel()
                state, failures = trial, 0
            else:
                failures += 1
        self.lean.offer(state)
        self._bring_home(state)

    def _without_some(self, state: State) -> tuple[IntArray, IntArray]:
        """One node less in `state`: the pool that is left, and the pods taken off. At times two less, and another one."""
        g = self.ground
        used = np.flatnonzero(state.head >= 0)
        drawn = self.random.choice(used, size=min(len(used), 4), replace=False)
        victims = drawn[np.argsort((state.load[drawn] * g.scale).sum(axis=1), kind="stable")]
        empty = np.flatnonzero(state.head < 0)
        pool, drop = used, 1
        if len(empty) and len(victims) > 1 and self.random.random() < EXCHANGE_SHARE:
            pool, drop = np.append(pool, self.random.choice(empty)), 2
        return np.setdiff1d(pool, victims[:drop]), take_off(state, victims[:drop])

    def _insert_all(self, state: State, pool: IntArray, pods: IntArray, rounds: int) -> bool:
        """Whether the counts were reached again on the pool; gives up after so many rounds without gain.

        Pods that waited before may take the place of others of their tier.
        """
        g = self.ground
        if not len(pool):
            return False
        size = (g.req[g.cls[pods]] * g.scale).sum(axis=1)
        waited = len(state.waiting()) - len(pods)
        state.fill(pool, pods[np.argsort(-size, kind="stable")])
        barren = 0
        while state.placed() != self.lean.placed:
            if barren >= rounds or self.is_over:
                return False
            waiting = state.waiting()
            reach = min(len(pool), REACH[barren % len(REACH)])
            effort = EFFORT[barren % len(EFFORT)] * (1 + barren // len(EFFORT))
            attempts = _attempts(state, pool, effort * reach)
            if waited:  # each attempt places one pod: no more of them than are missing
                attempts = min(attempts, max(1, len(waiting) - waited))
            before = int(state.outcome[0])
            state.insert(pool, waiting, attempts, reach, effort)
            barren = 0 if int(state.outcome[0]) > before else barren + 1
        return True

    def _bring_home(self, state: State) -> None:
        """Displaced pods home by repacking, on the nodes in use; in place."""
        g = self.ground
        barren = 0
        while not self.is_over and barren < BARREN_ROUNDS and not self.lean.has_fewest_moves:
            used = state.head >= 0
            pool = np.flatnonzero(used)
            away = np.flatnonzero((g.home >= 0) & (state.node != g.home))
            away = away[used[g.home[away]]]
            if not len(away):
                return
            reach = min(len(pool), (4, 6, 8, 12, 16)[barren % 5])
            effort = (60, 100, 200, 300)[barren % 4]
            before = int(state.outcome[0])
            attempts = _attempts(state, pool, effort * reach)
            state.settle(pool, away, state.waiting(), attempts, reach, effort)
            if int(state.outcome[0]) > before:
                state.relabel()
                self.lean.offer(state)
                barren = 0
            else:
                barren += 1


def least_kept_first(state: State, nodes: IntArray) -> IntArray:
    """An order of `nodes`: those with the least to keep first, of equals the emptiest."""
    g = state.ground
    at = np.flatnonzero((state.node >= 0) & (state.node == g.home))
    keeps = np.bincount(state.node[at], g.cost[g.cls[at]], len(state.head))[nodes]
    return np.lexsort(((state.load[nodes] * g.scale).sum(axis=1), keeps))


def _attempts(state: State, pool: IntArray, per_pod: int) -> int:
    """Attempts of one round, by what one costs."""
    pods = max(1, len(state.ground.cls) // max(1, len(pool)))
    return max(1, min(64, ROUND_PROPOSALS // max(1, per_pod * pods)))

"""Fewest nodes at the counts that were reached, then the least disruption on that many: consolidation.

1. Nodes. Those with little to keep are emptied into the room on others, as long as that goes (a few ms). Packing everything
   anew, by changing rules, tells how few nodes would do; whichever uses fewer is kept. Where neither meets the bound, local
   search drops a node and inserts its pods into the others by repacking, in a thread of its own, while this one sharpens the
   bound by column generation and tries to assemble fewer nodes from the fills that came up.
2. Disruption, at that many nodes. What lies together is handed to the nodes where most of it stays (`homing`), displaced pods
   are brought home by repacking, in turns; nodes with much to keep are tried as the ones to keep. What stands on the fullest
   nodes bounds what can stay, and column generation with a price on nodes does better where time and size allow.

Every state that is kept has the same counts (or better ones), keeps the problem's caps on disruption, and never uses more
nodes than the one before. Emptying handles 5,000 nodes and 23,000 pods within a second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from berth_solver.allowances import Allowances
from berth_solver.assembly import MOST_FILLS, assemble
from berth_solver.columns import SCALE, ColumnGeneration
from berth_solver.emptying import empty_in_order, take_off
from berth_solver.fewest_nodes import EmptiesStage, emptying_stage, fullest_bound, roomiest_bound
from berth_solver.homing import most_at_home
from berth_solver.packing import Packer
from berth_solver.problem import IntArray
from berth_solver.solution import Evidence, StageResult
from berth_solver.state import Ground, State

NODES_SHARE = 0.6
"""Of the time for the number of nodes at most, when it is not proven before."""
QUICK_SHARE = 0.15
"""Of the time for packing anew before column generation and local search begin."""
MOST_GENERATION_CELLS = 150_000
"""Groups x classes beyond which column generation is not begun."""
MOST_TABLE_CELLS = 1_000_000
"""Nodes x classes beyond which nodes are not even grouped."""
ENUMERATION_STEPS = 400_000
"""Search steps a node while listing the fills within reach."""
ROUND_PROPOSALS = 150_000
"""Proposals between two looks at the clock, about 5 ms."""
MOST_LOOKS = 1_000_000_000
"""(pod, class) pairs in packing anew once, beyond which it would take more than about a second."""
EXCHANGE_SHARE = 0.3
"""Of the drops: two nodes for another one, which matters where nodes differ."""
REACH = (6, 12, 24, 48, 512)
"""Nodes in one repacking, in turns while nothing comes of it."""
EFFORT = (100, 200, 400, 800, 1600)
"""Proposals a pod, likewise."""
BARREN_ROUNDS = 60
"""Rounds without gain after which the local search drops another node instead."""


@dataclass(frozen=True, eq=False)
class Consolidation:
    """The state found, with the two stages that consolidation decides; both bounds hold at the state's counts."""

    state: State
    nodes_in_use: StageResult
    disruption: StageResult


def consolidate(
    ground: Ground, state: State, clock: Callable[[], float], deadline: float, seed: int, threads: int = 1
) -> Consolidation:
    """The fewest nodes for what `state` places, then the least disruption; never worse than `state`.

    The problem may have caps (`max_disruption`, budgets, `max_evictions`), which `state` must keep; it may have no other
    constraints than the search knows. Without time the answer is `state`, with the bounds that arithmetic gives.
    """
    search = _Consolidator(ground, state, clock, deadline, seed, threads)
    search.run()
    return search.result()


class _Consolidator:
    def __init__(
        self, ground: Ground, state: State, clock: Callable[[], float], deadline: float, seed: int, threads: int
    ) -> None:
        self.ground, self.clock, self.deadline = ground, clock, deadline
        self.seed, self.threads = seed, threads
        self.begin = clock()
        self.random = np.random.default_rng(seed)
        self.allowances = Allowances.of(ground)
        self.best = state.copy(seed)
        self.best.relabel()
        self.given = self.best
        self.placed = state.placed()
        self.nodes = in_use(self.best)
        self.disruption = self.best.disruption()
        self.nodes_bound = roomiest_bound(ground, self.placed)
        self.nodes_evidence = Evidence("trivial")
        self.moves_bound, self.moves_evidence = 0, Evidence("trivial")
        self._lock = threading.Lock()

    def run(self) -> None:
        self._fewest_nodes(self.begin + NODES_SHARE * (self.deadline - self.begin))
        self._least_disruption()

    def result(self) -> Consolidation:
        if self.nodes_bound > self.nodes:  # cannot be, unless a bound is wrong: claim less rather than too much
            self.nodes_bound, self.nodes_evidence = 0, Evidence("trivial")
        bound, evidence = fullest_bound(self.ground, self.nodes)
        if bound > self.moves_bound:
            self.moves_bound, self.moves_evidence = bound, evidence
        return Consolidation(
            self.best,
            StageResult(self.nodes, self.nodes_bound, self.nodes_evidence),
            StageResult(self.disruption, self.moves_bound, self.moves_evidence),
        )

    def offer(self, state: State) -> bool:
        """Take a relabelled state when it is better: nodes, then disruption, at counts and caps that still hold."""
        nodes, disruption = in_use(state), state.disruption()
        with self._lock:
            if (nodes, disruption) >= (self.nodes, self.disruption):
                return False
            if state.placed() != self.placed or (self.allowances and not self.allowances.keep(state)):
                return False
            if (state.load > self.ground.cap).any():
                return False
            self.best, self.nodes, self.disruption = state.copy(), nodes, disruption
        return True

    def incumbent(self, seed: int) -> State:
        with self._lock:
            return self.best.copy(seed)

    # ---- fewest nodes

    def _fewest_nodes(self, until: float) -> None:
        state = self.best.copy()
        for _ in range(2):  # what was filled up to empty others may itself be emptied after
            used = np.flatnonzero(state.head >= 0)
            if not empty_in_order(state, used[self._dearest_last(state, used)], self.allowances, self.clock, until):
                break
            self.offer(state)
        self.gentle = self.incumbent(self.seed + 2)
        if self.nodes <= self.nodes_bound:
            return
        quick = self.clock() + QUICK_SHARE * max(0.0, until - self.clock())
        self._pack_until(quick)
        if self.nodes <= self.nodes_bound:
            return
        stop = threading.Event()
        worker = None
        if self.threads > 1:
            worker = threading.Thread(target=lambda: self._drop_until(until, stop.is_set, self.seed + 7), daemon=True)
            worker.start()
        self._generate_nodes(until)
        if worker is None:
            self._drop_until(until, stop.is_set, self.seed + 7)
        else:
            while worker.is_alive() and self.nodes > self.nodes_bound and self.clock() < until:
                worker.join(0.005)
            stop.set()
            worker.join()

    def _dearest_last(self, state: State, nodes: IntArray) -> IntArray:
        """An order of nodes: those with the least to keep first, of equals the emptiest."""
        g = self.ground
        at = np.flatnonzero((state.node >= 0) & (state.node == g.home))
        keeps = np.bincount(state.node[at], g.cost[g.cls[at]], len(state.head))[nodes]
        return np.lexsort(((state.load[nodes] * g.scale).sum(axis=1), keeps))

    def _pack_until(self, until: float) -> None:
        packer = Packer(self.ground, self.best)
        if packer.looks > MOST_LOOKS:
            return
        attempt = 0
        while self.clock() < until and self.nodes > self.nodes_bound:
            attempt += 1
            packed = packer.attempt(packer.rule(self.random, attempt), self.nodes - 1, self.random, self.seed + attempt)
            if packed is None:
                continue
            used = np.flatnonzero(packed.head >= 0)
            empty_in_order(packed, used[self._dearest_last(packed, used)], self.allowances, self.clock, until)
            self.offer(packed)

    def _drop_until(self, until: float, stop: Callable[[], bool], seed: int) -> None:
        """Drop a node and insert its pods into the others, again and again."""
        random = np.random.default_rng(seed)
        while self.clock() < until and not stop() and self.nodes > self.nodes_bound:
            state = self.incumbent(int(random.integers(1 << 30)))
            pool, queue = self._without_some(state, random)
            if self._insert_all(state, pool, queue, until, stop):
                state.relabel()
                self.offer(state)

    def _without_some(self, state: State, random: np.random.Generator) -> tuple[IntArray, IntArray]:
        """One node less in `state`: the pool that is left, and the pods taken off. At times two less, and another one."""
        g = self.ground
        used = np.flatnonzero(state.head >= 0)
        drawn = random.choice(used, size=min(len(used), 4), replace=False)
        victims = drawn[np.argsort((state.load[drawn] * g.scale).sum(axis=1), kind="stable")]
        pool = used
        empty = np.flatnonzero(state.head < 0)
        drop = 1
        if len(empty) and len(victims) > 1 and random.random() < EXCHANGE_SHARE:
            drop = 2
            pool = np.append(pool, random.choice(empty))
        pool = np.setdiff1d(pool, victims[:drop])
        return pool, take_off(state, victims[:drop])

    def _insert_all(self, state: State, pool: IntArray, pods: IntArray, until: float, stop: Callable[[], bool]) -> bool:
        """Whether all pods found a place on the pool, by repacking more and more of it at once."""
        g = self.ground
        size = (g.req[g.cls[pods]] * g.scale).sum(axis=1)
        state.fill(pool, pods[np.argsort(-size, kind="stable")])
        queue = np.zeros(len(g.cls), np.int64)
        barren = 0
        waiting = pods[state.node[pods] < 0]
        while len(waiting) and barren < BARREN_ROUNDS and self.clock() < until and not stop():
            if not len(pool):
                return False
            reach = min(len(pool), REACH[barren % len(REACH)])
            effort = EFFORT[barren % len(EFFORT)] * (1 + barren // len(EFFORT))
            queue[: len(waiting)] = waiting
            per_attempt = max(1, effort * reach * max(1, len(g.cls) // max(1, len(pool))))
            attempts = max(1, min(64, ROUND_PROPOSALS // per_attempt))
            left = state.insert(pool, queue, len(waiting), attempts, reach, effort, len(g.priorities))
            barren = 0 if left < len(waiting) else barren + 1
            waiting = queue[:left].copy()
        return not len(waiting)

    def _generate_nodes(self, until: float) -> None:
        """The bound by column generation, and fewer nodes from its fills, or the proof that there are not fewer."""
        if len(self.ground.problem.nodes) * len(self.ground.problem.classes) > MOST_TABLE_CELLS:
            return
        stage = emptying_stage(self.ground, self.placed)
        if stage is None or stage.stage.standing.size > MOST_GENERATION_CELLS:
            return
        nodes = len(self.ground.problem.nodes)
        generation = ColumnGeneration(stage.stage, self.clock)
        stage.seed(generation, self.incumbent(1).placement())
        generation.run(until, nodes - self.nodes, nodes - self.nodes_bound)
        if generation.best is not None and nodes - generation.best.bound // SCALE > self.nodes_bound:
            self.nodes_bound = nodes - generation.best.bound // SCALE
            self.nodes_evidence = stage.evidence(self.ground, generation.best, False)
        while self.clock() < until and self.nodes > self.nodes_bound:
            target = nodes - self.nodes_bound
            self._assemble(stage, generation, target, until)
            return

    def _assemble(self, stage: EmptiesStage, generation: ColumnGeneration, least: int, until: float) -> bool | None:
        """A better state from whole fills: True; None when it is proven that there is none; else False."""
        if generation.best is None:
            return False
        fills = generation.fills_within_reach(least, MOST_FILLS, ENUMERATION_STEPS, until)
        answer = assemble(
            stage.stage, fills if fills is not None else generation.fills(least, until), least, self.clock, until
        )
        if answer.chosen is None:
            return None if fills is not None and answer.impossible else False
        table = stage.place(answer.chosen, self.ground.problem)
        return self.offer(State.of(self.ground, table, self.seed + 3))

    # ---- least disruption

    def _least_disruption(self) -> None:
        self.moves_bound, self.moves_evidence = fullest_bound(self.ground, self.nodes)
        if self.disruption <= self.moves_bound:
            return
        self._settle_until(self.deadline)

    def _settle_until(self, until: float) -> None:
        state = self.incumbent(self.seed + 11)
        while self.clock() < until and self.disruption > self.moves_bound:
            before = state.disruption()
            better = most_at_home(state, self.seed + 13)
            if better is not None:
                state = better
                self.offer(state)
            self._bring_home(state, until)
            if state.disruption() >= before:
                return

    def _bring_home(self, state: State, until: float) -> None:
        """Displaced pods home by repacking, on the nodes in use; in place."""
        g = self.ground
        barren = 0
        while self.clock() < until and barren < BARREN_ROUNDS and self.disruption > self.moves_bound:
            pool = np.flatnonzero(state.head >= 0)
            usable = state.head >= 0
            away = np.flatnonzero((g.home >= 0) & (state.node != g.home))
            away = away[usable[g.home[away]]]
            if not len(away):
                return
            reach = min(len(pool), (4, 6, 8, 12, 16)[barren % 5])
            effort = (60, 100, 200, 300)[barren % 4]
            per_attempt = max(1, effort * reach * max(1, len(g.cls) // max(1, len(pool))))
            attempts = max(1, min(64, ROUND_PROPOSALS // per_attempt))
            before = int(state.outcome[0])
            state.settle(pool, away, state.waiting(), attempts, reach, effort)
            if int(state.outcome[0]) > before:
                state.relabel()
                self.offer(state)
                barren = 0
            else:
                barren += 1


def in_use(state: State) -> int:
    """Nodes that hold a movable pod."""
    return int((state.head >= 0).sum())

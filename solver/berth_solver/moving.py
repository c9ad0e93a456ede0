"""Moves: at the counts reached, as few running pods disturbed as possible, and a bound on how few that can be.

Displaced pods are brought home by local search for a few rounds; then column generation bounds what can stay, and the assembly
over all fills within reach of that bound either meets it or proves that it must give. Meanwhile the local search goes on in
a thread of its own; its answer counts only if the time ends before a proof, so that a proven answer depends on no race.
"""

from __future__ import annotations

import threading

import numpy as np

from berth_solver.assembly import MOST_FILLS, assemble
from berth_solver.columns import SCALE, ColumnGeneration
from berth_solver.counting import ENUMERATION_STEPS, HALVES_FACTOR, MOST_GENERATION_CELLS, ROUND_PROPOSALS, Stop, never
from berth_solver.halves import LEAST_NODES, in_halves
from berth_solver.incumbent import Bound, Frame, Incumbent
from berth_solver.problem import IntArray
from berth_solver.rounding import Rounding
from berth_solver.solution import Evidence
from berth_solver.stages import GroupedStage, evidence, is_in_range, moves_stage
from berth_solver.state import State, Stream

SETTLE_ROUNDS = 12
"""Rounds of local search before column generation starts from the result, 5 ms each."""
BARREN_ROUNDS = 400
"""Rounds without a gain after which the local search gives up."""
REACH = (4, 6, 8, 12, 16)
EFFORT = (60, 100, 200, 300)


class Moving:
    """The half of a search that minimises disruption, for one vector of counts."""

    def __init__(self, frame: Frame, incumbent: Incumbent) -> None:
        self.frame = frame
        self.ground = frame.ground
        self.clock = frame.clock
        self.incumbent = incumbent
        self.placed = incumbent.placed
        self.bound = Bound(0, Evidence("trivial"))
        self.pool = np.arange(len(frame.ground.problem.nodes))
        self._by_halves = frame.options.threads > 1 and len(self.pool) >= LEAST_NODES

    @property
    def is_proven(self) -> bool:
        return self.incumbent.placed == self.placed and self.incumbent.disruption <= self.bound.value

    def run(self, until: float) -> bool:
        """Bring the disruption down. True when it is proven least."""
        few = self.frame.has_few_kinds
        if not few:
            self.incumbent.offer(self._settled(self.incumbent.copy(), until, never, SETTLE_ROUNDS))
        if self.is_proven:
            return True
        grouped = moves_stage(self.ground, self.placed) if self.frame.is_groupable else None
        if grouped is None or grouped.stage.standing.size > MOST_GENERATION_CELLS:
            self._settle_on(until, never)
            return False
        if few or self.frame.options.threads < 2:
            # with few kinds this takes less than a second, and a second thread would only be in its way
            self._generate(grouped, until)
            if not self.is_proven:
                self._settle_on(until, never)
            return self.is_proven
        if self._by_halves:
            self._generate(grouped, self.clock() + 0.5 * (until - self.clock()))
            if not self.is_proven:
                self._settle_on(until, never)
            return self.is_proven
        done = threading.Event()
        aside: list[State] = []
        state = self.incumbent.copy(11)
        worker = threading.Thread(target=lambda: aside.append(self._settled(state, until, done.is_set)), daemon=True)
        worker.start()
        self._generate(grouped, until)
        if not self.is_proven and self.clock() < until:
            worker.join(max(0.0, until - self.clock()))
        done.set()
        worker.join()
        if not self.is_proven:
            for settled in aside:
                self.incumbent.offer(settled)
        return self.is_proven

    # ---- local search

    def _settle_on(self, until: float, stop: Stop) -> None:
        self.incumbent.offer(self._settled(self.incumbent.copy(), until, stop))

    def _settled(self, state: State, until: float, stop: Stop, rounds: int = 1 << 30) -> State:
        """The state with displaced pods brought home at equal counts."""
        g = self.ground
        barren = 0
        reach, effort = 6, 60
        for _ in range(rounds):
            away = np.flatnonzero((g.home >= 0) & (state.node != g.home))
            if not len(away) or barren == BARREN_ROUNDS or self.clock() >= until or stop():
                break
            per_attempt = max(1, effort * reach * max(1, len(g.cls) // max(1, len(self.pool))))
            attempts = max(1, min(64, ROUND_PROPOSALS // per_attempt))
            if self._settle_round(state, away, attempts, min(len(self.pool), reach), effort):
                state.relabel()
                barren = 0
            else:
                barren += 1
                reach, effort = REACH[barren % len(REACH)], EFFORT[barren % len(EFFORT)]
        return state

    def _settle_round(self, state: State, away: IntArray, attempts: int, reach: int, effort: int) -> bool:
        """One round of local search; True when somebody came home."""
        waiting = state.waiting()
        if not self._by_halves:
            commits = int(state.outcome[0])
            state.settle(self.pool, away, waiting, attempts, reach, effort)
            return int(state.outcome[0]) > commits

        def work(half: int, pool: IntArray, stream: Stream) -> None:
            state.settle(pool, away, waiting[half::2], HALVES_FACTOR * attempts, reach, effort, stream)

        return in_halves(state, self.pool, work)

    # ---- column generation

    def _generate(self, grouped: GroupedStage, until: float) -> None:
        stage = grouped.stage
        running = int(stage.size @ (stage.standing @ stage.bonus))
        generation = ColumnGeneration(stage, self.clock)
        self.incumbent.seed_columns(generation, grouped)
        generation.run(until, running - self.incumbent.disruption)
        if generation.best is None:
            return
        proof = evidence(self.ground, grouped, generation.best)
        bound = max(0, running - generation.best.bound // SCALE)
        if not is_in_range(proof):
            return
        if bound > self.bound.value:
            self.bound = Bound(bound, proof)
        while self.clock() < until and self.incumbent.placed == self.placed and self.incumbent.disruption > bound:
            fills = generation.fills_within_reach(running - bound, MOST_FILLS, ENUMERATION_STEPS, until)
            if fills is None:
                self._round(grouped, generation, running, until)
                return
            answer = assemble(stage, fills, running - bound, self.clock, until)
            if answer.chosen is not None:
                self.incumbent.take(grouped, answer.chosen)
            if not answer.impossible:
                return
            # no choice of fills disturbs so little: the bound rises by one, by exhaustion
            bound += 1
            note = "no choice of node fills disturbs less"
            self.bound = Bound(bound, Evidence("exhausted", note=note, parts=(proof,)))

    def _round(self, grouped: GroupedStage, generation: ColumnGeneration, running: int, until: float) -> None:
        """From the linear program's mix: keep what is whole in it, and choose anew for growing parts of the rest."""
        mix = generation.mix(until)
        if mix is None:
            return
        rounding = Rounding(generation, mix, self.frame.options.seed)
        target = running - self.bound.value
        while self.clock() < until and self.incumbent.placed == self.placed and not self.is_proven:
            answer = rounding.attempt(running - self.incumbent.disruption + 1, target, until)
            if answer is None:
                return
            if answer.chosen is not None:
                self.incumbent.take(grouped, answer.chosen)

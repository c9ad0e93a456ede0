"""The portfolio: cheap bound, compiled local search, column generation and assembly, under one clock.

1. Counts. Waiting pods are filled in, then inserted by repacking a few nodes at a time, until every tier meets its bound. If
   milliseconds do not settle it, the local search goes on in a thread of its own while this one sharpens the bound by column
   generation and tries to assemble one pod more from the fills that came up.
2. Moves. Displaced pods are brought home by the same local search, again in the other thread, while column generation bounds
   what can stay; then the assembly over all fills within reach of that bound either meets it or proves that it must give.
3. What time is left goes to counts that are not proven, and to the moves again when a count rose.

Whatever happens, the best state so far is the answer, and each bound that was reached stays with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from berth_solver.assembly import MOST_FILLS, assemble
from berth_solver.bounds import capacity_bound
from berth_solver.columns import SCALE, ColumnGeneration
from berth_solver.leftover import all_cannot_fit
from berth_solver.options import Options
from berth_solver.problem import IntArray
from berth_solver.rounding import Rounding
from berth_solver.solution import Evidence, Improvement
from berth_solver.stages import GroupedStage, counting_stage, evidence, moves_stage
from berth_solver.state import Ground, State

FEW_KINDS = 48
"""Classes at most for column generation to come first ..."""
FEW_KINDS_NODES = 64
"""... on clusters of at least so many nodes."""
QUICK_SECONDS = 0.02
"""Local search alone, before the second thread and column generation are worth their overhead."""
COUNT_SHARE = 0.45
"""Of the budget for the counts at most, before the moves get their turn."""
SETTLE_SHARE = 0.06
"""Of the budget for bringing pods home before column generation starts from the result."""
MOST_GENERATION_CELLS = 150_000
"""Groups x classes beyond which column generation is not begun."""
MOST_TABLE_CELLS = 1_000_000
"""Nodes x classes beyond which nodes are not even grouped."""
ENUMERATION_STEPS = 400_000
"""Search steps a node while listing the fills within reach."""
LEFTOVER_SHARE = 0.03
"""Of the time left for the argument from leftover room, where it is cheap enough to try at once."""
ROUND_PROPOSALS = 150_000
"""Proposals between two looks at the clock, about 5 ms."""
LONG_SECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Bound:
    """A proven bound and the evidence for it."""

    value: int
    evidence: Evidence


class Search:
    """One run of the portfolio on a problem whose only constraints are capacity, eligibility and limits of single nodes."""

    def __init__(self, ground: Ground, options: Options, start: float, deadline: float) -> None:
        self.ground = ground
        self.options = options
        self.clock = options.clock
        self.start = start
        self.deadline = deadline
        self.totals = tuple(int(x) for x in np.bincount(ground.tier[ground.cls], minlength=len(ground.priorities)))
        self.best = State.at(ground, ground.home, options.seed + 1)
        self.placed = self.best.placed()
        self.disruption = 0
        self.improvements: list[Improvement] = []
        self.pool = np.arange(len(ground.problem.nodes))
        self._count_bounds: dict[tuple[int, tuple[int, ...]], Bound] = {}
        self._generated: set[tuple[int, tuple[int, ...]]] = set()
        self.moves_bound = Bound(0, Evidence("trivial"))
        self._moves_for: tuple[int, ...] | None = None
        self._lock = threading.Lock()

    # ---- incumbent

    def offer(self, state: State) -> bool:
        """Take a state as the incumbent when it is better: counts by tier, then disruption. The state must be relabelled."""
        placed, disruption = state.placed(), state.disruption()
        with self._lock:
            better = placed > self.placed or (placed == self.placed and disruption < self.disruption)
            if not better:
                return False
            self.best, self.placed, self.disruption = state.copy(), placed, disruption
            improvement = Improvement(self.clock() - self.start, placed, disruption)
            self.improvements.append(improvement)
        if self.options.on_improvement:
            self.options.on_improvement(improvement)
        return True

    # ---- counts

    def count_bound(self, rank: int) -> Bound:
        """The best bound known on tier `rank`, given the incumbent's counts above it."""
        return self.bound_given(rank, self.placed)

    def bound_given(self, rank: int, placed: Sequence[int]) -> Bound:
        if placed[rank] == self.totals[rank]:
            return Bound(self.totals[rank], Evidence("trivial"))
        key = (rank, tuple(placed[:rank]))
        if key not in self._count_bounds:
            bound = Bound(self.totals[rank], Evidence("trivial"))
            left = self.deadline - self.clock()
            found = capacity_bound(self.ground, rank, placed, 0.3 * left) if left > 0 else None
            if found is not None and found[0] < bound.value:
                bound = Bound(*found)
            elif tuple(placed[:rank]) == self.totals[:rank]:
                bound = self._leftover_bound(rank, bound, self.clock() + LEFTOVER_SHARE * left)
            self._count_bounds[key] = bound
        return self._count_bounds[key]

    def _leftover_bound(self, rank: int, bound: Bound, deadline: float) -> Bound:
        if bound.value == self.totals[rank] and all_cannot_fit(self.ground, rank, self.clock, deadline):
            return Bound(bound.value - 1, Evidence("leftover"))
        return bound

    def open_ranks(self, computing: bool = True) -> list[int]:
        """Tiers that might still gain, given the counts above them; without computing, those that are not placed whole.

        Below a tier that is itself open a bound would hold only until that one gains, so none is computed there.
        """
        placed = self.placed
        ranks: list[int] = []
        for r in range(len(self.totals)):
            if placed[r] == self.totals[r]:
                continue
            if ranks or not computing or placed[r] < self.bound_given(r, placed).value:
                ranks.append(r)
        return ranks

    def _insert_until(self, state: State, until: float, stop: Callable[[], bool], wild: int) -> bool:
        """Insert waiting pods of open tiers; offers every gain. True when nothing is open any more."""
        size = len(state.ground.cls)
        nodes = len(self.pool)
        reach = 6
        effort = 40
        barren = 0
        while self.clock() < until and not stop():
            # a bound is worth its time only once gains stop coming
            open_ranks = self.open_ranks(computing=barren > 0)
            waiting = state.waiting()
            queue_pods = waiting[np.isin(self.ground.tier[self.ground.cls[waiting]], open_ranks)]
            if not len(queue_pods):
                return not open_ranks
            queue = np.zeros(size, np.int64)
            queue[: len(queue_pods)] = queue_pods
            before = int(state.outcome[0]), int(state.outcome[1])
            per_attempt = max(1, effort * min(nodes, reach) * max(1, size // max(1, nodes)))
            attempts = max(1, min(64, ROUND_PROPOSALS // per_attempt))
            state.insert(self.pool, queue, len(queue_pods), attempts, min(nodes, reach), effort, len(self.totals))
            if int(state.outcome[0]) > before[0]:
                barren = 0
                state.fill(self.pool, state.waiting())
                state.relabel()
                self.offer(state)
                continue
            barren += 1
            # nothing came of it: look further and longer, in turns
            phase = (barren + wild) % 6
            reach = (4, 8, 12, 20, 32, 48)[phase]
            effort = (60, 120, 250, 400, 400, 800)[phase]
            if barren % 40 == 39:
                state = self._restart(state)
        return False

    def _restart(self, state: State) -> State:
        """Go on from the incumbent, with this thread's own random stream."""
        with self._lock:
            fresh = self.best.copy()
        fresh.rng = state.rng
        return fresh

    def count(self, until: float) -> bool:
        """Raise the counts until each tier meets its bound or time ends. True when all are proven."""
        state = self.best.copy()
        waiting = state.waiting()
        order = waiting[np.lexsort((self._size(waiting), self.ground.tier[self.ground.cls[waiting]]))]
        if len(order) and state.fill(self.pool, order) < len(order):
            state.relabel()
            self.offer(state)
        if self._has_few_kinds():
            self._sharpen_counts(until)
            state = self.best.copy()
        quick = min(until, self.clock() + max(QUICK_SECONDS, 0.02 * self.options.budget))
        if self._insert_until(state, quick, lambda: False, 0):
            return True
        if self.options.threads < 2:
            self._sharpen_counts(self.clock() + 0.5 * (until - self.clock()))
            return self._insert_until(self.best.copy(), until, lambda: False, 0)
        done = threading.Event()

        def work() -> None:
            if self._insert_until(self.best.copy(self.options.seed + 77), until, done.is_set, 3):
                done.set()

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        self._sharpen_counts(until, done.is_set)
        if not done.is_set() and self.open_ranks():
            self._insert_until(self.best.copy(self.options.seed + 5), until, done.is_set, 0)
        done.set()
        worker.join()
        return not self.open_ranks()

    def _has_few_kinds(self) -> bool:
        """Many nodes, few kinds of pods: column generation is quicker than repacking from the start."""
        nodes, classes = len(self.ground.problem.nodes), len(self.ground.problem.classes)
        return nodes >= FEW_KINDS_NODES and classes <= FEW_KINDS and self.options.budget >= 0.1

    def _size(self, pods: IntArray) -> IntArray:
        g = self.ground
        return np.asarray((g.req[g.cls[pods]] * g.scale).sum(axis=1) * 1e6, np.int64)

    def _sharpen_counts(self, until: float, stop: Callable[[], bool] = lambda: False) -> None:
        """Column generation on the first open tiers: a better bound, and one pod more if the fills allow it."""
        while self.clock() < until and not stop():
            todo = [r for r in self.open_ranks() if (r, tuple(self.placed[:r])) not in self._generated]
            if not todo:
                return
            rank = todo[0]
            placed = self.placed
            self._generated.add((rank, tuple(placed[:rank])))
            self._generate_counts(rank, placed, until, stop)

    def _generate_counts(self, rank: int, placed: tuple[int, ...], until: float, stop: Callable[[], bool]) -> None:
        key = (rank, tuple(placed[:rank]))
        if placed[:rank] == self.totals[:rank]:
            self._count_bounds[key] = self._leftover_bound(rank, self.bound_given(rank, placed), until)
            if not self.open_ranks():
                return
        if not self._groupable():
            return
        grouped = counting_stage(self.ground, rank, placed)
        if grouped.stage.standing.size > MOST_GENERATION_CELLS:
            return
        generation = ColumnGeneration(grouped.stage, self.clock)
        self._seed_columns(generation, grouped)
        generation.run(until, placed[rank], self.bound_given(rank, placed).value)
        self._note_count_bound(rank, placed, grouped, generation)
        if stop():
            return
        bound = self.bound_given(rank, placed).value
        while self.clock() < until and not stop() and self.placed[: rank + 1] < (*placed[:rank], bound):
            target = bound
            fills = generation.fills_within_reach(target, MOST_FILLS, ENUMERATION_STEPS, until)
            exact = fills is not None
            if fills is None:
                fills = generation.fills(target, until)
            answer = assemble(grouped.stage, fills, target, self.clock, until)
            if answer.chosen is not None:
                self._take(grouped, answer.chosen, placed, rank)
                return
            if not (exact and answer.impossible):
                return
            # no choice of fills reaches the bound: it drops by one, by exhaustion
            bound = target - 1
            self._count_bounds[(rank, tuple(placed[:rank]))] = Bound(
                bound,
                Evidence(
                    "exhausted",
                    note="no choice of node fills reaches more",
                    parts=(self._evidence(grouped, generation),),
                ),
            )

    def _groupable(self) -> bool:
        """Whether looking for nodes that are alike is worth its time."""
        return len(self.ground.problem.nodes) * len(self.ground.problem.classes) <= MOST_TABLE_CELLS

    def _evidence(self, grouped: GroupedStage, generation: ColumnGeneration) -> Evidence:
        if generation.best is None:
            return Evidence("none")
        return evidence(self.ground, grouped, generation.best)

    def _note_count_bound(
        self, rank: int, placed: tuple[int, ...], grouped: GroupedStage, generation: ColumnGeneration
    ) -> None:
        if generation.bound is not None and generation.bound < self.bound_given(rank, placed).value:
            self._count_bounds[(rank, tuple(placed[:rank]))] = Bound(
                generation.bound, self._evidence(grouped, generation)
            )

    def _seed_columns(self, generation: ColumnGeneration, grouped: GroupedStage) -> None:
        """The fills of the incumbent, which make the first linear program feasible, and those that stand now."""
        with self._lock:
            best = self.best.placement()
        stage = grouped.stage
        for placement in (best, self.ground.problem.standing_counts):
            fills = grouped.fills(placement)
            fits = fills.any(axis=1) & (fills @ stage.req <= stage.cap[grouped.group_of_node]).all(axis=1)
            seen: set[tuple[int, bytes]] = set()
            for n in np.flatnonzero(fits).tolist():
                group = int(grouped.group_of_node[n])
                key = (group, fills[n].tobytes())
                if key not in seen:
                    seen.add(key)
                    generation.add(group, fills[n])

    def _take(
        self, grouped: GroupedStage, chosen: list[tuple[int, IntArray, int]], placed: tuple[int, ...], rank: int
    ) -> None:
        """An assembly becomes the incumbent if it is better; pods of the tiers below are fitted in around it."""
        placement = grouped.place(chosen, self.ground.problem.standing_counts, self.ground.problem.totals)
        state = State.of(self.ground, placement, self.options.seed + 3)
        waiting = state.waiting()
        order = waiting[np.lexsort((self._size(waiting), self.ground.tier[self.ground.cls[waiting]]))]
        state.fill(self.pool, order)
        state.relabel()
        del placed, rank
        self.offer(state)

    # ---- moves

    def settle(self, state: State, until: float, stop: Callable[[], bool] = lambda: False) -> None:
        """Bring displaced pods home at equal counts; offers what it finds."""
        g = self.ground
        barren = 0
        effort = 60
        reach = 6
        while self.clock() < until and not stop() and barren < 400:
            away = np.flatnonzero((g.home >= 0) & (state.node != g.home))
            if not len(away):
                return
            before = int(state.outcome[0])
            per_attempt = max(1, effort * reach * max(1, len(g.cls) // max(1, len(self.pool))))
            attempts = max(1, min(64, ROUND_PROPOSALS // per_attempt))
            state.settle(self.pool, away, state.waiting(), attempts, min(len(self.pool), reach), effort)
            if int(state.outcome[0]) > before:
                state.relabel()
                self.offer(state)
                barren = 0
            else:
                barren += 1
                reach = (4, 6, 8, 12, 16)[barren % 5]
                effort = (60, 100, 200, 300)[barren % 4]

    def reduce_moves(self, until: float) -> bool:
        """Bring the disruption down at the incumbent's counts. True when it is proven least."""
        placed = self.placed
        if self._moves_for != placed:
            self._moves_for, self.moves_bound = placed, Bound(0, Evidence("trivial"))
        if self.disruption <= self.moves_bound.value:
            return True
        if not self._has_few_kinds():
            self.settle(self.best.copy(), min(until, self.clock() + SETTLE_SHARE * self.options.budget))
        if self.disruption <= self.moves_bound.value:
            return True
        grouped = moves_stage(self.ground, placed) if self._groupable() else None
        if grouped is None or grouped.stage.standing.size > MOST_GENERATION_CELLS:
            self.settle(self.best.copy(), until)
            return False
        if self.options.threads < 2 or self._has_few_kinds():
            # with few kinds this takes less than a second, and a second thread would only be in its way
            self._generate_moves(grouped, placed, until)
            if self.disruption > self.moves_bound.value:
                self.settle(self.best.copy(), until)
            return self.disruption <= self.moves_bound.value
        done = threading.Event()
        worker = threading.Thread(
            target=lambda: self.settle(self.best.copy(self.options.seed + 11), until, done.is_set), daemon=True
        )
        worker.start()
        self._generate_moves(grouped, placed, until)
        done.set()
        worker.join()
        return self.disruption <= self.moves_bound.value

    def _generate_moves(self, grouped: GroupedStage, placed: tuple[int, ...], until: float) -> None:
        stage = grouped.stage
        running = int(stage.size @ (stage.standing @ stage.bonus))
        generation = ColumnGeneration(stage, self.clock)
        self._seed_columns(generation, grouped)
        generation.run(until, running - self.disruption)
        if generation.best is None:
            return
        self._note_moves_bound(running, grouped, generation)
        bound = running - (generation.best.bound // SCALE)
        while self.clock() < until and self.placed == placed and self.disruption > bound:
            fills = generation.fills_within_reach(running - bound, MOST_FILLS, ENUMERATION_STEPS, until)
            if fills is None:
                self._round(grouped, generation, running - bound, running, until)
                return
            answer = assemble(stage, fills, running - bound, self.clock, until)
            if answer.chosen is not None:
                self._take(grouped, answer.chosen, placed, 0)
            if not answer.impossible:
                return
            bound += 1
            self.moves_bound = Bound(
                bound,
                Evidence(
                    "exhausted",
                    note="no choice of node fills disturbs less",
                    parts=(self._evidence(grouped, generation),),
                ),
            )

    def _round(
        self, grouped: GroupedStage, generation: ColumnGeneration, target: int, running: int, until: float
    ) -> None:
        """Moves from the linear program's mix: keep what is whole in it, and choose anew for growing parts of the rest."""
        mix = generation.mix(until)
        if mix is None:
            return
        rounding = Rounding(generation, mix, self.options.seed)
        placed = self.placed
        while self.clock() < until and self.placed == placed and running - self.disruption < target:
            answer = rounding.attempt(running - self.disruption + 1, target, until)
            if answer is None:
                return
            if answer.chosen is not None:
                self._take(grouped, answer.chosen, placed, 0)

    def _note_moves_bound(self, running: int, grouped: GroupedStage, generation: ColumnGeneration) -> None:
        if generation.best is None:
            return
        bound = running - generation.best.bound // SCALE
        if bound > self.moves_bound.value:
            self.moves_bound = Bound(bound, self._evidence(grouped, generation))

    # ---- all of it

    def run(self) -> None:
        """Counts, then moves, then counts again while time is left."""
        span = self.deadline - self.clock()
        proven = self.count(self.clock() + COUNT_SHARE * span)
        while True:
            began = self.clock()
            counted = self.placed
            self.reduce_moves(self.deadline)
            spent = self.clock() - began
            left = self.deadline - self.clock()
            if proven or left < max(0.02, 0.5 * spent):
                return
            proven = self.count(self.clock() + max(0.3 * left, left - 1.5 * spent))
            if self.placed == counted and (proven or self.deadline - self.clock() < 0.01):
                return

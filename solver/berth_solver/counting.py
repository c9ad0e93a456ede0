"""Counts: as many pods of each tier as can be placed, from the highest tier down, and a bound for each.

Waiting pods are filled in, then inserted by repacking a few nodes at a time, until every tier meets its bound. If a few rounds
do not settle it, the local search goes on in a thread of its own while this one sharpens the bound by column generation and
tries to assemble one pod more from the fills that came up. Where kinds of pods are few, column generation comes first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from berth_solver.assembly import MOST_FILLS, assemble
from berth_solver.bounds import capacity_bound
from berth_solver.columns import ColumnGeneration
from berth_solver.halves import LEAST_NODES, in_halves
from berth_solver.incumbent import Bound, Frame, Incumbent, by_rank_and_size
from berth_solver.leftover import all_cannot_fit
from berth_solver.problem import IntArray
from berth_solver.solution import Evidence
from berth_solver.stages import counting_stage, evidence
from berth_solver.state import State, Stream

QUICK_ROUNDS = 6
"""Rounds of local search alone, before the second thread and column generation are worth their overhead."""
MOST_GENERATION_CELLS = 150_000
"""Groups x kinds beyond which column generation is not begun."""
ENUMERATION_STEPS = 400_000
"""Search steps a node while listing the fills within reach."""
LEFTOVER_SHARE = 0.03
"""Of the time left for the argument from leftover room, where it is cheap enough to try at once."""
BOUND_SHARE = 0.3
"""Of the time left for the linear program of the cheap bound."""
ROUND_PROPOSALS = 150_000
"""Proposals between two looks at the clock, about 5 ms."""
HALVES_FACTOR = 3
"""Attempts in a round of two threads, in rounds of one: starting the other thread must not matter."""
BARREN_ROUNDS = 40
"""Rounds without a gain after which the search goes on from the incumbent."""
REACH = (4, 12, 24, 48)
EFFORT = (60, 400, 2_000, 8_000)
"""Nodes at most in a repacking, and proposals for each of its pods, in turns while nothing comes of it."""

FIRST_SPEED = 1.2e7
"""Proposals a second, before any were timed."""
SHARE_OF_AN_ATTEMPT = 0.4
"""Of the time left that one repacking may take: it does not look at the clock."""

Stop = Callable[[], bool]


def never() -> bool:
    """A search that nobody stops."""
    return False


class Counting:
    """The counting half of a search; its bounds outlive it."""

    def __init__(self, frame: Frame, incumbent: Incumbent) -> None:
        self.frame = frame
        self.ground = frame.ground
        self.clock = frame.clock
        self.incumbent = incumbent
        self.totals = frame.totals
        self.pool = np.arange(len(frame.ground.problem.nodes))
        self._by_halves = frame.options.threads > 1 and len(self.pool) >= LEAST_NODES
        self._bounds: dict[tuple[int, tuple[int, ...]], Bound] = {}
        self._generated: set[tuple[int, tuple[int, ...]]] = set()

    # ---- bounds

    def adopt(self, other: Counting) -> None:
        """Take over the bounds that another search has proven."""
        self._bounds = dict(other._bounds)

    def bound(self, rank: int, placed: Sequence[int]) -> Bound:
        """The best bound known on tier `rank`, given these counts of the tiers above it."""
        if placed[rank] == self.totals[rank]:
            return Bound(self.totals[rank], Evidence("trivial"))
        key = (rank, tuple(placed[:rank]))
        if key not in self._bounds:
            bound = Bound(self.totals[rank], Evidence("trivial"))
            left = self.frame.deadline - self.clock()
            found = capacity_bound(self.ground, rank, placed, BOUND_SHARE * left) if left > 0 else None
            if found is not None and found[0] < bound.value:
                bound = Bound(*found)
            elif tuple(placed[:rank]) == self.totals[:rank]:
                bound = self._leftover_bound(rank, bound, self.clock() + LEFTOVER_SHARE * left)
            self._bounds[key] = bound
        return self._bounds[key]

    def _leftover_bound(self, rank: int, bound: Bound, deadline: float) -> Bound:
        if bound.value == self.totals[rank] and all_cannot_fit(self.ground, rank, self.clock, deadline):
            return Bound(bound.value - 1, Evidence("leftover"))
        return bound

    def open_ranks(self, computing: bool = True) -> list[int]:
        """Tiers that might still gain, given the counts above them; without computing, those that are not placed whole.

        Below a tier that is itself open a bound would hold only until that one gains, so none is computed there.
        """
        placed = self.incumbent.placed
        ranks: list[int] = []
        for r in range(len(self.totals)):
            if placed[r] == self.totals[r]:
                continue
            if ranks or not computing or placed[r] < self.bound(r, placed).value:
                ranks.append(r)
        return ranks

    # ---- search

    def run(self, until: float) -> bool:
        """Raise the counts until each tier meets its bound or time ends. True when all are proven."""
        if not len(self.pool):
            return not self.open_ranks()
        state = self.incumbent.copy()
        order = by_rank_and_size(state)
        if len(order) and state.fill(self.pool, order) < len(order):
            state.relabel()
            self.incumbent.offer(state)
        if self.frame.has_few_kinds:
            self._sharpen(until, never)
            state = self.incumbent.copy()
        if self._insert(state, until, never, 0, QUICK_ROUNDS):
            return True
        if self._by_halves:
            if not self.frame.is_groupable:
                return self._insert(self.incumbent.copy(), until, never, 0)
            middle = self.clock() + 0.5 * (until - self.clock())
            if self._insert(self.incumbent.copy(), middle, never, 0):
                return True
        if self.frame.options.threads < 2 or self._by_halves:
            self._sharpen(self.clock() + 0.5 * (until - self.clock()), never)
            return self._insert(self.incumbent.copy(), until, never, 0)
        done = threading.Event()

        def work() -> None:
            if self._insert(self.incumbent.copy(77), until, done.is_set, 3):
                done.set()

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        self._sharpen(until, done.is_set)
        if not done.is_set() and self.open_ranks():
            self._insert(self.incumbent.copy(5), until, done.is_set, 0)
        done.set()
        worker.join()
        return not self.open_ranks()

    def _insert(self, state: State, until: float, stop: Stop, turn: int, rounds: int = 1 << 30) -> bool:
        """Insert waiting pods of open tiers; offers every gain. True when nothing is open any more."""
        size, nodes = len(self.ground.cls), len(self.pool)
        reach, effort = 6, 40
        speed = FIRST_SPEED
        barren = 0
        for _ in range(rounds):
            if self.clock() >= until or stop():
                break
            # a bound is worth its time only once gains stop coming
            open_ranks = self.open_ranks(computing=barren > 0)
            waiting = state.waiting()
            pods = waiting[np.isin(self.ground.tier[self.ground.cls[waiting]], open_ranks)]
            if not len(pods):
                return not open_ranks
            items = min(nodes, reach) * max(1, size // max(1, nodes))
            most = SHARE_OF_AN_ATTEMPT * (until - self.clock()) * speed
            here = max(1, min(effort, int(most) // items))
            attempts = max(1, min(64, ROUND_PROPOSALS // (here * items)))
            began, proposals = self.clock(), int(state.outcome[1])
            gained = self._insert_round(state, pods, attempts, min(nodes, reach), here)
            proposals, took = int(state.outcome[1]) - proposals, self.clock() - began
            if proposals > ROUND_PROPOSALS // 4 and took > 0:
                speed = proposals / took
            if gained:
                barren = 0
                state.fill(self.pool, by_rank_and_size(state))
                state.relabel()
                self.incumbent.offer(state)
                continue
            # nothing came of it: look further and longer, in turns
            barren += 1
            reach, effort = REACH[(barren + turn) % len(REACH)], EFFORT[(barren + turn) % len(EFFORT)]
            if barren % BARREN_ROUNDS == 0:
                rng = state.rng
                state = self.incumbent.copy()
                state.rng = rng
        return False

    def _insert_round(self, state: State, pods: IntArray, attempts: int, reach: int, effort: int) -> bool:
        """One round of local search; True when it placed something."""
        if not self._by_halves:
            commits = int(state.outcome[0])
            state.insert(self.pool, pods, attempts, reach, effort)
            return int(state.outcome[0]) > commits
        # every other waiting pod to each half, so that both have some of every tier and size
        order = pods[np.argsort(self.ground.tier[self.ground.cls[pods]], kind="stable")]

        def work(half: int, pool: IntArray, stream: Stream) -> None:
            share = order[half::2]
            if len(share):
                state.insert(pool, share, HALVES_FACTOR * attempts, reach, effort, stream)

        return in_halves(state, self.pool, work)

    # ---- column generation

    def _sharpen(self, until: float, stop: Stop) -> None:
        """Column generation on the open tiers in turn: a better bound, and more pods if the fills allow it."""
        while self.clock() < until and not stop():
            placed = self.incumbent.placed
            todo = [r for r in self.open_ranks() if (r, placed[:r]) not in self._generated]
            if not todo:
                return
            rank = todo[0]
            self._generated.add((rank, placed[:rank]))
            self._generate(rank, placed, until, stop)

    def _generate(self, rank: int, placed: tuple[int, ...], until: float, stop: Stop) -> None:
        key = (rank, placed[:rank])
        if placed[:rank] == self.totals[:rank]:
            self._bounds[key] = self._leftover_bound(rank, self.bound(rank, placed), until)
            if not self.open_ranks():
                return
        if not self.frame.is_groupable:
            return
        grouped = counting_stage(self.ground, rank, placed)
        if grouped.stage.standing.size > MOST_GENERATION_CELLS:
            return
        generation = ColumnGeneration(grouped.stage, self.clock)
        self.incumbent.seed_columns(generation, grouped)
        # with few kinds any mix that good can be made whole; otherwise it takes the columns of a finished run
        known = self.bound(rank, placed).value if self.frame.has_few_kinds else np.inf
        generation.run(until, placed[rank], known)
        bound = self.bound(rank, placed).value
        proof = Evidence("none") if generation.best is None else evidence(self.ground, grouped, generation.best)
        if generation.bound is not None and generation.bound < bound:
            bound = generation.bound
            self._bounds[key] = Bound(bound, proof)
        while self.clock() < until and not stop() and self.incumbent.placed[: rank + 1] < (*placed[:rank], bound):
            fills = generation.fills_within_reach(bound, MOST_FILLS, ENUMERATION_STEPS, until)
            exact = fills is not None
            if fills is None:
                fills = generation.fills(bound, until)
            answer = assemble(grouped.stage, fills, bound, self.clock, until)
            if answer.chosen is not None:
                self.incumbent.take(grouped, answer.chosen)
                return
            if not (exact and answer.impossible):
                return
            # no choice of fills reaches the bound: it drops by one, by exhaustion
            bound -= 1
            note = "no choice of node fills places more"
            self._bounds[key] = Bound(bound, Evidence("exhausted", note=note, parts=(proof,)))

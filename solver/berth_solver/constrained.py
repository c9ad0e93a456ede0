"""Search for problems with side constraints that are too large to solve exactly.

First greedy insertion; then large-neighbourhood search: reopen a few nodes around a pod that waits (or a pod that had to
move), let CP-SAT arrange them anew with every rule of the problem in its model, and keep what is better by strict
priority. Three phases: place what waits, undo moves that turn out to be unnecessary (or empty nodes, when asked), raise
preference. Each is a schedule of rounds with growing neighbourhoods that ends by itself when the largest ones bring
nothing; a small model takes 5 to 50 ms. The same seed gives the same answer unless the deadline cuts the schedule short.

The answer is never worse than the incumbent, and keeps every rule that it keeps.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np

from berth_solver.cpsat import Answer, Linear
from berth_solver.cpsat_counts import Neighbourhood
from berth_solver.cpsat_model import PackingModel
from berth_solver.exact import check_incumbent
from berth_solver.feasible import keeps_rules
from berth_solver.insertion import insert_pending, insertion_units
from berth_solver.neighbourhood import around_moved, around_nodes, around_waiting
from berth_solver.occupancy import Occupancy
from berth_solver.problem import IntArray, Problem
from berth_solver.rules import Rules

SIZES = (3, 5, 8, 12)
"""Nodes of a neighbourhood, round by round."""
EFFORT = (0.05, 0.1, 0.2, 0.4)
"""CP-SAT's deterministic seconds for one neighbourhood of each size."""
TRIES = (2, 3, 3, 3)
"""Neighbourhoods a unit gets in each round."""
LEAST_TRIES = 16
"""Neighbourhoods of a round in all, however few units wait."""
SHARE_FOR_PLACING = 0.65
SHARE_FOR_EMPTYING = 0.6
SHARE_FOR_SETTLING = 0.85
"""Of the time then left, while anything remains to be done after it."""
LARGEST_WEIGHT_SUM = 1 << 50
LEAST_SECONDS = 0.01
"""A neighbourhood is not begun with less time than this."""
SECONDS_PER_PAIR = 2e-5
"""Building a model; afterwards as measured, the dearest of late."""
FORGETTING = 0.9
LEAST_PAIRS = 100
PAIRS_PER_EFFORT = 400
"""Larger models get proportionally more effort."""
MOST_PREFERRED_TRIED = 8
"""Nodes to which a pod is moved directly, best first."""


def improve_constrained(
    problem: Problem,
    incumbent: IntArray,
    deadline: float,
    clock: Callable[[], float],
    *,
    seed: int = 0,
    threads: int = 1,
    consolidate: bool = False,
    keep_standing: bool = False,
    place: bool = True,
    rules: Rules | None = None,
    on_better: Callable[[IntArray], None] | None = None,
) -> IntArray:
    """A placement at least as good as `incumbent`, found by `deadline` (a time of `clock`).

    keep_standing: nobody leaves the node where it stands. place: False where the counts are known to be the best, and only
    disruption and preference are worth the time. on_better: told of each better placement (not to be changed).
    """
    rules = rules or Rules.of(problem)
    check_incumbent(rules, incumbent)
    with ThreadPoolExecutor(threads) as pool:
        search = _Search(rules, incumbent, deadline, clock, seed, threads, pool, consolidate, keep_standing, on_better)
        search.run(place)
    return search.occupancy.placement


@dataclass(frozen=True, slots=True)
class _Worth:
    """The objective as far as it can differ within a search; preference in steps of `Rules.preference.scale`."""

    placed: tuple[int, ...]
    nodes_in_use: int
    disruption: int
    preference: int

    def key(self) -> tuple[int, ...]:
        return (*self.placed, -self.nodes_in_use, -self.disruption, self.preference)


class _Search:
    def __init__(
        self,
        rules: Rules,
        incumbent: IntArray,
        deadline: float,
        clock: Callable[[], float],
        seed: int,
        threads: int,
        pool: ThreadPoolExecutor,
        consolidate: bool,
        keep_standing: bool,
        on_better: Callable[[IntArray], None] | None,
    ) -> None:
        self.rules, self.problem = rules, rules.problem
        self.occupancy = Occupancy(rules, incumbent)
        self.deadline, self.clock = deadline, clock
        self.rng = random.Random(seed)
        self.seed, self.threads, self.pool = seed, threads, pool
        self.consolidate, self.keep_standing = consolidate, keep_standing
        self.on_better = on_better
        self.preference = self.in_use = 0
        self._cut_short = False
        self.seconds_per_pair = SECONDS_PER_PAIR
        self._recount()
        self.worth = self._worth()

    def run(self, place: bool) -> None:
        """Cycles of all phases, until one that time did not cut short brings nothing."""
        while True:
            before = self.worth.key()
            if place:
                self._insert(self.deadline)
                self._place_waiting(self._share(SHARE_FOR_PLACING))
            if self.consolidate:
                self._empty_nodes(self._share(SHARE_FOR_EMPTYING))
            last = self.rules.preference.weights is None
            self._settle(self.deadline if last else self._share(SHARE_FOR_SETTLING))
            self._please(self.deadline)
            if self._is_late(self.deadline) or (self.worth.key() == before and not self._cut_short):
                return
            self._cut_short = False

    def _share(self, share: float) -> float:
        now = self.clock()
        return now + share * (self.deadline - now)

    # Phases

    def _insert(self, until: float) -> None:
        if insert_pending(self.occupancy, until, self.clock):
            self._recount()
            self.worth = self._worth()
            self._tell()

    def _place_waiting(self, until: float) -> None:
        for size, effort, tries in zip(SIZES, EFFORT, TRIES, strict=True):
            self._reopen_all(self._around_waiting(size, tries), effort, until)
            self._insert(until)

    def _around_waiting(self, size: int, tries: int) -> Iterator[Neighbourhood]:
        waiting = len(insertion_units(self.occupancy))
        for _ in range(max(tries, LEAST_TRIES // max(waiting, 1))):
            for unit in insertion_units(self.occupancy):
                if any(self.occupancy.placed[c] < self.problem.totals[c] for c in unit):
                    free = around_waiting(self.occupancy, unit, size, self.rng)
                    if free is not None:
                        yield free

    def _settle(self, until: float) -> None:
        """Undo moves at equal counts: first those that simply can be, then by rearranging around each."""
        if self.keep_standing or not self.occupancy.left_of.any():
            return
        self._return_home(until)
        for size, effort in zip(SIZES, EFFORT, strict=True):
            self._repeat(lambda size=size: self._around_moved(size), effort, until)  # type: ignore[misc]

    def _return_home(self, until: float) -> None:
        occupancy, standing = self.occupancy, self.problem.standing_counts
        for c, home in np.argwhere(occupancy.placement < standing).tolist():
            for away in np.flatnonzero(occupancy.placement[c] > standing[c]).tolist():
                if self._is_late(until) or occupancy.placement[c, home] >= standing[c, home]:
                    break
                self._try([(c, away, -1), (c, home, 1)])

    def _around_moved(self, size: int) -> Iterator[Neighbourhood]:
        left = np.argwhere(self.occupancy.placement < self.problem.standing_counts)
        moved = [(int(c), int(n)) for c, n in left if self.problem.classes[c].move_cost]
        self.rng.shuffle(moved)
        for c, n in moved:
            if self.occupancy.placement[c, n] < self.problem.standing_counts[c, n]:
                yield around_moved(self.occupancy, c, n, size, self.rng)

    def _empty_nodes(self, until: float) -> None:
        for size, effort in zip(SIZES, EFFORT, strict=True):
            self._repeat(lambda size=size: self._around_emptiest(size), effort, until)  # type: ignore[misc]

    def _around_emptiest(self, size: int) -> Iterator[Neighbourhood]:
        movable = self.rules.movable
        on_node = self.occupancy.placement[movable].sum(axis=0)
        used = np.flatnonzero(on_node)
        for n in used[np.argsort(on_node[used], kind="stable")].tolist():
            if self.occupancy.placement[movable, n].any():
                others = [int(m) for m in used if m != n and self.occupancy.placement[movable, m].any()]
                nodes = [n, *self.rng.sample(others, min(len(others), size))]
                yield around_nodes(self.occupancy, nodes, (), self.rng)

    def _please(self, until: float) -> None:
        """Raise preference of those that are new where they are, at equal counts and disruption."""
        if self.rules.preference.weights is None:
            return
        self._move_to_preferred(self.rules.preference.weights, until)
        for size, effort in zip(SIZES, EFFORT, strict=True):
            self._reopen_all(self._around_preferred(self.rules.preference.weights, size), effort, until, please=True)

    def _move_to_preferred(self, weights: IntArray, until: float) -> None:
        occupancy, standing = self.occupancy, self.problem.standing_counts
        for c, n in np.argwhere(occupancy.placement > standing).tolist():
            better = np.flatnonzero(weights[c] > weights[c, n])
            for m in better[np.argsort(-weights[c, better], kind="stable")][:MOST_PREFERRED_TRIED].tolist():
                if self._is_late(until) or occupancy.placement[c, n] <= standing[c, n]:
                    break
                if (occupancy.free[m] >= self.problem.requests[c]).all():
                    self._try([(c, n, -1), (c, m, 1)])

    def _around_preferred(self, weights: IntArray, size: int) -> Iterator[Neighbourhood]:
        occupancy, standing = self.occupancy, self.problem.standing_counts
        for c, n in np.argwhere(occupancy.placement > standing).tolist():
            better = np.flatnonzero(weights[c] > weights[c, n])
            if len(better) and occupancy.placement[c, n] > standing[c, n]:
                top = better[np.argsort(-weights[c, better], kind="stable")][: 2 * size].tolist()
                nodes = [n, *self.rng.sample(top, min(len(top), size))]
                yield around_nodes(occupancy, nodes, (c,), self.rng)

    # One step

    def _repeat(self, neighbourhoods: Callable[[], Iterator[Neighbourhood]], effort: float, until: float) -> None:
        """Rounds of one size until a whole round brings nothing."""
        while not self._is_late(until):
            before = self.worth.key()
            self._reopen_all(neighbourhoods(), effort, until)
            if self.worth.key() == before:
                return

    def _reopen_all(
        self, neighbourhoods: Iterator[Neighbourhood], effort: float, until: float, please: bool = False
    ) -> None:
        """Solve neighbourhoods, as many at a time as there are threads, and keep in turn what is still better.

        A batch starts from one placement, so its later members may clash with what its first one changed: then they are
        dropped by the check that every change passes. The batches do not depend on timing.
        """
        while not self._is_late(until):
            batch = list(islice(neighbourhoods, self.threads))
            if not batch:
                return
            models = [model for free in batch if (model := self._model(free, until, please)) is not None]
            seeds = range(self.seed, self.seed + len(models))
            self.seed += len(models)

            def solve(model: PackingModel, seed: int) -> Answer:
                pairs = len(model.x)
                return model.cp.solve(until - self.clock(), seed, 1, effort * max(1.0, pairs / PAIRS_PER_EFFORT))

            for model, answer in zip(models, self.pool.map(solve, models, seeds), strict=True):
                if answer.values is not None:
                    self._try(model.changes(answer.values))

    def _model(self, free: Neighbourhood, until: float, please: bool) -> PackingModel | None:
        """None where there is no time to build it."""
        start, pairs = self.clock(), max(int(free.pairs.sum()), LEAST_PAIRS)
        if start + LEAST_SECONDS + pairs * self.seconds_per_pair >= until:
            self._cut_short = True
            return None
        model = PackingModel(self.occupancy, free, self.keep_standing, self.consolidate)
        values = model.hint(self.occupancy.placement)
        model.cp.minimize(self._objective(model, values, please))
        self.seconds_per_pair = max((self.clock() - start) / pairs, FORGETTING * self.seconds_per_pair)
        return model

    def _objective(self, model: PackingModel, values: Sequence[int], please: bool) -> Linear:
        """Tiers, nodes in use and disruption in one sum whose weights keep the order; preference alone in its phase."""
        if please:
            kept = [Linear().plus(model.tier(priority), -1) for priority in self.problem.priorities]
            kept += [model.nodes_in_use()] if self.consolidate else []
            for term in [*kept, model.disruption()]:
                model.cp.at_most(term, term.value(values))
            return Linear().plus(model.preference(), -1)
        objective = model.disruption()
        objective.constant = 0
        weight = 1
        terms = [model.nodes_in_use()] if self.consolidate else []
        terms += [Linear().plus(model.tier(priority), -1) for priority in reversed(self.problem.priorities)]
        for term in terms:
            if not term.variables:
                continue
            spread = model.cp.maximum(objective) - model.cp.minimum(objective)
            if spread * (model.cp.maximum(term) - model.cp.minimum(term) + 1) < LARGEST_WEIGHT_SUM:
                weight = spread + 1
            objective = objective.plus(term, weight)
        return objective

    def _try(self, changes: list[tuple[int, int, int]]) -> bool:
        """Make the changes if every rule holds after them and the outcome is better."""
        before = self.worth
        for c, n, count in changes:
            self._add(c, n, count)
        worth = self._worth()
        if worth.key() > before.key() and keeps_rules(self.occupancy, changes):
            self.worth = worth
            self._tell()
            return True
        for c, n, count in changes:
            self._add(c, n, -count)
        return False

    def _add(self, c: int, n: int, count: int) -> None:
        column = self.occupancy.placement[:, n]
        if self.consolidate:
            self.in_use -= bool(column[self.rules.movable].any())
        self.occupancy.add(c, n, count)
        if self.consolidate:
            self.in_use += bool(column[self.rules.movable].any())
        if self.rules.preference.weights is not None:
            self.preference += count * int(self.rules.preference.weights[c, n])

    def _recount(self) -> None:
        """Nodes in use and preference, from scratch."""
        placement = self.occupancy.placement
        if self.consolidate:
            self.in_use = int(placement[self.rules.movable].any(axis=0).sum())
        if self.rules.preference.weights is not None:
            self.preference = int((self.rules.preference.weights * placement).sum())

    def _worth(self) -> _Worth:
        tiers = np.zeros(len(self.problem.priorities), np.int64)
        np.add.at(tiers, self.rules.tier_of, self.occupancy.placed)
        disruption = int(self.rules.move_costs @ self.occupancy.left_of)
        return _Worth(tuple(tiers.tolist()), self.in_use, disruption, self.preference)

    def _tell(self) -> None:
        if self.on_better is not None:
            self.on_better(self.occupancy.placement)

    def _is_late(self, until: float) -> bool:
        late = self.clock() + LEAST_SECONDS >= until
        self._cut_short |= late
        return late

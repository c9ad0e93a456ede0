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
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from berth_solver.cpsat import Linear
from berth_solver.cpsat_model import Neighbourhood, PackingModel
from berth_solver.exact import InfeasibleIncumbentError
from berth_solver.feasible import keeps_rules, violations
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
SHARE_FOR_PLACING = 0.65
SHARE_FOR_SETTLING = 0.85
"""Of the time then left, while anything remains to be done after it."""
LARGEST_WEIGHT_SUM = 1 << 50
LEAST_SECONDS = 0.01
"""A neighbourhood is not begun with less time than this."""


def improve_constrained(
    problem: Problem,
    incumbent: IntArray,
    deadline: float,
    clock: Callable[[], float],
    *,
    seed: int = 0,
    consolidate: bool = False,
    keep_standing: bool = False,
    rules: Rules | None = None,
    on_better: Callable[[IntArray], None] | None = None,
) -> IntArray:
    """A placement at least as good as `incumbent`, found by `deadline` (a time of `clock`).

    keep_standing: nobody leaves the node where it stands. on_better: told of each better placement (not to be changed).
    """
    rules = rules or Rules.of(problem)
    broken = violations(problem, incumbent, rules)
    if broken:
        raise InfeasibleIncumbentError(f"{broken[0].kind} {broken[0].subject!r}: {broken[0].text}")
    search = _Search(rules, incumbent, deadline, clock, seed, consolidate, keep_standing, on_better)
    search.run()
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
        consolidate: bool,
        keep_standing: bool,
        on_better: Callable[[IntArray], None] | None,
    ) -> None:
        self.rules, self.problem = rules, rules.problem
        self.occupancy = Occupancy(rules, incumbent)
        self.deadline, self.clock = deadline, clock
        self.rng = random.Random(seed)
        self.seed = seed
        self.consolidate, self.keep_standing = consolidate, keep_standing
        self.on_better = on_better
        self.preference = self.in_use = 0
        self._recount()
        self.worth = self._worth()

    def run(self) -> None:
        self._insert(self.deadline)
        start = self.clock()
        self._place_waiting(start + SHARE_FOR_PLACING * (self.deadline - start))
        if self.consolidate:
            start = self.clock()
            self._empty_nodes(start + 0.6 * (self.deadline - start))
        start = self.clock()
        last = self.rules.preference.weights is None
        self._settle(self.deadline if last else start + SHARE_FOR_SETTLING * (self.deadline - start))
        self._please(self.deadline)

    # Phases

    def _insert(self, until: float) -> None:
        if insert_pending(self.occupancy, until, self.clock):
            self._recount()
            self.worth = self._worth()
            self._tell()

    def _place_waiting(self, until: float) -> None:
        for size, effort, tries in zip(SIZES, EFFORT, TRIES, strict=True):
            for unit in insertion_units(self.occupancy):
                for _ in range(tries):
                    if not self._waits(unit) or self._is_late(until):
                        break
                    missing = sum(int(self.problem.totals[c] - self.occupancy.placed[c]) for c in unit)
                    wanted = size + (missing if self._is_gang(unit) else 0)
                    free = around_waiting(self.occupancy, unit, wanted, self.rng)
                    if free is None:
                        break
                    self._reopen(free, effort * (1 + wanted // 12), until)
            if self._is_late(until):
                return
            self._insert(until)

    def _settle(self, until: float) -> None:
        """Undo moves at equal counts: first those that simply can be, then by rearranging around each."""
        if self.keep_standing:
            return
        self._return_home(until)
        for size, effort in zip(SIZES, EFFORT, strict=True):
            while True:
                before = self.worth.key()
                left = np.argwhere(self.occupancy.placement < self.problem.standing_counts)
                moved = [(int(c), int(n)) for c, n in left if self.problem.classes[c].move_cost]
                self.rng.shuffle(moved)
                for c, n in moved:
                    if self._is_late(until):
                        return
                    if self.occupancy.placement[c, n] < self.problem.standing_counts[c, n]:
                        self._reopen(around_moved(self.occupancy, c, n, size, self.rng), effort, until)
                if self.worth.key() == before:
                    break

    def _return_home(self, until: float) -> None:
        occupancy, standing = self.occupancy, self.problem.standing_counts
        for c, home in np.argwhere(occupancy.placement < standing).tolist():
            for away in np.flatnonzero(occupancy.placement[c] > standing[c]).tolist():
                if self._is_late(until) or occupancy.placement[c, home] >= standing[c, home]:
                    break
                self._try([(c, away, -1), (c, home, 1)])

    def _empty_nodes(self, until: float) -> None:
        for size, effort in zip(SIZES, EFFORT, strict=True):
            while not self._is_late(until):
                before = self.worth.key()
                on_node = self.occupancy.placement[self.rules.movable].sum(axis=0)
                used = np.flatnonzero(on_node)
                for n in used[np.argsort(on_node[used], kind="stable")].tolist():
                    if self._is_late(until):
                        return
                    if not self.occupancy.placement[self.rules.movable, n].any():
                        continue
                    others = [int(m) for m in used if m != n]
                    nodes = [n, *self.rng.sample(others, min(len(others), size))]
                    self._reopen(around_nodes(self.occupancy, nodes, (), self.rng), effort, until)
                if self.worth.key() == before:
                    break

    def _please(self, until: float) -> None:
        """Raise preference of those that are new where they are, at equal counts and disruption."""
        weights = self.rules.preference.weights
        if weights is None:
            return
        for size, effort in zip(SIZES, EFFORT, strict=True):
            occupancy, standing = self.occupancy, self.problem.standing_counts
            for c, n in np.argwhere(occupancy.placement > standing).tolist():
                better = np.flatnonzero(weights[c] > weights[c, n])
                if self._is_late(until):
                    return
                if not len(better) or occupancy.placement[c, n] <= standing[c, n]:
                    continue
                better = better[np.argsort(-weights[c, better], kind="stable")]
                if size == SIZES[0] and any(self._try([(c, n, -1), (c, int(m), 1)]) for m in better[:8]):
                    continue
                nodes = [n, *(int(m) for m in better[:size]), *self.rng.sample(better.tolist(), min(len(better), 2))]
                self._reopen(around_nodes(occupancy, nodes, (c,), self.rng), effort, until, please=True)

    # One step

    def _reopen(self, free: Neighbourhood, effort: float, until: float, please: bool = False) -> bool:
        """Solve a neighbourhood; True when the placement became better."""
        model = PackingModel(self.occupancy, free, self.keep_standing, self.consolidate)
        values = model.hint(self.occupancy.placement)
        model.cp.minimize(self._objective(model, values, please))
        self.seed += 1
        answer = model.cp.solve(until - self.clock(), self.seed, 1, effort)
        return answer.values is not None and self._try(model.changes(answer.values))

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
        return self.clock() + LEAST_SECONDS >= until

    def _waits(self, unit: tuple[int, ...]) -> bool:
        return any(self.occupancy.placed[c] < self.problem.totals[c] for c in unit)

    def _is_gang(self, unit: tuple[int, ...]) -> bool:
        return any(self.rules.gangs_of[c] for c in unit)

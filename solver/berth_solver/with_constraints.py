"""Problems with constraints or wishes that the compiled search does not know: a portfolio of their own.

1. Waiting pods are inserted one by one under every constraint. If that meets the cheap bounds, it is the answer.
2. The compiled search solves the problem without those constraints. If its answer happens to keep them all, it is the answer,
   and its bounds hold; otherwise its bounds are still bounds.
3. If it does not, pods are inserted by repacking step by step, each step under every rule; with budgets and caps alone this is
   the best there is.
4. The constrained search (CP-SAT, on the whole or neighbourhood by neighbourhood) goes on from the best so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from berth_solver.answer import immovable_pods, of_exact, of_search
from berth_solver.exact import Stage, predicted_variables
from berth_solver.feasible import violations
from berth_solver.gangs import GangBounds
from berth_solver.incumbent import Bound
from berth_solver.insertion import insert_pending
from berth_solver.occupancy import Occupancy
from berth_solver.options import Options
from berth_solver.placing_under_rules import place_under_rules
from berth_solver.problem import IntArray, Problem
from berth_solver.rules import Rules
from berth_solver.score import Score, score
from berth_solver.search import Search
from berth_solver.side_constrained import EXACT_ALONE, EXACT_AT_MOST, solve_constrained
from berth_solver.solution import Evidence, Improvement, Solution
from berth_solver.state import State, make_ground, unknown_constraints

GANG_SHARE = 0.3
"""Of the budget for showing that gangs cannot be placed at all."""
INSERTION_SHARE = 0.3
"""Of the budget for the first insertion, at most."""
RELAXED_SHARE = 0.35
"""Of the budget for the search without the constraints that it does not know."""

STEPS_SHARE = 0.3
STEPS_SHARE_LARGE = 0.6
"""Of the time then left for insertion step by step: where the exact model may still follow, and where not."""


class ConstrainedSearch:
    """One run on one problem."""

    def __init__(self, problem: Problem, options: Options, start: float, deadline: float) -> None:
        self.problem = problem
        self.options = options
        self.start, self.deadline = start, deadline
        self.rules = Rules.of(problem)
        ground = make_ground(problem)
        span = deadline - start
        self.relaxed = Search(ground, replace(options, on_improvement=None), start, start + RELAXED_SHARE * span)
        self.gangs = GangBounds(problem, self.relaxed.incumbent, start + GANG_SHARE * span)
        self.fixed = immovable_pods(problem)
        self.priorities = ground.priorities
        self.best: IntArray = problem.standing_counts.copy()
        self.score = score(problem, self.best, options.consolidate)
        self.improvements: list[Improvement] = []
        self.has_wishes = any(c.preference for c in problem.classes)

    def run(self) -> Solution:
        """The best placement found, with what is proven of it."""
        options = self.options
        occupancy = Occupancy(self.rules, self.best)
        if insert_pending(occupancy, self.start + INSERTION_SHARE * (self.deadline - self.start), options.clock):
            self._note(occupancy.placement)
        if self._is_best_possible():
            # the stages only need to be closed
            return self._constrained(self.start)
        if not (options.pending_only or options.consolidate):
            answer = self._relaxed()
            if answer is not None:
                return answer
            self._step_by_step()
        return self._constrained(self.deadline)

    def _note(self, placement: IntArray) -> None:
        """Take a placement that keeps every constraint, if it is better."""
        worth = score(self.problem, placement, self.options.consolidate)
        if not worth.is_better_than(self.score):
            return
        self.best, self.score = placement.copy(), worth
        improvement = Improvement(self.options.clock() - self.start, worth.placed, worth.disruption)
        self.improvements.append(improvement)
        if self.options.on_improvement:
            self.options.on_improvement(improvement)

    # ---- bounds

    def _counts(self, worth: Score) -> tuple[int, ...]:
        """Movable pods placed in each tier that has any, the highest first."""
        return tuple(worth.placed[self.problem.priorities.index(p)] - self.fixed[p] for p in self.priorities)

    def _tier_bound(self, rank: int, counts: Sequence[int]) -> Bound:
        """The best bound on a tier that takes no search under all the constraints."""
        plain, whole = self.relaxed.counting.bound(rank, counts), self.gangs.bound(rank, counts)
        better = whole if whole is not None and whole.value < plain.value else plain
        return Bound(better.value + self.fixed[self.priorities[rank]], better.evidence)

    def _least_disruption(self, counts: tuple[int, ...]) -> Bound:
        moving = self.relaxed.moving
        return moving.bound if moving.placed == counts else Bound(0, Evidence("trivial"))

    def _stage_bound(self, stage: Stage, worth: Score) -> float:
        if stage.kind == "tier" and stage.priority in self.priorities:
            return self._tier_bound(self.priorities.index(stage.priority), self._counts(worth)).value
        if stage.kind == "disruption":
            return float(self._least_disruption(self._counts(worth)).value)
        return float("inf") if stage.maximised else 0.0

    def _is_best_possible(self) -> bool:
        """Every tier meets its bound, nobody is disturbed, and nothing else is wished for."""
        if self.has_wishes or self.options.consolidate or self.score.disruption:
            return False
        counts = self._counts(self.score)
        return all(
            counts[rank] + self.fixed[p] == self._tier_bound(rank, counts).value
            for rank, p in enumerate(self.priorities)
        )

    # ---- searches

    def _relaxed(self) -> Solution | None:
        """The answer, if it can be had without the unknown constraints."""
        relaxed = self.relaxed
        relaxed.run()
        placement = relaxed.incumbent.copy().placement()
        if violations(self.problem, placement, self.rules):
            return None
        if self.has_wishes or not unknown_constraints(self.problem):
            self._note(placement)
            return None
        if not relaxed.is_proven:
            longer = relaxed.resumed(self.deadline)
            longer.run()
            if not violations(self.problem, longer.incumbent.copy().placement(), self.rules):
                relaxed = longer
        if self.score.is_better_than(score(self.problem, relaxed.incumbent.copy().placement())):
            return None
        return of_search(self.problem, relaxed, self.options, self.start)

    def _step_by_step(self) -> None:
        """Insert by repacking under every rule, unless the exact model can do without help."""
        size = predicted_variables(self.problem, EXACT_AT_MOST)
        if size <= EXACT_ALONE:
            return
        ground, now = self.relaxed.frame.ground, self.options.clock()
        share = STEPS_SHARE if size <= EXACT_AT_MOST else STEPS_SHARE_LARGE
        found = place_under_rules(
            ground,
            State.of(ground, self.best, self.options.seed),
            now + share * (self.deadline - now),
            self.options.clock,
            self.options.seed,
            self.relaxed.frame.totals,
            self.rules if self._has_rules() else None,
        )
        placement = found.placement()
        if self._keeps_all(placement):
            self._note(placement)

    def _has_rules(self) -> bool:
        """Beyond budgets and caps."""
        rest = unknown_constraints(self.problem)
        return bool(replace(rest, budgets=(), max_disruption=None, max_evictions=None))

    def _keeps_all(self, placement: IntArray) -> bool:
        return not violations(self.problem, placement, self.rules)

    def _constrained(self, until: float) -> Solution:
        options = self.options
        result = solve_constrained(
            self.problem,
            self.best.copy(),
            until,
            options.clock,
            seed=options.seed,
            threads=options.threads,
            consolidate=options.consolidate,
            keep_standing=options.pending_only,
            stage_bound=self._stage_bound,
            rules=self.rules,
            on_better=self._note,
        )
        self._note(result.placement)
        # never worse than the best noted: the counts are the same
        counts = self._counts(self.score)
        known = {p: self._tier_bound(rank, counts) for rank, p in enumerate(self.priorities)}
        least = self._least_disruption(counts)
        return of_exact(self.problem, result, known, least, tuple(self.improvements), options, self.start)

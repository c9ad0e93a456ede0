"""Exact search by CP-SAT, stage after stage: each tier's count from the highest down, then what is left to wish for.

One model serves all stages. A stage starts from the best placement so far and, once it ends, is kept by a row that later
stages may exceed but not undercut; a stage whose value meets the bound handed in costs nothing. What a stage that ran out
of time proved still counts as its bound. After every stage room that the solver left unused is filled again, since CP-SAT
drops pods of tiers that are not yet in its objective.

The answer is never worse than the incumbent. Problems up to about 300 variables are solved in well under a second; at a
few thousand the answer is useful and the bounds are weak. The deadline covers building the model: a model whose cost as
predicted does not fit is not built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from berth_solver.cpsat import Linear
from berth_solver.cpsat_model import PackingModel
from berth_solver.feasible import violations
from berth_solver.insertion import insert_pending
from berth_solver.occupancy import Occupancy
from berth_solver.problem import IntArray, Problem
from berth_solver.rules import Rules
from berth_solver.score import Score, score

SHARE_OF_A_STAGE = 0.6
"""Of the time left, when stages come after it."""
SHARE_WITH_NOTHING_AFTER = 0.9
SHARE_OF_POLISHING = 0.3
"""Of the time left, before CP-SAT minimises disruption or nodes in use: it starts far better from a good placement."""
MOST_VARIABLES = 15_000
"""Beyond, CP-SAT's presolve alone takes seconds and finds nothing that a neighbourhood search does not."""
CLASSES_AT_A_TIME = 256
SECONDS_PER_TERM = 2e-6
"""Building a model, by terms as `predicted_terms` counts them."""

StageKind = Literal["tier", "nodes_in_use", "disruption", "preference"]


class InfeasibleIncumbentError(ValueError):
    """The placement handed in breaks a rule; begin from the standing placement, which never does."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What is optimised: pods placed of `priority`, nodes in use, disruption or preference."""

    kind: StageKind
    priority: int = 0

    @property
    def maximised(self) -> bool:
        return self.kind in ("tier", "preference")


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """`bound` holds given the values of the stages before it. `searched`: CP-SAT proved it, not the bound handed in."""

    stage: Stage
    value: float
    bound: float
    searched: bool

    @property
    def proven(self) -> bool:
        return abs(self.value - self.bound) < 1e-9


@dataclass(frozen=True, eq=False)
class ExactResult:
    """placement: int64 [classes, nodes]. `notes`: why stages were not searched, for whoever reads the answer."""

    placement: IntArray
    outcomes: tuple[StageOutcome, ...]
    notes: tuple[str, ...] = ()


StageBound = Callable[[Stage, Score], float]
"""A proven bound of a stage, given the values that the stages before it have in this score."""

Polish = Callable[[IntArray, float], IntArray]
"""Given a placement and a deadline, one that is at least as good."""


def solve_exact(
    problem: Problem,
    incumbent: IntArray,
    deadline: float,
    clock: Callable[[], float],
    *,
    seed: int = 0,
    threads: int = 1,
    consolidate: bool = False,
    keep_standing: bool = False,
    stage_bound: StageBound | None = None,
    polish: Polish | None = None,
    largest: int = MOST_VARIABLES,
    checked: bool = False,
    rules: Rules | None = None,
) -> ExactResult:
    """The best placement found by `deadline` (a time of `clock`), with what is proven of each stage.

    threads: with more than one, CP-SAT may give another of several best placements each time. largest: models with more
    variables than this are not built; the outcomes then hold the incumbent's values and the bounds handed in. checked: the
    incumbent is known to keep every rule.
    """
    rules = rules or Rules.of(problem)
    if not checked:
        check_incumbent(rules, incumbent)
    search = _Search(rules, incumbent, deadline, clock, seed, threads, consolidate, keep_standing, polish, largest)
    outcomes = tuple(search.run(stage, stage_bound) for stage in stages(problem, rules, consolidate))
    return search.result(outcomes)


def check_incumbent(rules: Rules, incumbent: IntArray) -> None:
    """Raises InfeasibleIncumbentError. What stands now needs no check."""
    if incumbent is rules.problem.standing_counts or np.array_equal(incumbent, rules.problem.standing_counts):
        return
    broken = violations(rules.problem, incumbent, rules)
    if broken:
        raise InfeasibleIncumbentError(f"{broken[0].kind} {broken[0].subject!r}: {broken[0].text}")


def stages(problem: Problem, rules: Rules, consolidate: bool) -> tuple[Stage, ...]:
    """In the order of the objective. Preference is left out where nobody has one."""
    result = [Stage("tier", priority) for priority in problem.priorities]
    if consolidate:
        result.append(Stage("nodes_in_use"))
    result.append(Stage("disruption"))
    if rules.preference.weights is not None:
        result.append(Stage("preference"))
    return tuple(result)


def predicted_variables(problem: Problem, enough: int) -> int:
    """Pairs of class and node that the exact model would hold, about: those that are eligible and fit. Counts to `enough`."""
    count = 0
    for first in range(0, len(problem.classes), CLASSES_AT_A_TIME):
        rows = slice(first, first + CLASSES_AT_A_TIME)
        fits = problem.eligibility[rows] & (problem.totals[rows] > 0)[:, None]
        for r in range(len(problem.resources)):
            fits &= problem.requests[rows, r][:, None] <= problem.capacity[:, r][None, :]
        count += int((fits | (problem.standing_counts[rows] > 0)).sum())
        if count > enough:
            break
    return count


def predicted_build_seconds(rules: Rules, variables: int) -> float:
    per_class = [len(rules.problem.resources) + 4 + 3 * len(t) for t in rules.tallies_of]
    mean = sum(per_class) / max(len(per_class), 1)
    return SECONDS_PER_TERM * mean * variables


class _Search:
    def __init__(
        self,
        rules: Rules,
        incumbent: IntArray,
        deadline: float,
        clock: Callable[[], float],
        seed: int,
        threads: int,
        consolidate: bool,
        keep_standing: bool,
        polish: Polish | None,
        largest: int,
    ) -> None:
        self.rules, self.problem = rules, rules.problem
        self.best = incumbent
        self.score = score(self.problem, incumbent, consolidate)
        self.deadline, self.clock = deadline, clock
        self.seed, self.threads = seed, threads
        self.consolidate, self.keep_standing = consolidate, keep_standing
        self.polish, self.largest = polish, largest
        self.notes: list[str] = []
        self._variables: int | None = None
        self._model: PackingModel | None = None
        self._stages = stages(self.problem, rules, consolidate)
        self._kept: list[tuple[Stage, int]] = []

    def run(self, stage: Stage, stage_bound: StageBound | None) -> StageOutcome:
        bound = self._trivial_bound(stage)
        if stage_bound is not None:
            bound = _tighter(stage, bound, stage_bound(stage, self.score))
        searched = False
        is_open = abs(self._value(stage) - bound) >= 1e-9
        if self.polish is not None and stage.kind in ("nodes_in_use", "disruption") and is_open and self._may_build():
            now = self.clock()
            self._adopt(self.polish(self.best, now + SHARE_OF_POLISHING * (self.deadline - now)))
        if abs(self._value(stage) - bound) >= 1e-9:
            found = self._search(stage, bound)
            tighter = bound if found is None else _tighter(stage, bound, found)
            searched, bound = tighter != bound, tighter
        self._keep(stage)
        return StageOutcome(stage, self._value(stage), bound, searched)

    def result(self, outcomes: tuple[StageOutcome, ...]) -> ExactResult:
        """Values as they are in the end: a later stage may have bettered an earlier one on its way."""
        final = tuple(StageOutcome(o.stage, self._value(o.stage), o.bound, o.searched) for o in outcomes)
        return ExactResult(self.best, final, tuple(self.notes))

    def _value(self, stage: Stage) -> float:
        match stage.kind:
            case "tier":
                return self.score.placed[self.problem.priorities.index(stage.priority)]
            case "nodes_in_use":
                return self.score.nodes_in_use
            case "disruption":
                return self.score.disruption
            case "preference":
                return self.score.preference

    def _trivial_bound(self, stage: Stage) -> float:
        if stage.kind == "tier":
            members = [c for c, k in enumerate(self.problem.classes) if k.priority == stage.priority]
            return int(self.problem.totals[members].sum())
        if stage.kind == "preference":
            most = [max((v for _, v in c.preference), default=0.0) for c in self.problem.classes]
            return float(sum(v * count for v, count in zip(most, self.problem.totals.tolist(), strict=True)))
        return 0

    def _search(self, stage: Stage, bound: float) -> float | None:
        """A better placement becomes `self.best`; returns a bound, or None where none was proved."""
        model = self._built()
        if model is None:
            return None
        objective, before = self._objective(model, stage), self.best
        if stage.kind != "preference":
            model.cp.at_least(objective, -int(bound) if stage.maximised else int(bound))
        model.cp.minimize(objective)
        model.hint(self.best)
        left = self.deadline - self.clock()
        answer = model.cp.solve(left * self._share(stage), self.seed, self.threads)
        if answer.infeasible:
            self.notes.append(f"the exact model of stage {stage.kind} denies a placement that exists; please report")
            return None
        if answer.values is not None:
            self._consider(model.placement(answer.values))
        if answer.bound is None or not model.exact:
            return None
        if stage.kind != "preference":
            return -answer.bound if stage.maximised else answer.bound
        return self._preference_bound(answer.bound, before)

    def _share(self, stage: Stage) -> float:
        """All the time for the last stage, nearly all where those after it have nothing to gain as things stand."""
        later = self._stages[self._stages.index(stage) + 1 :]
        if not later:
            return 1.0
        open_ = any(abs(self._value(s) - self._trivial_bound(s)) >= 1e-9 for s in later)
        return SHARE_OF_A_STAGE if open_ else SHARE_WITH_NOTHING_AFTER

    def _preference_bound(self, bound: int, placement: IntArray) -> float:
        """The model counts whole steps of 1/scale and leaves out what cannot change: measured from a placement known."""
        weights = self.rules.preference
        assert weights.weights is not None
        movable = [c for c, k in enumerate(self.problem.classes) if k.movable]
        steps = int((weights.weights[movable] * placement[movable]).sum())
        gain = (-bound - steps) / weights.scale
        return score(self.problem, placement).preference + gain + 2 * weights.slack

    def _objective(self, model: PackingModel, stage: Stage) -> Linear:
        """To be minimised."""
        match stage.kind:
            case "tier":
                return Linear().plus(model.tier(stage.priority), -1)
            case "nodes_in_use":
                return model.nodes_in_use()
            case "disruption":
                return model.disruption()
            case "preference":
                return Linear().plus(model.preference(), -1)

    def _built(self) -> PackingModel | None:
        if self._model is None:
            if not self._may_build():
                return None
            occupancy = Occupancy(self.rules, self.best)
            self._model = PackingModel(occupancy, None, self.keep_standing, self.consolidate)
            for stage, value in self._kept:
                self._add_row(self._model, stage, value)
        return self._model

    def _may_build(self) -> bool:
        """Is the model small enough, and is there time left to build it? Says why not."""
        if self._variables is None:
            self._variables = predicted_variables(self.problem, self.largest)
        if self._variables > self.largest:
            self._note(f"too large for the exact model: over {self.largest} counts to decide")
            return False
        predicted = 0.0 if self._model else predicted_build_seconds(self.rules, self._variables)
        if self.clock() + predicted >= self.deadline:
            self._note(f"the exact model was not built: it would take {predicted:.2f} s more")
            return False
        return True

    def _keep(self, stage: Stage) -> None:
        """No later stage may make this one worse."""
        if stage.kind != "preference":
            value = int(self._value(stage))
            self._kept.append((stage, value))
            if self._model is not None:
                self._add_row(self._model, stage, value)

    def _add_row(self, model: PackingModel, stage: Stage, value: int) -> None:
        model.cp.at_most(self._objective(model, stage), -value if stage.maximised else value)

    def _consider(self, placement: IntArray) -> None:
        filled = Occupancy(self.rules, placement)
        insert_pending(filled, self.deadline, self.clock)
        if not self._adopt(filled.placement):
            self._adopt(placement)

    def _adopt(self, placement: IntArray) -> bool:
        worth = score(self.problem, placement, self.consolidate)
        if not worth.is_better_than(self.score):
            return False
        broken = violations(self.problem, placement, self.rules)
        if broken:
            self._note(
                f"an exact placement was dropped, it breaks {broken[0].kind} {broken[0].subject!r}; please report"
            )
            return False
        self.best, self.score = placement, worth
        return True

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _tighter(stage: Stage, one: float, other: float) -> float:
    return min(one, other) if stage.maximised else max(one, other)

"""From what a search ended with to the `Solution`: counts with immovable pods, bounds with their evidence, times."""

from __future__ import annotations

from collections.abc import Mapping

from berth_solver.exact import ExactResult, StageOutcome
from berth_solver.incumbent import Bound
from berth_solver.options import Options
from berth_solver.problem import IntArray, Problem
from berth_solver.search import Search
from berth_solver.solution import Evidence, Improvement, Solution, StageResult, TierResult

EXHAUSTED = Evidence("exhausted", note="CP-SAT on counts per class and node")


def of_search(problem: Problem, search: Search, options: Options, start: float) -> Solution:
    """The answer of the portfolio."""
    incumbent = search.incumbent
    placement = incumbent.copy().placement()
    fixed = immovable_pods(problem)
    rank_of = {p: r for r, p in enumerate(search.frame.ground.priorities)}
    tiers = []
    for priority in problem.priorities:
        extra = fixed[priority]
        if priority not in rank_of:
            tiers.append(TierResult(priority, extra, extra, extra, Evidence("trivial")))
            continue
        rank = rank_of[priority]
        bound = search.count_bound(rank)
        pods, placed = search.frame.totals[rank] + extra, incumbent.placed[rank] + extra
        tiers.append(TierResult(priority, pods, placed, bound.value + extra, bound.evidence))
    least = search.moving.bound
    return Solution(
        placement,
        tuple(tiers),
        StageResult(incumbent.disruption, least.value, least.evidence),
        most_preference(problem, placement),
        improvements=tuple(incumbent.improvements),
        elapsed_seconds=options.clock() - start,
    )


def of_exact(
    problem: Problem,
    result: ExactResult,
    known: Mapping[int, Bound],
    least: Bound,
    improvements: tuple[Improvement, ...],
    options: Options,
    start: float,
) -> Solution:
    """The answer of the constrained search. known: bounds handed to it, by priority; least: that on the disruption."""
    tiers = []
    disruption = StageResult(0, 0, Evidence("trivial"))
    preference = most_preference(problem, result.placement)
    nodes_in_use = None
    totals = dict.fromkeys(problem.priorities, 0)
    for c, pod_class in enumerate(problem.classes):
        totals[pod_class.priority] += int(problem.totals[c])
    for outcome in result.outcomes:
        match outcome.stage.kind:
            case "tier":
                priority, bound = outcome.stage.priority, int(outcome.bound)
                given = known.get(priority, Bound(totals[priority], Evidence("trivial")))
                evidence = _evidence(outcome, given, totals[priority])
                tiers.append(TierResult(priority, totals[priority], int(outcome.value), bound, evidence))
            case "disruption":
                disruption = StageResult(outcome.value, outcome.bound, _evidence(outcome, least, 0))
            case "preference":
                evidence = EXHAUSTED if outcome.searched else Evidence("trivial")
                preference = StageResult(outcome.value, outcome.bound, evidence)
            case "nodes_in_use":
                nodes_in_use = StageResult(outcome.value, outcome.bound, _evidence(outcome, Bound(0, EXHAUSTED), 0))
    return Solution(
        result.placement,
        tuple(tiers),
        disruption,
        preference,
        nodes_in_use,
        improvements,
        options.clock() - start,
        result.notes,
    )


def _evidence(outcome: StageOutcome, given: Bound, trivial: int) -> Evidence:
    """Whose argument the bound is: the exact search's, that of the bound handed in, or nobody's."""
    if outcome.searched:
        return EXHAUSTED
    if int(outcome.bound) == given.value and outcome.bound != trivial:
        return given.evidence
    return Evidence("trivial")


def most_preference(problem: Problem, placement: IntArray) -> StageResult:
    """What the placed pods' preferences amount to, and what they would if each had its best node."""
    placed = placement.sum(axis=1)
    value = sum(v * int(placement[c, n]) for c, k in enumerate(problem.classes) for n, v in k.preference)
    most = sum(max((v for _, v in k.preference), default=0.0) * int(placed[c]) for c, k in enumerate(problem.classes))
    return StageResult(float(value), float(most), Evidence("trivial"))


def immovable_pods(problem: Problem) -> dict[int, int]:
    """By priority: they are placed whatever happens, and count in both the value and the bound."""
    fixed = dict.fromkeys(problem.priorities, 0)
    for c, pod_class in enumerate(problem.classes):
        if not pod_class.movable:
            fixed[pod_class.priority] += int(problem.totals[c])
    return fixed

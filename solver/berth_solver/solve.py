"""One problem in, the best placement found within the budget and what is proven about it out.

Capacity, eligibility and limits of single nodes are what the compiled search knows. A problem with further constraints is
first solved without them: if the answer happens to keep them all, it is the answer, and its bounds hold. Otherwise CP-SAT
searches with every constraint, from the standing placement, and takes the bounds of the relaxation where they help.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from berth_solver.options import Options
from berth_solver.problem import Constraints, IntArray, Problem
from berth_solver.search import Search
from berth_solver.solution import Evidence, Improvement, Solution, StageResult, TierResult
from berth_solver.state import make_ground, node_level

FINISHING_SECONDS = 0.004
"""Kept back for turning the search's state into an answer."""
RELAXED_SHARE = 0.3
"""Of the budget for the search without the constraints that it does not know."""


def solve(problem: Problem, options: Options | None = None) -> Solution:
    """The best placement by strict priority; see `Solution` for what comes with it. Never fails for lack of time."""
    options = options or Options()
    start = options.clock()
    deadline = start + options.budget - FINISHING_SECONDS
    if options.pending_only or options.consolidate or not _is_plain(problem):
        return _solve_constrained(problem, options, start, deadline)
    search = Search(make_ground(problem), options, start, deadline)
    search.run()
    return _answer(problem, search, options, start)


def _is_plain(problem: Problem) -> bool:
    """Whether the compiled search knows every constraint."""
    constraints = problem.constraints
    rest = replace(constraints, limits=tuple(x for x in constraints.limits if not node_level(x)))
    return not rest and not any(c.preference for c in problem.classes)


def _answer(problem: Problem, search: Search, options: Options, start: float) -> Solution:
    placement = search.best.placement()
    return Solution(
        placement,
        _tiers(problem, search),
        StageResult(search.disruption, search.moves_bound.value, search.moves_bound.evidence),
        _preference(problem, placement),
        improvements=tuple(search.improvements),
        elapsed_seconds=options.clock() - start,
    )


def _tiers(problem: Problem, search: Search) -> tuple[TierResult, ...]:
    """Immovable pods are placed, whatever happens: they count in both the value and the bound."""
    fixed = _immovable(problem)
    rank_of = {p: r for r, p in enumerate(search.ground.priorities)}
    tiers = []
    for priority in problem.priorities:
        extra = fixed[priority]
        if priority not in rank_of:
            tiers.append(TierResult(priority, extra, extra, extra, Evidence("trivial")))
            continue
        rank = rank_of[priority]
        bound = search.count_bound(rank)
        pods, placed = search.totals[rank] + extra, search.placed[rank] + extra
        tiers.append(TierResult(priority, pods, placed, bound.value + extra, bound.evidence))
    return tuple(tiers)


def _immovable(problem: Problem) -> dict[int, int]:
    fixed = dict.fromkeys(problem.priorities, 0)
    for c, pod_class in enumerate(problem.classes):
        if not pod_class.movable:
            fixed[pod_class.priority] += int(problem.totals[c])
    return fixed


def _preference(problem: Problem, placement: IntArray) -> StageResult:
    value = sum(v * int(placement[c, n]) for c, k in enumerate(problem.classes) for n, v in k.preference)
    placed = placement.sum(axis=1)
    most = sum(max((v for _, v in k.preference), default=0.0) * int(placed[c]) for c, k in enumerate(problem.classes))
    return StageResult(float(value), float(most), Evidence("trivial"))


def _solve_constrained(problem: Problem, options: Options, start: float, deadline: float) -> Solution:
    from berth_solver.exact import Stage, solve_exact
    from berth_solver.feasible import violations
    from berth_solver.score import Score

    plain = Problem(problem.resources, problem.nodes, problem.capacity, problem.classes, problem.standing,
                    Constraints(limits=tuple(x for x in problem.constraints.limits if node_level(x))))  # fmt: skip
    relaxed = Search(make_ground(plain), replace(options, on_improvement=None), start, deadline)
    if not (options.pending_only or options.consolidate or any(c.preference for c in problem.classes)):
        relaxed.deadline = start + RELAXED_SHARE * options.budget
        relaxed.run()
        relaxed.deadline = deadline
        if not violations(problem, relaxed.best.placement()):
            relaxed.options = options
            relaxed.run()
            if not violations(problem, relaxed.best.placement()):
                return _answer(problem, relaxed, options, start)
    fixed = _immovable(problem)
    rank_of = {p: r for r, p in enumerate(relaxed.ground.priorities)}

    def stage_bound(stage: Stage, score: Score) -> float:
        if stage.kind == "tier" and stage.priority in rank_of:
            placed = [score.placed[problem.priorities.index(p)] - fixed[p] for p in relaxed.ground.priorities]
            return relaxed.bound_given(rank_of[stage.priority], placed).value + fixed[stage.priority]
        return float("inf") if stage.maximised else 0.0

    result = solve_exact(
        problem,
        problem.standing_counts.copy(),
        deadline,
        options.clock,
        seed=options.seed,
        threads=options.threads,
        consolidate=options.consolidate,
        keep_standing=options.pending_only,
        stage_bound=stage_bound,
    )
    tiers = []
    disruption = StageResult(0, 0, Evidence("trivial"))
    preference = _preference(problem, result.placement)
    nodes_in_use = None
    totals = dict.fromkeys(problem.priorities, 0)
    for c, pod_class in enumerate(problem.classes):
        totals[pod_class.priority] += int(problem.totals[c])
    for outcome in result.outcomes:
        evidence = Evidence("trivial")
        if outcome.searched:
            evidence = Evidence("exhausted", note="CP-SAT on counts per class and node")
        match outcome.stage.kind:
            case "tier":
                priority, placed = outcome.stage.priority, int(outcome.value)
                bound = int(outcome.bound)
                if not outcome.searched and bound < totals[priority] and priority in rank_of:
                    scores = [int(o.value) - fixed[o.stage.priority] for o in result.outcomes
                              if o.stage.kind == "tier" and o.stage.priority in rank_of]  # fmt: skip
                    evidence = relaxed.bound_given(rank_of[priority], scores).evidence
                tiers.append(TierResult(priority, totals[priority], placed, bound, evidence))
            case "disruption":
                disruption = StageResult(outcome.value, outcome.bound, evidence)
            case "preference":
                preference = StageResult(outcome.value, outcome.bound, evidence)
            case "nodes_in_use":
                nodes_in_use = StageResult(outcome.value, outcome.bound, evidence)
    elapsed = options.clock() - start
    improvements: tuple[Improvement, ...] = ()
    if (result.placement != problem.standing_counts).any():
        improvements = (Improvement(elapsed, tuple(t.placed for t in tiers), int(disruption.value)),)
        if options.on_improvement:
            options.on_improvement(improvements[0])
    return Solution(
        np.asarray(result.placement, np.int64),
        tuple(tiers),
        disruption,
        preference,
        nodes_in_use,
        improvements,
        elapsed,
        result.notes,
    )

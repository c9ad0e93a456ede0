"""One problem in, the best placement found within the budget and what is proven about it out.

Capacity, eligibility and limits of single nodes are what the compiled search knows. A problem with further constraints is
first solved without them: if the answer happens to keep them all, it is the answer, and its bounds hold. Otherwise the
constrained search (CP-SAT, on the whole or neighbourhood by neighbourhood) goes on with every constraint, and takes the
bounds of the relaxation where they help. Preferences are its business too, once counts and disruption are settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from berth_solver.answer import immovable_pods, of_exact, of_search
from berth_solver.gangs import GangBounds
from berth_solver.incumbent import Bound
from berth_solver.options import Options
from berth_solver.problem import Constraints, IntArray, Problem
from berth_solver.search import Search
from berth_solver.solution import Evidence, Improvement, Solution
from berth_solver.state import is_capacity, make_ground, node_level

FINISHING_SECONDS = 0.004
"""Kept back for turning the search's state into an answer ..."""
FINISHING_SECONDS_PER_CELL = 6e-9
"""... and more for each class and node."""
GANG_SHARE = 0.3
"""Of the budget for showing that gangs cannot be placed at all."""
RELAXED_SHARE = 0.35
"""Of the budget for the search without the constraints that it does not know."""


def solve(problem: Problem, options: Options | None = None) -> Solution:
    """The best placement by strict priority; see `Solution` for what comes with it. Never fails for lack of time."""
    options = options or Options()
    start = options.clock()
    cells = len(problem.classes) * len(problem.nodes)
    deadline = (
        start + options.budget - min(0.2 * options.budget, FINISHING_SECONDS + FINISHING_SECONDS_PER_CELL * cells)
    )
    if options.pending_only or options.consolidate or not _is_plain(problem):
        return _solve_constrained(problem, options, start, deadline)
    search = Search(make_ground(problem), options, start, deadline)
    search.run()
    return of_search(problem, search, options, start)


def _is_plain(problem: Problem) -> bool:
    """Whether the compiled search knows every constraint and wish."""
    return not _unknown(problem) and not any(c.preference for c in problem.classes)


def _unknown(problem: Problem) -> Constraints:
    """What the compiled search does not know of, or not wholly."""
    constraints = problem.constraints
    return replace(constraints, limits=tuple(x for x in constraints.limits if not is_capacity(problem, x)))


def _relaxed(problem: Problem) -> Problem:
    """Without the constraints that the compiled search does not know."""
    known = Constraints(limits=tuple(x for x in problem.constraints.limits if node_level(x)))
    return replace(problem, constraints=known)


def _solve_constrained(problem: Problem, options: Options, start: float, deadline: float) -> Solution:
    from berth_solver.exact import Stage
    from berth_solver.feasible import violations
    from berth_solver.score import Score, disruption, placed_per_tier
    from berth_solver.side_constrained import solve_constrained

    quiet = replace(options, on_improvement=None)
    ground = make_ground(_relaxed(problem))
    relaxed = Search(ground, quiet, start, start + RELAXED_SHARE * (deadline - start))
    gangs = GangBounds(problem, relaxed.incumbent, start + GANG_SHARE * (deadline - start))
    fixed = immovable_pods(problem)
    priorities = ground.priorities
    incumbent = problem.standing_counts
    improvements: list[Improvement] = []

    def note(placement: IntArray) -> None:
        seconds = options.clock() - start
        improvement = Improvement(seconds, placed_per_tier(problem, placement), disruption(problem, placement))
        improvements.append(improvement)
        if options.on_improvement:
            options.on_improvement(improvement)

    def tier_bound(rank: int, counts: Sequence[int]) -> Bound:
        """The best bound on a tier that takes no search under all the constraints."""
        plain, whole = relaxed.counting.bound(rank, counts), gangs.bound(rank, counts)
        better = whole if whole is not None and whole.value < plain.value else plain
        return Bound(better.value + fixed[priorities[rank]], better.evidence)

    standing = relaxed.incumbent.placed
    stands_best = bool(problem.constraints.gangs) and all(
        standing[rank] + fixed[p] == tier_bound(rank, standing).value for rank, p in enumerate(priorities)
    )
    if not (options.pending_only or options.consolidate or stands_best):
        relaxed.run()
        placement = relaxed.incumbent.copy().placement()
        if not violations(problem, placement):
            if _unknown(problem) and not any(c.preference for c in problem.classes):
                if relaxed.is_proven:
                    return of_search(problem, relaxed, options, start)
                longer = relaxed.resumed(deadline)
                longer.run()
                if not violations(problem, longer.incumbent.copy().placement()):
                    return of_search(problem, longer, options, start)
            incumbent = placement
            if (placement != problem.standing_counts).any():
                note(placement)

    def counted(score: Score) -> tuple[int, ...]:
        return tuple(score.placed[problem.priorities.index(p)] - fixed[p] for p in priorities)

    def stage_bound(stage: Stage, score: Score) -> float:
        if stage.kind == "tier" and stage.priority in priorities:
            return tier_bound(priorities.index(stage.priority), counted(score)).value
        if stage.kind == "disruption" and relaxed.moving.placed == counted(score):
            return float(relaxed.moving.bound.value)
        return float("inf") if stage.maximised else 0.0

    result = solve_constrained(
        problem,
        incumbent.copy(),
        # nothing can be better than what stands: the stages only need to be closed
        start if stands_best and not any(c.preference for c in problem.classes) else deadline,
        options.clock,
        seed=options.seed,
        threads=options.threads,
        consolidate=options.consolidate,
        keep_standing=options.pending_only,
        stage_bound=stage_bound,
        on_better=note,
    )
    placed = placed_per_tier(problem, result.placement)
    best = (placed, -disruption(problem, result.placement))
    before = max(((i.placed, -i.disruption) for i in improvements), default=(placed_per_tier(problem, incumbent), 0))
    if best > before:
        note(result.placement)
    counts = tuple(placed[problem.priorities.index(p)] - fixed[p] for p in priorities)
    known = {priority: tier_bound(rank, counts) for rank, priority in enumerate(priorities)}
    least = relaxed.moving.bound if relaxed.moving.placed == counts else Bound(0, Evidence("trivial"))
    return of_exact(problem, result, known, least, tuple(improvements), options, start)

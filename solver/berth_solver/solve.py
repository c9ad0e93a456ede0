"""One problem in, the best placement found within the budget and what is proven about it out."""

from __future__ import annotations

import numpy as np

from berth_solver.options import Options
from berth_solver.problem import Problem
from berth_solver.solution import Evidence, Improvement, Solution, StageResult, TierResult


def solve(problem: Problem, options: Options | None = None) -> Solution:
    """The best placement by strict priority; see `Solution` for what comes with it. Never fails for lack of time."""
    options = options or Options()
    start = options.clock()
    placement = problem.standing_counts.copy()
    if not problem.constraints:
        _place_greedily(problem, placement)
    placed = placement.sum(axis=1)
    tiers = tuple(
        TierResult(
            priority,
            pods := int(sum(problem.totals[c] for c in members)),
            int(sum(placed[c] for c in members)),
            pods,
            Evidence("trivial"),
        )
        for priority in problem.priorities
        if (members := [c for c, k in enumerate(problem.classes) if k.priority == priority]) is not None
    )
    elapsed = options.clock() - start
    return Solution(
        placement,
        tiers,
        StageResult(0, 0, Evidence("trivial")),
        StageResult(0, 0, Evidence("trivial")),
        improvements=(Improvement(elapsed, tuple(t.placed for t in tiers), 0),),
        elapsed_seconds=elapsed,
    )


def _place_greedily(problem: Problem, placement: np.ndarray) -> None:  # type: ignore[type-arg]
    free = problem.capacity - placement.T @ problem.requests
    for c in sorted(range(len(problem.classes)), key=lambda c: -problem.classes[c].priority):
        for _ in range(problem.classes[c].pending):
            fits = (free >= problem.requests[c]).all(axis=1) & problem.eligibility[c] & ~problem.overloaded
            if not fits.any():
                break
            n = int(np.flatnonzero(fits)[0])
            placement[c, n] += 1
            free[n] -= problem.requests[c]

"""One problem in, the best placement found within the budget and what is proven about it out."""

from __future__ import annotations

import numpy as np

from berth_solver.options import Options
from berth_solver.problem import Problem
from berth_solver.search import Search
from berth_solver.solution import Evidence, Solution, StageResult, TierResult
from berth_solver.state import make_ground

FINISHING_SECONDS = 0.004
"""Kept back for turning the search's state into an answer."""


def solve(problem: Problem, options: Options | None = None) -> Solution:
    """The best placement by strict priority; see `Solution` for what comes with it. Never fails for lack of time."""
    options = options or Options()
    start = options.clock()
    deadline = start + options.budget - FINISHING_SECONDS
    ground = make_ground(problem)
    search = Search(ground, options, start, deadline)
    search.run()
    placement = search.best.placement()
    tiers = []
    fixed = dict.fromkeys(problem.priorities, 0)
    for c, pod_class in enumerate(problem.classes):
        if not pod_class.movable:
            fixed[pod_class.priority] += int(problem.totals[c])
    ranks = {p: r for r, p in enumerate(ground.priorities)}
    for priority in problem.priorities:
        extra = fixed[priority]
        if priority not in ranks:
            tiers.append(TierResult(priority, extra, extra, extra, Evidence("trivial")))
            continue
        rank = ranks[priority]
        bound = search.count_bound(rank)
        tiers.append(
            TierResult(
                priority, search.totals[rank] + extra, search.placed[rank] + extra, bound.value + extra, bound.evidence
            )
        )
    preference = float(sum(v * placement[c, n] for c, k in enumerate(problem.classes) for n, v in k.preference))
    most = float(
        sum(
            max((v for _, v in k.preference), default=0.0) * int(n)
            for k, n in zip(problem.classes, placement.sum(axis=1), strict=True)
        )
    )
    return Solution(
        np.asarray(placement, np.int64),
        tuple(tiers),
        StageResult(search.disruption, search.moves_bound.value, search.moves_bound.evidence),
        StageResult(preference, most, Evidence("trivial")),
        improvements=tuple(search.improvements),
        elapsed_seconds=options.clock() - start,
    )

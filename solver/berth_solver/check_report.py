"""Are the counts and values that a solution reports those of its placement? Part of the verifier."""

from __future__ import annotations

import numpy as np

from berth_solver.check_placement import Violation, ViolationCode, disruption_of
from berth_solver.check_stages import nodes_in_use_of, preference_of
from berth_solver.problem import BoolArray, Problem
from berth_solver.solution import Solution

TOLERANCE = 1e-6
"""Preference is a sum of floats: relative difference that is only rounding."""


def wrong_counts(problem: Problem, solution: Solution) -> list[Violation]:
    reported = [t.priority for t in solution.tiers]
    if tuple(reported) != problem.priorities:
        message = f"tiers {reported} are reported, the problem has {list(problem.priorities)}"
        return [Violation(ViolationCode.WRONG_COUNT, message)]
    found = []
    placed = solution.placement.sum(axis=1)
    for tier in solution.tiers:
        members = members_of(problem, tier.priority)
        for what, said, is_so in (
            ("pods", tier.pods, int(problem.totals[members].sum())),
            ("pods placed", tier.placed, int(placed[members].sum())),
        ):
            if said != is_so:
                message = f"tier {tier.priority}: {said} {what} are reported, there are {is_so}"
                found.append(Violation(ViolationCode.WRONG_COUNT, message))
    return found


def wrong_values(problem: Problem, solution: Solution) -> list[Violation]:
    in_use = solution.nodes_in_use
    found = []
    for stage, said, is_so in (
        ("disruption", solution.disruption.value, float(disruption_of(problem, solution.placement))),
        ("preference", solution.preference.value, preference_of(problem, solution.placement)),
        ("nodes in use", None if in_use is None else in_use.value, float(nodes_in_use_of(problem, solution.placement))),
    ):
        if said is not None and not abs(said - is_so) <= TOLERANCE * max(1.0, abs(is_so)):
            found.append(Violation(ViolationCode.WRONG_VALUE, f"{stage}: {said} is reported, it is {is_so}"))
    return found


def members_of(problem: Problem, priority: int) -> BoolArray:
    return np.array([c.priority == priority for c in problem.classes], np.bool_)

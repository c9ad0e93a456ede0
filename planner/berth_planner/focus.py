"""One pod alone (or one gang) against the cluster: would it fit, what would it cost, and is that proven?

Two small problems answer. First the pod at its own priority, all other pending pods forgotten: placed, it fits at the cost
of the moves found. If not, the pod above everybody: placed, it fits but takes the place of somebody as important; and if
not even that can be, its bound of zero is the proof that no placement exists, whatever moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from berth_api.reasons import Reason
from berth_planner.answers import solved
from berth_planner.options import PlanOptions
from berth_planner.packing import Packing
from berth_planner.problem_variants import focused
from berth_solver.problem import IntArray, Problem
from berth_solver.solution import Solution


@dataclass(frozen=True, slots=True)
class Finding:
    """code: FitsNow, FitsAfterMoves, HigherPriorityFirst, NoPlacementExists or NotProven, for the pod alone."""

    code: Reason
    proven: bool
    moves: int = 0
    evictions: int = 0


def look_alone(packing: Packing, wanted: Mapping[int, int], options: PlanOptions, seconds: float) -> Finding:
    """Can the wanted pods (class -> how many, all of them) be placed if nobody else waits? Half the time a question."""
    problem = packing.problem
    if any(_fits_nowhere(problem, c) for c in wanted):
        return Finding(Reason.NO_PLACEMENT_EXISTS, proven=True)
    alone = replace(options, budget=seconds / 2, consolidate=False, pending_only=False, on_improvement=None)
    count = sum(wanted.values())
    first = solved(focused(problem, wanted), alone)
    if _placed(first.placement, len(wanted)) == count:
        moves, evictions = _cost(problem, first.placement)
        return Finding(Reason.FITS_AFTER_MOVES if moves or evictions else Reason.FITS_NOW, True, moves, evictions)
    top = max(problem.priorities) + 1
    second = solved(focused(problem, wanted, priority=top), alone)
    if _placed(second.placement, len(wanted)) == count:
        moves, evictions = _cost(problem, second.placement)
        own = max(problem.classes[c].priority for c in wanted)
        return Finding(Reason.HIGHER_PRIORITY_FIRST, _is_proven_down_to(first, own), moves, evictions)
    if second.tiers[0].bound < count:
        return Finding(Reason.NO_PLACEMENT_EXISTS, proven=True)
    return Finding(Reason.NOT_PROVEN, proven=False)


def _fits_nowhere(problem: Problem, c: int) -> bool:
    """No node that is open to the class is large enough even when everything movable is gone from it."""
    large = (problem.capacity >= problem.requests[c]).all(axis=1)
    return not bool((large & problem.eligibility[c]).any())


def _placed(placement: IntArray, copies: int) -> int:
    return int(placement[-copies:].sum())


def _cost(problem: Problem, placement: IntArray) -> tuple[int, int]:
    """(moves, evictions) of running pods in the placement of a focused problem."""
    standing = problem.standing_counts
    now = placement[: len(standing)]
    left = int((standing - now).clip(min=0).sum())
    lost = int((standing.sum(axis=1) - now.sum(axis=1)).clip(min=0).sum())
    return left - lost, lost


def _is_proven_down_to(solution: Solution, priority: int) -> bool:
    return all(t.placed == t.bound for t in solution.tiers if t.priority >= priority)

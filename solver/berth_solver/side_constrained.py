"""Problems with side constraints from one end to the other: neighbourhood search and exact model, each where it is good.

Up to a few hundred variables the exact model answers by itself. Up to a few thousand, neighbourhood search makes the
incumbent first, since CP-SAT proves and finishes much faster from a good one: a 20-node, 740-variable problem with two
gangs is proven in 9 s from the standing placement, of which the search takes the counts to their optimum in under 1 s.
Beyond, neighbourhood search has all the time, and the bounds are those handed in.
"""

from __future__ import annotations

from collections.abc import Callable

from berth_solver.constrained import improve_constrained
from berth_solver.exact import ExactResult, StageBound, check_incumbent, predicted_variables, solve_exact
from berth_solver.insertion import insert_pending
from berth_solver.occupancy import Occupancy
from berth_solver.problem import IntArray, Problem
from berth_solver.rules import Rules
from berth_solver.score import score

EXACT_ALONE = 300
"""Variables up to which the exact model needs no help."""
EXACT_AT_MOST = 4_000
SHARE_OF_NEIGHBOURHOODS = 0.4
"""Of the time, between the two sizes; what it does not use goes to the exact model."""
FINISHING_FACTOR = 1.5
"""Time kept back for the last look at a large placement, by how long the first look took."""
EXACT_THREADS = 1
"""One thread is as quick as two at these sizes, and always gives the same answer."""


def solve_constrained(
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
    rules: Rules | None = None,
    on_better: Callable[[IntArray], None] | None = None,
) -> ExactResult:
    """The best placement found by `deadline` (a time of `clock`), never worse than `incumbent`, and what is proven."""
    rules = rules or Rules.of(problem)

    def improve(placement: IntArray, until: float, place: bool) -> IntArray:
        return improve_constrained(
            problem,
            placement,
            until,
            clock,
            seed=seed,
            threads=threads,
            consolidate=consolidate,
            keep_standing=keep_standing,
            place=place,
            rules=rules,
            on_better=on_better,
        )

    variables = predicted_variables(problem, EXACT_AT_MOST)
    if variables > EXACT_AT_MOST:
        start = clock()
        score(problem, incumbent, consolidate)  # what remains to be done in the end, measured
        placement = improve(incumbent, deadline - FINISHING_FACTOR * (clock() - start), place=True)
    elif variables > EXACT_ALONE:
        now = clock()
        placement = improve(incumbent, now + SHARE_OF_NEIGHBOURHOODS * (deadline - now), place=True)
    else:
        placement = _filled(rules, incumbent, deadline, clock, on_better)
    return solve_exact(
        problem,
        placement,
        deadline,
        clock,
        seed=seed,
        threads=EXACT_THREADS,
        consolidate=consolidate,
        keep_standing=keep_standing,
        stage_bound=stage_bound,
        polish=lambda better, until: improve(better, until, place=False),
        largest=EXACT_AT_MOST,
        checked=True,
        rules=rules,
    )


def _filled(
    rules: Rules,
    incumbent: IntArray,
    deadline: float,
    clock: Callable[[], float],
    on_better: Callable[[IntArray], None] | None,
) -> IntArray:
    """The incumbent with what fits as things stand: the first answer, after a millisecond or two."""
    check_incumbent(rules, incumbent)
    occupancy = Occupancy(rules, incumbent)
    if insert_pending(occupancy, deadline, clock) and on_better is not None:
        on_better(occupancy.placement)
    return occupancy.placement

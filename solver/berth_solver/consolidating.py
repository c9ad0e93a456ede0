"""`solve` when consolidation is asked for: counts first, then the fewest nodes at them, then the least disruption.

The counts are those of `solve` without consolidation, which costs milliseconds where nothing waits. What follows is the
compiled consolidation; constraints that it does not know are kept by emptying nodes under them first, and by refusing what
breaks them after. Tiny problems are for the exact search, which proves more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from berth_solver.answer import most_preference
from berth_solver.consolidate import consolidate
from berth_solver.emptying_under_rules import empty_under_rules
from berth_solver.feasible import violations
from berth_solver.options import Options
from berth_solver.problem import IntArray, Problem
from berth_solver.rules import Rules
from berth_solver.solution import Improvement, Solution
from berth_solver.state import State, make_ground, unknown_constraints

COUNTING_SHARE = 0.4
"""Of the budget for the counts at most; what they do not use is left for consolidation."""
RULES_SHARE = 0.4
"""Of the time after that for emptying nodes under rules that the compiled search does not know."""


def solve_consolidating(
    problem: Problem, options: Options, start: float, deadline: float, solve: Callable[[Problem, Options], Solution]
) -> Solution:
    """`solve`: for the counts, called without consolidation. Times are of the options' clock."""
    clock = options.clock
    budget = COUNTING_SHARE * max(0.0, deadline - clock())
    counted = solve(problem, replace(options, consolidate=False, budget=budget))
    placement = counted.placement
    accepts: Callable[[IntArray], bool] | None = None
    if _has_unknown_rules(problem):
        rules = Rules.of(problem)
        now = clock()
        placement = empty_under_rules(problem, placement, clock, now + RULES_SHARE * (deadline - now), rules)

        def keeps_all(found: IntArray) -> bool:
            return not violations(problem, found, rules)

        accepts = keeps_all
    ground = make_ground(problem)
    state = State.of(ground, placement, options.seed)
    result = consolidate(ground, state, clock, deadline, options.seed, options.threads, accepts)
    placement = result.state.placement()
    seconds = clock() - start
    placed = tuple(t.placed for t in counted.tiers)
    found = (placement != counted.placement).any()
    improvements = counted.improvements
    if found:
        improvements = (*improvements, Improvement(seconds, placed, int(result.disruption.value)))
        if options.on_improvement:
            options.on_improvement(improvements[-1])
    return replace(
        counted,
        placement=placement,
        disruption=result.disruption,
        preference=most_preference(problem, placement),
        nodes_in_use=result.nodes_in_use,
        improvements=improvements,
        elapsed_seconds=clock() - start,
    )


def _has_unknown_rules(problem: Problem) -> bool:
    """Whether there are constraints beyond what consolidation knows: limits that are capacities, budgets and caps."""
    rest = replace(unknown_constraints(problem), budgets=(), max_disruption=None, max_evictions=None)
    return bool(rest)

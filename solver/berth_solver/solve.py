"""One problem in, the best placement found within the budget and what is proven about it out.

Capacity, eligibility and limits of single nodes are what the compiled search knows (`search`). Problems with further
constraints or wishes go through `with_constraints`, which uses it as a relaxation.
"""

from __future__ import annotations

from berth_solver.answer import of_search
from berth_solver.options import Options
from berth_solver.problem import Problem
from berth_solver.search import Search
from berth_solver.solution import Solution
from berth_solver.state import make_ground, unknown_constraints

EXACT_VARIABLES = 300
"""Up to so many pairs of class and node a consolidation is left to the exact search, which proves more."""
FINISHING_SECONDS = 0.004
"""Kept back for turning the search's state into an answer ..."""
FINISHING_SECONDS_PER_CELL = 6e-9
"""... and more for each class and node."""


def solve(problem: Problem, options: Options | None = None) -> Solution:
    """The best placement by strict priority; see `Solution` for what comes with it. Never fails for lack of time."""
    options = options or Options()
    start = options.clock()
    cells = len(problem.classes) * len(problem.nodes)
    deadline = (
        start + options.budget - min(0.2 * options.budget, FINISHING_SECONDS + FINISHING_SECONDS_PER_CELL * cells)
    )
    if options.consolidate and not options.pending_only and not _is_tiny(problem):
        from berth_solver.consolidating import solve_consolidating

        return solve_consolidating(problem, options, start, deadline, solve)
    if options.pending_only or options.consolidate or not _is_plain(problem):
        # loads CP-SAT, which a plain problem does without
        from berth_solver.with_constraints import ConstrainedSearch

        return ConstrainedSearch(problem, options, start, deadline).run()
    search = Search(make_ground(problem), options, start, deadline)
    search.run()
    return of_search(problem, search, options, start)


def _is_tiny(problem: Problem) -> bool:
    """Whether the exact search alone proves every stage in a moment."""
    from berth_solver.exact import predicted_variables

    return predicted_variables(problem, EXACT_VARIABLES + 1) <= EXACT_VARIABLES


def _is_plain(problem: Problem) -> bool:
    """Whether the compiled search knows every constraint and wish."""
    return not unknown_constraints(problem) and not any(c.preference for c in problem.classes)

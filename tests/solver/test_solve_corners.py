"""Small problems on which an answer once went wrong: each is the least that shows it."""

from __future__ import annotations

import pytest

from berth_solver.options import Options
from berth_solver.problem import MAX_MOVE_COST, Constraints, Limit, PodClass, ProblemError
from berth_solver.solve import solve
from berth_solver.verify import verify
from berth_solver.warm import warm

from .problems import make_problem

QUICK = Options(budget=0.5, threads=1)


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Loading is not solving: no budget below is spent on it."""
    warm()


def test_a_node_that_holds_too_many_takes_a_new_pod_once_enough_have_left() -> None:
    """Two of the three go elsewhere, and the limit has room: no bound may say otherwise."""
    first_node = Constraints(limits=(Limit(frozenset({0, 1}), (0, -1), 2),))
    crowd = PodClass("crowd", 1, (1,))
    picky = PodClass("picky", 0, (1,), pending=1, eligible=frozenset({0}))
    problem = make_problem([[9], [9]], [crowd, picky], [(0, 0, 3)], first_node)
    solution = solve(problem, QUICK)
    assert verify(problem, solution).violations == ()
    assert [t.placed for t in solution.tiers] == [3, 1]
    assert solution.disruption.value == 2


def test_where_immovable_pods_use_a_limit_up_nobody_comes() -> None:
    each_node = Constraints(limits=(Limit(frozenset({0, 1}), (0, 1), 1),))
    rock = PodClass("rock", 5, (0,), movable=False)
    new = PodClass("new", 0, (1,), pending=2)
    problem = make_problem([[9], [9]], [rock, new], [(0, 0, 1)], each_node)
    solution = solve(problem, QUICK)
    assert verify(problem, solution).is_proven
    assert [(t.placed, t.bound) for t in solution.tiers] == [(1, 1), (1, 1)]


def test_the_dearest_moves_are_proven_too_and_dearer_ones_refused() -> None:
    """Prices of a million a pod, over the scale of the evidence, still are in the verifier's range."""
    runs, waits = PodClass("runs", 0, (6,), move_cost=MAX_MOVE_COST), PodClass("waits", 1, (7,), pending=1)
    problem = make_problem([[12], [4]], [runs, waits], [(0, 0, 1)])
    solution = solve(problem, QUICK)
    assert verify(problem, solution).is_proven
    assert (solution.disruption.value, solution.disruption.bound) == (MAX_MOVE_COST, MAX_MOVE_COST)
    with pytest.raises(ProblemError, match="move_cost"):
        make_problem([[12]], [PodClass("x", 0, (6,), move_cost=MAX_MOVE_COST + 1)])

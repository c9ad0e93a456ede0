"""Small problems on which an answer once went wrong: each is the least that shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from berth_solver.options import Options
from berth_solver.problem import MAX_MOVE_COST, Constraints, Gang, Limit, PodClass, ProblemError, Spread
from berth_solver.solution import Evidence, StageResult
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


def test_huge_amounts_do_not_lead_the_exact_search_astray() -> None:
    """Bytes that share no divisor: with such coefficients CP-SAT's presolve called one pod too few the optimum."""
    classes = [
        PodClass("c0", 1, (15942959485454, 2168982464764, 7313558), 2),
        PodClass("c1", 2, (5545807654810, 1982433971166, 3673292), 1),
        PodClass("c2", 2, (12620957854806, 1922221989225, 8795259), 1),
        PodClass("c3", 2, (7822821204602, 1893118126003, 565860), 2, move_cost=2),
        PodClass("c4", 3, (207782626318, 1534996703710, 2653794)),
        PodClass("c5", 3, (564090472908, 2705005162015, 1956157), 4),
    ]
    rules = Constraints(
        spreads=(Spread(frozenset({1, 4}), (0, 1), 1, frozenset({0, 1, 2, 3})),),
        gangs=(Gang(frozenset({0, 3, 4, 5}), 3, "g"),),
        max_disruption=1,
    )
    nodes = [[26772565642860, 8252980434355, 27947781], [28756141648289, 7259134873853, 29732005]]
    stand = [(0, 1, 1), (0, 0, 1), (1, 0, 1), (3, 1, 1), (4, 0, 2), (4, 1, 2)]
    solution = solve(make_problem(nodes, classes, stand, rules), QUICK)
    assert solution.tiers[0].placed == 5


def test_a_search_too_deep_for_the_stack_is_not_confirmed_and_no_error() -> None:
    """A level for each of 1,200 cells; everybody likes the last node, which has room for one pod."""
    likes = ((39, 1.0),)
    classes = [PodClass(f"c{c}", 0, (1,), 1, preference=likes) for c in range(30)]
    problem = make_problem([[1]] * 40, classes)
    solution = solve(problem, QUICK)
    told = replace(solution, preference=StageResult(1.0, 1.0, Evidence("exhausted")))
    verification = verify(problem, told, seconds=1.0)
    assert verification.violations == ()

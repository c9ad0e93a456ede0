"""Neighbourhood search under side constraints: never worse, every rule kept, and the moves a person would expect."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from berth_solver.check_placement import placement_violations
from berth_solver.constrained import improve_constrained
from berth_solver.exact import InfeasibleIncumbentError
from berth_solver.insertion import insert_pending
from berth_solver.occupancy import Occupancy
from berth_solver.problem import Budget, Constraints, Exclusion, Gang, IntArray, Limit, PodClass, Problem, Spread
from berth_solver.rules import Rules
from berth_solver.score import disruption, nodes_in_use, placed_per_tier, preference, score
from berth_solver.side_constrained import solve_constrained

from .problems import make_problem, problems

some = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
AMPLE = 20.0


def improve(problem: Problem, seconds: float = AMPLE, **options: bool | int) -> IntArray:
    start = time.perf_counter()
    return improve_constrained(problem, problem.standing_counts, start + seconds, time.perf_counter, **options)  # type: ignore[arg-type]


@some
@given(problems(max_nodes=6, max_classes=6, max_pods=4, constrained=True))
def test_the_answer_keeps_every_rule_and_is_never_worse(problem: Problem) -> None:
    for options in ({}, {"consolidate": True}, {"keep_standing": True}):
        placement = improve(problem, **options)
        assert placement_violations(problem, placement) == []
        consolidate = "consolidate" in options
        before = score(problem, problem.standing_counts, consolidate)
        assert not before.is_better_than(score(problem, placement, consolidate))
        if "keep_standing" in options:
            assert (placement >= problem.standing_counts).all()


@some
@given(problems(max_nodes=6, max_classes=6, max_pods=4))
def test_the_same_seed_gives_the_same_answer(problem: Problem) -> None:
    assert (improve(problem, seed=7, threads=2) == improve(problem, seed=7, threads=2)).all()


@some
@given(problems(max_nodes=6, max_classes=6, max_pods=4))
def test_insertion_fills_up_and_breaks_nothing(problem: Problem) -> None:
    occupancy = Occupancy(Rules.of(problem), problem.standing_counts)
    insert_pending(occupancy, 1.0, lambda: 0.0)
    assert placement_violations(problem, occupancy.placement) == []
    assert (occupancy.placement >= problem.standing_counts).all()
    for c in range(len(problem.classes)):
        if not occupancy.rules.gangs_of[c] and not occupancy.rules.domain_rules_of[c]:
            assert not occupancy.insertable(c).any()


def fragmented(nodes: int, gangs: int, **rules: object) -> Problem:
    """Nodes of 8 GPUs with a 4-GPU pod on each, all of one workload, and gangs of whole nodes that wait."""
    small = PodClass("small", 0, (4,))
    waiting = [PodClass(f"gang-{g}", 1, (8,), pending=nodes // 4) for g in range(gangs)]
    wholes = tuple(Gang(frozenset({g + 1}), nodes // 4) for g in range(gangs))
    constraints = Constraints(gangs=wholes, **rules)  # type: ignore[arg-type]
    return make_problem([[8]] * nodes, [small, *waiting], [(0, n, 1) for n in range(nodes)], constraints)


def test_a_gang_gets_whole_nodes_and_what_stood_there_is_moved_together() -> None:
    problem = fragmented(16, gangs=1)
    placement = improve(problem)
    assert placed_per_tier(problem, placement) == (4, 16)
    assert disruption(problem, placement) == 4


def test_gangs_displace_what_is_less_important_and_one_too_many_is_not_begun() -> None:
    problem = fragmented(8, gangs=5)
    placement = improve(problem)
    assert placed_per_tier(problem, placement) == (8, 0)
    assert sorted(placement[1:].sum(axis=1).tolist()) == [0, 2, 2, 2, 2]


def test_pods_that_make_way_obey_their_budget() -> None:
    problem = fragmented(16, gangs=1, budgets=(Budget(frozenset({0}), 3),))
    placement = improve(problem)
    assert placed_per_tier(problem, placement) == (0, 16)
    assert disruption(problem, placement) == 0


def test_moves_that_an_incumbent_makes_for_nothing_are_undone() -> None:
    web = PodClass("web", 0, (1,))
    apart = Constraints(limits=(Limit(frozenset({0}), tuple(range(12)), 1),))
    problem = make_problem([[2]] * 12, [web], [(0, n, 1) for n in range(6)], apart)
    shifted = np.roll(problem.standing_counts, 6, axis=1)
    start = time.perf_counter()
    placement = improve_constrained(problem, shifted, start + AMPLE, time.perf_counter)
    assert (placement == problem.standing_counts).all()


def test_a_swap_that_no_single_move_can_undo_is_undone() -> None:
    a, b = PodClass("a", 0, (2,)), PodClass("b", 0, (2,))
    zones = Constraints(spreads=(Spread(frozenset({0}), (0, 0, 1, 1), 1), Spread(frozenset({1}), (0, 0, 1, 1), 1)))
    problem = make_problem([[2]] * 4, [a, b], [(0, 0, 1), (1, 1, 1), (0, 2, 1), (1, 3, 1)], zones)
    swapped = problem.standing_counts[[1, 0]]
    placement = improve_constrained(problem, swapped, time.perf_counter() + AMPLE, time.perf_counter)
    assert disruption(problem, placement) == 0


def test_new_pods_go_where_they_are_preferred_and_nobody_is_moved_for_it() -> None:
    liked = tuple((n, 1.0) for n in (2, 3))
    new, old = PodClass("new", 0, (1,), pending=4, preference=liked), PodClass("old", 0, (1,), preference=((3, 1.0),))
    apart = Constraints(exclusions=(Exclusion(frozenset({0}), frozenset({1}), (0, 1, 2, 3)),))
    problem = make_problem([[4]] * 4, [new, old], [(1, 0, 2)], apart)
    placement = improve(problem)
    assert (preference(problem, placement), disruption(problem, placement)) == (4.0, 0)


def test_consolidation_empties_nodes_as_far_as_rules_allow() -> None:
    lone, other = PodClass("lone", 0, (1,)), PodClass("other", 0, (1,))
    apart = Constraints(limits=(Limit(frozenset({0}), tuple(range(6)), 1),))
    problem = make_problem([[4]] * 6, [lone, other], [(0, 0, 1), (0, 1, 1), (0, 2, 1), (1, 3, 1), (1, 4, 1)], apart)
    placement = improve(problem, consolidate=True)
    assert nodes_in_use(problem, placement) == 3
    assert disruption(problem, placement) == 2


def test_the_incumbent_stands_when_there_is_no_time() -> None:
    problem = fragmented(8, gangs=1)
    placement = improve_constrained(problem, problem.standing_counts, 0.0, lambda: 1.0)
    assert (placement == problem.standing_counts).all()


def test_each_better_placement_is_told_at_once() -> None:
    problem, told = fragmented(8, gangs=1), []
    improve_constrained(
        problem,
        problem.standing_counts,
        time.perf_counter() + AMPLE,
        time.perf_counter,
        on_better=lambda placement: told.append(score(problem, placement)),
    )
    assert told
    assert all(later.is_better_than(earlier) for earlier, later in pairwise(told))


def test_an_incumbent_that_breaks_a_rule_is_refused() -> None:
    problem = make_problem(
        [[8]] * 8, [PodClass("gang", 0, (4,), pending=4)], (), Constraints(gangs=(Gang(frozenset({0}), 4),))
    )
    torn = np.array([[1] + [0] * 7], np.int64)
    with pytest.raises(InfeasibleIncumbentError, match="gang"):
        improve_constrained(problem, torn, 1.0, lambda: 0.0)


# From one end to the other


@some
@given(problems())
def test_small_problems_are_proven_in_every_stage(problem: Problem) -> None:
    start = time.perf_counter()
    result = solve_constrained(problem, problem.standing_counts, start + AMPLE, time.perf_counter)
    assert placement_violations(problem, result.placement) == []
    assert all(outcome.proven for outcome in result.outcomes)


def test_a_mid_sized_problem_is_proven_from_the_incumbent_of_the_neighbourhood_search() -> None:
    problem = fragmented(20, gangs=2)  # 600 pairs, more than the exact model is left alone with
    start = time.perf_counter()
    result = solve_constrained(problem, problem.standing_counts, start + AMPLE, time.perf_counter, threads=2)
    values = [(o.stage.kind, o.value, o.proven) for o in result.outcomes]
    assert values == [("tier", 10, True), ("tier", 20, True), ("disruption", 10, True)]

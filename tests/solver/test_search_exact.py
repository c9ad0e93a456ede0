"""The exact search and what it stands on: the check of a placement, where one more pod may go, the CP-SAT model."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from berth_solver.cpsat import Linear
from berth_solver.cpsat_model import Neighbourhood, PackingModel
from berth_solver.exact import ExactResult, InfeasibleIncumbentError, Stage, solve_exact
from berth_solver.feasible import insertable_nodes, keeps_rules, violations
from berth_solver.occupancy import Occupancy
from berth_solver.problem import (
    Affinity,
    Budget,
    Constraints,
    Exclusion,
    Gang,
    IntArray,
    Limit,
    PodClass,
    Problem,
    Spread,
)
from berth_solver.rules import Rules
from berth_solver.score import Score, disruption, placed_per_tier, score

from .brute_force import BruteForce, TooLargeError, counts_of, keeps_the_rules, value_of
from .problems import make_problem, placements, problems

many = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
AMPLE = 60.0


def exact(problem: Problem, seconds: float = AMPLE, **options: bool | int) -> ExactResult:
    start = time.perf_counter()
    return solve_exact(problem, problem.standing_counts, start + seconds, time.perf_counter, **options)  # type: ignore[arg-type]


def placed(problem: Problem, **options: bool | int) -> tuple[int, ...]:
    return placed_per_tier(problem, exact(problem, **options).placement)


# The check of a placement, and single insertions


@many
@given(st.data(), problems(max_nodes=4, max_classes=4))
def test_the_check_finds_a_violation_exactly_where_the_text_says_so(data: st.DataObject, problem: Problem) -> None:
    placement = data.draw(placements(problem))
    assert (violations(problem, placement) == ()) == keeps_the_rules(problem, counts_of(placement))


@many
@given(st.data(), problems(max_nodes=4, max_classes=4))
def test_a_node_takes_one_more_pod_exactly_where_the_rules_hold_after_it(data: st.DataObject, problem: Problem) -> None:
    placement = data.draw(placements(problem))
    assume(keeps_the_rules(problem, counts_of(placement)))
    for c in range(len(problem.classes)):
        insertable = insertable_nodes(problem, placement, c)
        for n in range(len(problem.nodes)):
            after = placement.copy()
            after[c, n] += 1
            assert insertable[n] == keeps_the_rules(problem, counts_of(after)), (c, n)


@many
@given(st.data(), problems(max_nodes=4, max_classes=4))
def test_a_change_is_judged_like_the_whole_placement(data: st.DataObject, problem: Problem) -> None:
    before, after = problem.standing_counts, data.draw(placements(problem))
    changes = [(c, n, int(after[c, n] - before[c, n])) for c, n in np.argwhere(after != before).tolist()]
    occupancy = Occupancy(Rules.of(problem), before)
    for change in changes:
        occupancy.add(*change)
    assert keeps_rules(occupancy, changes) == keeps_the_rules(problem, counts_of(after))


# The exact search against trying everything


@many
@given(problems(), st.booleans())
def test_every_stage_reaches_the_optimum_and_proves_it(problem: Problem, consolidate: bool) -> None:
    try:
        optimum = BruteForce(problem).optimum(consolidate)
    except TooLargeError:
        assume(False)
    result = exact(problem, consolidate=consolidate)
    assert keeps_the_rules(problem, counts_of(result.placement))
    found = value_of(problem, counts_of(result.placement))
    assert (found.placed, found.disruption) == (optimum.placed, optimum.disruption)
    assert found.preference == pytest.approx(optimum.preference)
    assert not consolidate or found.nodes_in_use == optimum.nodes_in_use
    assert all(outcome.proven for outcome in result.outcomes)
    assert result.notes == ()


@many
@given(st.data(), problems())
def test_a_neighbourhood_is_solved_to_its_optimum_and_the_rest_stays(data: st.DataObject, problem: Problem) -> None:
    incumbent = data.draw(placements(problem))
    assume(keeps_the_rules(problem, counts_of(incumbent)))
    classes, nodes = incumbent.shape
    rows = st.lists(st.booleans(), min_size=nodes, max_size=nodes)
    free = np.array(data.draw(st.lists(rows, min_size=classes, max_size=classes)), np.bool_)
    model = PackingModel(
        Occupancy(Rules.of(problem), incumbent), Neighbourhood(np.arange(classes), np.arange(nodes), free)
    )
    model.hint(incumbent)
    model.cp.minimize(Linear().plus(model.tier(problem.priorities[0]), -1000).plus(model.disruption()))
    answer = model.cp.solve(AMPLE, 0, 1)
    assert answer.proven
    assert answer.values is not None
    found = model.placement(answer.values)
    assert keeps_the_rules(problem, counts_of(found))
    assert (found == incumbent)[~free].all()

    def cost(placement: IntArray) -> int:
        return disruption(problem, placement) - 1000 * placed_per_tier(problem, placement)[0]

    try:
        candidates = [np.array(counts, np.int64) for _, counts in BruteForce(problem).candidates]
    except TooLargeError:
        assume(False)
    within = [p for p in candidates if (p == incumbent)[~free].all() and keeps_the_rules(problem, counts_of(p))]
    assert cost(found) == answer.bound == min(cost(p) for p in within)


# Each rule by itself


def test_what_violates_a_rule_already_may_stay_and_takes_nothing_new() -> None:
    crowd = PodClass("crowd", 0, (1,), pending=1)
    one_a_node = Constraints(limits=(Limit(frozenset({0}), (0, 1), 1),))
    problem = make_problem([[9], [9]], [crowd], [(0, 0, 3)], one_a_node)
    assert exact(problem).placement.tolist() == [[3, 1]]


def test_a_gang_that_does_not_fit_whole_leaves_the_room_to_others() -> None:
    gang, other = PodClass("gang", 1, (4,), pending=3), PodClass("other", 0, (4,), pending=2)
    problem = make_problem([[4], [4]], [gang, other], (), Constraints(gangs=(Gang(frozenset({0}), 3),)))
    assert exact(problem).placement.sum(axis=1).tolist() == [0, 2]


def test_the_first_of_a_set_that_asks_for_itself_is_let_in_and_the_others_join_it() -> None:
    together = PodClass("together", 0, (1,), pending=3)
    problem = make_problem(
        [[2], [3], [2]], [together], (), Constraints(affinities=(Affinity(frozenset({0}), frozenset({0}), (0, 1, 2)),))
    )
    assert exact(problem).placement.tolist() == [[0, 3, 0]]


def test_pods_that_exclude_each_other_are_kept_apart_from_those_that_stand() -> None:
    loud, quiet = PodClass("loud", 1, (1,), pending=2), PodClass("quiet", 0, (1,))
    apart = Constraints(exclusions=(Exclusion(frozenset({0}), frozenset({1}), (0, 0, 1, 1)),))
    problem = make_problem([[1], [1], [1], [2]], [loud, quiet], [(1, 0, 1), (1, 2, 1)], apart)
    result = exact(problem)
    assert result.placement.sum(axis=1).tolist() == [2, 2]
    assert result.outcomes[-1].value == 1  # one quiet pod joins the other across the zones


def test_a_spread_class_waits_for_the_domain_that_is_behind() -> None:
    even = PodClass("even", 0, (1,), pending=5)
    problem = make_problem([[5], [1]], [even], (), Constraints(spreads=(Spread(frozenset({0}), (0, 1), 1),)))
    assert exact(problem).placement.tolist() == [[2, 1]]


def test_a_budget_bounds_how_many_are_moved() -> None:
    big, small = PodClass("big", 1, (4,), pending=2), PodClass("small", 0, (2,))
    standing = [(1, 0, 1), (1, 1, 1)]
    free = make_problem([[4], [4], [4]], [big, small], standing)
    held = make_problem([[4], [4], [4]], [big, small], standing, Constraints(budgets=(Budget(frozenset({1}), 0),)))
    assert placed(free) == (2, 2)
    assert placed(held) == (1, 2)


def test_pending_only_disturbs_nobody() -> None:
    big, small = PodClass("big", 1, (4,), pending=2), PodClass("small", 0, (2,))
    problem = make_problem([[4], [4], [4]], [big, small], [(1, 0, 1), (1, 1, 1)])
    result = exact(problem, keep_standing=True)
    assert result.placement.tolist() == [[0, 0, 1], [1, 1, 0]]


# Bounds, sizes and time


def test_requests_that_fill_53_bits_stay_exact() -> None:
    most = 1 << 53
    a, b = PodClass("a", 1, (most - 1,), pending=2), PodClass("b", 0, (1,), pending=3)
    result = exact(make_problem([[most], [most]], [a, b]))
    assert result.placement.sum(axis=1).tolist() == [2, 2]
    assert all(outcome.proven for outcome in result.outcomes)


def test_a_row_that_might_overflow_is_rounded_to_the_safe_side_and_proves_nothing() -> None:
    most = 1 << 53
    classes = [PodClass(f"c{k}", 0, (most - 2 * k - 1,), pending=1) for k in range(200)]
    problem = make_problem([[most], [most]], classes)
    assert not PackingModel(Occupancy(Rules.of(problem), problem.standing_counts)).exact
    tier = exact(problem).outcomes[0]
    assert (tier.value, tier.bound, tier.searched) == (2, 200, False)


def test_a_bound_that_is_met_costs_no_model() -> None:
    big = PodClass("big", 0, (3,), pending=2)
    problem = make_problem([[3]], [big])
    incumbent = np.array([[1]], np.int64)

    def known(stage: Stage, _: Score) -> float:
        return 1 if stage.kind == "tier" else 0

    result = solve_exact(problem, incumbent, AMPLE, lambda: 0.0, stage_bound=known, largest=0)
    assert all(o.proven and not o.searched for o in result.outcomes)
    assert result.notes == ()


def test_without_time_the_incumbent_is_the_answer_and_its_bounds_are_the_obvious_ones() -> None:
    small = PodClass("small", 0, (1,), pending=2)
    problem = make_problem([[3]], [small])
    result = solve_exact(problem, problem.standing_counts, 0.0, lambda: 1.0)
    assert result.placement.tolist() == [[0]]
    assert [(o.value, o.bound) for o in result.outcomes] == [(0, 2), (0, 0)]
    assert len(result.notes) == 1


def test_an_incumbent_that_breaks_a_rule_is_refused() -> None:
    problem = make_problem([[1]], [PodClass("big", 0, (2,), pending=1)])
    with pytest.raises(InfeasibleIncumbentError, match="capacity 'n0'"):
        solve_exact(problem, np.array([[1]], np.int64), AMPLE, lambda: 0.0)


@many
@given(problems(max_nodes=5, max_classes=6, max_pods=4), st.floats(0.0, 0.02))
def test_however_little_time_there_is_the_answer_is_sound(problem: Problem, seconds: float) -> None:
    before = score(problem, problem.standing_counts)
    result = exact(problem, seconds)
    assert violations(problem, result.placement) == ()
    assert not before.is_better_than(score(problem, result.placement))
    for outcome in result.outcomes:
        if outcome.stage.maximised:
            assert outcome.value <= outcome.bound + 1e-9
        else:
            assert outcome.value >= outcome.bound - 1e-9

"""The exact search and what it stands on: the check of a placement, where one more pod may go, the CP-SAT model."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from berth_solver.check_placement import placement_violations
from berth_solver.cpsat import Linear
from berth_solver.cpsat_counts import Neighbourhood
from berth_solver.cpsat_model import PackingModel
from berth_solver.exact import ExactResult, InfeasibleIncumbentError, Stage, solve_exact
from berth_solver.feasible import insertable_nodes, keeps_rules, violations
from berth_solver.occupancy import Occupancy
from berth_solver.problem import (
    NO_DOMAIN,
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

from .brute_force import BruteForce, TooLargeError, Value, counts_of, value_of
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


def keeps(problem: Problem, placement: IntArray) -> bool:
    """The judge: the verifier's reading of the rules, which shares no code with the search."""
    return not placement_violations(problem, placement)


def all_placements(problem: Problem) -> list[tuple[Value, IntArray]]:
    """Every placement that keeps the rules, with its value."""
    try:
        candidates = [(value, np.array(counts, np.int64)) for value, counts in BruteForce(problem).candidates]
    except TooLargeError:
        assume(False)
    return [(value, placement) for value, placement in candidates if keeps(problem, placement)]


# The check of a placement, and single insertions


@many
@given(st.data(), problems(max_nodes=4, max_classes=4))
def test_the_check_finds_a_violation_exactly_where_the_text_says_so(data: st.DataObject, problem: Problem) -> None:
    placement = data.draw(placements(problem))
    assert (violations(problem, placement) == ()) == keeps(problem, placement)


@many
@given(st.data(), problems(max_nodes=4, max_classes=4))
def test_a_node_takes_one_more_pod_exactly_where_the_rules_hold_after_it(data: st.DataObject, problem: Problem) -> None:
    placement = data.draw(placements(problem))
    assume(keeps(problem, placement))
    for c in range(len(problem.classes)):
        insertable = insertable_nodes(problem, placement, c)
        for n in range(len(problem.nodes)):
            after = placement.copy()
            after[c, n] += 1
            assert insertable[n] == keeps(problem, after), (c, n)


@many
@given(st.data(), problems(max_nodes=4, max_classes=4))
def test_a_change_is_judged_like_the_whole_placement(data: st.DataObject, problem: Problem) -> None:
    before, after = problem.standing_counts, data.draw(placements(problem))
    changes = [(c, n, int(after[c, n] - before[c, n])) for c, n in np.argwhere(after != before).tolist()]
    occupancy = Occupancy(Rules.of(problem), before)
    for change in changes:
        occupancy.add(*change)
    assert keeps_rules(occupancy, changes) == keeps(problem, after)


# The exact search against trying everything


@many
@given(problems(), st.booleans())
def test_every_stage_reaches_the_optimum_and_proves_it(problem: Problem, consolidate: bool) -> None:
    optimum = max(
        (value for value, _ in all_placements(problem)),
        key=lambda v: (*v.placed, -v.nodes_in_use if consolidate else 0, -v.disruption, v.preference),
    )
    result = exact(problem, consolidate=consolidate)
    assert keeps(problem, result.placement)
    found = value_of(problem, counts_of(result.placement))
    assert (found.placed, found.disruption) == (optimum.placed, optimum.disruption)
    assert found.preference == pytest.approx(optimum.preference)
    assert not consolidate or found.nodes_in_use == optimum.nodes_in_use
    assert all(outcome.proven for outcome in result.outcomes)
    assert result.notes == ()


@settings(many, max_examples=250)
@given(problems(max_nodes=3, max_classes=3, constrained=True), st.randoms(use_true_random=False))
def test_the_model_knows_every_rule_whatever_it_is_asked_for(problem: Problem, rng: random.Random) -> None:
    """A random objective leads into every corner; what is not free stays; constants of the fixed part are right."""
    feasible = [placement for _, placement in all_placements(problem)]
    incumbent = rng.choice(feasible)
    classes, nodes = incumbent.shape
    free = np.array([[rng.random() < 0.7 for _ in range(nodes)] for _ in range(classes)], np.bool_)
    within = [p for p in feasible if (p == incumbent)[~free].all()]
    neighbourhood = Neighbourhood(np.arange(classes), np.arange(nodes), free)
    model = PackingModel(Occupancy(Rules.of(problem), incumbent), neighbourhood, consolidate=rng.random() < 0.5)
    model.hint(incumbent)
    for _ in range(3):
        weights = np.array([[rng.randint(-3, 3) for _ in range(nodes)] for _ in range(classes)], np.int64)
        objective = Linear(list(model.x), weights[model.pair_class, model.pair_node].tolist())
        model.cp.minimize(objective)
        answer = model.cp.solve(AMPLE, 0, 1)
        assert answer.proven
        assert answer.values is not None
        found = model.placement(answer.values)
        assert keeps(problem, found)
        assert (found == incumbent)[~free].all()
        assert int((weights * found).sum()) == min(int((weights * p).sum()) for p in within)
        assert model.tier(problem.priorities[0]).value(answer.values) == placed_per_tier(problem, found)[0]
    model.cp.minimize(model.disruption())
    assert model.cp.solve(AMPLE, 0, 1).bound == min(disruption(problem, p) for p in within)


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


def test_a_node_in_no_domain_satisfies_neither_affinity_nor_spread() -> None:
    lonely = PodClass("lonely", 0, (1,), pending=2)
    outside, every = (NO_DOMAIN, NO_DOMAIN), frozenset({0})
    for rule in (
        Constraints(affinities=(Affinity(every, every, outside),)),
        Constraints(spreads=(Spread(every, outside, 1),)),
    ):
        result = exact(make_problem([[5], [5]], [lonely], (), rule))
        assert (result.outcomes[0].value, result.notes) == (0, ())


def test_company_may_not_leave_a_new_pod_that_is_held_fixed() -> None:
    guest, host = PodClass("guest", 0, (1,), pending=1), PodClass("host", 0, (1,))
    rule = Constraints(affinities=(Affinity(frozenset({0}), frozenset({1}), (0, 1)),))
    problem = make_problem([[2], [2]], [guest, host], [(1, 0, 1)], rule)
    assert reopened(problem, [[1, 0], [1, 0]], free=[[0, 0], [1, 1]], away_from=0) == [[1, 0], [1, 0]]


def test_the_least_domain_may_not_be_emptied_under_a_new_pod_that_is_held_fixed() -> None:
    first, second = PodClass("first", 0, (1,), pending=2), PodClass("second", 0, (1,))
    rule = Constraints(spreads=(Spread(frozenset({0, 1}), (0, 1), 1),))
    problem = make_problem([[2], [2]], [first, second], [(1, 1, 1)], rule)
    assert reopened(problem, [[2, 0], [0, 1]], free=[[0, 0], [0, 1]], away_from=1) == [[2, 0], [0, 1]]


def reopened(problem: Problem, incumbent: list[list[int]], free: list[list[int]], away_from: int) -> list[list[int]]:
    """The model around an incumbent, asked for as few pods of free pairs as possible on one node."""
    placement, pairs = np.array(incumbent, np.int64), np.array(free, np.bool_)
    assert keeps(problem, placement)
    neighbourhood = Neighbourhood(np.arange(len(pairs)), np.arange(pairs.shape[1]), pairs)
    model = PackingModel(Occupancy(Rules.of(problem), placement), neighbourhood)
    model.cp.minimize(Linear(list(model.x), (model.pair_node == away_from).astype(int).tolist()))
    answer = model.cp.solve(AMPLE, 0, 1)
    assert answer.values is not None
    return model.placement(answer.values).tolist()  # type: ignore[no-any-return]


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

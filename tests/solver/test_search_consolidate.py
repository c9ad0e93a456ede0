"""Consolidation: never fewer pods, never more nodes, caps kept, bounds true, and the least on what can be tried out."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from berth_solver.check_bounds import MAX_PRICE, EvidenceError, Terrain
from berth_solver.check_consolidation import fewest_nodes, most_staying, nodes_kept_by_the_cap
from berth_solver.check_exhausted import Given, fewer_nodes_do, least_disruption
from berth_solver.check_placement import placement_violations
from berth_solver.check_stages import least_nodes_in_use
from berth_solver.consolidate import Consolidation, consolidate
from berth_solver.consolidating import solve_consolidating
from berth_solver.emptying_under_rules import empty_under_rules
from berth_solver.feasible import violations
from berth_solver.options import Options
from berth_solver.problem import Budget, Constraints, Exclusion, IntArray, Limit, PodClass, Problem, Spread
from berth_solver.score import disruption, nodes_in_use, placed_per_tier
from berth_solver.solution import Certificate, Evidence, Solution
from berth_solver.solve import solve
from berth_solver.state import State, make_ground

from .brute_force import BruteForce, TooLargeError, Value
from .problems import make_problem, problems

slowly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
BUDGET = 0.25


def consolidated(problem: Problem, budget: float = BUDGET, threads: int = 1, seed: int = 1) -> Consolidation:
    """From what stands, nothing placed in addition."""
    ground = make_ground(problem)
    state = State.of(ground, problem.standing_counts, seed)

    def keeps_all(placement: IntArray) -> bool:  # a limit that is broken at the start is more than the search knows
        return not violations(problem, placement)

    return consolidate(ground, state, time.perf_counter, time.perf_counter() + budget, seed, threads, keeps_all)


@st.composite
def plain_problems(
    draw: st.DrawFn,
    max_nodes: int = 3,
    max_classes: int = 4,
    max_pods: int = 2,
    pending: bool = True,
    capped: bool = True,
) -> Problem:
    """What consolidation knows: capacity, eligibility, limits of single nodes, and caps on disruption."""
    problem = draw(problems(max_nodes, max_classes, max_pods, constrained=False))
    if not pending:
        problem = replace(problem, classes=tuple(replace(c, pending=0) for c in problem.classes))
    classes = st.frozensets(st.integers(0, len(problem.classes) - 1), min_size=1)
    cap = st.none() | st.integers(0, 4) if capped else st.none()
    constraints = Constraints(max_disruption=draw(cap), max_evictions=draw(cap))
    if capped and draw(st.booleans()):
        constraints = replace(constraints, budgets=(Budget(draw(classes), draw(st.integers(0, 2))),))
    if draw(st.booleans()):
        single = tuple(range(len(problem.nodes)))
        constraints = replace(constraints, limits=(Limit(draw(classes), single, draw(st.integers(1, 2))),))
    return replace(problem, constraints=constraints)


def best_by_brute_force(problem: Problem) -> Value:
    """At the standing counts: fewest nodes, then least disruption."""
    brute = BruteForce(problem)
    standing = placed_per_tier(problem, problem.standing_counts)
    try:
        best = brute.best(lambda v: (-v.nodes_in_use, -v.disruption), lambda v: v.placed == standing)
    except TooLargeError:
        assume(False)
        raise
    assert best is not None
    return best


@slowly
@given(plain_problems(max_nodes=6, max_classes=7, max_pods=4))
def test_no_pod_is_lost_no_rule_broken_and_no_node_added(problem: Problem) -> None:
    result = consolidated(problem)
    placement = result.state.placement()
    assert placement_violations(problem, placement) == []
    assert placed_per_tier(problem, placement) == placed_per_tier(problem, problem.standing_counts)
    assert nodes_in_use(problem, placement) == result.nodes_in_use.value
    assert disruption(problem, placement) == result.disruption.value
    before = nodes_in_use(problem, problem.standing_counts)
    assert result.nodes_in_use.value <= before
    if result.nodes_in_use.value == before:
        assert result.disruption.value == 0


@slowly
@given(plain_problems())
def test_no_bound_denies_the_best_of_a_tiny_cluster(problem: Problem) -> None:
    best = best_by_brute_force(problem)
    result = consolidated(problem)
    assert result.nodes_in_use.bound <= best.nodes_in_use <= result.nodes_in_use.value
    if result.nodes_in_use.value == best.nodes_in_use:
        assert result.disruption.bound <= best.disruption <= result.disruption.value


@slowly
@given(plain_problems(pending=False, capped=False))
def test_a_tiny_cluster_without_waiting_pods_is_consolidated_to_the_end(problem: Problem) -> None:
    best = best_by_brute_force(problem)
    result = consolidated(problem)
    assert result.nodes_in_use.value == best.nodes_in_use
    assert result.disruption.value == best.disruption


def decided_of(problem: Problem, placement: np.ndarray) -> dict[int, int]:  # type: ignore[type-arg]
    return dict(zip(problem.priorities, placed_per_tier(problem, placement), strict=True))


def never() -> bool:
    return False


@slowly
@given(plain_problems(max_nodes=4, max_classes=5, max_pods=4))
def test_every_bound_follows_from_its_evidence(problem: Problem) -> None:
    result = consolidated(problem, budget=0.1)
    terrain, decided = Terrain.of(problem), decided_of(problem, result.state.placement())
    in_use, moves = result.nodes_in_use, result.disruption
    if in_use.evidence.kind == "patterns":
        assert fewest_nodes(terrain, decided, in_use.evidence, int(in_use.bound), never).most // 1 <= -in_use.bound
    elif in_use.evidence.kind == "exhausted":
        assert not fewer_nodes_do(problem, terrain, Given(decided), int(in_use.bound), never)
    else:
        assert in_use.evidence.kind == "trivial"
        least = max(least_nodes_in_use(problem, terrain, decided), nodes_kept_by_the_cap(problem))
        assert in_use.bound <= least
    costs = np.array([c.move_cost for c in problem.classes], np.int64)
    stands = int(costs @ problem.standing_counts.sum(axis=1))
    if moves.evidence.kind == "exhausted":
        given = Given(decided, int(in_use.value))
        assert least_disruption(problem, terrain, given, moves.bound, never) >= moves.bound
    elif moves.bound > 0:
        assert moves.evidence.kind == "patterns"
        most = most_staying(
            terrain, costs, int(in_use.value), decided, moves.evidence, stands - int(moves.bound), never
        )
        assert stands - most.most // 1 >= moves.bound


# Scenarios


def scattered(nodes: int, *shapes: tuple[int, tuple[int, int]], cap: Constraints | None = None) -> Problem:
    """Equal nodes of 8 units of both resources, one pod on each until the shapes (how many, request) run out."""
    classes = [PodClass(f"shape{k}", 0, request) for k, (_, request) in enumerate(shapes)]
    owner = [k for k, (count, _) in enumerate(shapes) for _ in range(count)]
    return make_problem([[8, 8]] * nodes, classes, [(k, n, 1) for n, k in enumerate(owner)], cap)


def test_scattered_pods_are_gathered_and_both_numbers_are_proven() -> None:
    problem = scattered(60, (20, (4, 2)), (20, (2, 4)), (10, (1, 1)))
    result = consolidated(problem, budget=2.0, threads=2)
    assert result.nodes_in_use.value == 20  # 130 units of either resource on nodes of 8, but no three of the large ones
    assert result.nodes_in_use.certificate is Certificate.OPTIMAL
    assert result.disruption.value == 50 - 20
    assert result.disruption.certificate is Certificate.OPTIMAL


def test_no_more_is_moved_than_the_cap_allows_and_that_is_known_to_be_the_best() -> None:
    problem = scattered(60, (50, (1, 1)), cap=Constraints(max_disruption=7))
    result = consolidated(problem)
    assert result.nodes_in_use.value == result.nodes_in_use.bound == 43
    assert result.disruption.value == 7


def test_a_budget_keeps_its_workload_where_it_is() -> None:
    problem = scattered(60, (20, (1, 1)), (20, (1, 1)), cap=Constraints(budgets=(Budget(frozenset({0}), 0),)))
    result = consolidated(problem)
    assert (result.state.placement()[0] >= problem.standing_counts[0]).all()
    assert result.nodes_in_use.value == result.nodes_in_use.bound == 20


def test_room_that_only_repacking_makes_is_found() -> None:
    """Each node is 3/4 full, in pieces that fit nowhere as they lie; all of them together fill three nodes of four."""
    capacity = [[12]] * 4
    classes = [PodClass("half", 0, (6,)), PodClass("third", 0, (4,)), PodClass("quarter", 0, (3,))]
    standing = [(0, 0, 1), (2, 0, 1), (0, 1, 1), (2, 1, 1), (1, 2, 1), (2, 2, 2), (1, 3, 2)]
    result = consolidated(make_problem(capacity, classes, standing))
    assert result.nodes_in_use.value == 3
    assert result.nodes_in_use.certificate is Certificate.OPTIMAL


def test_of_unlike_nodes_the_roomy_ones_are_kept() -> None:
    problem = make_problem([[4]] * 6 + [[24]], [PodClass("a", 0, (4,))], [(0, n, 1) for n in range(6)])
    result = consolidated(problem)
    assert result.nodes_in_use.value == 1
    assert result.state.placement()[0, 6] == 6


def test_without_time_everything_stays_and_the_bounds_still_hold() -> None:
    problem = scattered(60, (50, (1, 1)))
    result = consolidated(problem, budget=-1.0)
    assert np.array_equal(result.state.placement(), problem.standing_counts)
    assert (result.nodes_in_use.value, result.nodes_in_use.bound) == (50, 7)


def test_two_threads_and_one_promise_the_same() -> None:
    problem = scattered(60, (9, (5, 1)), (9, (1, 5)), (9, (3, 3)), (9, (2, 1)))
    alone, together = consolidated(problem, threads=1), consolidated(problem, threads=2)
    assert alone.nodes_in_use.value == together.nodes_in_use.value
    assert alone.disruption.value == together.disruption.value


# Evidence


def proven(problem: Problem, nodes: int, evidence: Evidence, decided: dict[int, int]) -> int:
    costs = np.array([c.move_cost for c in problem.classes], np.int64)
    most = most_staying(Terrain.of(problem), costs, nodes, decided, evidence, 0, never).most
    return int(costs @ problem.standing_counts.sum(axis=1)) - int(most // 1)


def test_a_price_on_nodes_proves_what_must_leave_and_no_more() -> None:
    problem = make_problem([[8]] * 3, [PodClass("a", 0, (1,))], [(0, 0, 3), (0, 1, 2), (0, 2, 1)])
    for price, least in ((0, 0), (1, 2), (2, 3), (3, 3), (9, -3)):
        evidence = Evidence("patterns", class_prices=(0,), node_price=price)
        assert proven(problem, 1, evidence, {0: 6}) == least, price


def test_prices_of_pods_prove_how_many_nodes_they_need() -> None:
    """Five pods of more than half a node each: five nodes, which no sum of requests shows."""
    problem = make_problem([[10]] * 6, [PodClass("a", 0, (6,))], [(0, n, 1) for n in range(5)])
    terrain = Terrain.of(problem)
    evidence = Evidence("patterns", class_prices=(0,), tier_prices=((0, 4),), scale=4)
    assert fewest_nodes(terrain, {0: 5}, evidence, 5, never).most // 1 == -5
    assert least_nodes_in_use(problem, terrain, {0: 5}) == 3
    dear = Evidence("patterns", class_prices=(0,), tier_prices=((0, 8),), scale=4)
    assert fewest_nodes(terrain, {0: 5}, dear, 5, never).most // 1 == -4
    result = consolidated(problem)
    assert result.nodes_in_use.bound == 5
    assert result.nodes_in_use.evidence.kind == "patterns"


@pytest.mark.parametrize("price", [-1, MAX_PRICE + 1])
def test_a_price_out_of_range_is_refused(price: int) -> None:
    problem = scattered(2, (1, (1, 1)))
    with pytest.raises(EvidenceError, match="price of using a node"):
        proven(problem, 1, Evidence("patterns", class_prices=(0,), node_price=price), {0: 1})


# Under constraints that the compiled search does not know


def solved(problem: Problem, seconds: float = 1.0) -> Solution:
    start = time.perf_counter()
    return solve_consolidating(problem, Options(budget=seconds, threads=1), start, start + seconds, solve)


@slowly
@given(problems(max_nodes=6, max_classes=7, max_pods=4, constrained=True))
def test_nodes_are_emptied_under_every_rule(problem: Problem) -> None:
    before = problem.standing_counts
    after = empty_under_rules(problem, before, time.perf_counter, time.perf_counter() + 1.0)
    assert placement_violations(problem, after) == []
    assert (after.sum(axis=1) == before.sum(axis=1)).all()
    assert nodes_in_use(problem, after) <= nodes_in_use(problem, before)


@slowly
@given(problems(max_nodes=4, max_classes=5))
def test_a_consolidating_answer_has_the_counts_of_any_other(problem: Problem) -> None:
    other, solution = solve(problem, Options(budget=0.4, threads=1)), solved(problem)
    assert placement_violations(problem, solution.placement) == []
    assert [t.placed for t in solution.tiers] == [t.placed for t in other.tiers]
    assert solution.nodes_in_use is not None
    assert solution.nodes_in_use.value == nodes_in_use(problem, solution.placement)
    assert solution.nodes_in_use.value <= nodes_in_use(problem, other.placement)
    assert solution.disruption.value == disruption(problem, solution.placement)


def test_an_even_spread_over_zones_stays_even() -> None:
    zones = tuple(n % 2 for n in range(60))
    spread = Spread(frozenset({0}), zones, 1)
    problem = scattered(60, (40, (1, 1)), cap=Constraints(spreads=(spread,)))
    solution = solved(problem)
    assert solution.nodes_in_use is not None
    assert solution.nodes_in_use.value == 6  # 20 pods in each zone, 8 on a node
    assert placement_violations(problem, solution.placement) == []


def test_pods_that_exclude_each_other_stay_apart_while_the_rest_is_gathered() -> None:
    apart = Exclusion(frozenset({0}), frozenset({0}), tuple(range(60)))
    problem = scattered(60, (5, (1, 1)), (35, (1, 1)), cap=Constraints(exclusions=(apart,)))
    solution = solved(problem)
    assert solution.nodes_in_use is not None
    assert solution.nodes_in_use.value == solution.nodes_in_use.bound == 5
    assert int(solution.placement[0].max()) == 1

"""The verifier's reading of the rules against the literal one, on any placement; and each rule by name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from berth_solver.check_placement import ViolationCode, placement_violations
from berth_solver.feasible import violations as search_violations
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

from .brute_force import counts_of, keeps_the_rules
from .problems import KINDS, make_problem, placements, problems, ruled_placements


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_verifier_and_text_agree_on_every_placement(data: st.DataObject) -> None:
    problem = data.draw(problems())
    placement = data.draw(placements(problem))
    found = placement_violations(problem, placement)
    assert (not found) == keeps_the_rules(problem, counts_of(placement)), found


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_each_kind_of_rule_agrees_with_its_text(kind: str, data: st.DataObject) -> None:
    problem, placement = data.draw(ruled_placements(kind))
    literal = keeps_the_rules(problem, counts_of(placement))
    assert (not placement_violations(problem, placement)) == literal
    assert (not list(search_violations(problem, placement))) == literal


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_searchs_own_check_agrees_with_the_text(data: st.DataObject) -> None:
    problem = data.draw(problems(constrained=True))
    placement = data.draw(placements(problem))
    found = list(search_violations(problem, placement))
    assert (not found) == keeps_the_rules(problem, counts_of(placement)), found


@settings(max_examples=200, deadline=None)
@given(problems(max_nodes=5, max_classes=6))
def test_what_stands_now_breaks_nothing(problem: Problem) -> None:
    assert placement_violations(problem, problem.standing_counts) == []


SMALL, LARGE = PodClass("small", 1, (1,), pending=4), PodClass("large", 1, (3,), pending=4)
TWO = [[4], [4]]
EACH = (0, 1)
ONE_ZONE = (0, 0)


def both(constraints: Constraints) -> Problem:
    """Two nodes of four; small and large pods; one small pod runs on the first node."""
    return make_problem(TWO, [SMALL, LARGE], [(0, 0, 1)], constraints)


BROKEN = [
    ("over capacity", both(Constraints()), [[2, 0], [1, 0]], ViolationCode.OVER_CAPACITY),
    ("more than exist", make_problem([[9]], [SMALL]), [[5]], ViolationCode.TOO_MANY_PODS),
    ("negative", both(Constraints()), [[-1, 0], [0, 0]], ViolationCode.NEGATIVE_COUNT),
    (
        "not eligible",
        make_problem(TWO, [PodClass("c", 1, (1,), 1, frozenset({1}))]),
        [[1, 0]],
        ViolationCode.NOT_ELIGIBLE,
    ),
    (
        "new on overloaded",
        make_problem([[0], [4]], [SMALL], [(0, 0, 2)]),
        [[3, 0]],
        ViolationCode.OVERLOADED_NODE,
    ),
    (
        "immovable moved",
        make_problem(TWO, [PodClass("c", 1, (0,), movable=False)], [(0, 0, 1)]),
        [[0, 1]],
        ViolationCode.IMMOVABLE_MOVED,
    ),
    (
        "limit",
        both(Constraints(limits=(Limit(frozenset({0, 1}), ONE_ZONE, 2),))),
        [[1, 1], [0, 1]],
        ViolationCode.LIMIT_EXCEEDED,
    ),
    (
        "exclusion",
        both(Constraints(exclusions=(Exclusion(frozenset({0}), frozenset({1}), EACH),))),
        [[1, 0], [1, 0]],
        ViolationCode.EXCLUSION_BROKEN,
    ),
    (
        "affinity",
        both(Constraints(affinities=(Affinity(frozenset({1}), frozenset({0}), EACH),))),
        [[1, 0], [0, 1]],
        ViolationCode.AFFINITY_UNSATISFIED,
    ),
    (
        "spread",
        both(Constraints(spreads=(Spread(frozenset({0}), EACH, 1),))),
        [[2, 0], [0, 0]],
        ViolationCode.SPREAD_EXCEEDED,
    ),
    (
        "gang",
        both(Constraints(gangs=(Gang(frozenset({0}), 3),))),
        [[1, 1], [0, 0]],
        ViolationCode.GANG_INCOMPLETE,
    ),
    (
        "budget",
        both(Constraints(budgets=(Budget(frozenset({0}), 0),))),
        [[0, 1], [0, 0]],
        ViolationCode.BUDGET_EXCEEDED,
    ),
    ("disruption cap", both(Constraints(max_disruption=0)), [[0, 1], [0, 0]], ViolationCode.DISRUPTION_CAP_EXCEEDED),
    ("eviction cap", both(Constraints(max_evictions=0)), [[0, 0], [0, 0]], ViolationCode.EVICTION_CAP_EXCEEDED),
]


@pytest.mark.parametrize(("problem", "counts", "code"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_each_broken_rule_is_named(problem: Problem, counts: list[list[int]], code: ViolationCode) -> None:
    assert [v.code for v in placement_violations(problem, np.array(counts))] == [code]


@pytest.mark.parametrize("placement", [np.zeros((1, 2), np.int64), np.zeros((2, 2), np.float64)])
def test_a_placement_of_another_shape_is_refused(placement: IntArray) -> None:
    assert [v.code for v in placement_violations(both(Constraints()), placement)] == [ViolationCode.BAD_SHAPE]


def test_a_violation_that_exists_already_disturbs_nobody() -> None:
    """Three small pods run on one node against a limit, an exclusion, a spread and a gang: they may stay."""
    everyone = frozenset({0})
    rules = Constraints(
        limits=(Limit(everyone, EACH, 1),),
        exclusions=(Exclusion(everyone, everyone, EACH),),
        spreads=(Spread(everyone, EACH, 1),),
        gangs=(Gang(everyone, 4),),
    )
    problem = make_problem(TWO, [SMALL], [(0, 0, 3)], rules)
    assert placement_violations(problem, np.array([[3, 0]])) == []
    assert placement_violations(problem, np.array([[2, 0]])) == []
    assert placement_violations(problem, np.array([[4, 0]])) != []

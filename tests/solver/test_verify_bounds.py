"""Any well-formed prices prove something true: recomputed bounds never cut off what brute force finds."""

from __future__ import annotations

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from berth_solver.check_bounds import EvidenceError, PatternStage, Terrain, capacity_count, pattern_bound
from berth_solver.check_exhausted import Given, best_preference, fewer_nodes_do, least_disruption, most_placed
from berth_solver.check_filling import Items, exact_filling, quick_filling, useful_items
from berth_solver.check_stages import least_nodes_in_use, most_preference
from berth_solver.problem import PodClass, Problem
from berth_solver.solution import Evidence

from .brute_force import BruteForce, TooLargeError, Value
from .problems import make_problem, problems

SCALE = 8


def never() -> bool:
    return False


def stages_of(problem: Problem) -> tuple[BruteForce, Value]:
    brute = BruteForce(problem)
    try:
        return brute, brute.optimum()
    except TooLargeError:
        assume(False)
        raise


def pattern_evidence(draw: st.DataObject, problem: Problem, tiers: list[int]) -> Evidence:
    prices = draw.draw(st.lists(st.integers(0, 12), min_size=len(problem.classes), max_size=len(problem.classes)))
    of_tiers = tuple((p, draw.draw(st.integers(-10, 20))) for p in tiers)
    return Evidence("patterns", class_prices=tuple(prices), tier_prices=of_tiers, scale=SCALE)


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_count_bounds_hold_at_any_prices(data: st.DataObject) -> None:
    problem = data.draw(problems())
    brute, best = stages_of(problem)
    terrain = Terrain.of(problem)
    rank = data.draw(st.integers(0, len(problem.priorities) - 1))
    decided = dict(zip(problem.priorities[:rank], best.placed, strict=False))
    wanted = np.array([c.priority == problem.priorities[rank] for c in problem.classes])

    patterns = pattern_evidence(data, problem, list(decided))
    stage = PatternStage(wanted.astype(np.int64) * SCALE)
    proven = pattern_bound(terrain, stage, decided, patterns, Fraction(best.placed[rank]), never)
    assert best.placed[rank] <= proven.most

    groups = data.draw(st.integers(1, 2))
    price = st.sampled_from([0.0, 0.05, 0.125, 0.3, 1.0])
    rows = [tuple(data.draw(price) for _ in problem.resources) for _ in range(groups)]
    capacity = Evidence(
        "capacity",
        tier_prices=patterns.tier_prices,
        scale=SCALE,
        resource_prices=tuple(rows),
        price_group=tuple(data.draw(st.integers(0, groups - 1)) for _ in problem.nodes),
    )
    assert best.placed[rank] <= capacity_count(terrain, wanted, decided, capacity).most
    if len(terrain.most_placed()) and not problem.constraints:
        assert best.placed[rank] <= int(terrain.most_placed()[wanted].sum())
    assert brute.feasible


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_later_bounds_hold_at_any_prices(data: st.DataObject) -> None:
    """Disruption, preference and nodes in use, all counts given, against the best of each by brute force."""
    problem = data.draw(problems())
    brute, best = stages_of(problem)
    terrain = Terrain.of(problem)
    decided = dict(zip(problem.priorities, best.placed, strict=True))
    costs = np.array([c.move_cost for c in problem.classes])
    evidence = pattern_evidence(data, problem, list(decided))
    stage = PatternStage(np.zeros(len(costs), np.int64), costs * SCALE)
    stands = int(costs @ problem.standing_counts.sum(axis=1))
    enough = Fraction(stands - best.disruption)
    stays = pattern_bound(terrain, stage, decided, evidence, enough, never)
    assert stands - stays.most <= best.disruption

    keeps_counts = [v for v in (brute.best(lambda v: v.preference, lambda v: v.placed == best.placed),) if v]
    assert most_preference(problem, terrain, decided) >= max(v.preference for v in keeps_counts) - 1e-9
    fewest = brute.best(lambda v: -v.nodes_in_use, lambda v: v.placed == best.placed)
    assert fewest is not None
    assert least_nodes_in_use(problem, terrain, decided) <= fewest.nodes_in_use


@settings(max_examples=150, deadline=None)
@given(problems(max_pods=3))
def test_searching_again_finds_what_brute_force_finds(problem: Problem) -> None:
    brute, best = stages_of(problem)
    terrain = Terrain.of(problem)
    decided: dict[int, int] = {}
    for priority, placed in zip(problem.priorities, best.placed, strict=True):
        wanted = np.array([c.priority == priority for c in problem.classes])
        assert most_placed(problem, terrain, wanted, decided, placed, never) == placed
        if placed:
            assert most_placed(problem, terrain, wanted, decided, placed - 1, never) >= placed
        decided[priority] = placed
    counts = Given(decided)
    assert least_disruption(problem, terrain, counts, best.disruption, never) == best.disruption
    assert least_disruption(problem, terrain, counts, best.disruption + 1, never) <= best.disruption
    given = Given(decided, most_lost=best.disruption)
    assert best_preference(problem, terrain, given, best.preference, never) == best.preference
    assert best_preference(problem, terrain, given, best.preference - 0.25, never) > best.preference - 0.25
    fewest = brute.best(lambda v: -v.nodes_in_use, lambda v: v.placed == best.placed)
    assert fewest is not None
    assert not fewer_nodes_do(problem, terrain, counts, fewest.nodes_in_use, never)
    assert fewer_nodes_do(problem, terrain, counts, fewest.nodes_in_use + 1, never)


def best_by_recursion(items: Items, room: list[int]) -> int:
    if not len(items.worth):
        return 0
    rest = Items(items.worth[1:], items.weight[1:], items.count[1:])
    best = 0
    for copies in range(int(items.count[0]) + 1):
        left = [r - copies * int(w) for r, w in zip(room, items.weight[0], strict=True)]
        if min(left, default=0) < 0:
            break
        best = max(best, copies * int(items.worth[0]) + best_by_recursion(rest, left))
    return best


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_fillings_are_exact(data: st.DataObject) -> None:
    width, count = data.draw(st.integers(1, 3)), data.draw(st.integers(0, 6))
    rows = st.tuples(
        st.integers(-3, 40), st.lists(st.integers(0, 9), min_size=width, max_size=width), st.integers(0, 4)
    )
    drawn = data.draw(st.lists(rows, min_size=count, max_size=count))
    room = data.draw(st.lists(st.integers(0, 30), min_size=width, max_size=width))
    items = useful_items(
        np.array([w for w, _, _ in drawn], np.int64),
        np.array([w for _, w, _ in drawn], np.int64).reshape(count, width),
        np.array([n for _, _, n in drawn], np.int64),
        np.array(room),
    )
    best = best_by_recursion(items, room)
    quick = quick_filling(items, np.array(room))
    exact = exact_filling(items, np.array(room), never)
    assert quick.least <= best <= quick.most
    assert exact.least == best == exact.most


def test_a_filling_cut_short_is_still_a_bound() -> None:
    random = np.random.default_rng(7)
    items = Items(random.integers(50, 100, 60), random.integers(20, 90, (60, 2)), np.full(60, 2))
    room = np.array([400, 400])
    cut, whole = exact_filling(items, room, lambda: True), exact_filling(items, room, never)
    assert cut.least <= whole.least == whole.most <= cut.most
    assert cut.least < cut.most


ONE = make_problem([[4], [4]], [PodClass("c", 1, (3,), 3)])
MALFORMED = [
    Evidence("patterns", class_prices=(-1,)),
    Evidence("patterns", class_prices=()),
    Evidence("patterns", class_prices=(1,), scale=0),
    Evidence("patterns", class_prices=(1,), tier_prices=((1, 5),)),
    Evidence("patterns", class_prices=(1 << 60,)),
    Evidence("capacity", resource_prices=((-0.5,),), price_group=(0, 0)),
    Evidence("capacity", resource_prices=((float("nan"),),), price_group=(0, 0)),
    Evidence("capacity", resource_prices=((float("inf"),),), price_group=(0, 0)),
    Evidence("capacity", resource_prices=((0.5, 0.5),), price_group=(0, 0)),
    Evidence("capacity", resource_prices=((0.5,),), price_group=(0,)),
    Evidence("capacity", resource_prices=((0.5,),), price_group=(0, 1)),
    Evidence("capacity", resource_prices=((0.5,),), price_group=(0, 0), tier_prices=((1, 1),)),
]


@pytest.mark.parametrize("evidence", MALFORMED, ids=str)
def test_malformed_evidence_proves_nothing(evidence: Evidence) -> None:
    terrain, wanted = Terrain.of(ONE), np.array([True])
    prove = partial(capacity_count, terrain, wanted, {}, evidence)
    if evidence.kind == "patterns":
        prove = partial(pattern_bound, terrain, PatternStage(np.array([1])), {}, evidence, Fraction(0), never)
    with pytest.raises(EvidenceError):
        prove()


def best_by_table(items: Items, room: tuple[int, int]) -> int:
    """The classic table over all rooms up to this one, one copy of an item at a time."""
    table = np.zeros((room[0] + 1, room[1] + 1), np.int64)
    for worth, (a, b), count in zip(items.worth, items.weight.tolist(), items.count, strict=True):
        for _ in range(count):
            longer = table.copy()
            longer[a:, b:] = np.maximum(table[a:, b:], table[: room[0] + 1 - a, : room[1] + 1 - b] + worth)
            table = longer
    return int(table[-1, -1])


@pytest.mark.parametrize("seed", range(12))
def test_fillings_with_many_states_are_exact(seed: int) -> None:
    """Enough near-equal items that states are dropped because others are at least as good."""
    random = np.random.default_rng(seed)
    weight = random.integers(10, 40, (40, 2))
    items = Items(weight.sum(axis=1) + random.integers(-6, 7, 40), weight, random.integers(1, 4, 40))
    exact = exact_filling(items, np.array([150, 160]), never)
    assert exact.least == exact.most == best_by_table(items, (150, 160))

"""What a node's free room is worth to the demand, by hand, by law, and beside a plain count."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth_scheduling.fragmentation import (
    DEVICE,
    LEFT_FREE,
    Demand,
    fragmentation,
    increase,
    increase_by_device,
    take_devices,
    worth_of,
)

CPU, GPU = 0, 1
ONLY_GPUS = np.array([0.0, 1.0])
MILLI = np.array([0.0, 1 / DEVICE])

Rows = list[list[int]]


def demand(*shapes: list[int], worth: np.ndarray = ONLY_GPUS) -> Demand:
    seen = Demand(worth)
    for shape in shapes:
        seen.observe(np.array(shape))
    seen.renew()
    return seen


def waste(node: list[int], seen: Demand) -> float:
    return float(fragmentation(np.array([node]), seen)[0])


def test_room_that_is_used_up_is_not_wasted() -> None:
    assert waste([48, 4], demand([12, 1])) == pytest.approx(0, abs=1e-5)


def test_gpus_without_cores_for_as_many_pods_are_wasted() -> None:
    assert waste([40, 4], demand([12, 1])) == pytest.approx(1, abs=1e-5)


def test_the_demand_that_uses_the_room_best_counts_most() -> None:
    both = demand([12, 1], [3, 1])
    assert 0 < waste([12, 4], both) < 1 < waste([12, 4], demand([12, 1])) == pytest.approx(3, abs=1e-5)


def test_without_demand_the_tightest_node_is_best() -> None:
    costs = increase(np.array([[64, 8], [64, 2], [64, 4]]), np.array([1, 2]), Demand(ONLY_GPUS))
    assert costs.argmin() == 1


def test_a_pod_without_gpus_goes_where_it_takes_no_cores_from_them() -> None:
    seen = demand([12, 1], [12, 0], worth=np.array([0.001 / 96, 1 / 8]))
    nodes = np.array([[96, 8], [52, 2], [96, 0]])
    costs = increase(nodes, np.array([30, 0]), seen)
    assert costs.argmax() == 0


def test_a_hungry_pod_goes_where_cores_are_plenty() -> None:
    seen = demand([12, 1], [12, 1], [20, 1])
    costs = increase(np.array([[96, 8], [104, 2]]), np.array([20, 1]), seen)
    assert costs.argmin() == 1


def test_a_node_without_room_is_never_chosen() -> None:
    costs = increase(np.array([[11, 8], [12, 1], [12, 0]]), np.array([12, 1]), demand([12, 1]))
    assert np.isinf(costs).tolist() == [True, False, True]


def test_a_fraction_goes_onto_the_device_that_is_broken_already() -> None:
    seen = demand([12, 1000], [3, 500], worth=MILLI)
    bins = np.array([[1000, 500, 0]])
    costs = increase_by_device(np.array([[96, 1500]]), np.array([3, 500]), seen, GPU, bins)
    assert costs[0].argmin() == 1
    assert np.isinf(costs[0, 2])


def test_whole_gpus_need_devices_that_are_free() -> None:
    seen = demand([12, 1000], worth=MILLI)
    free, bins = np.array([[96, 2000], [96, 2000]]), np.array([[1000, 500, 500], [1000, 1000, 0]])
    costs = increase(free, np.array([12, 2000]), seen, GPU, bins)
    assert np.isinf(costs).tolist() == [True, False]
    take_devices(bins[1], 2000, None)
    assert bins[1].tolist() == [0, 0, 0]


def test_what_was_seen_counts_from_the_renewal_on() -> None:
    seen = demand([12, 1])
    seen.observe(np.array([3, 1]))
    before = waste([12, 4], seen)
    version = seen.version
    seen.renew()
    assert seen.version == version + 1
    assert waste([12, 4], seen) < before


def test_old_demand_fades() -> None:
    seen = Demand(ONLY_GPUS, half_life=10)
    for shape in [[1, 1]] * 100 + [[2, 1]] * 20:
        seen.observe(np.array(shape))
    seen.renew()
    assert seen.shapes[0].tolist() == [2, 1]
    assert seen.weights[0] == pytest.approx(0.75, abs=0.01)


def test_worth_is_one_for_a_mean_nodes_gpus_and_little_for_its_cores() -> None:
    names = ["cpu", "memory", "nvidia.com/gpu", "pods", "hugepages-2Mi"]
    worth = worth_of(np.array([[64, 100, 8, 110, 4], [64, 300, 0, 110, 4]]), names)
    assert worth[2] == 1 / 8
    assert 0 < worth[0] * 64 < 0.01
    assert worth[3] == worth[4] == 0
    assert worth_of(np.array([[64, 100]]), names[:2]).tolist() == [1 / 64, 1 / 100]


amounts = st.lists(st.integers(0, 40), min_size=2, max_size=2)


def plainly(free: list[int], seen: Demand) -> float:
    """The formula, a class at a time, in whole numbers and doubles."""
    room = sum(w * f for w, f in zip(seen.worth, free, strict=True))
    total = 0.0
    for shape, weight in zip(seen.shapes.tolist(), seen.weights, strict=True):
        copies = min(f // s for f, s in zip(free, shape, strict=True) if s)
        total += weight * (copies * float(np.dot(shape, seen.worth))) ** 8
    return room - total ** (1 / 8)


@given(st.lists(amounts, min_size=1, max_size=20), st.lists(amounts.filter(any), min_size=1, max_size=6))
def test_fragmentation_is_what_its_formula_says(nodes: Rows, shapes: Rows) -> None:
    seen = demand(*shapes, worth=np.array([0.1, 1.0]))
    assert fragmentation(np.array(nodes), seen) == pytest.approx([plainly(n, seen) for n in nodes], abs=1e-3)


@given(st.lists(amounts, min_size=1, max_size=20), st.lists(amounts.filter(any), min_size=1, max_size=6), amounts)
def test_an_increase_is_the_difference_it_makes(nodes: Rows, shapes: Rows, request: list[int]) -> None:
    seen = demand(*shapes)
    free, asked = np.array(nodes), np.array(request)
    costs = increase(free, asked, seen)
    for i, row in enumerate(free):
        if (row >= asked).all():
            after = row - asked
            grown = fragmentation(after[None], seen)[0] - fragmentation(row[None], seen)[0]
            assert costs[i] == pytest.approx(grown + LEFT_FREE * after[GPU], abs=1e-5)
        else:
            assert np.isinf(costs[i])


@given(st.lists(amounts, min_size=2, max_size=8), st.lists(amounts.filter(any), min_size=1, max_size=6), st.randoms())
def test_a_nodes_cost_does_not_depend_on_the_others(nodes: Rows, shapes: Rows, order: object) -> None:
    seen, asked = demand(*shapes), np.array(shapes[0])
    alone = [increase(np.array([node]), asked, seen)[0] for node in nodes]
    assert increase(np.array(nodes), asked, seen).tolist() == pytest.approx(alone, abs=2e-6)


def test_five_thousand_nodes_and_twenty_classes_take_a_millisecond() -> None:
    """1.0 ms on two shared cores; five times that is let pass, for neighbours."""
    draw = np.random.default_rng(1)
    nodes = np.stack(
        [draw.integers(0, 96_000, 5_000), draw.integers(0, 9, 5_000), draw.integers(0, 400 << 30, 5_000)], 1
    )
    seen = Demand(np.array([1e-8, 0.125, 1e-15]))
    for _ in range(20):
        seen.observe(np.array([draw.integers(1, 20) * 1_000, draw.integers(0, 3), draw.integers(1, 64) << 30]))
    seen.renew()
    asked = np.array([4_000, 1, 16 << 30])
    took = []
    for _ in range(9):
        begun = time.perf_counter()
        increase(nodes, asked, seen)
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.005

"""The simulated scheduler on clusters small enough to score by hand."""

import random

import numpy as np

from benchmarks.arrivals import PENDING, arrive
from berth_solver.problem import IntArray


def rows(*amounts: tuple[int, ...]) -> IntArray:
    return np.array(amounts, np.int64)


def test_takes_the_emptiest_node() -> None:
    load = rows((500, 500), (0, 0))

    nodes = arrive(rows((1000, 1000), (1000, 1000)), load, rows((100, 100)), random.Random(0))

    assert nodes.tolist() == [1]
    assert load.tolist() == [[500, 500], [100, 100]]


def test_balance_outweighs_a_little_emptiness() -> None:
    # least allocated: (80 + 0) / 2 = 40 and (39 + 39) / 2 = 39; balanced: (1 - 0.8 / 2) * 100 = 60 and 100
    nodes = arrive(rows((1000, 1000), (1000, 1000)), rows((100, 900), (510, 510)), rows((100, 100)), random.Random(0))

    assert nodes.tolist() == [1]


def test_what_fits_nowhere_waits_and_later_pods_still_go() -> None:
    nodes = arrive(rows((1000, 1000)), rows((0, 0)), rows((600, 600), (600, 600), (400, 400)), random.Random(0))

    assert nodes.tolist() == [0, PENDING, 0]


def test_ties_are_broken_at_random_by_the_stream_handed_in() -> None:
    def chosen(seed: int) -> int:
        return int(arrive(rows(*[(1000, 1000)] * 8), np.zeros((8, 2), np.int64), rows((1, 1)), random.Random(seed))[0])

    assert len({chosen(seed) for seed in range(20)}) > 3
    assert chosen(3) == chosen(3)


def test_resources_that_are_not_scored_still_bind() -> None:
    capacity, load = rows((96, 1024, 8), (96, 1024, 8)), rows((0, 0, 8), (50, 500, 0))

    assert arrive(capacity, load, rows((8, 80, 1)), random.Random(0)).tolist() == [1]

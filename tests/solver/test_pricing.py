"""The compiled pricing against plain enumeration: exact when it finishes, a valid bound when it is cut short."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from berth_solver.pricing import enumerate_fills, price
from berth_solver.problem import IntArray

UNCUT = 1_000_000


def some_node(seed: int) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray, IntArray]:
    """cap [2], req [5, 2] sorted, gain, bonus, standing, most_new [5]; two classes share a request."""
    random = np.random.default_rng(seed)
    req = np.sort(random.integers(1, 9, (4, 2)), axis=0)
    req = np.concatenate([req[:1], req])
    return (
        random.integers(8, 20, 2),
        req,
        random.integers(-3, 12, 5),
        random.integers(0, 6, 5),
        random.integers(0, 2, 5),
        random.integers(0, 3, 5),
    )


def worth(fill: tuple[int, ...], gain: IntArray, bonus: IntArray, standing: IntArray) -> int:
    return int(np.array(fill) @ gain + np.minimum(fill, standing) @ bonus)


def all_fills(cap: IntArray, req: IntArray, most: IntArray) -> list[tuple[int, ...]]:
    choices = product(*(range(int(m) + 1) for m in most))
    return [fill for fill in choices if (np.array(fill) @ req <= cap).all()]


def priced(seed: int, limit: int) -> tuple[int, int, tuple[int, ...]]:
    cap, req, gain, bonus, standing, most_new = some_node(seed)
    shape_of = np.concatenate([np.zeros(1, np.int64), np.cumsum((req[1:] != req[:-1]).any(axis=1))]).astype(np.int64)
    counts, profits, uppers = np.zeros((1, 5), np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64)
    price(
        cap[None], req, shape_of, gain, bonus, standing[None], most_new[None], np.zeros(1, np.int64), limit,
        np.ones((1, 2)), np.zeros(1, np.int64), counts, profits, uppers, np.zeros(2, np.int64),
    )  # fmt: skip
    return int(profits[0]), int(uppers[0]), tuple(counts[0].tolist())


@pytest.mark.parametrize("seed", range(60))
def test_the_best_fill_is_found_and_its_bound_is_tight(seed: int) -> None:
    cap, req, gain, bonus, standing, most_new = some_node(seed)
    best = max(worth(f, gain, bonus, standing) for f in all_fills(cap, req, standing + most_new))
    profit, upper, fill = priced(seed, UNCUT)
    assert profit == upper == best
    if best > 0:
        assert worth(fill, gain, bonus, standing) == best
        assert (np.array(fill) @ req <= cap).all()


@pytest.mark.parametrize("seed", range(60))
def test_a_search_cut_short_still_bounds_the_best(seed: int) -> None:
    cap, req, gain, bonus, standing, most_new = some_node(seed)
    best = max(worth(f, gain, bonus, standing) for f in all_fills(cap, req, standing + most_new))
    profit, upper, _ = priced(seed, 3)
    assert profit <= best <= upper


@pytest.mark.parametrize("seed", range(40))
def test_every_fill_above_the_floor_is_listed(seed: int) -> None:
    cap, req, gain, bonus, standing, most_new = some_node(seed)
    fills = all_fills(cap, req, standing + most_new)
    floor = max(worth(f, gain, bonus, standing) for f in fills) - 6
    expected = {f for f in fills if worth(f, gain, bonus, standing) > floor}
    found = np.zeros((len(fills) + 1, 5), np.int16)
    n = enumerate_fills(
        cap, req, gain, bonus, standing, most_new, floor, UNCUT, np.ones(2), found,
        np.zeros(len(found), np.int64), np.zeros(2, np.int64),
    )  # fmt: skip
    assert {tuple(row) for row in found[:n].tolist()} == expected

"""Pods arrive one by one: nothing is overcommitted, devices are honoured, and each policy chooses as it says it does."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from berth_cluster.snapshot import Snapshot
from berth_planner import baselines
from berth_planner.arrivals import Arriving, Kind, Packed, Policy, Site, arrive
from berth_planner.baselines import FragmentationGradientDescent
from berth_planner.single_moves import SingleMoves
from berth_planner.stock_scheduler import StockScheduler

from .clusters import Cluster

NAMES = ("cpu", "memory", "nvidia.com/gpu")
GPU = 2


def site(*nodes: tuple[int, int]) -> Site:
    """Nodes as (cores, GPUs); 8 GiB a core."""
    allocatable = np.array([[cores * 1000, cores * 8192, gpus * 1000] for cores, gpus in nodes])
    devices = np.array([[1000 if d < gpus else 0 for d in range(8)] for _, gpus in nodes])
    return Site(allocatable, NAMES, GPU, devices)


def kind(cores: int, milli: int, allowed: list[bool] | None = None) -> Kind:
    return Kind(np.array([cores * 1000, cores * 1024, milli]), None if allowed is None else np.array(allowed))


def where(policy: Policy, on: Site, wanted: Kind) -> int:
    """The node that it chooses."""
    run = Arriving(on, [wanted], policy)
    number = run.arrive(0)
    assert number is not None
    return run.places[number].row


def test_gpus_that_would_be_left_without_cores_are_left_with_them() -> None:
    on = site((96, 8), (104, 2))
    policy = Packed(on)
    for _ in range(20):
        policy.saw(kind(11, 1000))
    assert where(policy, on, kind(24, 1000)) == 1


def test_a_kind_goes_only_where_it_may() -> None:
    on = site((96, 8), (96, 8))
    assert where(baselines.BestFit(), on, kind(1, 1000, [False, True])) == 1


def test_a_pod_that_fits_nowhere_is_turned_away() -> None:
    run = Arriving(site((8, 1)), [kind(4, 600), kind(4, 1000)], baselines.BestFit())
    outcome = arrive(run, [0, 0, 1])
    assert (outcome.placed, outcome.turned_away) == (1, 2)
    assert outcome.allocated == pytest.approx(0.6)


def test_best_fit_fills_and_the_stock_scheduler_spreads() -> None:
    fuller = site((96, 8), (96, 8))
    fuller.take(1, kind(10, 2000), None)
    assert where(baselines.BestFit(), fuller, kind(10, 1000)) == 1
    fuller = site((96, 8), (96, 8))
    fuller.take(1, kind(10, 2000), None)
    assert where(baselines.LeastAllocated(), fuller, kind(10, 1000)) == 0


@pytest.mark.parametrize(
    ("cores", "bins", "fragmented"),
    [
        (1, [200, 1000, 1000, 500], 2700),
        (6, [200, 1000, 1000, 500], 200),
        (6, [465, 464, 0, 0], 464),
        (6, [0, 0, 0, 0], 0),
    ],
)
def test_fgd_counts_as_its_authors_do(cores: int, bins: list[int], fragmented: int) -> None:
    """Their test: a pod of 6 cores and 465 thousandths finds 251.91 fragmented where it makes up 9.33 %."""
    on = site((64, 4))
    fgd = FragmentationGradientDescent(on, [kind(6, 465)], [1])
    assert fgd._fragmentation(np.array([cores * 1000]), np.array([bins])) == pytest.approx([fragmented])


def test_fgd_puts_a_fraction_beside_another() -> None:
    on = site((64, 2), (64, 2))
    fgd = FragmentationGradientDescent(on, [kind(4, 500), kind(4, 1000)], [1, 1])
    on.take(1, kind(4, 500), 0)
    run = Arriving(on, [kind(4, 500)], fgd)
    number = run.arrive(0)
    assert number is not None
    assert (run.places[number].row, run.places[number].devices) == (1, (0,))


def test_one_move_makes_room() -> None:
    kinds = [kind(4, 1000), kind(4, 2000)]
    run = Arriving(site((8, 2), (8, 2)), kinds, baselines.LeastAllocated())
    mover = SingleMoves(run)
    assert arrive(run, [0, 0, 1], mover).placed == 3
    assert mover.moves == 1


def test_nobody_is_moved_in_vain() -> None:
    run = Arriving(site((8, 2)), [kind(4, 1000), kind(4, 2000)], baselines.LeastAllocated())
    mover = SingleMoves(run)
    assert arrive(run, [0, 0, 1], mover).placed == 2
    assert mover.moves == 0


def test_fgd_takes_a_device_that_fits_even_where_every_choice_is_as_bad_as_can_be() -> None:
    """Its score is 0 from about 4.6 GPUs more fragmented on: a full device must not pass for one of those."""
    kinds = [kind(1, 160), kind(1, 500)]
    on = site((3, 6))
    run = Arriving(on, kinds, FragmentationGradientDescent(on, kinds, [1, 1]))
    on.bins[0, :6] = (0, 1000, 1000, 1000, 1000, 1000)
    on.free[0] = (1000, on.free[0, 1], 5000)
    run.stand(0, 0)
    assert (on.bins >= 0).all()


nodes = st.lists(st.tuples(st.integers(1, 32), st.integers(0, 8)), min_size=1, max_size=6).filter(
    lambda drawn: any(gpus for _, gpus in drawn)
)
milli = st.sampled_from([0, 160, 320, 470, 500, 810, 1000, 2000, 4000])
kinds_drawn = st.lists(
    st.builds(kind, st.integers(0, 12), milli).filter(lambda k: k.request.any()), min_size=1, max_size=5
)


def policy_of(name: str, on: Site, kinds: list[Kind]) -> Policy:
    made: dict[str, Policy] = {
        "packed": Packed(on),
        "fgd": FragmentationGradientDescent(on, kinds, [1] * len(kinds)),
        "best": baselines.BestFit(),
        "dot": baselines.DotProduct(),
        "least": baselines.LeastAllocated(),
        "random": baselines.Random(random.Random(1)),
    }
    return made[name]


@settings(max_examples=60, deadline=None)
@given(nodes, kinds_drawn, st.sampled_from(["packed", "fgd", "best", "dot", "least", "random"]), st.randoms())
def test_nothing_is_overcommitted_and_kept_costs_are_fresh_ones(
    drawn: list[tuple[int, int]], kinds: list[Kind], name: str, draw: random.Random
) -> None:
    on = site(*drawn)
    run = Arriving(on, kinds, policy_of(name, on, kinds))
    arrive(run, [draw.randrange(len(kinds)) for _ in range(40)], SingleMoves(run, only_gpus=False))
    assert (on.free >= 0).all()
    assert (on.bins >= 0).all()
    assert on.bins.sum(axis=1).tolist() == on.free[:, GPU].tolist()
    taken = np.zeros_like(on.free)
    for place in run.places.values():
        taken[place.row] += kinds[place.kind].request
        assert len(place.devices) == -(-int(kinds[place.kind].request[GPU]) // 1000)
    assert (on.allocatable - taken).tolist() == on.free.tolist()
    fresh = Arriving(on, kinds, run._policy)
    for k in range(len(kinds)):
        assert run.costs(k).tolist() == fresh.costs(k).tolist()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 32), st.integers(1, 64)), min_size=1, max_size=5),
    st.integers(1, 8),
    st.integers(1, 16),
)
def test_the_stock_scores_on_tables_are_those_on_snapshots(
    shapes: list[tuple[int, int]], cpu: int, memory: int
) -> None:
    cluster = Cluster()
    for i, (cores, gib) in enumerate(shapes):
        cluster.node(f"n{i}", cpu=cores * 1000, memory=gib, gpu=0)
    cluster.pods("a", 1, cpu=cpu * 250, memory=memory, gpu=0)
    snapshot: Snapshot = cluster.snapshot()
    pod = snapshot.pods[0]
    allocatable = np.array([[cores * 1000, gib, 0] for cores, gib in shapes])
    table = Site(allocatable, NAMES, GPU, np.zeros((len(shapes), 8), np.int64))
    asked = Kind(np.array([cpu * 250, memory, 0]))
    rows = np.flatnonzero(table.fits(np.arange(len(shapes)), asked))
    stock = StockScheduler(snapshot, random.Random(1))
    found = stock.feasible(pod)
    assert [node.name for node in found] == [f"n{i}" for i in rows]
    if len(rows):
        costs = baselines.LeastAllocated().costs(table, rows, asked)
        constant = 300  # no taint that is not tolerated
        assert [-score + constant for score in stock.scores(pod, found).values()] == costs.tolist()

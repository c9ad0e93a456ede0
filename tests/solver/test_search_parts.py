"""Parts of the search on their own: the leftover argument, two halves on one state, a stage's way back to classes."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest

from berth_solver.halves import in_halves
from berth_solver.leftover import all_cannot_fit
from berth_solver.options import Options
from berth_solver.problem import IntArray, PodClass, Problem, Standing
from berth_solver.solve import solve
from berth_solver.stages import moves_stage
from berth_solver.state import State, Stream, make_ground


def fits_somehow(requests: list[int], nodes: int, capacity: int) -> bool:
    for where in product(range(nodes), repeat=len(requests)):
        load = np.bincount(where, weights=requests, minlength=nodes)
        if (load <= capacity).all():
            return True
    return False


@pytest.mark.parametrize("seed", range(120))
def test_what_is_said_not_to_fit_does_not(seed: int) -> None:
    random = np.random.default_rng(seed)
    requests = random.integers(20, 90, 6).tolist()
    # full to the last unit: that is where the argument applies
    capacity = -(-sum(requests) // 2) + int(random.integers(0, 3))
    classes = tuple(PodClass(f"c{i}", 1, (r,), 1) for i, r in enumerate(requests))
    problem = Problem(("cpu",), ("a", "b"), np.array([[capacity], [capacity]], np.int64), classes)
    said = all_cannot_fit(make_ground(problem), 0, time.perf_counter, time.perf_counter() + 5)
    assert not (said and fits_somehow(requests, 2, capacity))


def test_the_argument_settles_most_full_clusters() -> None:
    random = np.random.default_rng(1)
    settled = 0
    for _ in range(20):
        requests = random.integers(1_000, 9_000, 12).tolist()
        classes = tuple(
            PodClass(f"c{i}", 1, (r, int(random.integers(1_000, 9_000))), 1) for i, r in enumerate(requests)
        )
        cap = np.array([[-(-sum(c.request[r] for c in classes) // 3) for r in range(2)]] * 3, np.int64)
        problem = Problem(("cpu", "memory"), ("a", "b", "c"), cap, classes)
        settled += all_cannot_fit(make_ground(problem), 0, time.perf_counter, time.perf_counter() + 5)
    assert settled >= 18


def crowded(nodes: int, seed: int) -> Problem:
    """Nodes of 10 cpu, pods of 2 to 5 standing at random, some waiting."""
    random = np.random.default_rng(seed)
    classes = tuple(PodClass(f"c{i}", int(i % 3), (2 + i % 4,), pending=nodes // 12) for i in range(12))
    standing, load = [], np.zeros(nodes, np.int64)
    for n in range(nodes):
        for c in random.permutation(12)[:4].tolist():
            if load[n] + classes[c].request[0] <= 10:
                load[n] += classes[c].request[0]
                standing.append(Standing(c, n, 1))
    return Problem(
        ("cpu",), tuple(f"n{i}" for i in range(nodes)), np.full((nodes, 1), 10, np.int64), classes, tuple(standing)
    )


def recounted(state: State) -> IntArray:
    """The load of each node, from the list of its pods."""
    ground = state.ground
    load = np.zeros_like(state.load)
    for n in range(len(state.head)):
        i = int(state.head[n])
        while i >= 0:
            assert state.node[i] == n
            load[n] += ground.req[ground.cls[i]]
            i = int(state.nxt[i])
    return load


def test_two_threads_on_one_state_leave_it_whole() -> None:
    ground = make_ground(crowded(120, 3))
    state = State.at(ground, ground.home, 1)
    before = sum(state.placed())

    def work(half: int, pool: IntArray, stream: Stream) -> None:
        state.insert(pool, waiting[half::2], 200, 6, 60, stream)

    for _ in range(5):
        waiting = state.waiting()
        in_halves(state, np.arange(120), work)
    assert sum(state.placed()) > before
    assert (recounted(state) == state.load).all()
    assert (state.load <= ground.cap).all()
    assert (np.bincount(ground.cls[state.node >= 0], minlength=12) <= ground.problem.totals).all()


def test_a_fill_of_kinds_comes_back_as_classes_that_stay_where_they_stood() -> None:
    """Three priorities of one shape are one kind; who stood on a node stays there."""
    problem = crowded(24, 5)
    ground = make_ground(problem)
    placement = problem.standing_counts
    of_tier = np.bincount(ground.tier, weights=problem.totals).astype(int)
    grouped = moves_stage(ground, tuple(of_tier.tolist()))
    assert len(grouped.first) == 4
    chosen = [(int(g), fill, 1) for g, fill in zip(grouped.group_of_node, grouped.fills(placement), strict=True)]
    assert (grouped.place(chosen, placement, problem.totals) == placement).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_proven_answer_is_the_same_each_time(threads: int) -> None:
    problem = crowded(12, 7)
    answers = [solve(problem, Options(budget=5.0, seed=3, threads=threads)) for _ in range(2)]
    assert all(a.fully_proven for a in answers)
    if threads == 1:
        assert (answers[0].placement == answers[1].placement).all()
    assert answers[0].tiers == answers[1].tiers
    assert answers[0].disruption.value == answers[1].disruption.value

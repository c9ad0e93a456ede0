"""The baseline finds what brute force finds, keeps its budget, and admits it when it runs out."""

from itertools import product

import numpy as np
import pytest

from benchmarks.check import disruption, faults, placed_by_tier
from benchmarks.paper_instances import Cell, find
from benchmarks.paper_model import solve_as_the_paper
from berth_solver.problem import PodClass, Problem, Standing


def cluster(*nodes: int, classes: tuple[PodClass, ...], standing: tuple[Standing, ...] = ()) -> Problem:
    names = tuple(f"n{i}" for i in range(len(nodes)))
    return Problem(("cpu",), names, np.array(nodes, np.int64).reshape(-1, 1), classes, standing)


def test_moves_a_small_pod_to_let_a_large_one_in() -> None:
    problem = cluster(
        4, 4,
        classes=(PodClass("small", 1, (1,)), PodClass("half", 1, (2,)), PodClass("large", 1, (3,), pending=1)),
        standing=(Standing(0, 0, 1), Standing(1, 1, 1), Standing(0, 1, 1)),
    )  # fmt: skip
    problem_two_small = cluster(
        4, 4,
        classes=(PodClass("small", 1, (1,)), PodClass("half", 1, (2,)), PodClass("large", 1, (4,), pending=1)),
        standing=(Standing(0, 0, 1), Standing(1, 1, 1)),
    )  # fmt: skip

    stays, moves = solve_as_the_paper(problem, 5, 2), solve_as_the_paper(problem_two_small, 5, 2)

    assert stays.fully_proven
    assert stays.placement is not None
    assert disruption(problem, stays.placement).pods == 0
    assert moves.fully_proven
    assert moves.placement is not None
    assert placed_by_tier(problem_two_small, moves.placement) == (3,)
    assert disruption(problem_two_small, moves.placement).moves == 1


def test_agrees_with_brute_force_on_counts_of_the_highest_tier() -> None:
    found = find(Cell(3, 2, 2, 1.05), base_seed=11)
    assert found.instance is not None
    problem = found.instance.problem()

    answer = solve_as_the_paper(problem, 10, 2)

    assert answer.fully_proven
    assert answer.placement is not None
    assert faults(problem, answer.placement) == []
    assert placed_by_tier(problem, answer.placement)[0] == _most_of_the_first_tier(problem)


def _most_of_the_first_tier(problem: Problem) -> int:
    top = problem.priorities[0]
    pods = [c for c, k in enumerate(problem.classes) if k.priority == top for _ in range(int(problem.totals[c]))]
    best = 0
    for places in product(range(-1, len(problem.nodes)), repeat=len(pods)):
        load = np.zeros_like(problem.capacity)
        for c, node in zip(pods, places, strict=True):
            if node >= 0:
                load[node] += problem.requests[c]
        if (load <= problem.capacity).all():
            best = max(best, sum(p >= 0 for p in places))
    return best


def test_out_of_time_it_says_unknown_within_the_budget() -> None:
    found = find(Cell(32, 8, 4, 1.00), base_seed=2)
    assert found.instance is not None

    answer = solve_as_the_paper(found.instance.problem(), 0.15, 2)

    assert not answer.fully_proven
    assert answer.status in {"UNKNOWN", "FEASIBLE"}
    assert answer.elapsed_seconds < 1.0


def test_refuses_constraints_it_does_not_know() -> None:
    from benchmarks.gang_instances import gang_instance

    with pytest.raises(ValueError, match="no constraint"):
        solve_as_the_paper(gang_instance("short", 1).problem(), 1, 2)

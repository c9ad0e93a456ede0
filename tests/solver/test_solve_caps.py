"""Budgets and caps on a cluster that is full but for fragments: they hold, they are used, and allowing more never loses."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import numpy as np
import pytest

from berth_solver.feasible import violations
from berth_solver.options import Options
from berth_solver.placing_under_rules import place_under_rules
from berth_solver.problem import Budget, Constraints, PodClass, Problem, Spread, Standing
from berth_solver.rules import Rules
from berth_solver.score import disruption, placed_per_tier
from berth_solver.solve import solve
from berth_solver.state import State, make_ground
from berth_solver.verify import verify
from berth_solver.warm import warm

NODES, PODS_A_NODE, CAPACITY = 24, 8, 8000
SECONDS = 0.4


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """Loading is not solving: no budget below is spent on it."""
    warm()


def full_cluster(constraints: Constraints, seed: int = 0) -> Problem:
    """All pods together ask for just what the nodes have; placed at random, some find no room."""
    draw = random.Random(seed)
    shapes = [(draw.randint(200, 1800), draw.randint(200, 1800)) for _ in range(16)]
    pods = [(draw.randrange(16), draw.randrange(3)) for _ in range(NODES * PODS_A_NODE)]
    asked = np.array([shapes[s] for s, _ in pods]).sum(axis=0).max()
    shapes = [(a * NODES * CAPACITY // int(asked), b * NODES * CAPACITY // int(asked)) for a, b in shapes]
    load = np.zeros((NODES, 2), np.int64)
    runs: dict[tuple[tuple[int, int], int], int] = {}
    waits: dict[tuple[int, int], int] = {}
    for pod in pods:
        fits = [n for n in draw.sample(range(NODES), NODES) if (load[n] + shapes[pod[0]] <= CAPACITY).all()]
        if fits:
            load[fits[0]] += shapes[pod[0]]
            runs[pod, fits[0]] = runs.get((pod, fits[0]), 0) + 1
        else:
            waits[pod] = waits.get(pod, 0) + 1
    kinds = sorted(set(pods))
    classes = tuple(PodClass(f"s{s}p{p}", p, shapes[s], waits.get((s, p), 0)) for s, p in kinds)
    standing = tuple(Standing(kinds.index(pod), n, k) for (pod, n), k in runs.items())
    names = tuple(f"n{n}" for n in range(NODES))
    return Problem(("cpu", "memory"), names, np.full((NODES, 2), CAPACITY, np.int64), classes, standing, constraints)


def placed(problem: Problem) -> tuple[tuple[int, ...], int]:
    """Counts by tier and disruption, of an answer that breaks no rule."""
    ground = make_ground(problem)
    totals = tuple(np.bincount(ground.tier[ground.cls], minlength=len(ground.priorities)).tolist())
    start = State.at(ground, ground.home, 1)
    until = time.process_time() + SECONDS  # of this process's own: a busy machine must not decide what is found
    rules = Rules.of(problem) if problem.constraints.spreads else None
    found = place_under_rules(ground, start, until, time.process_time, 0, totals, rules).placement()
    assert violations(problem, found) == ()
    return placed_per_tier(problem, found), disruption(problem, found)


def test_the_more_may_move_the_more_find_a_place() -> None:
    problem = full_cluster(Constraints())
    stands = placed_per_tier(problem, problem.standing_counts)
    counts = [placed(replace(problem, constraints=Constraints(max_disruption=most))) for most in (0, 3, 60)]
    assert counts[0] == (stands, 0)
    assert stands < counts[1][0] < counts[2][0]
    assert counts[1][1] <= 3
    whole = int(problem.totals[[c for c, k in enumerate(problem.classes) if k.priority == 2]].sum())
    assert counts[2][0][0] == whole > stands[0]


def test_budgets_hold_and_are_used() -> None:
    """Each class may lose one pod from its node, and none in all may end without a node."""
    problem = full_cluster(Constraints())
    each = tuple(Budget(frozenset({c}), 1) for c in range(len(problem.classes)))
    capped = replace(problem, constraints=Constraints(budgets=each, max_evictions=0))
    counts, moves = placed(capped)
    assert counts > placed_per_tier(problem, problem.standing_counts)
    assert moves > 0


def test_rules_that_repacking_does_not_know_are_asked_about() -> None:
    """All pods of the first tier spread over three zones: what a step breaks is taken back, what it does not is kept."""
    problem = full_cluster(Constraints())
    top = frozenset(c for c, k in enumerate(problem.classes) if k.priority == 2)
    zones = tuple(n % 3 for n in range(NODES))
    held = problem.standing_counts[sorted(top)]
    skew = int(np.ptp([held[:, [n for n in range(NODES) if zones[n] == z]].sum() for z in range(3)]))
    ruled = replace(problem, constraints=Constraints(spreads=(Spread(top, zones, max(1, skew - 1)),)))
    counts, _ = placed(ruled)
    assert counts > placed_per_tier(problem, problem.standing_counts)


def test_an_answer_uses_the_moves_that_it_may_make() -> None:
    """From one end to the other: with ten moves no fewer pods of the first tier than with two, and the cap holds."""
    problem = full_cluster(Constraints())
    answers = []
    for most in (2, 10):
        capped = replace(problem, constraints=Constraints(max_disruption=most))
        solution = solve(capped, Options(budget=0.6))
        assert verify(capped, solution, seconds=0.5).violations == ()
        answers.append([t.placed for t in solution.tiers])
    assert list(placed_per_tier(problem, problem.standing_counts)) < answers[0] < answers[1]

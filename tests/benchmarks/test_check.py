"""The harness's own check sees each kind of wrong answer."""

from dataclasses import replace

import numpy as np

from benchmarks.check import disruption, faults, placed_by_tier, proof_faults, report_faults
from berth_solver.problem import Constraints, Gang, IntArray, PodClass, Problem, Standing
from berth_solver.solution import Evidence, Solution, StageResult, TierResult

TRIVIAL = Evidence("trivial")


def two_tiers() -> Problem:
    """Two nodes of 4; a running pair of 2 in the low tier on n0; a high one of 3 and two low ones of 2 wait."""
    return Problem(
        ("cpu",),
        ("n0", "n1"),
        np.array([[4], [4]], np.int64),
        (PodClass("high", 2, (3,), pending=1), PodClass("low", 1, (2,), pending=2)),
        (Standing(1, 0, 2),),
    )


def placement(*rows: tuple[int, int]) -> IntArray:
    return np.array(rows, np.int64)


def solution(problem: Problem, places: IntArray, bounds: tuple[int, int], disturbed: float, bound: float) -> Solution:
    counts = placed_by_tier(problem, places)
    tiers = tuple(
        TierResult(p, int(problem.totals[c]), n, b, TRIVIAL)
        for c, (p, n, b) in enumerate(zip(problem.priorities, counts, bounds, strict=True))
    )
    return Solution(places, tiers, StageResult(disturbed, bound, TRIVIAL), StageResult(0, 0, TRIVIAL))


def test_a_right_answer_has_no_faults() -> None:
    problem = two_tiers()

    assert report_faults(problem, solution(problem, placement((0, 1), (2, 0)), (1, 2), 0, 0)) == []


def test_overfull_nodes_and_invented_pods_are_seen() -> None:
    problem = two_tiers()

    assert any("capacity" in f for f in faults(problem, placement((1, 0), (1, 0))))
    assert any("more pods" in f for f in faults(problem, placement((1, 1), (0, 0))))
    assert any("negative" in f for f in faults(problem, placement((0, 1), (3, -1))))


def test_half_a_gang_is_seen() -> None:
    problem = two_tiers()
    problem = replace(problem, constraints=Constraints(gangs=(Gang(frozenset({1}), 4, "g"),)))

    assert any("gang" in f for f in faults(problem, placement((0, 0), (2, 1))))
    assert faults(problem, placement((0, 1), (2, 0))) == []


def test_misreported_values_are_seen() -> None:
    problem = two_tiers()
    right = solution(problem, placement((0, 1), (2, 0)), (1, 2), 0, 0)

    assert any("bound 1" in f for f in report_faults(problem, solution(problem, right.placement, (1, 1), 0, 0)))
    assert any("disruption" in f for f in report_faults(problem, replace(right, disruption=StageResult(1, 0, TRIVIAL))))
    lied = replace(right, tiers=(replace(right.tiers[0], placed=0), right.tiers[1]))
    assert any("reported" in f for f in report_faults(problem, lied))
    emptied = solution(problem, placement((0, 0), (1, 0)), (1, 2), 1, 0)
    assert any("worse" in f for f in report_faults(problem, emptied))


def test_a_better_answer_of_another_refutes_a_proof() -> None:
    problem = two_tiers()
    proven = solution(problem, placement((0, 1), (2, 0)), (1, 2), 0, 0)

    assert proof_faults(proven, (1, 2), (1, 3), 0)
    assert proof_faults(proven, (1, 2), (1, 2), 0) == []
    assert proof_faults(proven, (1, 2), (0, 4), 0) == []
    assert proof_faults(replace(proven, disruption=StageResult(2, 2, TRIVIAL)), (1, 2), (1, 2), 1)


def test_identical_pods_that_change_places_have_not_moved() -> None:
    problem = two_tiers()

    assert disruption(problem, placement((0, 1), (2, 0))).pods == 0
    moved = disruption(problem, placement((1, 0), (0, 2)))
    assert (moved.moves, moved.evictions) == (2, 0)
    lost = disruption(problem, placement((1, 0), (0, 1)))
    assert (lost.moves, lost.evictions) == (1, 1)

"""Good solutions, corrupted one way after the other: the verifier catches each, and says what is wrong."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import berth_solver
from berth_solver.options import Options
from berth_solver.problem import Constraints, Gang, PodClass, Problem
from berth_solver.solution import Evidence, Solution, StageResult
from berth_solver.solve import solve
from berth_solver.verify import Verdict, ViolationCode, verify

from .problems import make_problem


def crowded() -> Problem:
    """Three nodes of 10 and 10; a tier of large pods, no two of which fit together, and one of small ones that must move."""
    return make_problem(
        [[10, 10]] * 3,
        [
            PodClass("broad", 5, (6, 4), pending=2),
            PodClass("small", 1, (3, 2), pending=1),
            PodClass("other", 1, (2, 4), pending=2),
            PodClass("tall", 5, (5, 7), pending=2),
        ],
        [(0, 0, 1), (1, 1, 3), (2, 2, 1)],
    )


@pytest.fixture(scope="module")
def good() -> tuple[Problem, Solution]:
    problem = crowded()
    solution = solve(problem, Options(budget=2.0))
    assert verify(problem, solution).is_proven
    assert solution.fully_proven
    assert solution.disruption.value > 0
    return problem, solution


def with_cell(solution: Solution, c: int, n: int, by: int) -> Solution:
    placement = solution.placement.copy()
    placement[c, n] += by
    return replace(solution, placement=placement)


def test_one_pod_more_or_less_anywhere_is_noticed(good: tuple[Problem, Solution]) -> None:
    problem, solution = good
    for c, n in np.ndindex(*solution.placement.shape):
        for by in (-1, 1):
            assert not verify(problem, with_cell(solution, c, n, by)).holds


def test_a_pod_on_another_node_is_noticed(good: tuple[Problem, Solution]) -> None:
    """The counts are right; room or disruption are not."""
    problem, solution = good
    for c, n in np.argwhere(solution.placement > 0).tolist():
        moved = with_cell(with_cell(solution, c, n, -1), c, (n + 1) % 3, 1)
        values_are_right = moved.placement.sum() == solution.placement.sum()
        assert values_are_right
        alike = np.array_equal(np.sort(moved.placement, axis=1), np.sort(solution.placement, axis=1))
        assert alike or not verify(problem, moved).holds


def with_tier(solution: Solution, rank: int, **changes: object) -> Solution:
    tiers = list(solution.tiers)
    tiers[rank] = replace(tiers[rank], **changes)  # type: ignore[arg-type]
    return replace(solution, tiers=tuple(tiers))


REPORTS: list[tuple[str, Callable[[Solution], Solution], ViolationCode]] = [
    ("placed too high", lambda s: with_tier(s, 0, placed=s.tiers[0].placed + 1), ViolationCode.WRONG_COUNT),
    ("placed too low", lambda s: with_tier(s, 1, placed=s.tiers[1].placed - 1), ViolationCode.WRONG_COUNT),
    ("pods", lambda s: with_tier(s, 0, pods=s.tiers[0].pods + 1), ViolationCode.WRONG_COUNT),
    ("priority", lambda s: with_tier(s, 0, priority=6), ViolationCode.WRONG_COUNT),
    ("tier missing", lambda s: replace(s, tiers=s.tiers[:1]), ViolationCode.WRONG_COUNT),
    ("tiers swapped", lambda s: replace(s, tiers=s.tiers[::-1]), ViolationCode.WRONG_COUNT),
    ("bound below value", lambda s: with_tier(s, 0, bound=s.tiers[0].placed - 1), ViolationCode.WRONG_BOUND),
    (
        "disruption too low",
        lambda s: replace(s, disruption=replace(s.disruption, value=s.disruption.value - 1)),
        ViolationCode.WRONG_VALUE,
    ),
    (
        "disruption not a number",
        lambda s: replace(s, disruption=replace(s.disruption, value=float("nan"))),
        ViolationCode.WRONG_VALUE,
    ),
    (
        "disruption bound above value",
        lambda s: replace(s, disruption=replace(s.disruption, bound=s.disruption.value + 1)),
        ViolationCode.WRONG_BOUND,
    ),
    (
        "preference made up",
        lambda s: replace(s, preference=StageResult(1.0, 1.0, Evidence("trivial"))),
        ViolationCode.WRONG_VALUE,
    ),
    (
        "nodes in use made up",
        lambda s: replace(s, nodes_in_use=StageResult(1, 1, Evidence("trivial"))),
        ViolationCode.WRONG_VALUE,
    ),
    (
        "too few nodes called necessary",
        lambda s: replace(s, nodes_in_use=StageResult(3, 4, Evidence("none"))),
        ViolationCode.WRONG_BOUND,
    ),
]


@pytest.mark.parametrize(("corrupt", "code"), [r[1:] for r in REPORTS], ids=[r[0] for r in REPORTS])
def test_wrong_reports_are_named(
    good: tuple[Problem, Solution], corrupt: Callable[[Solution], Solution], code: ViolationCode
) -> None:
    problem, solution = good
    assert code in {v.code for v in verify(problem, corrupt(solution)).violations}


def test_no_bound_can_be_tightened(good: tuple[Problem, Solution]) -> None:
    """The same evidence under a claim that is one better, on a placement that is one worse: wrong each time."""
    problem, solution = good
    large = int(np.flatnonzero(solution.placement[0])[0])
    worse = with_cell(solution, 0, large, -1)
    placed = solution.tiers[0].placed - 1
    for kind in ("trivial", "capacity", "patterns", "leftover", "exhausted"):
        evidence = solution.tiers[0].evidence if kind == solution.tiers[0].evidence.kind else proper(problem, kind)
        claim = with_tier(worse, 0, placed=placed, bound=placed, evidence=evidence)
        checked = verify(problem, claim)
        assert checked.stages[0].verdict is Verdict.WRONG, kind
        assert any(v.code is ViolationCode.WRONG_BOUND for v in checked.violations)


def proper(problem: Problem, kind: str) -> Evidence:
    """Well-formed evidence of a kind, with prices that prove something."""
    match kind:
        case "capacity":
            return Evidence(kind, resource_prices=((0.1, 0.0),), price_group=(0,) * len(problem.nodes))
        case "patterns":
            return Evidence(kind, class_prices=(1,) * len(problem.classes), scale=8)
        case _:
            return Evidence(kind)  # type: ignore[arg-type]


def test_no_evidence_is_said_to_be_none(good: tuple[Problem, Solution]) -> None:
    problem, solution = good
    checked = verify(problem, with_tier(solution, 0, evidence=Evidence("none")))
    assert checked.holds
    assert not checked.is_proven
    assert checked.stages[0].verdict is Verdict.UNPROVEN


def test_a_weaker_claim_is_fine(good: tuple[Problem, Solution]) -> None:
    problem, solution = good
    assert verify(problem, with_tier(solution, 0, bound=solution.tiers[0].bound + 1)).holds


def test_out_of_time_is_not_wrong(good: tuple[Problem, Solution]) -> None:
    problem, solution = good
    claim = with_tier(solution, 0, evidence=Evidence("exhausted"))
    ticks = iter(range(10**9))
    checked = verify(problem, claim, seconds=0.0, clock=lambda: float(next(ticks)))
    assert checked.stages[0].verdict in (Verdict.NOT_CONFIRMED, Verdict.CONFIRMED)
    big = make_problem([[7, 9]] * 60, [PodClass(f"c{k}", 1, (2 + k % 3, 3), 9) for k in range(40)])
    nothing = np.zeros((40, 60), np.int64)
    base = solve(big, Options(budget=0.2))
    empty = replace(base, placement=nothing, disruption=StageResult(0, 0, Evidence("none")))
    empty = with_tier(empty, 0, placed=0, bound=1, evidence=Evidence("exhausted"))
    assert verify(big, empty, seconds=0.1).stages[0].verdict is Verdict.NOT_CONFIRMED


def test_a_gang_that_cannot_be_placed() -> None:
    """Three pods of 6 on two nodes of 10: no more than two fit, so that none of the gang is placed."""
    problem = make_problem(
        [[10], [10]], [PodClass("gang", 1, (6,), 3)], (), Constraints(gangs=(Gang(frozenset({0}), 3, "g"),))
    )
    part = Evidence("patterns", class_prices=(0,), scale=1)
    solution = solve(problem, Options(budget=0.5))
    claim = with_tier(solution, 0, placed=0, bound=0, evidence=Evidence("gang", note="g", parts=(part,)))
    claim = replace(claim, placement=np.zeros((1, 2), np.int64))
    assert verify(problem, claim).is_proven
    fits = replace(problem, capacity=np.array([[12], [10]]))
    assert verify(fits, claim).stages[0].verdict is Verdict.WRONG
    unnamed = with_tier(claim, 0, evidence=Evidence("gang", note="h", parts=(part,)))
    assert verify(problem, unnamed).stages[0].verdict is Verdict.WRONG


def test_a_gang_that_runs_short_keeps_what_runs() -> None:
    """Two of a gang of three run and a third has no room: the bound is two, not none."""
    rules = Constraints(gangs=(Gang(frozenset({0}), 3, "g"),))
    problem = make_problem([[10], [10]], [PodClass("gang", 1, (6,), 1)], [(0, 0, 1), (0, 1, 1)], rules)
    part = Evidence("patterns", class_prices=(0,), scale=1)
    runs = replace(solve(problem, Options(budget=0.5)), placement=problem.standing_counts)
    evidence = Evidence("gang", note="g", parts=(part,))
    assert verify(problem, with_tier(runs, 0, placed=2, bound=2, evidence=evidence)).is_proven
    gone = replace(runs, placement=np.zeros((1, 2), np.int64), disruption=StageResult(2, 0, Evidence("none")))
    assert verify(problem, with_tier(gone, 0, placed=0, bound=0, evidence=evidence)).stages[0].verdict is Verdict.WRONG


def test_what_is_left_over_needs_whole_tiers_above() -> None:
    """Nothing follows for a tier from all not fitting, when a pod of the tier above stays outside anyway."""
    problem = make_problem([[10], [10]], [PodClass(str(a), 1 + a // 9, (a,), 1) for a in (9, 6, 3, 2)])
    solution = solve(problem, Options(budget=0.5))
    whole = with_tier(solution, 1, bound=2, evidence=Evidence("leftover"))
    assert verify(problem, whole).stages[1].verdict is Verdict.CONFIRMED
    without = np.array([[0, 0], *solution.placement[1:].tolist()])
    partly = with_tier(replace(whole, placement=without), 0, placed=0, bound=1)
    assert verify(problem, partly).stages[1].verdict is Verdict.WRONG


ALLOWED = {"verify", "problem", "solution"}


def test_the_verifier_shares_no_code_with_the_search() -> None:
    """Every import, followed: problem, solution, the checks, numpy and the standard library."""
    package = Path(berth_solver.__file__).parent
    seen: set[str] = set()
    queue = ["verify"]
    while queue:
        name = queue.pop()
        seen.add(name)
        for node in ast.walk(ast.parse((package / f"{name}.py").read_text())):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [a.name for a in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                top, _, rest = module.partition(".")
                if top == "berth_solver":
                    assert rest in ALLOWED or rest.startswith("check_"), f"{name} imports {module}"
                    queue += [rest] if rest not in seen else []
                else:
                    assert top == "numpy" or top in sys.stdlib_module_names, f"{name} imports {module}"

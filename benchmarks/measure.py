"""Runs both solvers on one instance, in alternating order, each on a problem of its own, and checks what they say."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.check import disruption, faults, placed_by_tier, proof_faults, report_faults
from benchmarks.instance import Instance
from benchmarks.paper_model import solve_as_the_paper
from benchmarks.record import Answer, Measurement
from berth_solver.options import Options
from berth_solver.problem import IntArray, Problem
from berth_solver.solution import Certificate, Solution
from berth_solver.solve import solve
from berth_solver.verify import Verdict, Verification, verify

DIGITS = 4
"""Of a second: what is written down."""
SEARCH_SEEDS = 1 << 31
VERIFY_SECONDS = 3.0
"""For the verifier to recompute the bounds of one answer, after the clock has stopped."""


@dataclass(frozen=True, slots=True)
class Task:
    """One instance to solve under one budget, and the axes it is reported by."""

    cell: str
    instance: Instance
    budget: float
    nodes: int
    priorities: int
    usage: float
    pods_per_node: int = 0
    attempts: int = 1
    with_paper: bool = False
    consolidate: bool = False
    fits: bool | None = None


def measure(task: Task, workers: int, berth_first: bool) -> Measurement:
    """Solve with ours and, where asked, with the paper's model: paired, on the same cores, one after the other."""
    problem = task.instance.problem()
    standing = placed_by_tier(problem, problem.standing_counts)
    paper: Answer | None = None
    paper_faults: list[str] = []
    if task.with_paper and not berth_first:
        paper, paper_faults = _paper(task, workers)
    options = Options(
        budget=task.budget, seed=task.instance.seed % SEARCH_SEEDS, threads=workers, consolidate=task.consolidate
    )
    fresh = task.instance.problem()
    solution, seconds = _timed(lambda: solve(fresh, options))
    if task.with_paper and berth_first:
        paper, paper_faults = _paper(task, workers)
    checked = verify(problem, solution, seconds=VERIFY_SECONDS)
    found = report_faults(problem, solution) + [f"verify: {v.code}: {v.message}" for v in checked.violations]
    if not found:
        found = _refuted(task, problem, solution, paper)
    return Measurement(
        cell=task.cell,
        seed=task.instance.seed,
        nodes=task.nodes,
        pods_per_node=task.pods_per_node,
        priorities=task.priorities,
        usage=task.usage,
        budget=task.budget,
        pods=task.instance.pods,
        pending=task.instance.pending,
        attempts=task.attempts,
        standing=standing,
        berth=_berth_answer(problem, solution, seconds, _proofs_recomputed(solution, checked)),
        paper=paper,
        fits=task.fits,
        nodes_in_use=_nodes_in_use(problem.standing_counts),
        faults=tuple(found + paper_faults),
    )


def _timed(call: Callable[[], Solution]) -> tuple[Solution, float]:
    gc.collect()
    began = time.perf_counter()
    result = call()
    return result, time.perf_counter() - began


def _berth_answer(problem: Problem, solution: Solution, seconds: float, recomputed: bool) -> Answer:
    disturbed = disruption(problem, solution.placement)
    in_use = solution.nodes_in_use
    # improvements also tell of fewer moves at equal counts; "first" means the first one with better counts
    better = [i for i in solution.improvements if i.placed > placed_by_tier(problem, problem.standing_counts)]
    return Answer(
        placed=placed_by_tier(problem, solution.placement),
        counts_proven=solution.counts_proven,
        fully_proven=solution.fully_proven,
        moves=disturbed.moves,
        evictions=disturbed.evictions,
        seconds=round(seconds, DIGITS),
        first_improvement=round(better[0].seconds, DIGITS) if better else None,
        last_improvement=round(solution.improvements[-1].seconds, DIGITS) if solution.improvements else None,
        recomputed=recomputed,
        bounds=tuple(t.bound for t in solution.tiers),
        disruption_bound=solution.disruption.bound,
        nodes_in_use=None if in_use is None else _nodes_in_use(solution.placement),
        nodes_bound=None if in_use is None else in_use.bound,
    )


def _paper(task: Task, workers: int) -> tuple[Answer, list[str]]:
    problem = task.instance.problem()
    gc.collect()
    began = time.perf_counter()
    answer = solve_as_the_paper(problem, task.budget, workers)
    seconds = time.perf_counter() - began
    before = problem.standing_counts
    found = [] if answer.placement is None else [f"paper's model: {f}" for f in faults(problem, answer.placement)]
    improved = answer.placement is not None and placed_by_tier(problem, answer.placement) > placed_by_tier(
        problem, before
    )
    kept = answer.placement if improved and answer.placement is not None else before
    disturbed = disruption(problem, kept)
    first = answer.first_improvement_seconds
    return Answer(
        placed=placed_by_tier(problem, kept),
        counts_proven=answer.counts_proven,
        fully_proven=answer.fully_proven,
        moves=disturbed.moves,
        evictions=disturbed.evictions,
        seconds=round(seconds, DIGITS),
        first_improvement=None if first is None else round(first, DIGITS),
        status=answer.status,
        accepted=improved and answer.status in ("OPTIMAL", "FEASIBLE"),
    ), found


def _refuted(task: Task, problem: Problem, solution: Solution, paper: Answer | None) -> list[str]:
    """Certificates that another valid answer, or the way the instance was built, shows to be wrong."""
    counts = placed_by_tier(problem, solution.placement)
    found = []
    if paper is not None:
        found += proof_faults(solution, counts, paper.placed, paper.disturbed)
        if task.priorities == 1 and paper.counts_proven and paper.placed < counts:
            found.append(f"paper's model proved {paper.placed}, yet {counts} are placed")
    if task.fits and solution.tiers[-1].bound == 0:
        found.append("the gang is proven impossible, yet a placement of it was planted")
    if task.fits is False and counts[-1]:
        found.append("the gang is placed, which the instance's construction rules out")
    return found


def _proofs_recomputed(solution: Solution, checked: Verification) -> bool:
    """The verifier followed the evidence of each count and of the disruption that the solution calls optimal."""
    confirmed = {s.stage for s in checked.stages if s.verdict is Verdict.CONFIRMED}
    claimed = {f"tier {t.priority}" for t in solution.tiers if t.certificate is Certificate.OPTIMAL}
    if solution.disruption.certificate is Certificate.OPTIMAL:
        claimed.add("disruption")
    return claimed <= confirmed


def _nodes_in_use(placement: IntArray) -> int:
    return int(np.count_nonzero(placement.any(axis=0)))

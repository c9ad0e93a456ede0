"""The solver's answer to a packing, checked, with preemptionPolicy Never honoured.

**Never.** A pending pod of this policy may take room but may not make any: nobody may lose a place, or be moved, for it.
Kubernetes lets it have what is free when its turn comes. So does this, in three questions:

1. *Without disturbing anyone*, which pending pods fit? This decides which Never pods have a place: as if they had been
   scheduled at this moment.
2. The whole problem, in which only those Never pods are asked for. Whatever is disturbed now is disturbed for others: with
   these pods alone nothing would have to be. Pods that others displace count as any running pod.
3. Never pods that are left may still take room that remains, again without disturbing anyone.

Bounds of a tier that has Never pods hold under this reading. Snapshots without such pods ask one question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from berth_planner.options import PlanOptions
from berth_planner.packing import Packing
from berth_solver.check_placement import placement_violations
from berth_solver.options import Options
from berth_solver.problem import IntArray, PodClass, Problem, Standing
from berth_solver.solution import Solution
from berth_solver.solve import solve

SHARE_OF_FREE_ROOM = 0.2
"""Part of the time for each of the two questions about free room."""


NAMED_VIOLATIONS = 3


class UnsoundAnswerError(RuntimeError):
    """The solver's answer breaks a rule. Nothing is planned from it; please report it with the input."""


@dataclass(frozen=True, slots=True)
class TierBound:
    priority: int
    placed: int
    bound: int
    evidence: str


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """A verified placement and what is proven about it."""

    placement: IntArray
    tiers: tuple[TierBound, ...]
    disruption_bound: float
    disruption_evidence: str
    elapsed_seconds: float
    first_improvement_seconds: float | None
    notes: tuple[str, ...]


def answer(packing: Packing, options: PlanOptions) -> Answer:
    """Solve and check. Raises UnsoundAnswerError when a rule is broken."""
    never = packing.never_preempting
    if not never or options.pending_only:
        return _answer(packing.problem, _solved(packing.problem, options, options.budget))
    return _answer_with_never(packing.problem, never, options)


def _answer_with_never(problem: Problem, never: Sequence[int], options: PlanOptions) -> Answer:
    start = options.clock()
    share = options.budget * SHARE_OF_FREE_ROOM
    undisturbed = _solved(problem, replace(options, pending_only=True, consolidate=False), share)
    fit = np.maximum(undisturbed.placement - problem.standing_counts, 0).sum(axis=1)
    asked = tuple(
        replace(k, pending=min(int(fit[c]), k.pending)) if c in never else k for c, k in enumerate(problem.classes)
    )
    reduced = replace(problem, classes=asked)
    left_time = max(options.budget - (options.clock() - start), share)
    all_fit = asked == problem.classes
    main = _solved(reduced, options, left_time if all_fit else left_time - share)
    first = _answer(reduced, main)
    if all_fit:
        return first
    rest = _standing_at(problem, main.placement)
    late = _solved(rest, replace(options, pending_only=True, consolidate=False), share)
    placement = late.placement
    if placement_violations(problem, placement):
        # a late pod is in the way of a rule that binds one placed before it: do without late pods
        late, placement = main, main.placement
    placed = _placed_by_tier(problem, placement)
    main_bounds = {t.priority: t.bound for t in main.tiers}
    late_bounds = {t.priority: t.bound - t.placed for t in late.tiers}
    evidence = {t.priority: t.evidence.kind for t in main.tiers}
    tiers = tuple(
        TierBound(p, n, max(main_bounds.get(p, 0) + (n - before.get(p, 0)), n + late_bounds.get(p, 0)), evidence[p])
        for before in [_placed_by_tier(problem, main.placement)]
        for p, n in placed.items()
    )
    note = "pods of preemptionPolicy Never take free room only: nobody is moved or evicted for them"
    return replace(
        first,
        placement=placement,
        tiers=tiers,
        elapsed_seconds=options.clock() - start,
        notes=(*first.notes, note),
    )


def _solved(problem: Problem, options: PlanOptions, seconds: float) -> Solution:
    solution = solve(
        problem,
        Options(
            budget=seconds,
            seed=options.seed,
            threads=options.threads,
            pending_only=options.pending_only,
            consolidate=options.consolidate,
            clock=options.clock,
            on_improvement=options.on_improvement,
        ),
    )
    check(problem, solution.placement)
    return solution


def check(problem: Problem, placement: IntArray) -> None:
    """Raises UnsoundAnswerError with the first broken rules."""
    broken = placement_violations(problem, placement)
    if broken:
        sentences = "; ".join(v.message for v in broken[:NAMED_VIOLATIONS])
        raise UnsoundAnswerError(f"{len(broken)} rules are broken, so nothing is planned: {sentences}")


def _standing_at(problem: Problem, placement: IntArray) -> Problem:
    """The problem as it is once `placement` stands: what is not placed is pending."""
    totals = problem.totals
    placed = placement.sum(axis=1)
    classes: tuple[PodClass, ...] = tuple(
        replace(k, pending=int(totals[c] - placed[c])) if k.movable else k for c, k in enumerate(problem.classes)
    )
    rows, columns = np.nonzero(placement)
    standing = tuple(Standing(int(c), int(n), int(placement[c, n])) for c, n in zip(rows, columns, strict=True))
    return replace(problem, classes=classes, standing=standing)


def _placed_by_tier(problem: Problem, placement: IntArray) -> dict[int, int]:
    placed = placement.sum(axis=1)
    counts = dict.fromkeys(problem.priorities, 0)
    for c, k in enumerate(problem.classes):
        counts[k.priority] += int(placed[c])
    return counts


def _answer(problem: Problem, solution: Solution) -> Answer:
    return Answer(
        placement=solution.placement,
        tiers=tuple(TierBound(t.priority, t.placed, t.bound, t.evidence.kind) for t in solution.tiers),
        disruption_bound=solution.disruption.bound,
        disruption_evidence=solution.disruption.evidence.kind,
        elapsed_seconds=solution.elapsed_seconds,
        first_improvement_seconds=solution.first_improvement_seconds,
        notes=solution.notes,
    )

"""The solver's answer to a packing, verified, with preemptionPolicy Never honoured.

**Never.** A pending pod of this policy may take room but may not make any: nobody loses a place or is moved for it. If the
best placement disturbs nobody, there is nothing to honour. Otherwise the question is asked in the order in which a
scheduler would come to the pods, highest priority of a Never pod first:

1. the pending pods of at least that priority, without the Never ones: these may displace as usual;
2. the Never pods, in the room that is now free, disturbing nobody;
3. in the end the pending pods that are left, on top of all that.

So a Never pod has what is free at its turn, before pods of lower priority, and no eviction is made on its behalf. Bounds of
the tiers hold under this order. Where the parts do not fit together under some rule, Never pods are left waiting.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from berth_planner.options import PlanOptions
from berth_planner.packing import Packing
from berth_planner.problem_variants import frozen, standing_at
from berth_solver.check_placement import placement_violations
from berth_solver.options import Options
from berth_solver.problem import IntArray, Problem
from berth_solver.solution import Certificate, Solution
from berth_solver.solve import solve
from berth_solver.verify import verify

MAX_NEVER_LEVELS = 3
"""Priorities of Never pods that have a turn of their own; pods of further ones come with the last."""

LEAST_SHARE = 0.05
"""Of the budget, for all questions that come when the time is over: each must still be answered somehow."""

VERIFY_SECONDS = 0.2
"""For recomputing bounds before a plan is made, on top of the budget. Rules and counts are always checked in full;
`berth verify` takes the time that the bounds need."""

NAMED_VIOLATIONS = 3

NEVER_NOTE = "pods of preemptionPolicy Never take free room only: nobody is moved or evicted for them"


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
    preference_proven: bool = False
    """No placement with these counts and this disruption serves the classes' preferences better."""


def answer(packing: Packing, options: PlanOptions) -> Answer:
    """Solve and check. Raises UnsoundAnswerError when a rule is broken."""
    never = packing.never_preempting
    if options.pending_only:
        found = solved_undisturbed(packing.problem, options)
        placement = packing.problem.standing_counts + found.placement[: len(packing.members)]
        return replace(_answer(found), placement=placement, tiers=_tiers(packing.problem, placement, [found]))
    if not never:
        return _answer(solved(packing.problem, options))
    return _answer_with_never(packing.problem, never, options)


def solved(problem: Problem, options: PlanOptions) -> Solution:
    """One question to the solver, the answer verified."""
    solution = solve(
        problem,
        Options(
            budget=options.budget,
            seed=options.seed,
            threads=options.threads,
            consolidate=options.consolidate,
            clock=options.clock,
            on_improvement=options.on_improvement,
        ),
    )
    verification = verify(problem, solution, seconds=VERIFY_SECONDS, clock=options.clock)
    _refuse([v.message for v in verification.violations])
    return solution


def solved_undisturbed(problem: Problem, options: PlanOptions) -> Solution:
    """One question about free room alone. The solution is that of the frozen problem: only what is new."""
    return solved(frozen(problem), replace(options, consolidate=False))


def check(problem: Problem, placement: IntArray) -> None:
    """Raises UnsoundAnswerError when the placement breaks a rule."""
    _refuse([v.message for v in placement_violations(problem, placement)])


def _refuse(broken: Sequence[str]) -> None:
    if broken:
        more = f" (and {len(broken) - NAMED_VIOLATIONS} more)" if len(broken) > NAMED_VIOLATIONS else ""
        named = "; ".join(broken[:NAMED_VIOLATIONS])
        raise UnsoundAnswerError(f"nothing is planned, because the answer is wrong: {named}{more}")


def _answer_with_never(problem: Problem, never: Collection[int], options: PlanOptions) -> Answer:
    start = options.clock()
    levels = sorted({problem.classes[c].priority for c in never}, reverse=True)[:MAX_NEVER_LEVELS]
    questions_left = 2 * len(levels) + 2

    def share() -> PlanOptions:
        """Time that is left, split evenly over the questions that are left: quick answers leave more to the others."""
        nonlocal questions_left
        left = max(options.budget - (options.clock() - start), LEAST_SHARE * options.budget)
        questions_left = max(questions_left - 1, 0)
        return replace(options, budget=left / (questions_left + 1))

    whole = solved(problem, share())
    if whole.disruption.value == 0:
        return _answer(whole)
    parts: list[Solution] = []
    placement = problem.standing_counts
    for level in (*levels, None):
        due = {c for c, k in enumerate(problem.classes) if level is None or k.priority >= level}
        parts.append(solved(standing_at(problem, placement, due - set(never)), share()))
        placement = parts[-1].placement
        if level is not None:
            turn = {c for c in never if c in due or level == levels[-1]}
            parts.append(solved_undisturbed(standing_at(problem, placement, turn), share()))
            placement = placement + parts[-1].placement[: len(problem.classes)]
    if placement_violations(problem, placement):
        ordinary = {c for c in range(len(problem.classes)) if c not in never}
        parts = [solved(standing_at(problem, problem.standing_counts, ordinary), share())]
        placement = parts[0].placement
    return Answer(
        placement=placement,
        tiers=_tiers(problem, placement, parts),
        disruption_bound=0.0,
        disruption_evidence="none",
        elapsed_seconds=options.clock() - start,
        first_improvement_seconds=parts[0].first_improvement_seconds,
        notes=tuple(dict.fromkeys((*(note for part in parts for note in part.notes), NEVER_NOTE))),
    )


def _tiers(problem: Problem, placement: IntArray, parts: Sequence[Solution]) -> tuple[TierBound, ...]:
    """What is placed in the end, and on top what each question might at most have placed more."""
    placed = placement.sum(axis=1)
    found = []
    for priority in problem.priorities:
        count = sum(int(placed[c]) for c, k in enumerate(problem.classes) if k.priority == priority)
        open_in_parts = sum(t.bound - t.placed for part in parts for t in part.tiers if t.priority == priority)
        evidence = next(t.evidence.kind for t in parts[0].tiers if t.priority == priority)
        found.append(TierBound(priority, count, count + open_in_parts, evidence))
    return tuple(found)


def _answer(solution: Solution) -> Answer:
    return Answer(
        placement=solution.placement,
        tiers=tuple(TierBound(t.priority, t.placed, t.bound, t.evidence.kind) for t in solution.tiers),
        disruption_bound=solution.disruption.bound,
        disruption_evidence=solution.disruption.evidence.kind,
        elapsed_seconds=solution.elapsed_seconds,
        first_improvement_seconds=solution.first_improvement_seconds,
        notes=solution.notes,
        preference_proven=solution.preference.certificate is Certificate.OPTIMAL,
    )

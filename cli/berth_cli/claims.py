"""Are claimed bounds true? Neither a solution line nor a plan carries its evidence, so the proof is made anew.

The problem is solved again, that answer's evidence is recomputed by the independent verifier, and what stands then is
compared with the claim. A better answer refutes a claimed bound, a proven bound at least as tight confirms it, and all
else leaves it open. Stages are looked at from the highest tier down, as long as the counts above agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from berth_solver.options import Options
from berth_solver.problem import Problem
from berth_solver.solution import StageResult
from berth_solver.solve import solve
from berth_solver.verify import Verdict, verify


class Judgement(StrEnum):
    TRUE = "true"
    FALSE = "false"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class TierClaim:
    priority: int
    pods: int
    placed: int
    bound: int


@dataclass(frozen=True, slots=True)
class DisruptionClaim:
    value: float
    bound: float


@dataclass(frozen=True, slots=True)
class Finding:
    stage: str
    judgement: Judgement
    message: str


def judge(
    problem: Problem, tiers: Sequence[TierClaim], disruption: DisruptionClaim, options: Options
) -> tuple[Finding, ...]:
    """One finding a stage. Takes about twice the budget: to solve, and to recompute the evidence."""
    ours = solve(problem, replace(options, consolidate=False))
    verification = verify(problem, ours, seconds=options.budget)
    confirmed = {s.stage for s in verification.stages if s.verdict is Verdict.CONFIRMED and verification.holds}
    found = {tier.priority: tier for tier in ours.tiers}
    findings: list[Finding] = []
    comparable = True
    for claim in tiers:
        stage = f"tier {claim.priority}"
        own = found.get(claim.priority)
        if claim.bound >= claim.pods:
            findings.append(Finding(stage, Judgement.TRUE, "no more pods than there are"))
        elif own is None or not comparable:
            findings.append(Finding(stage, Judgement.OPEN, "other counts above were found than those claimed"))
        elif own.placed > claim.bound:
            said = f"at most {claim.bound} were said to be possible, {own.placed} are"
            findings.append(Finding(stage, Judgement.FALSE, said))
        elif stage in confirmed and own.bound <= claim.bound:
            findings.append(Finding(stage, Judgement.TRUE, f"proven anew ({own.evidence.kind})"))
        else:
            findings.append(Finding(stage, Judgement.OPEN, f"not proven again in {options.budget:g} s"))
        comparable = comparable and own is not None and own.placed == claim.placed
    if options.consolidate:  # then the bound is one given the nodes in use, which a claim does not name
        findings.append(Finding("disruption", Judgement.OPEN, "not checked for a plan that consolidates"))
    else:
        agreed = comparable and "disruption" in confirmed
        findings.append(_disruption(disruption, ours.disruption if comparable else None, agreed, options.budget))
    return tuple(findings)


def _disruption(claim: DisruptionClaim, own: StageResult | None, confirmed: bool, seconds: float) -> Finding:
    """`own`: None when it is for other counts than the claim."""
    stage = "disruption"
    if claim.bound <= 0:
        return Finding(stage, Judgement.TRUE, "nothing is below zero")
    if own is None:
        return Finding(stage, Judgement.OPEN, "other counts were found than those claimed")
    if own.value < claim.bound:
        return Finding(
            stage, Judgement.FALSE, f"at least {claim.bound:g} was said to be needed, {own.value:g} is enough"
        )
    if confirmed and own.bound >= claim.bound:
        return Finding(stage, Judgement.TRUE, "proven anew")
    return Finding(stage, Judgement.OPEN, f"not proven again in {seconds:g} s")

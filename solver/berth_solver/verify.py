"""Is this solution what it says? Checked by code that shares nothing with the search: its promises are worth this much.

1. The placement keeps every rule (`check_placement`), and the reported counts and values are those of the placement.
2. Each bound follows from its evidence, recomputed in exact arithmetic (`check_bounds`), or, where the evidence is that a
   solver searched everything, by searching again (`check_exhausted`).

A broken rule, a wrong number or a bound that does not follow is a violation. A bound that could not be recomputed in the
time is not: its stage says `not confirmed in time`. A claim weaker than what the evidence proves is fine.

Cost: milliseconds for placements and capacity prices; a knapsack for each distinct node for pattern prices; exponential
for exhausted searches, therefore `seconds`, shared by all stages.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import partial

import numpy as np

from berth_solver.check_bounds import (
    MAX_PRICE,
    EvidenceError,
    PatternStage,
    Proven,
    Terrain,
    capacity_count,
    pattern_bound,
)
from berth_solver.check_consolidation import fewest_nodes, most_staying, nodes_kept_by_the_cap
from berth_solver.check_exhausted import (
    Given,
    NotSearchedError,
    best_preference,
    fewer_nodes_do,
    least_disruption,
    most_placed,
)
from berth_solver.check_leftover import NotListedError, cannot_all_be_placed
from berth_solver.check_placement import Violation, ViolationCode, placement_violations
from berth_solver.check_report import TOLERANCE, members_of, wrong_counts, wrong_values
from berth_solver.check_stages import least_nodes_in_use, most_preference
from berth_solver.problem import BoolArray, Budget, Problem
from berth_solver.solution import Evidence, Solution, StageResult, TierResult

DEFAULT_SECONDS = 10.0
__all__ = ["StageCheck", "Verdict", "Verification", "Violation", "ViolationCode", "verify"]


class Verdict(StrEnum):
    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not confirmed in time"
    UNPROVEN = "no evidence given"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class StageCheck:
    """What can be said of one stage's bound. `priority`: of a tier; None for the stages after the counts."""

    stage: str
    priority: int | None
    evidence: str
    verdict: Verdict
    message: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    violations: tuple[Violation, ...]
    stages: tuple[StageCheck, ...]

    @property
    def holds(self) -> bool:
        """Nothing that the solution says is wrong."""
        return not self.violations

    @property
    def is_proven(self) -> bool:
        """Nothing is wrong, and each bound was recomputed."""
        return self.holds and all(s.verdict is Verdict.CONFIRMED for s in self.stages)


def verify(
    problem: Problem,
    solution: Solution,
    *,
    seconds: float = DEFAULT_SECONDS,
    pending_only: bool = False,
    clock: Callable[[], float] = time.perf_counter,
) -> Verification:
    """`seconds` bounds the recomputing of bounds; rules and counts are always checked in full.

    pending_only: the solution was asked to disturb nobody, which then is one more rule, and part of what its bounds mean.
    """
    if pending_only:
        everyone = Budget(frozenset(range(len(problem.classes))), 0, "pending only")
        budgets = (*problem.constraints.budgets, everyone)
        problem = replace(problem, constraints=replace(problem.constraints, budgets=budgets))
    violations = placement_violations(problem, solution.placement)
    if any(v.code in (ViolationCode.BAD_SHAPE, ViolationCode.NEGATIVE_COUNT) for v in violations):
        return Verification(tuple(violations), ())
    violations += wrong_counts(problem, solution)
    if any(v.code is ViolationCode.WRONG_COUNT for v in violations):
        return Verification(tuple(violations), ())
    violations += wrong_values(problem, solution)
    stages = _Bounds(problem, solution, clock() + seconds, clock).check()
    violations += [
        Violation(ViolationCode.WRONG_BOUND, f"{s.stage}: {s.message}") for s in stages if s.verdict is Verdict.WRONG
    ]
    return Verification(tuple(violations), tuple(stages))


class _Bounds:
    """Recomputes the bounds of one solution, stage by stage, until `deadline`."""

    def __init__(self, problem: Problem, solution: Solution, deadline: float, clock: Callable[[], float]) -> None:
        self.problem = problem
        self.solution = solution
        self.terrain = Terrain.of(problem)
        self.deadline = deadline
        self.clock = clock

    def is_late(self) -> bool:
        return self.clock() > self.deadline

    def check(self) -> list[StageCheck]:
        decided: dict[int, int] = {}
        stages = []
        for tier in self.solution.tiers:
            verdict, message = self._judge(partial(self._tier, tier, dict(decided)))
            stages.append(StageCheck(f"tier {tier.priority}", tier.priority, tier.evidence.kind, verdict, message))
            decided[tier.priority] = tier.placed
        solution = self.solution
        later: list[tuple[str, StageResult, Callable[[], tuple[Verdict, str]]]] = []
        if solution.nodes_in_use is not None:
            in_use = solution.nodes_in_use
            later.append(("nodes in use", in_use, lambda: self._nodes_in_use(in_use, decided)))
        later.append(("disruption", solution.disruption, lambda: self._disruption(solution.disruption, decided)))
        later.append(("preference", solution.preference, lambda: self._preference(solution.preference, decided)))
        for name, stage, judge in later:
            verdict, message = self._judge(judge)
            stages.append(StageCheck(name, None, stage.evidence.kind, verdict, message))
        return stages

    def _judge(self, judge: Callable[[], tuple[Verdict, str]]) -> tuple[Verdict, str]:
        try:
            return judge()
        except EvidenceError as error:
            return Verdict.WRONG, str(error)
        except (NotSearchedError, NotListedError) as error:
            return Verdict.NOT_CONFIRMED, str(error)

    def _tier(self, tier: TierResult, decided: dict[int, int]) -> tuple[Verdict, str]:
        if tier.bound < tier.placed:
            return Verdict.WRONG, f"{tier.placed} pods are placed, more than the bound {tier.bound}"
        wanted = members_of(self.problem, tier.priority)
        if tier.bound >= tier.pods or tier.bound >= int(self.terrain.most_placed()[wanted].sum()):
            return Verdict.CONFIRMED, ""
        return self._count(wanted, tier.bound, decided, tier.evidence)

    def _count(self, wanted: BoolArray, bound: int, decided: dict[int, int], evidence: Evidence) -> tuple[Verdict, str]:
        """Can no more than `bound` pods of `wanted` be placed?"""
        match evidence.kind:
            case "none":
                return Verdict.UNPROVEN, f"nothing shows that more than {bound} cannot be placed"
            case "trivial":
                return Verdict.WRONG, f"that at most {bound} can be placed is not trivial"
            case "capacity":
                return _at_most(capacity_count(self.terrain, wanted, decided, evidence), bound)
            case "patterns":
                stage = PatternStage(wanted.astype(np.int64) * evidence.scale)
                enough = Fraction(bound + 1) - Fraction(1, evidence.scale)
                return _at_most(pattern_bound(self.terrain, stage, decided, evidence, enough, self.is_late), bound)
            case "leftover":
                return self._leftover(wanted, bound, decided)
            case "gang":
                return self._gang(wanted, bound, decided, evidence)
            case "exhausted":
                best = most_placed(self.problem, self.terrain, wanted, decided, bound, self.is_late)
                return (Verdict.CONFIRMED, "") if best <= bound else (Verdict.WRONG, f"{best} can be placed")
            case _:
                raise EvidenceError(f"{evidence.kind!r} is no evidence for a count")

    def _leftover(self, wanted: BoolArray, bound: int, decided: dict[int, int]) -> tuple[Verdict, str]:
        """Not all pods of these tiers fit together; with the tiers above placed whole, one of this tier is left out."""
        totals = self.problem.totals
        above = np.array([c.priority in decided for c in self.problem.classes], np.bool_)
        if sum(decided.values()) != int(totals[above].sum()):
            raise EvidenceError("pods of the tiers above are not all placed, so that nothing follows for this one")
        if bound < int(totals[wanted].sum()) - 1:
            return Verdict.WRONG, "what is left over shows only that one pod stays outside"
        if cannot_all_be_placed(self.terrain, above | wanted, self.is_late):
            return Verdict.CONFIRMED, ""
        return Verdict.WRONG, "a node can be filled up to what would be left over"

    def _gang(self, wanted: BoolArray, bound: int, decided: dict[int, int], evidence: Evidence) -> tuple[Verdict, str]:
        """Each gang named cannot reach its minimum, so it has no more pods than run now; all others may be placed."""
        gangs = {g.name: g for g in self.problem.constraints.gangs}
        names = [name.strip() for name in evidence.note.split(",")]
        if len(names) != len(evidence.parts) or any(name not in gangs for name in names):
            raise EvidenceError("the evidence must name gangs of the problem and have one part for each")
        most = self.terrain.most_placed()
        standing = self.problem.standing_counts.sum(axis=1)
        for name, part in zip(names, evidence.parts, strict=True):
            gang = gangs[name]
            members = np.zeros(len(self.problem.classes), np.bool_)
            members[sorted(gang.classes)] = True
            verdict, message = self._count(members, gang.minimum - 1, decided, part)
            if verdict is not Verdict.CONFIRMED:
                return verdict, f"gang {name!r}: {message}"
            most = np.where(members, np.minimum(most, standing), most)
        reach = int(most[wanted].sum())
        if reach <= bound:
            return Verdict.CONFIRMED, ""
        return Verdict.WRONG, f"without these gangs {reach} may be placed, more than {bound}"

    def _disruption(self, stage: StageResult, decided: dict[int, int]) -> tuple[Verdict, str]:
        if stage.bound > stage.value + TOLERANCE:
            return Verdict.WRONG, f"the value {stage.value} is less than the bound {stage.bound}"
        if stage.bound <= 0:
            return Verdict.CONFIRMED, ""
        match stage.evidence.kind:
            case "none":
                return Verdict.UNPROVEN, f"nothing shows that less than {stage.bound} is not possible"
            case "patterns":
                return self._disruption_by_patterns(stage, decided)
            case "exhausted":
                given = Given(decided, self._most_nodes())
                least = least_disruption(self.problem, self.terrain, given, stage.bound, self.is_late)
                fine = least >= stage.bound
                return (Verdict.CONFIRMED, "") if fine else (Verdict.WRONG, f"a disruption of {least} is possible")
            case kind:
                return Verdict.WRONG, f"{kind!r} does not prove a disruption of at least {stage.bound}"

    def _disruption_by_patterns(self, stage: StageResult, decided: dict[int, int]) -> tuple[Verdict, str]:
        """The most that can stay, weighted; what stands less that is the least disruption."""
        problem, scale = self.problem, stage.evidence.scale
        costs = np.array([c.move_cost for c in problem.classes], np.int64)
        stands = sum(
            int(cost) * int(count) for cost, count in zip(costs, problem.standing_counts.sum(axis=1), strict=True)
        )
        if int(costs.max(initial=0)) * scale > MAX_PRICE:
            raise EvidenceError("move cost times scale is out of range")
        bound = -int(-stage.bound // 1)
        nodes = self._most_nodes()
        if stage.evidence.node_price and nodes is not None:
            target = Fraction(stands - bound)
            stays = most_staying(self.terrain, costs, nodes, decided, stage.evidence, target, self.is_late)
        else:
            pattern = PatternStage(np.zeros(len(costs), np.int64), costs * scale)
            enough = stands - bound + 1 - Fraction(1, scale)
            stays = pattern_bound(self.terrain, pattern, decided, stage.evidence, enough, self.is_late)
        verdict, _ = _at_most(stays, stands - bound)
        if verdict is Verdict.WRONG:
            return verdict, f"the evidence proves {stands - int(stays.least // 1)} only, {stage.bound} is claimed"
        return verdict, "" if verdict is Verdict.CONFIRMED else "the bound was not recomputed in time"

    def _preference(self, stage: StageResult, decided: dict[int, int]) -> tuple[Verdict, str]:
        if stage.bound < stage.value - TOLERANCE:
            return Verdict.WRONG, f"the value {stage.value} is more than the bound {stage.bound}"
        most = most_preference(self.problem, self.terrain, decided)
        if stage.bound >= most - TOLERANCE * max(1.0, most):
            return Verdict.CONFIRMED, ""
        if stage.evidence.kind == "exhausted":
            given = Given(decided, self._most_nodes(), int(self.solution.disruption.value))
            best = best_preference(self.problem, self.terrain, given, stage.bound, self.is_late)
            return (Verdict.CONFIRMED, "") if best <= stage.bound else (Verdict.WRONG, f"{best} can be reached")
        return _without_argument(stage, f"{most} may be reached for all that is shown")

    def _nodes_in_use(self, stage: StageResult, decided: dict[int, int]) -> tuple[Verdict, str]:
        if stage.bound > stage.value:
            return Verdict.WRONG, f"the value {stage.value} is less than the bound {stage.bound}"
        least = max(least_nodes_in_use(self.problem, self.terrain, decided), nodes_kept_by_the_cap(self.problem))
        if stage.bound <= least:
            return Verdict.CONFIRMED, ""
        if stage.evidence.kind == "patterns":
            bound = math.ceil(stage.bound)
            return _at_most(fewest_nodes(self.terrain, decided, stage.evidence, bound, self.is_late), -bound)
        if stage.evidence.kind == "exhausted":
            fewer = fewer_nodes_do(self.problem, self.terrain, Given(decided), math.ceil(stage.bound), self.is_late)
            return (Verdict.WRONG, f"fewer than {stage.bound} nodes do") if fewer else (Verdict.CONFIRMED, "")
        return _without_argument(stage, f"{least} nodes may do for all that is shown")

    def _most_nodes(self) -> int | None:
        """Nodes that may be in use at the stages after that one, where there is one."""
        in_use = self.solution.nodes_in_use
        return None if in_use is None else int(in_use.value)


def _at_most(proven: Proven, bound: int) -> tuple[Verdict, str]:
    if proven.most // 1 <= bound:
        return Verdict.CONFIRMED, ""
    if proven.least // 1 > bound:
        return Verdict.WRONG, f"the evidence proves {proven.least // 1}, {bound} is claimed"
    return Verdict.NOT_CONFIRMED, f"the evidence proves between {proven.least // 1} and {proven.most // 1}"


def _without_argument(stage: StageResult, message: str) -> tuple[Verdict, str]:
    """A bound on preference or nodes that simple arithmetic does not give."""
    if stage.evidence.kind == "none":
        return Verdict.UNPROVEN, message
    return Verdict.WRONG, f"{stage.evidence.kind!r} does not prove {stage.bound}: {message}"

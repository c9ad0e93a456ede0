"""Does a placement keep every rule of the problem? Part of the verifier: written from the text of `problem`, alone.

Rule by rule in numpy over [classes, nodes] and [domains]; a rule that is broken gives one sentence with the worst place
and the number of places. Nothing here is shared with the search, so that a mistake in one is not repeated by the other.
Cost: a few passes over the placement, and over the nodes for each constraint; 0.1 s at 5,000 nodes and 100 classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from berth_solver.problem import Affinity, Exclusion, Gang, IntArray, Limit, Problem, Spread


class ViolationCode(StrEnum):
    BAD_SHAPE = "BadShape"
    NEGATIVE_COUNT = "NegativeCount"
    TOO_MANY_PODS = "TooManyPods"
    OVER_CAPACITY = "OverCapacity"
    OVERLOADED_NODE = "OverloadedNode"
    NOT_ELIGIBLE = "NotEligible"
    IMMOVABLE_MOVED = "ImmovableMoved"
    LIMIT_EXCEEDED = "LimitExceeded"
    EXCLUSION_BROKEN = "ExclusionBroken"
    AFFINITY_UNSATISFIED = "AffinityUnsatisfied"
    SPREAD_EXCEEDED = "SpreadExceeded"
    GANG_INCOMPLETE = "GangIncomplete"
    BUDGET_EXCEEDED = "BudgetExceeded"
    DISRUPTION_CAP_EXCEEDED = "DisruptionCapExceeded"
    EVICTION_CAP_EXCEEDED = "EvictionCapExceeded"
    WRONG_COUNT = "WrongCount"
    """A reported tier, pod count or placed count is not what the placement holds."""
    WRONG_VALUE = "WrongValue"
    """A reported disruption, preference or number of nodes is not what the placement has."""
    WRONG_BOUND = "WrongBound"
    """A bound contradicts the value beside it, or does not follow from its evidence."""


@dataclass(frozen=True, slots=True)
class Violation:
    code: ViolationCode
    message: str


def placement_violations(problem: Problem, placement: IntArray) -> list[Violation]:
    """Every broken rule. A placement of the wrong shape or with negative counts is not looked at any further."""
    shape = (len(problem.classes), len(problem.nodes))
    if placement.shape != shape or placement.dtype.kind not in "iu":
        return [
            Violation(
                ViolationCode.BAD_SHAPE, f"the placement is {placement.dtype} {placement.shape}, not int64 {shape}"
            )
        ]
    if (placement < 0).any():
        c, n = np.argwhere(placement < 0)[0].tolist()
        return [Violation(ViolationCode.NEGATIVE_COUNT, f"{_at(problem, c, n)}: {placement[c, n]} pods")]
    return list(_Placement(problem, placement).violations())


def _at(problem: Problem, c: int, n: int) -> str:
    return f"class {c} ({problem.classes[c].name}) on node {problem.nodes[n]}"


class _Placement:
    """One placement under examination: which of its pods stay and which are new."""

    def __init__(self, problem: Problem, placement: IntArray) -> None:
        self.problem = problem
        self.placed = placement.astype(np.int64)
        standing = problem.standing_counts
        self.new = np.maximum(self.placed - standing, 0)
        self.gone = np.maximum(standing - self.placed, 0)
        self.domain_arrays: dict[tuple[int, ...], IntArray] = {}

    def violations(self) -> Iterator[Violation]:
        yield from self._totals()
        yield from self._capacity()
        yield from self._eligibility()
        yield from self._immovable()
        constraints = self.problem.constraints
        for limit in constraints.limits:
            yield from self._limit(limit)
        for exclusion in constraints.exclusions:
            yield from self._exclusion(exclusion)
        for affinity in constraints.affinities:
            yield from self._affinity(affinity)
        for spread in constraints.spreads:
            yield from self._spread(spread)
        for gang in constraints.gangs:
            yield from self._gang(gang)
        yield from self._caps()

    def _totals(self) -> Iterator[Violation]:
        over = np.flatnonzero(self.placed.sum(axis=1) > self.problem.totals)
        if len(over):
            c = int(over[0])
            yield Violation(
                ViolationCode.TOO_MANY_PODS,
                f"class {c} ({self.problem.classes[c].name}): {int(self.placed[c].sum())} pods are placed, "
                f"{int(self.problem.totals[c])} exist{_more(len(over), 'class')}",
            )

    def _capacity(self) -> Iterator[Violation]:
        problem = self.problem
        # in blocks of exact integers: a sum over one node stays inside 64 bits (problem.MAX_AMOUNT)
        load = self.placed.T @ problem.requests
        over = (load > problem.capacity).any(axis=1) & ~problem.overloaded
        if over.any():
            n = int(np.flatnonzero(over)[0])
            r = int(np.flatnonzero(load[n] > problem.capacity[n])[0])
            yield Violation(
                ViolationCode.OVER_CAPACITY,
                f"node {problem.nodes[n]}: {int(load[n, r])} of {problem.resources[r]} are used, "
                f"capacity is {int(problem.capacity[n, r])}{_more(int(over.sum()), 'node')}",
            )
        fed = problem.overloaded & self.new.any(axis=0)
        if fed.any():
            n = int(np.flatnonzero(fed)[0])
            yield Violation(
                ViolationCode.OVERLOADED_NODE,
                f"node {problem.nodes[n]} was over its capacity and got a new pod{_more(int(fed.sum()), 'node')}",
            )

    def _eligibility(self) -> Iterator[Violation]:
        wrong = 0
        where = None
        for c, pod_class in enumerate(self.problem.classes):
            if pod_class.eligible is None:
                continue
            bad = [n for n in np.flatnonzero(self.new[c]).tolist() if n not in pod_class.eligible]
            wrong += len(bad)
            if bad and where is None:
                where = (c, bad[0])
        if where is not None:
            yield Violation(
                ViolationCode.NOT_ELIGIBLE,
                f"{_at(self.problem, *where)}: a new pod where it is not eligible{_more(wrong, 'place')}",
            )

    def _immovable(self) -> Iterator[Violation]:
        fixed = np.array([not c.movable for c in self.problem.classes], np.bool_)
        changed = np.argwhere((self.new + self.gone)[fixed] > 0)
        if len(changed):
            c, n = int(np.flatnonzero(fixed)[changed[0][0]]), int(changed[0][1])
            yield Violation(
                ViolationCode.IMMOVABLE_MOVED,
                f"{_at(self.problem, c, n)}: immovable pods came or went{_more(len(changed), 'place')}",
            )

    def _domain_of(self, domain_of: tuple[int, ...]) -> IntArray:
        array = self.domain_arrays.get(domain_of)
        if array is None:
            array = self.domain_arrays[domain_of] = np.array(domain_of, np.int64)
        return array

    def _per_node(self, table: IntArray, classes: frozenset[int]) -> IntArray:
        return np.asarray(table[sorted(classes)].sum(axis=0), np.int64)

    def _per_domain(self, table: IntArray, classes: frozenset[int], domain: IntArray) -> IntArray:
        """Pods of `classes` in each domain; nodes in no domain are left out."""
        inside = domain >= 0
        counts = np.zeros(int(domain.max(initial=-1)) + 1, np.int64)
        np.add.at(counts, domain[inside], self._per_node(table, classes)[inside])
        return counts

    def _new_outside(self, classes: frozenset[int], domain: IntArray) -> bool:
        return bool(self._per_node(self.new, classes)[domain < 0].any())

    def _limit(self, limit: Limit) -> Iterator[Violation]:
        domain = self._domain_of(limit.domain_of)
        counts = self._per_domain(self.placed, limit.classes, domain)
        over = (self._per_domain(self.new, limit.classes, domain) > 0) & (counts > limit.maximum)
        if over.any():
            d = int(np.flatnonzero(over)[0])
            yield Violation(
                ViolationCode.LIMIT_EXCEEDED,
                f"limit {limit.name!r}: domain {d} holds {int(counts[d])} pods, one of them new, "
                f"at most {limit.maximum}{_more(int(over.sum()), 'domain')}",
            )

    def _exclusion(self, exclusion: Exclusion) -> Iterator[Violation]:
        """A new pod of one side is wrong where the other side has a pod that is not itself."""
        domain = self._domain_of(exclusion.domain_of)
        sides = ((exclusion.classes, exclusion.others), (exclusion.others, exclusion.classes))
        for side, opposite in sides:
            against = self._per_domain(self.placed, opposite, domain)
            alone = self._per_domain(self.new, side - opposite, domain) > 0
            both = self._per_domain(self.new, side & opposite, domain) > 0
            broken = (alone & (against >= 1)) | (both & (against >= 2))
            if broken.any():
                yield Violation(
                    ViolationCode.EXCLUSION_BROKEN,
                    f"exclusion {exclusion.name!r}: domain {int(np.flatnonzero(broken)[0])} holds a new pod beside one "
                    f"that it excludes{_more(int(broken.sum()), 'domain')}",
                )
                return

    def _affinity(self, affinity: Affinity) -> Iterator[Violation]:
        domain = self._domain_of(affinity.domain_of)
        company = self._per_domain(self.placed, affinity.others, domain)
        stranger = self._per_domain(self.new, affinity.classes - affinity.others, domain) > 0
        member = self._per_domain(self.new, affinity.classes & affinity.others, domain) > 0
        is_only_one = int(self._per_node(self.placed, affinity.others).sum()) == 1
        lonely = (stranger & (company == 0)) | (member & (company == 1) & (not is_only_one))
        if lonely.any() or self._new_outside(affinity.classes, domain):
            where = f"domain {int(np.flatnonzero(lonely)[0])}" if lonely.any() else "a node in no domain"
            yield Violation(
                ViolationCode.AFFINITY_UNSATISFIED,
                f"affinity {affinity.name!r}: {where} holds a new pod without any of those it wants beside it",
            )

    def _spread(self, spread: Spread) -> Iterator[Violation]:
        domain = self._domain_of(spread.domain_of)
        exists = np.unique(domain[domain >= 0])
        counted = spread.classes if spread.counted is None else spread.counted
        counts = self._per_domain(self.placed, counted, domain)[exists]
        least = 0 if len(exists) < spread.min_domains else int(counts.min(initial=np.iinfo(np.int64).max))
        new = self._per_domain(self.new, spread.classes, domain)[exists] > 0
        skewed = new & (counts - least > spread.max_skew)
        if skewed.any():
            d = int(np.flatnonzero(skewed)[0])
            yield Violation(
                ViolationCode.SPREAD_EXCEEDED,
                f"spread {spread.name!r}: domain {int(exists[d])} holds {int(counts[d])} pods, one of them new, the "
                f"least is {least}, skew at most {spread.max_skew}{_more(int(skewed.sum()), 'domain')}",
            )
        elif self._new_outside(spread.classes, domain):
            yield Violation(
                ViolationCode.SPREAD_EXCEEDED, f"spread {spread.name!r}: a new pod is on a node in no domain"
            )

    def _gang(self, gang: Gang) -> Iterator[Violation]:
        placed = int(self._per_node(self.placed, gang.classes).sum())
        ran = int(self._per_node(self.problem.standing_counts, gang.classes).sum())
        if not 0 < placed < gang.minimum:
            return
        if ran >= gang.minimum or self._per_node(self.new, gang.classes).any():
            yield Violation(
                ViolationCode.GANG_INCOMPLETE,
                f"gang {gang.name!r}: {placed} pods are placed, neither none nor at least {gang.minimum}",
            )

    def _caps(self) -> Iterator[Violation]:
        constraints = self.problem.constraints
        for budget in constraints.budgets:
            gone = int(self._per_node(self.gone, budget.classes).sum())
            if gone > budget.max_disrupted:
                yield Violation(
                    ViolationCode.BUDGET_EXCEEDED,
                    f"budget {budget.name!r}: {gone} running pods leave their node, at most {budget.max_disrupted} may",
                )
        if constraints.max_disruption is not None:
            weighted = disruption_of(self.problem, self.placed)
            if weighted > constraints.max_disruption:
                yield Violation(
                    ViolationCode.DISRUPTION_CAP_EXCEEDED,
                    f"the disruption is {weighted}, at most {constraints.max_disruption} is allowed",
                )
        if constraints.max_evictions is not None:
            stood = self.problem.standing_counts.sum(axis=1)
            lost = int(np.maximum(stood - self.placed.sum(axis=1), 0).sum())
            if lost > constraints.max_evictions:
                yield Violation(
                    ViolationCode.EVICTION_CAP_EXCEEDED,
                    f"{lost} running pods end without a node, at most {constraints.max_evictions} may",
                )


def disruption_of(problem: Problem, placement: IntArray) -> int:
    """Running pods that are not left on their node, weighted by move cost."""
    gone = np.maximum(problem.standing_counts - placement, 0).sum(axis=1).tolist()
    return sum(c.move_cost * count for c, count in zip(problem.classes, gone, strict=True))


def _more(count: int, what: str) -> str:
    """How many other places have the same fault."""
    if count <= 1:
        return ""
    plural = "classes" if what == "class" else f"{what}s"
    return f" (and {count - 1} more {plural if count > 2 else what})"

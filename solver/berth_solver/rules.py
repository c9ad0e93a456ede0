"""The constraints of a problem, compiled for search: which counts matter, and which rules look at them.

A rule never looks at single pods, only at how many pods of some set of classes are in each domain of a partition, and how
many of those are new. Such a pair of counts is a *tally*; rules that look at the same pods in the same partition share it.
Costs about 20 us a constraint at 1,000 nodes, once a problem.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from berth_solver.problem import (
    NO_DOMAIN,
    Affinity,
    BoolArray,
    Budget,
    Exclusion,
    Gang,
    IntArray,
    Limit,
    Problem,
    Spread,
    preference_table,
)

PREFERENCE_SCALES = (1, 10, 100, 1000, 10_000)
"""Scales at which typical preferences are whole numbers; else the finest that keeps the sum below the largest."""
LARGEST_PREFERENCE_SUM = 1 << 50


@dataclass(frozen=True, eq=False)
class Domains:
    """A partition of nodes: `of[n]` in 0..count-1, or -1 for a node in none."""

    of: IntArray
    count: int
    inside: BoolArray

    def add(self, sums: IntArray, nodes: IntArray, counts: IntArray) -> None:
        """Adds the counts on these nodes to the sums of their domains."""
        of = self.of[nodes]
        inside = of != NO_DOMAIN
        np.add.at(sums, of[inside], counts[inside])


@dataclass(frozen=True, eq=False)
class Tally:
    """Pods of `classes` per domain; `index` is its place in `Rules.tallies`."""

    index: int
    classes: IntArray
    domains: Domains
    stood: IntArray
    """int64 [domains]: how many of them stand in each at the start."""


@dataclass(frozen=True, eq=False)
class LimitRule:
    limit: Limit
    tally: Tally


@dataclass(frozen=True, eq=False)
class ExclusionRule:
    """`own`: classes that are not also others; `other`: the reverse; `both`: the overlap."""

    exclusion: Exclusion
    own: Tally
    other: Tally
    both: Tally


@dataclass(frozen=True, eq=False)
class AffinityRule:
    """`own`: classes that need company and are none themselves; `both`: those that are; `company`: all the others."""

    affinity: Affinity
    own: Tally
    both: Tally
    company: Tally


@dataclass(frozen=True, eq=False)
class SpreadRule:
    spread: Spread
    bound: Tally
    counted: Tally
    least_is_zero: bool


@dataclass(frozen=True, eq=False)
class GangRule:
    gang: Gang
    classes: IntArray
    runs_short: bool
    """It stands with fewer than its minimum, but not with none."""


@dataclass(frozen=True, eq=False)
class BudgetRule:
    budget: Budget
    classes: IntArray


DomainRule = LimitRule | ExclusionRule | AffinityRule | SpreadRule


@dataclass(frozen=True, eq=False)
class PreferenceWeights:
    """Preference as integers over `scale`; rounding changes the sum over all pods by at most `slack`."""

    weights: IntArray | None
    """int64 [classes, nodes]; None when nobody prefers anything."""
    scale: int = 1
    slack: float = 0.0


@dataclass(eq=False)
class Rules:
    """Every constraint of `problem` in compiled form, and for each class those that concern it."""

    problem: Problem
    tallies: list[Tally] = field(default_factory=list)
    domain_rules: list[DomainRule] = field(default_factory=list)
    gangs: list[GangRule] = field(default_factory=list)
    budgets: list[BudgetRule] = field(default_factory=list)
    tallies_of: list[list[Tally]] = field(default_factory=list)
    domain_rules_of: list[list[DomainRule]] = field(default_factory=list)
    gangs_of: list[list[GangRule]] = field(default_factory=list)
    budgets_of: list[list[BudgetRule]] = field(default_factory=list)

    @classmethod
    def of(cls, problem: Problem) -> Rules:
        rules = cls(problem)
        rules.tallies_of = [[] for _ in problem.classes]
        rules.domain_rules_of = [[] for _ in problem.classes]
        rules.gangs_of = [[] for _ in problem.classes]
        rules.budgets_of = [[] for _ in problem.classes]
        _Compiler(rules).compile()
        return rules

    @cached_property
    def stood(self) -> IntArray:
        """int64 [classes]: running pods of each class at the start."""
        stood = np.zeros(len(self.problem.classes), np.int64)
        for s in self.problem.standing:
            stood[s.pod_class] += s.count
        return stood

    @cached_property
    def movable(self) -> BoolArray:
        """bool [classes]."""
        return np.array([c.movable for c in self.problem.classes], np.bool_)

    @cached_property
    def move_costs(self) -> IntArray:
        """int64 [classes]."""
        return np.array([c.move_cost for c in self.problem.classes], np.int64)

    @cached_property
    def tier_of(self) -> IntArray:
        """int64 [classes]: index of each class's priority, 0 the highest."""
        index = {priority: t for t, priority in enumerate(self.problem.priorities)}
        return np.array([index[c.priority] for c in self.problem.classes], np.int64)

    @cached_property
    def held(self) -> list[BudgetRule]:
        """Budgets that let nobody go."""
        return [rule for rule in self.budgets if rule.budget.max_disrupted == 0]

    @cached_property
    def preference(self) -> PreferenceWeights:
        return _preference_weights(self.problem)


class _Compiler:
    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._domains: dict[tuple[int, ...], Domains] = {}
        self._same_tuple: dict[int, Domains] = {}  # hashing a tuple of 5,000 nodes takes longer than all the rest
        self._tallies: dict[tuple[int, frozenset[int]], Tally] = {}

    def compile(self) -> None:
        rules, constraints = self.rules, self.rules.problem.constraints
        for limit in constraints.limits:
            tally = self.tally(limit.classes, limit.domain_of)
            self._add(LimitRule(limit, tally), (tally,))
        for exclusion in constraints.exclusions:
            classes, others = exclusion.classes, exclusion.others
            own = self.tally(classes - others, exclusion.domain_of)
            other = self.tally(others - classes, exclusion.domain_of)
            both = self.tally(classes & others, exclusion.domain_of)
            self._add(ExclusionRule(exclusion, own, other, both), (own, other, both))
        for affinity in constraints.affinities:
            own = self.tally(affinity.classes - affinity.others, affinity.domain_of)
            both = self.tally(affinity.classes & affinity.others, affinity.domain_of)
            company = self.tally(affinity.others, affinity.domain_of)
            self._add(AffinityRule(affinity, own, both, company), (own, company))
        for spread in constraints.spreads:
            bound = self.tally(spread.classes, spread.domain_of)
            counted = bound if spread.counted is None else self.tally(spread.counted, spread.domain_of)
            few = bound.domains.count < spread.min_domains
            self._add(SpreadRule(spread, bound, counted, few), (bound, counted))
        for s in rules.problem.standing:
            for tally in rules.tallies_of[s.pod_class]:
                d = tally.domains.of[s.node]
                if d != NO_DOMAIN:
                    tally.stood[d] += s.count
        stood = rules.stood
        for gang in constraints.gangs:
            rows = _rows(gang.classes)
            gang_rule = GangRule(gang, rows, 0 < int(stood[rows].sum()) < gang.minimum)
            rules.gangs.append(gang_rule)
            for c in rows.tolist():
                rules.gangs_of[c].append(gang_rule)
        for budget in constraints.budgets:
            budget_rule = BudgetRule(budget, _rows(budget.classes))
            rules.budgets.append(budget_rule)
            for c in budget_rule.classes.tolist():
                rules.budgets_of[c].append(budget_rule)

    def tally(self, classes: frozenset[int], domain_of: tuple[int, ...]) -> Tally:
        domains = self._same_tuple.get(id(domain_of)) or self._domains.get(domain_of)
        if domains is None:
            domains = self._domains[domain_of] = _domains(domain_of)
        self._same_tuple[id(domain_of)] = domains
        key = (id(domains), classes)
        tally = self._tallies.get(key)
        if tally is None:
            nothing = np.zeros(domains.count, np.int64)
            tally = self._tallies[key] = Tally(len(self.rules.tallies), _rows(classes), domains, nothing)
            self.rules.tallies.append(tally)
            for c in tally.classes.tolist():
                self.rules.tallies_of[c].append(tally)
        return tally

    def _add(self, rule: DomainRule, tallies: tuple[Tally, ...]) -> None:
        self.rules.domain_rules.append(rule)
        for c in sorted({c for tally in tallies for c in tally.classes.tolist()}):
            self.rules.domain_rules_of[c].append(rule)


def _rows(classes: Iterable[int]) -> IntArray:
    return np.array(sorted(classes), np.int64)


def _domains(domain_of: tuple[int, ...]) -> Domains:
    given = np.array(domain_of, np.int64)
    inside = given != NO_DOMAIN
    of = np.full(len(given), NO_DOMAIN, np.int64)
    names, of[inside] = np.unique(given[inside], return_inverse=True)
    return Domains(of, len(names), inside)


def _preference_weights(problem: Problem) -> PreferenceWeights:
    table = preference_table(problem)
    if not table:
        return PreferenceWeights(None)
    pods = int(problem.totals.sum())
    for scale in PREFERENCE_SCALES:
        if all(abs(v * scale - round(v * scale)) < 1e-9 for v in table.values()):
            slack = 0.0
            break
    else:
        scale = 1 << max((LARGEST_PREFERENCE_SUM // max(pods, 1)).bit_length() - 1, 0)
        slack = 0.5 * pods / scale
    weights = np.zeros((len(problem.classes), len(problem.nodes)), np.int64)
    for (c, n), value in table.items():
        weights[c, n] = round(value * scale)
    return PreferenceWeights(weights, scale, slack)

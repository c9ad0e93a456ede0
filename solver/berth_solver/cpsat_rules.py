"""Every rule of a problem as rows of a CP-SAT model.

Rules that bind where a pod is new hang on one flag for each tally and domain, which every new pod there raises. Only rules
that look at a class with free counts are written, and of those only rows that can bind.
"""

from __future__ import annotations

import numpy as np

from berth_solver.cpsat import Linear
from berth_solver.cpsat_counts import FreeCounts
from berth_solver.rules import AffinityRule, DomainRule, ExclusionRule, GangRule, LimitRule, SpreadRule, Tally


def add_rules(model: FreeCounts) -> None:
    """Limits, exclusions, affinities, spreads, gangs, budgets and caps."""
    _RuleRows(model).add()


class _RuleRows:
    def __init__(self, model: FreeCounts) -> None:
        self.model = model
        self.cp = model.cp

    def add(self) -> None:
        rules = self.model.occupancy.rules
        touched: dict[int, DomainRule] = {}
        gangs: dict[int, GangRule] = {}
        for c in self.model.of_class:
            for rule in rules.domain_rules_of[c]:
                touched[id(rule)] = rule
            for gang in rules.gangs_of[c]:
                gangs[id(gang)] = gang
        for rule in touched.values():
            match rule:
                case LimitRule():
                    self._limit_rows(rule)
                case ExclusionRule():
                    self._exclusion_rows(rule)
                case AffinityRule():
                    self._affinity_rows(rule)
                case SpreadRule():
                    self._spread_rows(rule)
        for gang in gangs.values():
            self._gang_rows(gang)
        self._budget_rows()

    def _limit_rows(self, rule: LimitRule) -> None:
        most = rule.limit.maximum
        stood = rule.tally.stood
        for d, pairs in self.model.by_domain(rule.tally).items():
            count = self.model.count(rule.tally, d, pairs)
            if stood[d] <= most:  # too many only with a new one among them, so the limit binds in any case
                self.cp.at_most(count, most)
            else:
                self.model.at_most_if(self.model.flag(rule.tally, d, pairs), count, most)

    def _exclusion_rows(self, rule: ExclusionRule) -> None:
        sides = (rule.own, rule.other, rule.both)
        by_domain = [self.model.by_domain(tally) for tally in sides]
        for d in sorted({d for pairs in by_domain for d in pairs}):
            if not self._may_clash(sides, by_domain, d):
                continue
            own, other, both = (self.model.count(t, d, b.get(d, [])) for t, b in zip(sides, by_domain, strict=True))
            new_own, new_other, new_both = (
                self.model.flag(t, d, b.get(d, [])) for t, b in zip(sides, by_domain, strict=True)
            )
            self.model.at_most_if(new_own, other.plus(both), 0)
            self.model.at_most_if(new_other, own.plus(both), 0)
            self.model.at_most_if(new_both, own.plus(other), 0)
            self.model.at_most_if(new_both, both, 1)

    def _may_clash(self, sides: tuple[Tally, ...], by_domain: list[dict[int, list[int]]], d: int) -> bool:
        """Can pods of two sides be in the domain, or of the side that excludes itself?"""
        present = [
            bool(b.get(d)) or self.model.occupancy.counts[t.index][d] > 0 for t, b in zip(sides, by_domain, strict=True)
        ]
        return bool(present[2]) or bool(present[0] and present[1])

    def _affinity_rows(self, rule: AffinityRule) -> None:
        alone = self._first_of_its_set(rule)
        company_pairs = self.model.by_domain(rule.company)
        for tally, least in ((rule.own, 1), (rule.both, 2)):
            self.model.keep_inside(tally)
            pairs_of = self.model.by_domain(tally)
            settled = np.flatnonzero(self.model.occupancy.fresh[tally.index] > 0).tolist()
            for d in sorted({*pairs_of, *settled}):
                flag = self.model.flag(tally, d, pairs_of.get(d, []))
                company = self.model.count(rule.company, d, company_pairs.get(d, []))
                if least == 2:
                    company = company.plus(alone)
                self.model.at_least_if(flag, company, least)

    def _first_of_its_set(self, rule: AffinityRule) -> Linear:
        """1 only if at most one pod of the others is placed anywhere."""
        total = self.model.total(rule.company.classes)
        if not len(rule.both.classes) or self.cp.minimum(total) > 1:
            return Linear()
        alone = self.cp.variable(0, 1)
        self.model.derived.append((alone, lambda values: int(total.value(values) <= 1)))
        self.model.at_most_if(alone, total, 1)
        return Linear([alone], [1])

    def _spread_rows(self, rule: SpreadRule) -> None:
        self.model.keep_inside(rule.bound)
        counted_pairs, bound_pairs = self.model.by_domain(rule.counted), self.model.by_domain(rule.bound)
        counts = {d: self.model.count(rule.counted, d, pairs) for d, pairs in counted_pairs.items()}
        constants = self.model.occupancy.counts[rule.counted.index]
        least = Linear()
        if not rule.least_is_zero:
            settled = np.delete(constants, list(counts))
            top = min([int(settled.min())] if len(settled) else [], default=None)
            most = min([self.cp.maximum(k) for k in counts.values()] + ([] if top is None else [top]), default=0)
            variable = self.cp.variable(0, most)
            self.model.derived.append(
                (variable, lambda values: min([most, *(k.value(values) for k in counts.values())]))
            )
            least = Linear([variable], [1])
            for count in counts.values():
                self.cp.at_least(count.plus(least, -1), 0)
        fresh = np.flatnonzero(self.model.occupancy.fresh[rule.bound.index] > 0).tolist()
        for d in sorted({*bound_pairs, *fresh}):
            count = counts.get(d) or Linear([], [], int(constants[d]))
            flag = self.model.flag(rule.bound, d, bound_pairs.get(d, []))
            self.model.at_most_if(flag, count.plus(least, -1), rule.spread.max_skew)

    def _gang_rows(self, rule: GangRule) -> None:
        total = self.model.total(rule.classes)
        minimum = rule.gang.minimum
        if self.cp.minimum(total) >= minimum:
            return
        runs = self.cp.variable(0, 1)
        if rule.runs_short:
            fresh = self.model.fresh_total(rule.classes)
            self.model.derived.append((runs, lambda values: int(fresh.value(values) > 0)))
            self.cp.at_most(fresh.plus(Linear([runs], [1]), -max(self.cp.maximum(fresh), 0)), 0)
        else:
            self.model.derived.append((runs, lambda values: int(total.value(values) > 0)))
            self.cp.at_most(total.plus(Linear([runs], [1]), -max(self.cp.maximum(total), 0)), 0)
        self.cp.at_least(total.plus(Linear([runs], [1]), -minimum), 0)

    def _budget_rows(self) -> None:
        budgets = {id(rule): rule for c in self.model.of_class for rule in self.model.occupancy.rules.budgets_of[c]}
        for rule in budgets.values():
            self.cp.at_most(self.model.left(rule.classes.tolist()), rule.budget.max_disrupted)
        caps = self.model.problem.constraints
        if caps.max_disruption is not None:
            self.cp.at_most(self.model.disruption(), caps.max_disruption)
        if caps.max_evictions is not None:
            self._eviction_rows(caps.max_evictions)

    def _eviction_rows(self, cap: int) -> None:
        stood = self.model.occupancy.rules.stood
        lost = np.maximum(stood - self.model.occupancy.placed, 0)
        evictions = Linear([], [], int(np.delete(lost, list(self.model.of_class)).sum()))
        for c in self.model.of_class:
            if stood[c]:
                placed = self.model.total(np.array([c]))
                missing = self.cp.variable(0, int(stood[c]))
                top = int(stood[c])
                self.model.derived.append((missing, lambda values, k=placed, top=top: max(top - k.value(values), 0)))  # type: ignore[misc]
                self.cp.at_least(placed.plus(Linear([missing], [1])), top)
                evictions.add(missing, 1)
        self.cp.at_most(evictions, cap)

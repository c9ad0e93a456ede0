"""Who is where while a search runs: load, tallies of every rule, and where one more pod may go.

The only mutable state of the constrained search. `add` keeps it in step at the cost of the rules of one class (about 2 us
each); `insertable` answers for all nodes at once.
"""

from __future__ import annotations

import numpy as np

from berth_solver.problem import BoolArray, IntArray, Problem
from berth_solver.rules import AffinityRule, DomainRule, Domains, ExclusionRule, GangRule, LimitRule, Rules, SpreadRule


class Occupancy:
    """A placement with everything that the rules look at. Pods above the standing count of their node are *fresh*."""

    def __init__(self, rules: Rules, placement: IntArray) -> None:
        problem = rules.problem
        self.rules = rules
        self.problem: Problem = problem
        self.placement: IntArray = placement.copy()
        classes, nodes = np.nonzero(placement)
        counts = placement[classes, nodes]
        new = np.maximum(counts - problem.standing_counts[classes, nodes], 0)
        self.placed: IntArray = np.zeros(len(problem.classes), np.int64)
        np.add.at(self.placed, classes, counts)
        self.fresh_of: IntArray = np.zeros(len(problem.classes), np.int64)
        np.add.at(self.fresh_of, classes, new)
        self.left_of: IntArray = rules.stood - (self.placed - self.fresh_of)
        self.free: IntArray = problem.capacity.copy()
        np.subtract.at(self.free, nodes, counts[:, None] * problem.requests[classes])
        self.counts: list[IntArray] = [np.zeros(tally.domains.count, np.int64) for tally in rules.tallies]
        self.fresh: list[IntArray] = [np.zeros(tally.domains.count, np.int64) for tally in rules.tallies]
        bounds = np.searchsorted(classes, np.arange(len(problem.classes) + 1)).tolist()
        for c, tallies in enumerate(rules.tallies_of):
            mine = slice(bounds[c], bounds[c + 1])
            for tally in tallies if bounds[c] < bounds[c + 1] else ():
                tally.domains.add(self.counts[tally.index], nodes[mine], counts[mine])
                if self.fresh_of[c]:
                    tally.domains.add(self.fresh[tally.index], nodes[mine], new[mine])

    def add(self, c: int, n: int, count: int) -> None:
        """`count` more pods of class c on node n; fewer when negative."""
        stood = int(self.problem.standing_counts[c, n])
        before = int(self.placement[c, n])
        after = before + count
        fresh = max(after - stood, 0) - max(before - stood, 0)
        self.placement[c, n] = after
        self.free[n] -= count * self.problem.requests[c]
        self.placed[c] += count
        self.fresh_of[c] += fresh
        self.left_of[c] += max(stood - after, 0) - max(stood - before, 0)
        for tally in self.rules.tallies_of[c]:
            d = tally.domains.of[n]
            if d >= 0:
                self.counts[tally.index][d] += count
                self.fresh[tally.index][d] += fresh

    def become(self, placement: IntArray) -> None:
        """Take on another placement, by its differences."""
        for c, n in np.argwhere(placement != self.placement).tolist():
            self.add(c, n, int(placement[c, n] - self.placement[c, n]))

    def insertable(self, c: int, ignore_gangs: bool = False) -> BoolArray:
        """bool [nodes]: where one more pod of class c may be without breaking anything that holds now."""
        problem = self.problem
        if not problem.classes[c].movable or self.placed[c] >= problem.totals[c]:
            return np.zeros(len(problem.nodes), np.bool_)
        returns = self.placement[c] < problem.standing_counts[c]
        fits = (self.free >= problem.requests[c]).all(axis=1)
        allowed = np.where(returns, fits | problem.overloaded, fits & problem.eligibility[c] & ~problem.overloaded)
        for rule in self.rules.domain_rules_of[c]:
            allowed &= self._allows(rule, c, returns)
        if not ignore_gangs:
            for gang in self.rules.gangs_of[c]:
                allowed &= self._completes(gang, returns)
        return np.asarray(allowed, np.bool_)

    def _allows(self, rule: DomainRule, c: int, returns: BoolArray) -> BoolArray:
        match rule:
            case LimitRule():
                full = self.counts[rule.tally.index] >= rule.limit.maximum
                fresh = self.fresh[rule.tally.index] > 0
                return _spread_out(rule.tally.domains, ~full, ~full | ~fresh, returns, True)
            case ExclusionRule():
                return self._excluded_nowhere(rule, c, returns)
            case AffinityRule():
                return self._has_company(rule, c, returns)
            case SpreadRule():
                return self._stays_even(rule, c, returns)

    def _excluded_nowhere(self, rule: ExclusionRule, c: int, returns: BoolArray) -> BoolArray:
        own, other, both = (self.counts[t.index] for t in (rule.own, rule.other, rule.both))
        fresh_own, fresh_other, fresh_both = (self.fresh[t.index] > 0 for t in (rule.own, rule.other, rule.both))
        in_own, in_other = c in rule.exclusion.classes, c in rule.exclusion.others
        if in_own and in_other:
            as_new = own + other + both == 0
            as_returned = ~(fresh_own | fresh_other | fresh_both)
        elif in_own:
            as_new = other + both == 0
            as_returned = ~(fresh_other | fresh_both)
        else:
            as_new = own + both == 0
            as_returned = ~(fresh_own | fresh_both)
        return _spread_out(rule.own.domains, as_new, as_new | as_returned, returns, True)

    def _has_company(self, rule: AffinityRule, c: int, returns: BoolArray) -> BoolArray:
        domains = rule.company.domains
        company = self.counts[rule.company.index]
        total = int(self.placed[rule.company.classes].sum())
        everywhere = np.ones(domains.count, np.bool_)
        bound, counts = c in rule.affinity.classes, c in rule.affinity.others
        as_new = everywhere if not bound else (company >= 1) | (counts and total == 0)
        allowed = _spread_out(domains, as_new, everywhere, returns, not bound)
        lone = self.fresh[rule.both.index] > 0
        if counts and total == 1 and lone.any():  # the first of its set was let in alone: the second must join it
            allowed &= _spread_out(domains, lone, lone, returns, False) & domains.inside
        return allowed

    def _stays_even(self, rule: SpreadRule, c: int, returns: BoolArray) -> BoolArray:
        domains, counts = rule.counted.domains, self.counts[rule.counted.index]
        bound = c in rule.spread.classes
        if not domains.count:
            return _spread_out(domains, counts > 0, counts > 0, returns, not bound)
        added = int(c in (rule.spread.classes if rule.spread.counted is None else rule.spread.counted))
        after = counts + added
        if rule.least_is_zero:
            least = np.zeros_like(after)
        else:
            lowest = int(counts.argmin())
            runner_up = np.delete(counts, lowest).min() if len(counts) > 1 else after[lowest]
            least = np.full_like(after, counts[lowest])
            least[lowest] = min(after[lowest], runner_up)
        even = after - least <= rule.spread.max_skew
        fresh = self.fresh[rule.bound.index] > 0
        unbound = even | ~fresh
        return _spread_out(domains, even if bound else unbound, unbound, returns, not bound)

    def _completes(self, rule: GangRule, returns: BoolArray) -> BoolArray:
        if int(self.placed[rule.classes].sum()) + 1 >= rule.gang.minimum:
            return np.ones_like(returns)
        if rule.runs_short and not self.fresh_of[rule.classes].any():
            return returns
        return np.zeros_like(returns)


def _spread_out(
    domains: Domains, as_new: BoolArray, as_returned: BoolArray, returns: BoolArray, outside: bool
) -> BoolArray:
    """Per node from per domain. `outside`: may a new pod be on a node in no domain? (One that returns always may.)"""
    new = np.append(as_new, outside)[domains.of]  # index -1 reads the appended last entry
    returned = np.append(as_returned, True)[domains.of]
    return np.asarray(np.where(returns, returned, new), np.bool_)

"""A problem as a CP-SAT model over counts, with every constraint, and part of the placement held fixed if wanted.

For each free pair of class and node an integer x (pods there) and, where pods of the class stand now, an integer s <= x
(pods that stay); x - s are new. A smaller s than min(x, standing) only tightens every rule, so s needs no lower bound.
Rules that bind where a pod is new hang on one flag for each tally and domain, which every new pod there raises. Pairs that
are not free count as constants, taken from the incumbent: that is how a neighbourhood of a large problem is solved.

Coefficients stay exact: a capacity row is divided by the common divisor of its requests. A row whose sum might overflow
64 bits is rounded to the safe side, and then `exact` is False: what is found is sound, bounds are not.
Costs about 5 us a pair plus 1 us for each rule a pair takes part in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from berth_solver.cpsat import IntegerModel, Linear
from berth_solver.occupancy import Occupancy
from berth_solver.problem import BoolArray, IntArray, Problem
from berth_solver.rules import AffinityRule, DomainRule, ExclusionRule, GangRule, LimitRule, SpreadRule, Tally

LARGEST_ROW_SUM = 1 << 60

_Flag = int | bool
"""A variable's index, or a constant."""


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """The part of a placement that may change: `pairs` is bool [len(classes), len(nodes)]."""

    classes: IntArray
    nodes: IntArray
    pairs: BoolArray

    @classmethod
    def whole(cls, problem: Problem) -> Neighbourhood:
        classes, nodes = len(problem.classes), len(problem.nodes)
        return cls(np.arange(classes), np.arange(nodes), np.ones((classes, nodes), np.bool_))


class PackingModel:
    """The model around the placement of `occupancy`, which must keep every rule.

    free: what may change (None: everything). keep_standing: nobody leaves a node in this model.
    """

    def __init__(
        self,
        occupancy: Occupancy,
        free: Neighbourhood | None = None,
        keep_standing: bool = False,
        consolidate: bool = False,
    ) -> None:
        self.occupancy = occupancy
        self.problem = occupancy.problem
        self.cp = IntegerModel()
        self.exact = True
        self._aux: list[tuple[int, Callable[[Sequence[int]], int]]] = []
        self._flags: dict[tuple[int, int], _Flag] = {}
        self._choose_pairs(free, keep_standing)
        self._class_rows()
        self._node_rows(consolidate)
        self._rule_rows()

    # What may change, and within which range

    def _choose_pairs(self, free: Neighbourhood | None, keep_standing: bool) -> None:
        problem, occupancy = self.problem, self.occupancy
        free = free or Neighbourhood.whole(problem)
        rows, columns = free.classes, free.nodes
        grid = np.ix_(rows, columns)
        open_ = free.pairs & occupancy.rules.movable[rows][:, None]
        placement = np.where(open_, occupancy.placement[grid], 0)
        standing, requests = problem.standing_counts[grid], problem.requests[rows]
        self._residual = occupancy.free[columns] + placement.T @ requests
        rest = problem.totals[rows] - occupancy.placed[rows] + placement.sum(axis=1)
        fits = np.repeat(rest[:, None], len(columns), axis=1)
        for r in range(requests.shape[1]):
            asks = requests[:, r] > 0
            fits[asks] = np.minimum(fits[asks], np.maximum(self._residual[:, r], 0) // requests[asks, r][:, None])
        overloaded = problem.overloaded[columns]
        may_be_new = problem.eligibility[grid] & ~overloaded
        most = np.where(
            overloaded, np.minimum(standing, rest[:, None]), np.where(may_be_new, fits, np.minimum(standing, fits))
        )
        most = np.where(open_, most, 0).astype(np.int64)
        i, j = np.nonzero(most)
        self.pair_class: IntArray = rows[i]
        self.pair_node: IntArray = columns[j]
        self.pair_now: IntArray = placement[i, j]
        self._rest = dict(zip(rows.tolist(), rest.tolist(), strict=True))
        self._columns = columns
        self.x: list[int] = []
        self._stay: list[Linear] = []
        self._fresh: list[Linear] = []
        self._of_class: dict[int, list[int]] = {}
        self._of_node: dict[int, list[int]] = {}
        for p, (c, n, top, stood) in enumerate(
            zip(rows[i].tolist(), columns[j].tolist(), most[i, j].tolist(), standing[i, j].tolist(), strict=True)
        ):
            self._add_pair(top, stood, keep_standing)
            self._of_class.setdefault(c, []).append(p)
            self._of_node.setdefault(n, []).append(p)
        self._left_now: IntArray = np.maximum(standing[i, j] - self.pair_now, 0)
        self._fresh_now: IntArray = np.maximum(self.pair_now - standing[i, j], 0)
        self._stood: IntArray = standing[i, j]

    def _add_pair(self, top: int, stood: int, keep_standing: bool) -> None:
        x = self.cp.variable(min(stood, top) if keep_standing else 0, top)
        self.x.append(x)
        if stood == 0:
            self._stay.append(Linear())
            self._fresh.append(Linear([x], [1]))
        elif top <= stood:
            self._stay.append(Linear([x], [1]))
            self._fresh.append(Linear())
        elif keep_standing:
            self._stay.append(Linear([], [], stood))
            self._fresh.append(Linear([x], [1], -stood))
        else:
            s = self.cp.variable(0, stood)
            self._aux.append((s, lambda values, x=x, stood=stood: min(values[x], stood)))  # type: ignore[misc]
            self.cp.at_most(Linear([s, x], [1, -1]), 0)
            self._stay.append(Linear([s], [1]))
            self._fresh.append(Linear([x, s], [1, -1]))

    # Rows

    def _class_rows(self) -> None:
        for c, pairs in self._of_class.items():
            self.cp.at_most(self._sum(pairs), self._rest[c])

    def _node_rows(self, consolidate: bool) -> None:
        self._in_use = Linear()
        if consolidate:
            self._in_use.constant = self._nodes_in_use_outside()
        for j, n in enumerate(self._columns.tolist()):
            pairs = self._of_node.get(n, [])
            in_use = self._in_use_flag(n, pairs) if consolidate and pairs else None
            if not self.problem.overloaded[n]:
                for r in range(len(self.problem.resources)):
                    self._capacity_row(pairs, r, int(self._residual[j, r]), in_use)

    def _capacity_row(self, pairs: list[int], r: int, capacity: int, in_use: int | None) -> None:
        requests = [int(self.problem.requests[self.pair_class[p], r]) for p in pairs]
        row = Linear([self.x[p] for p, k in zip(pairs, requests, strict=True) if k], [k for k in requests if k])
        if not row.variables:
            return
        total = self.cp.maximum(row)
        if total <= capacity:
            return
        divisor = math.gcd(*row.coefficients)
        if total // divisor > LARGEST_ROW_SUM:
            self.exact = False
            divisor = -(-total // LARGEST_ROW_SUM)
        row.coefficients = [-(-k // divisor) for k in row.coefficients]
        capacity //= divisor
        if in_use is not None:
            row.add(in_use, -capacity)
            capacity = 0
        self.cp.at_most(row, capacity)

    def _in_use_flag(self, n: int, pairs: list[int]) -> int | None:
        inside = self.occupancy.placement[:, n].copy()
        inside[self.pair_class[pairs]] -= self.pair_now[pairs]
        if inside[self.occupancy.rules.movable].any():
            self._in_use.constant += 1
            return None
        flag = self.cp.variable(0, 1)
        xs = [self.x[p] for p in pairs]
        self._aux.append((flag, lambda values: int(any(values[x] for x in xs))))
        for x in xs:
            self.cp.at_most(Linear([x, flag], [1, -self.cp.most[x]]), 0)
        self._in_use.add(flag, 1)
        return flag

    def _nodes_in_use_outside(self) -> int:
        used: BoolArray = np.asarray(self.occupancy.placement[self.occupancy.rules.movable].any(axis=0))
        used[self.pair_node] = False
        return int(used.sum())

    def _rule_rows(self) -> None:
        rules = self.occupancy.rules
        touched: dict[int, DomainRule] = {}
        gangs: dict[int, GangRule] = {}
        for c in self._of_class:
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
        for d, pairs in self._by_domain(rule.tally).items():
            count = self._count(rule.tally, d, pairs)
            if stood[d] <= most:  # too many only with a new one among them, so the limit binds in any case
                self.cp.at_most(count, most)
            else:
                self._at_most_if(self._flag(rule.tally, d, pairs), count, most)

    def _exclusion_rows(self, rule: ExclusionRule) -> None:
        sides = (rule.own, rule.other, rule.both)
        by_domain = [self._by_domain(tally) for tally in sides]
        for d in sorted({d for pairs in by_domain for d in pairs}):
            if not self._may_clash(sides, by_domain, d):
                continue
            own, other, both = (self._count(t, d, b.get(d, [])) for t, b in zip(sides, by_domain, strict=True))
            new_own, new_other, new_both = (
                self._flag(t, d, b.get(d, [])) for t, b in zip(sides, by_domain, strict=True)
            )
            self._at_most_if(new_own, other.plus(both), 0)
            self._at_most_if(new_other, own.plus(both), 0)
            self._at_most_if(new_both, own.plus(other), 0)
            self._at_most_if(new_both, both, 1)

    def _may_clash(self, sides: tuple[Tally, ...], by_domain: list[dict[int, list[int]]], d: int) -> bool:
        """Can pods of two sides be in the domain, or of the side that excludes itself?"""
        present = [
            bool(b.get(d)) or self.occupancy.counts[t.index][d] > 0 for t, b in zip(sides, by_domain, strict=True)
        ]
        return bool(present[2]) or bool(present[0] and present[1])

    def _affinity_rows(self, rule: AffinityRule) -> None:
        alone = self._first_of_its_set(rule)
        company_pairs = self._by_domain(rule.company)
        for tally, least in ((rule.own, 1), (rule.both, 2)):
            self._keep_inside(tally)
            pairs_of = self._by_domain(tally)
            settled = np.flatnonzero(self.occupancy.fresh[tally.index] > 0).tolist()
            for d in sorted({*pairs_of, *settled}):
                flag = self._flag(tally, d, pairs_of.get(d, []))
                company = self._count(rule.company, d, company_pairs.get(d, []))
                if least == 2:
                    company = company.plus(alone)
                self._at_least_if(flag, company, least)

    def _first_of_its_set(self, rule: AffinityRule) -> Linear:
        """1 only if at most one pod of the others is placed anywhere."""
        total = self._total(rule.company.classes)
        if not len(rule.both.classes) or self.cp.minimum(total) > 1:
            return Linear()
        alone = self.cp.variable(0, 1)
        self._aux.append((alone, lambda values: int(total.value(values) <= 1)))
        self._at_most_if(alone, total, 1)
        return Linear([alone], [1])

    def _spread_rows(self, rule: SpreadRule) -> None:
        self._keep_inside(rule.bound)
        counted_pairs, bound_pairs = self._by_domain(rule.counted), self._by_domain(rule.bound)
        counts = {d: self._count(rule.counted, d, pairs) for d, pairs in counted_pairs.items()}
        constants = self.occupancy.counts[rule.counted.index]
        least = Linear()
        if not rule.least_is_zero:
            settled = np.delete(constants, list(counts))
            top = min([int(settled.min())] if len(settled) else [], default=None)
            most = min([self.cp.maximum(k) for k in counts.values()] + ([] if top is None else [top]), default=0)
            variable = self.cp.variable(0, most)
            self._aux.append((variable, lambda values: min([most, *(k.value(values) for k in counts.values())])))
            least = Linear([variable], [1])
            for count in counts.values():
                self.cp.at_least(count.plus(least, -1), 0)
        fresh = np.flatnonzero(self.occupancy.fresh[rule.bound.index] > 0).tolist()
        for d in sorted({*bound_pairs, *fresh}):
            count = counts.get(d) or Linear([], [], int(constants[d]))
            flag = self._flag(rule.bound, d, bound_pairs.get(d, []))
            self._at_most_if(flag, count.plus(least, -1), rule.spread.max_skew)

    def _gang_rows(self, rule: GangRule) -> None:
        total = self._total(rule.classes)
        minimum = rule.gang.minimum
        if self.cp.minimum(total) >= minimum:
            return
        runs = self.cp.variable(0, 1)
        if rule.runs_short:
            fresh = self._fresh_total(rule.classes)
            self._aux.append((runs, lambda values: int(fresh.value(values) > 0)))
            self.cp.at_most(fresh.plus(Linear([runs], [1]), -max(self.cp.maximum(fresh), 0)), 0)
        else:
            self._aux.append((runs, lambda values: int(total.value(values) > 0)))
            self.cp.at_most(total.plus(Linear([runs], [1]), -max(self.cp.maximum(total), 0)), 0)
        self.cp.at_least(total.plus(Linear([runs], [1]), -minimum), 0)

    def _budget_rows(self) -> None:
        budgets = {id(rule): rule for c in self._of_class for rule in self.occupancy.rules.budgets_of[c]}
        for rule in budgets.values():
            self.cp.at_most(self._left(rule.classes.tolist()), rule.budget.max_disrupted)
        caps = self.problem.constraints
        if caps.max_disruption is not None:
            self.cp.at_most(self.disruption(), caps.max_disruption)
        if caps.max_evictions is not None:
            self._eviction_rows(caps.max_evictions)

    def _eviction_rows(self, cap: int) -> None:
        stood = self.occupancy.rules.stood
        lost = np.maximum(stood - self.occupancy.placed, 0)
        evictions = Linear([], [], int(np.delete(lost, list(self._of_class)).sum()))
        for c in self._of_class:
            if stood[c]:
                placed = self._total(np.array([c]))
                missing = self.cp.variable(0, int(stood[c]))
                top = int(stood[c])
                self._aux.append((missing, lambda values, k=placed, top=top: max(top - k.value(values), 0)))  # type: ignore[misc]
                self.cp.at_least(placed.plus(Linear([missing], [1])), top)
                evictions.add(missing, 1)
        self.cp.at_most(evictions, cap)

    # Objectives, constants of the fixed part included

    def tier(self, priority: int) -> Linear:
        """Pods placed of the priority."""
        tier = self.problem.priorities.index(priority)
        return self._total(np.flatnonzero(self.occupancy.rules.tier_of == tier))

    def disruption(self) -> Linear:
        result = Linear()
        for c in np.flatnonzero(self.occupancy.left_of).tolist():
            result.constant += self.problem.classes[c].move_cost * int(self.occupancy.left_of[c])
        for p, c in enumerate(self.pair_class.tolist()):
            cost = self.problem.classes[c].move_cost
            if self._stood[p] and cost:
                self._add_left(result, p, cost)
        return result

    def nodes_in_use(self) -> Linear:
        return self._in_use

    def preference(self) -> Linear:
        """The preference of every free pair's pods, times `Rules.preference.scale`; what is fixed is not in it."""
        result = Linear()
        weights = self.occupancy.rules.preference.weights
        if weights is not None:
            for x, weight in zip(self.x, weights[self.pair_class, self.pair_node].tolist(), strict=True):
                if weight:
                    result.add(x, weight)
        return result

    # Placements in and out

    def hint(self, placement: IntArray) -> list[int]:
        """Start from this placement; returns its value for every variable."""
        values = [0] * len(self.cp.least)
        for x, count in zip(self.x, placement[self.pair_class, self.pair_node].tolist(), strict=True):
            values[x] = count
        for variable, derive in self._aux:
            values[variable] = derive(values)
        self.cp.hint(values)
        return values

    def changes(self, values: Sequence[int]) -> list[tuple[int, int, int]]:
        """(class, node, how many more) where the solution differs from the placement of `occupancy`."""
        found = np.array([values[x] for x in self.x], np.int64) - self.pair_now
        where = np.flatnonzero(found)
        triples = zip(self.pair_class[where], self.pair_node[where], found[where], strict=True)
        return [(int(c), int(n), int(k)) for c, n, k in triples]

    def placement(self, values: Sequence[int]) -> IntArray:
        result = self.occupancy.placement.copy()
        result[self.pair_class, self.pair_node] = [values[x] for x in self.x]
        return result

    # Expressions

    def _by_domain(self, tally: Tally) -> dict[int, list[int]]:
        """The free pairs of a tally in each domain that has any."""
        result: dict[int, list[int]] = {}
        of = tally.domains.of
        for c in tally.classes.tolist():
            for p in self._of_class.get(c, ()):
                d = int(of[self.pair_node[p]])
                if d >= 0:
                    result.setdefault(d, []).append(p)
        return result

    def _count(self, tally: Tally, d: int, pairs: list[int]) -> Linear:
        settled = int(self.occupancy.counts[tally.index][d]) - int(self.pair_now[pairs].sum())
        return Linear([self.x[p] for p in pairs], [1] * len(pairs), settled)

    def _flag(self, tally: Tally, d: int, pairs: list[int]) -> _Flag:
        """True where a new pod of the tally is in domain d for sure; else a variable that any new one raises to 1."""
        known = self._flags.get((tally.index, d))
        if known is not None:
            return known
        settled = int(self.occupancy.fresh[tally.index][d]) - int(self._fresh_now[pairs].sum())
        fresh = [self._fresh[p] for p in pairs if self.cp.maximum(self._fresh[p]) > 0]
        flag: _Flag
        if settled > 0 or not fresh:
            flag = settled > 0
        else:
            flag = self.cp.variable(0, 1)
            self._aux.append((flag, lambda values: int(any(k.value(values) > 0 for k in fresh))))
            for k in fresh:
                self.cp.at_most(k.plus(Linear([flag], [1]), -self.cp.maximum(k)), 0)
        self._flags[tally.index, d] = flag
        return flag

    def _at_most_if(self, flag: _Flag, linear: Linear, most: int) -> None:
        if flag is True:
            self.cp.at_most(linear, most)
        elif flag is not False:
            excess = self.cp.maximum(linear) - most
            if excess > 0:
                self.cp.at_most(linear.plus(Linear([flag], [1]), excess), most + excess)

    def _at_least_if(self, flag: _Flag, linear: Linear, least: int) -> None:
        self._at_most_if(flag, Linear().plus(linear, -1), -least)

    def _keep_inside(self, tally: Tally) -> None:
        """No new pod of the tally on a node in no domain."""
        for c in tally.classes.tolist():
            for p in self._of_class.get(c, ()):
                if tally.domains.of[self.pair_node[p]] < 0:
                    self.cp.at_most(self._fresh[p], 0)

    def _sum(self, pairs: list[int]) -> Linear:
        return Linear([self.x[p] for p in pairs], [1] * len(pairs))

    def _total(self, classes: IntArray) -> Linear:
        pairs = [p for c in classes.tolist() for p in self._of_class.get(c, ())]
        result = self._sum(pairs)
        result.constant = int(self.occupancy.placed[classes].sum()) - int(self.pair_now[pairs].sum())
        return result

    def _fresh_total(self, classes: IntArray) -> Linear:
        pairs = [p for c in classes.tolist() for p in self._of_class.get(c, ())]
        result = Linear([], [], int(self.occupancy.fresh_of[classes].sum()) - int(self._fresh_now[pairs].sum()))
        for p in pairs:
            result = result.plus(self._fresh[p])
        return result

    def _left(self, classes: list[int]) -> Linear:
        result = Linear([], [], int(self.occupancy.left_of[classes].sum()))
        for c in classes:
            for p in self._of_class.get(c, ()):
                if self._stood[p]:
                    self._add_left(result, p, 1)
        return result

    def _add_left(self, linear: Linear, p: int, weight: int) -> None:
        """Adds the standing pods of a pair that leave, in place of what the incumbent's constant counted for it."""
        stay = self._stay[p]
        linear.constant += weight * (int(self._stood[p]) - stay.constant - int(self._left_now[p]))
        for v, k in zip(stay.variables, stay.coefficients, strict=True):
            linear.add(v, -weight * k)

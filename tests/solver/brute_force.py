"""The best answer to a tiny problem, by trying everything: the judge of solver and verifier in the tests.

Written pod by pod from the text of `berth_solver.problem`, with no counting tricks, so that it can be read against it. A
placement is spelt out as single pods, each old (it stays) or new, and every rule is a loop over pods. Only capacity and
eligibility are used to thin out the enumeration; of two placements the better one is looked at first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np

from berth_solver.problem import NO_DOMAIN, IntArray, Problem

MOST_CANDIDATES = 6_000

Counts = tuple[tuple[int, ...], ...]
"""[class][node]."""


@dataclass(frozen=True)
class Pod:
    number: int
    pod_class: int
    node: int
    is_new: bool


class TooLargeError(Exception):
    """More placements than a test should try."""


def keeps_the_rules(problem: Problem, counts: Counts) -> bool:
    """Every rule of the problem's text, read literally."""
    return _keeps_room(problem, counts) and _keeps_constraints(problem, counts)


def pods_of(problem: Problem, counts: Counts) -> list[Pod]:
    """Of a class with s standing and x placed on a node, min(s, x) stay and the others are new."""
    standing = problem.standing_counts
    pods: list[Pod] = []
    for c, row in enumerate(counts):
        for n, x in enumerate(row):
            first = len(pods)
            pods.extend(Pod(first + k, c, n, k >= standing[c, n]) for k in range(x))
    return pods


def _keeps_room(problem: Problem, counts: Counts) -> bool:
    standing, pods = problem.standing_counts, pods_of(problem, counts)
    for c, pod_class in enumerate(problem.classes):
        if sum(counts[c]) > pod_class.pending + sum(s.count for s in problem.standing if s.pod_class == c):
            return False
        if not pod_class.movable and list(counts[c]) != standing[c].tolist():
            return False
    for n in range(len(problem.nodes)):
        here = [p for p in pods if p.node == n]
        stood = [int(sum(standing[c, n] * problem.classes[c].request[r] for c in range(len(problem.classes))))
                 for r in range(len(problem.resources))]  # fmt: skip
        was_over = any(load > limit for load, limit in zip(stood, problem.capacity[n].tolist(), strict=True))
        if was_over and any(p.is_new for p in here):
            return False
        for r in range(len(problem.resources)):
            load = sum(problem.classes[p.pod_class].request[r] for p in here)
            if not was_over and load > problem.capacity[n, r]:
                return False
    for p in pods:
        eligible = problem.classes[p.pod_class].eligible
        if p.is_new and eligible is not None and p.node not in eligible:
            return False
    return True


def _keeps_constraints(problem: Problem, counts: Counts) -> bool:
    constraints, pods, standing = problem.constraints, pods_of(problem, counts), problem.standing_counts

    for limit in constraints.limits:
        for d in set(limit.domain_of) - {NO_DOMAIN}:
            there = [p for p in pods if p.pod_class in limit.classes and limit.domain_of[p.node] == d]
            if any(p.is_new for p in there) and len(there) > limit.maximum:
                return False

    for exclusion in constraints.exclusions:
        domain = exclusion.domain_of
        for a, b in product(pods, pods):
            pair = a.pod_class in exclusion.classes and b.pod_class in exclusion.others and a.number != b.number
            together = domain[a.node] != NO_DOMAIN and domain[a.node] == domain[b.node]
            if pair and together and (a.is_new or b.is_new):
                return False

    for affinity in constraints.affinities:
        domain = affinity.domain_of
        for a in pods:
            if not a.is_new or a.pod_class not in affinity.classes:
                continue
            if domain[a.node] == NO_DOMAIN:
                return False
            company = [b for b in pods if b.pod_class in affinity.others and b.number != a.number]
            is_first = a.pod_class in affinity.others and not company
            if not is_first and not any(domain[b.node] == domain[a.node] for b in company):
                return False

    for spread in constraints.spreads:
        domain = spread.domain_of
        domains = set(domain) - {NO_DOMAIN}
        counted = spread.classes if spread.counted is None else spread.counted
        count = {d: sum(1 for p in pods if p.pod_class in counted and domain[p.node] == d) for d in domains}
        for p in pods:
            if not p.is_new or p.pod_class not in spread.classes:
                continue
            if domain[p.node] == NO_DOMAIN:
                return False
            least = 0 if len(domains) < spread.min_domains else min(count.values())
            if count[domain[p.node]] - least > spread.max_skew:
                return False

    for gang in constraints.gangs:
        members = [p for p in pods if p.pod_class in gang.classes]
        ran = sum(s.count for s in problem.standing if s.pod_class in gang.classes)
        runs_short_as_before = ran < gang.minimum and not any(p.is_new for p in members)
        if members and len(members) < gang.minimum and not runs_short_as_before:
            return False

    def left(c: int, n: int) -> int:
        return max(0, int(standing[c, n]) - counts[c][n])

    cells = [(c, n) for c in range(len(problem.classes)) for n in range(len(problem.nodes))]
    for budget in constraints.budgets:
        if sum(left(c, n) for c, n in cells if c in budget.classes) > budget.max_disrupted:
            return False
    weighted = sum(problem.classes[c].move_cost * left(c, n) for c, n in cells)
    if constraints.max_disruption is not None and weighted > constraints.max_disruption:
        return False
    evicted = sum(max(0, int(standing[c].sum()) - sum(counts[c])) for c in range(len(problem.classes)))
    return constraints.max_evictions is None or evicted <= constraints.max_evictions


@dataclass(frozen=True)
class Value:
    """What a placement is worth, stage by stage."""

    placed: tuple[int, ...]
    disruption: int
    preference: float
    nodes_in_use: int


def value_of(problem: Problem, counts: Counts) -> Value:
    standing, preference = problem.standing_counts, [dict(c.preference) for c in problem.classes]
    cells = [(c, n, x) for c, row in enumerate(counts) for n, x in enumerate(row)]
    return Value(
        tuple(sum(x for c, _, x in cells if problem.classes[c].priority == p) for p in problem.priorities),
        sum(problem.classes[c].move_cost * max(0, int(standing[c, n]) - x) for c, n, x in cells),
        float(sum(x * preference[c].get(n, 0.0) for c, n, x in cells)),
        len({n for c, n, x in cells if x and problem.classes[c].movable}),
    )


class BruteForce:
    """All placements of a tiny problem. Raises TooLargeError when there are too many to try."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.feasible: dict[Counts, bool] = {}

    @cached_property
    def candidates(self) -> list[tuple[Value, Counts]]:
        """Placements that fit, whatever the constraints say."""
        problem = self.problem
        rows = [list(self._rows(c)) for c in range(len(problem.classes))]
        if np.prod([float(len(r)) for r in rows]) > MOST_CANDIDATES:
            raise TooLargeError
        return [(value_of(problem, counts), counts) for counts in product(*rows) if _keeps_room(problem, counts)]

    def _rows(self, c: int) -> Iterator[tuple[int, ...]]:
        problem, pod_class = self.problem, self.problem.classes[c]
        total, standing = int(problem.totals[c]), problem.standing_counts[c].tolist()
        for row in product(range(total + 1), repeat=len(problem.nodes)):
            fits = all(
                x <= s
                or all(x * a <= room for a, room in zip(pod_class.request, problem.capacity[n].tolist(), strict=True))
                for n, (x, s) in enumerate(zip(row, standing, strict=True))
            )
            if sum(row) <= total and fits and (pod_class.movable or list(row) == standing):
                yield row

    def best(self, key: Callable[[Value], object], where: Callable[[Value], bool] = lambda _: True) -> Value | None:
        """The value that is largest by `key` among the placements that keep all rules and satisfy `where`."""
        for value, counts in sorted(self.candidates, key=lambda found: key(found[0]), reverse=True):  # type: ignore[arg-type, return-value]
            if not where(value):
                continue
            if counts not in self.feasible:
                self.feasible[counts] = _keeps_constraints(self.problem, counts)
            if self.feasible[counts]:
                return value
        return None

    def optimum(self, consolidate: bool = False) -> Value:
        """Tiers from the highest down; then fewest nodes, if asked; then disruption; then preference."""
        found = self.best(lambda v: (*v.placed, -v.nodes_in_use if consolidate else 0, -v.disruption, v.preference))
        assert found is not None, "what stands now is always a placement"
        return found


def counts_of(placement: IntArray) -> Counts:
    return tuple(tuple(row) for row in placement.tolist())

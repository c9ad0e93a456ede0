"""The cluster while a plan is carried out: room on each node and how full each rule is, changed pod by pod.

`admits` is what the scheduler would say to one more pod of a class at this moment. Room is checked only for what the pod
asks for, rules as Kubernetes checks them for an incoming pod. Cost: a few microseconds a question, plus one look-up for
each rule that the class plays a part in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from berth_solver.problem import NO_DOMAIN, IntArray, Problem


@dataclass(slots=True)
class _Tally:
    """Pods of some classes, counted per domain."""

    classes: frozenset[int]
    domain_of: tuple[int, ...]
    count: Counter[int] = field(default_factory=Counter)
    total: int = 0

    def add(self, c: int, node: int, change: int) -> None:
        self.total += change
        domain = self.domain_of[node]
        if domain != NO_DOMAIN:
            self.count[domain] += change


@dataclass(frozen=True, slots=True)
class Rule:
    """One constraint that a new pod of `classes` has to pass, and every class that it looks at."""

    kind: str
    name: str
    classes: frozenset[int]
    counted: _Tally
    domain_of: tuple[int, ...]
    limit: int = 0
    min_domains: int = 1
    domains: tuple[int, ...] = ()
    """Every domain there is (spread only)."""

    @property
    def involved(self) -> frozenset[int]:
        return self.classes | self.counted.classes

    def passes_fresh(self, c: int) -> bool:
        """Whether one pod of class c could be in a domain that does not exist yet."""
        if self.kind == "limit":
            return self.limit >= 1
        if self.kind == "affinity":
            return c in self.counted.classes and self.counted.total == 0
        return True  # nobody to exclude; the emptiest domain of a spread

    def passing(self, c: int) -> npt.NDArray[np.bool_]:
        """bool [nodes]: `passes` for all nodes at once."""
        domain = np.array(self.domain_of, np.int64)
        counts = np.zeros(
            int(domain.max(initial=0)) + 2, np.int64
        )  # the last entry is never counted: nodes in no domain
        for d, count in self.counted.count.items():
            counts[d] = count
        here = counts[domain]
        outside = domain == NO_DOMAIN
        if self.kind == "limit":
            return np.asarray(outside | (here + 1 <= self.limit))
        if self.kind == "exclusion":
            return np.asarray(outside | (here == 0))
        if self.kind == "affinity":
            first = c in self.counted.classes and self.counted.total == 0
            return np.asarray(~outside & ((here > 0) | first))
        least = 0 if len(self.domains) < self.min_domains else int(counts[list(self.domains)].min())
        return np.asarray(~outside & (here + int(c in self.counted.classes) - least <= self.limit))

    def passes(self, c: int, node: int) -> bool:
        domain = self.domain_of[node]
        if self.kind == "limit":
            return domain == NO_DOMAIN or self.counted.count[domain] + 1 <= self.limit
        if self.kind == "exclusion":
            return domain == NO_DOMAIN or self.counted.count[domain] == 0
        if domain == NO_DOMAIN:
            return False
        if self.kind == "affinity":
            return self.counted.count[domain] > 0 or (c in self.counted.classes and self.counted.total == 0)
        few = len(self.domains) < self.min_domains
        least = 0 if few else min(self.counted.count[d] for d in self.domains)
        own = int(c in self.counted.classes)
        return self.counted.count[domain] + own - least <= self.limit


class LiveState:
    """Mutable; starts as the problem's standing pods on its capacity."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        load = problem.standing_counts.T @ problem.requests
        self.free: list[list[int]] = (problem.capacity - load).tolist()
        self.needs: list[tuple[tuple[int, int], ...]] = [
            tuple((r, amount) for r, amount in enumerate(k.request) if amount) for k in problem.classes
        ]
        self._tallies_of: dict[int, list[_Tally]] = {}
        self._rules_of: dict[int, list[Rule]] = {}
        self._watch(problem)
        for s in problem.standing:
            for tally in self._tallies_of.get(s.pod_class, ()):
                tally.add(s.pod_class, s.node, s.count)

    def free_room(self) -> IntArray:
        """int64 [nodes, resources]: a copy of what is free now."""
        width = len(self._problem.resources)
        return np.array(self.free, np.int64).reshape(len(self._problem.nodes), width)

    def has_room(self, c: int, node: int) -> bool:
        free = self.free[node]
        return all(free[r] >= amount for r, amount in self.needs[c])

    def admits(self, c: int, node: int) -> bool:
        return self.has_room(c, node) and self.broken_rule(c, node) is None

    def rules_of(self, c: int) -> tuple[Rule, ...]:
        return tuple(self._rules_of.get(c, ()))

    def broken_rule(self, c: int, node: int) -> Rule | None:
        """The first rule that keeps a new pod of class c off the node now."""
        return next((rule for rule in self._rules_of.get(c, ()) if not rule.passes(c, node)), None)

    def arrive(self, c: int, node: int) -> None:
        self._change(c, node, 1)

    def leave(self, c: int, node: int) -> None:
        self._change(c, node, -1)

    def _change(self, c: int, node: int, change: int) -> None:
        free = self.free[node]
        for r, amount in self.needs[c]:
            free[r] -= change * amount
        for tally in self._tallies_of.get(c, ()):
            tally.add(c, node, change)

    def _watch(self, problem: Problem) -> None:
        for rule in _rules(problem):
            for c in rule.classes:
                self._rules_of.setdefault(c, []).append(rule)
            for c in rule.counted.classes:
                self._tallies_of.setdefault(c, []).append(rule.counted)


def _rules(problem: Problem) -> Iterator[Rule]:
    constraints = problem.constraints
    for limit in constraints.limits:
        tally = _Tally(limit.classes, limit.domain_of)
        yield Rule("limit", limit.name, limit.classes, tally, limit.domain_of, limit.maximum)
    for exclusion in constraints.exclusions:
        domains = exclusion.domain_of
        yield Rule("exclusion", exclusion.name, exclusion.classes, _Tally(exclusion.others, domains), domains)
        yield Rule("exclusion", exclusion.name, exclusion.others, _Tally(exclusion.classes, domains), domains)
    for affinity in constraints.affinities:
        tally = _Tally(affinity.others, affinity.domain_of)
        yield Rule("affinity", affinity.name, affinity.classes, tally, affinity.domain_of)
    for spread in constraints.spreads:
        tally = _Tally(spread.counted or spread.classes, spread.domain_of)
        domains = tuple(sorted(set(spread.domain_of) - {NO_DOMAIN}))
        yield Rule(
            "spread", spread.name, spread.classes, tally, spread.domain_of, spread.max_skew, spread.min_domains, domains
        )

"""Rules between pods, from Kubernetes' terms to the solver's constraints.

Shapes stand for pods. What fixed pods forbid is no constraint at all but a smaller set of eligible nodes, which costs the
solver nothing; only rules between pods that the plan may place or move become constraints, in their cheapest form:

- required anti-affinity, both directions as Kubernetes checks it -> forbidden nodes, `Limit` of 1 among pods that exclude
  each other, `Exclusion` for the rest;
- required affinity -> forbidden nodes, or `Affinity`. As in Kubernetes, only pods that match *all* of a pod's terms count;
- DoNotSchedule spread -> `Spread`; pods that are terminating are not counted, as in Kubernetes;
- host ports -> forbidden nodes, `Limit` of 1 a node, and `Exclusion` between the wildcard address and others;
- gangs -> `Gang`, fixed members counted; disruption budgets -> `Budget`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from berth_api.reasons import Reason
from berth_cluster.snapshot import HostPort, PodTerm, SpreadTerm
from berth_planner.node_sets import Domains, Mask, NodeSets
from berth_planner.shapes import BudgetedShapes, Grouping, Shape
from berth_solver.problem import NO_DOMAIN

WILDCARD_ADDRESSES = frozenset({"", "0.0.0.0", "::"})  # noqa: S104

Members = frozenset[int]
"""Shapes, by number."""


@dataclass(frozen=True, slots=True)
class LimitRule:
    members: Members
    domains: Domains
    maximum: int
    reason: Reason
    name: str


@dataclass(frozen=True, slots=True)
class PairRule:
    """An exclusion (`members` keep away from `others`) or an affinity (`members` seek `others`)."""

    members: Members
    others: Members
    domains: Domains
    reason: Reason
    name: str


@dataclass(frozen=True, slots=True)
class SpreadRule:
    members: Members
    counted: Members
    domains: Domains
    max_skew: int
    min_domains: int
    name: str
    reason: Reason = Reason.TOPOLOGY_SPREAD


@dataclass(frozen=True, slots=True)
class GangRule:
    members: Members
    minimum: int
    name: str


@dataclass(slots=True)
class PodRules:
    """Constraints over shapes, and the nodes that fixed pods deny to a shape."""

    limits: list[LimitRule] = field(default_factory=list)
    exclusions: list[PairRule] = field(default_factory=list)
    affinities: list[PairRule] = field(default_factory=list)
    spreads: list[SpreadRule] = field(default_factory=list)
    gangs: list[GangRule] = field(default_factory=list)
    budgets: tuple[BudgetedShapes, ...] = ()
    denied: dict[int, dict[Reason, Mask]] = field(default_factory=lambda: defaultdict(dict))
    """Nodes that fixed pods deny to a shape, by reason."""

    @property
    def reasons(self) -> dict[str, Reason]:
        """Name of a rule to the reason that a pod is given when it is in the way."""
        reasons: dict[str, Reason] = {limit.name: limit.reason for limit in self.limits}
        reasons |= {pair.name: pair.reason for pair in (*self.exclusions, *self.affinities)}
        return reasons | {spread.name: spread.reason for spread in self.spreads}

    def deny(self, shape: int, reason: Reason, mask: Mask) -> None:
        known = self.denied[shape].get(reason)
        self.denied[shape][reason] = mask.copy() if known is None else known | mask


def rules_of(grouping: Grouping, nodes: NodeSets, node_count: int) -> PodRules:
    """Every rule that binds a pod which the plan may place or move."""
    rules = PodRules(budgets=grouping.budgets)
    _anti_affinity(grouping, nodes, rules)
    _affinity(grouping, nodes, rules)
    _spread(grouping, nodes, rules)
    _ports(grouping.shapes, node_count, rules)
    _gangs(grouping.shapes, rules)
    return rules


def _live(shapes: Sequence[Shape], members: Members) -> Members:
    return frozenset(s for s in members if shapes[s].is_live)


def _live_count(shapes: Sequence[Shape], members: Members) -> int:
    return sum(shapes[s].live_count for s in members)


def _held_domains(shapes: Sequence[Shape], members: Members, domains: Domains, *, leaving: bool) -> Mask:
    """Nodes of every domain in which a fixed pod of `members` stands."""
    held = {n for s in members for n in (shapes[s].weight_nodes if leaving else shapes[s].fixed)}
    values = {int(domains[n]) for n in held} - {NO_DOMAIN}
    return np.isin(domains, sorted(values)) if values else np.zeros(len(domains), np.bool_)


def _exclude(
    shapes: Sequence[Shape], rules: PodRules, a: Members, b: Members, domains: Domains, reason: Reason, name: str
) -> None:
    """No pod of a in one domain with another pod of b."""
    for ours, theirs in ((a, b), (b, a)):
        held = _held_domains(shapes, theirs, domains, leaving=True)
        if held.any():
            for s in _live(shapes, ours):
                rules.deny(s, reason, held)
    a, b = _live(shapes, a), _live(shapes, b)
    both = a & b
    if _live_count(shapes, both) > 1:
        rules.limits.append(LimitRule(both, domains, 1, reason, name))
    for first, second in ((a, b - both), (a - both, both)):
        if first and second:
            rules.exclusions.append(PairRule(first, second, domains, reason, name))


def _anti_affinity(grouping: Grouping, nodes: NodeSets, rules: PodRules) -> None:
    having: dict[PodTerm, set[int]] = defaultdict(set)
    for s, shape in enumerate(grouping.shapes):
        for term in shape.spec.anti_affinity:
            having[term].add(s)
    for term, members in having.items():
        selected = grouping.index.selected_by_term(term)
        name = f"anti-affinity of {grouping.shapes[min(members)].namespace} on {term.topology_key}"
        domains = nodes.domains(term.topology_key)
        _exclude(grouping.shapes, rules, frozenset(members), selected, domains, Reason.ANTI_AFFINITY, name)


def _affinity(grouping: Grouping, nodes: NodeSets, rules: PodRules) -> None:
    shapes = grouping.shapes
    having: dict[tuple[PodTerm, ...], set[int]] = defaultdict(set)
    for s, shape in enumerate(shapes):
        if shape.spec.affinity and shape.is_live:
            having[shape.spec.affinity].add(s)
    for terms, members in having.items():
        sought = frozenset.intersection(*(grouping.index.selected_by_term(t) for t in terms))
        sought_live = _live(shapes, sought)
        for key in sorted({t.topology_key for t in terms}):
            domains = nodes.domains(key)
            outside = domains == NO_DOMAIN if sought_live else ~_held_domains(shapes, sought, domains, leaving=False)
            if outside.any():
                for s in members:
                    rules.deny(s, Reason.AFFINITY_UNSATISFIED, outside)
            if sought_live:
                counted = sought_live | frozenset(s for s in sought if shapes[s].fixed)
                name = f"affinity of {shapes[min(members)].namespace} on {key}"
                rules.affinities.append(
                    PairRule(frozenset(members), counted, domains, Reason.AFFINITY_UNSATISFIED, name)
                )


def _spread(grouping: Grouping, nodes: NodeSets, rules: PodRules) -> None:
    shapes = grouping.shapes
    having: dict[tuple[str, SpreadTerm, int], set[int]] = defaultdict(set)
    domains_of: dict[int, Domains] = {}
    for s, shape in enumerate(shapes):
        if shape.is_live:
            for term in shape.spec.spread:
                domains = nodes.counting_domains(shape.spec, term)
                domains_of[id(domains)] = domains
                having[shape.namespace, term, id(domains)].add(s)
    for (namespace, term, domains_id), members in having.items():
        domains = domains_of[domains_id]
        outside = domains == NO_DOMAIN
        if outside.any():
            for s in members:
                rules.deny(s, Reason.TOPOLOGY_SPREAD, outside)
        matching = grouping.index.selected(term.selector, frozenset([namespace]))
        counted = frozenset(s for s in matching if shapes[s].is_live or shapes[s].fixed)
        existing = len(np.unique(domains[~outside]))
        if counted and (existing > 1 or existing < term.min_domains):
            name = f"spread of {namespace} on {term.topology_key}"
            rules.spreads.append(
                SpreadRule(frozenset(members), counted, domains, term.max_skew, term.min_domains, name)
            )


def _ports(shapes: Sequence[Shape], node_count: int, rules: PodRules) -> None:
    using: dict[tuple[str, int], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for s, shape in enumerate(shapes):
        for port in shape.spec.ports:
            using[port.protocol, port.port][_address(port)].add(s)
    each_node = np.arange(node_count, dtype=np.int64)
    seen: set[tuple[Members, Members]] = set()
    for (protocol, number), by_address in using.items():
        everyone = frozenset().union(*by_address.values())
        if not any(shapes[s].is_live for s in everyone):
            continue
        wildcard = frozenset(by_address.pop("", set()))
        pairs = [(frozenset(users), frozenset(users)) for users in by_address.values()]
        if wildcard:
            pairs.append((wildcard, everyone))
        for a, b in pairs:
            if (a, b) not in seen:  # several ports of one workload make one rule
                seen.add((a, b))
                name = f"host port {number}/{protocol}"
                _exclude(shapes, rules, a, b, each_node, Reason.PORT_CONFLICT, name)


def _address(port: HostPort) -> str:
    return "" if port.ip in WILDCARD_ADDRESSES else port.ip


def _gangs(shapes: Sequence[Shape], rules: PodRules) -> None:
    members: dict[tuple[str, str], set[int]] = defaultdict(set)
    for s, shape in enumerate(shapes):
        if shape.gang is not None:
            members[shape.namespace, shape.gang.key].add(s)
    for (_, key), gang in members.items():  # a gang's key names its namespace
        minimum = max(g.minimum for s in gang if (g := shapes[s].gang) is not None)
        minimum -= sum(sum(shapes[s].fixed.values()) for s in gang)
        live = _live(shapes, frozenset(gang))
        if live and minimum > 1:
            rules.gangs.append(GangRule(live, minimum, key))

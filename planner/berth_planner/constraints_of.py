"""Rules over shapes become constraints over classes.

`parts_of` says what each shape is in each rule, so that only shapes that play the same parts share a class;
`constraints_of` writes the rules down once classes have numbers. Domain tuples are shared between constraints.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from berth_planner.node_sets import Domains
from berth_planner.pod_rules import Members, PodRules
from berth_solver.problem import Affinity, Budget, Constraints, Exclusion, Gang, Limit, Spread


def parts_of(rules: PodRules) -> dict[int, tuple[tuple[str, int], ...]]:
    """What each shape is in each rule: (part, rule) pairs. Shapes with equal parts may share a class."""
    parts: dict[int, list[tuple[str, int]]] = defaultdict(list)

    def play(part: str, number: int, members: Members) -> None:
        for s in members:
            parts[s].append((part, number))

    for i, limit in enumerate(rules.limits):
        play("limit", i, limit.members)
    for i, exclusion in enumerate(rules.exclusions):
        play("excludes", i, exclusion.members)
        play("excluded", i, exclusion.others)
    for i, affinity in enumerate(rules.affinities):
        play("seeks", i, affinity.members)
        play("sought", i, affinity.others)
    for i, spread in enumerate(rules.spreads):
        play("spreads", i, spread.members)
        play("counted", i, spread.counted)
    for i, gang in enumerate(rules.gangs):
        play("gang", i, gang.members)
    for i, budget in enumerate(rules.budgets):
        # pods of another owner are not interchangeable here: pending ones of the same shape are never disrupted,
        # but a class must be wholly inside a budget or outside it
        play("budget", i, budget.shapes)
    return {s: tuple(p) for s, p in parts.items()}


def constraints_of(rules: PodRules, class_of: Mapping[int, int], fixed_class_of: Mapping[int, int]) -> Constraints:
    """The rules over classes: `class_of` for shapes that are pending or movable, `fixed_class_of` for fixed ones counted."""
    shared: dict[bytes, tuple[int, ...]] = {}

    def domain_tuple(domains: Domains) -> tuple[int, ...]:
        return shared.setdefault(domains.tobytes(), tuple(domains.tolist()))

    def live(members: Members) -> frozenset[int]:
        return frozenset(class_of[s] for s in members if s in class_of)

    def with_fixed(members: Members) -> frozenset[int]:
        return live(members) | frozenset(fixed_class_of[s] for s in members if s in fixed_class_of)

    limits = [Limit(live(r.members), domain_tuple(r.domains), r.maximum, r.name) for r in rules.limits]
    exclusions = [Exclusion(live(r.members), live(r.others), domain_tuple(r.domains), r.name) for r in rules.exclusions]
    affinities = [
        Affinity(live(r.members), with_fixed(r.others), domain_tuple(r.domains), r.name) for r in rules.affinities
    ]
    spreads = []
    for r in rules.spreads:
        counted = with_fixed(r.counted)
        same = counted == live(r.members)
        spreads.append(
            Spread(
                live(r.members), domain_tuple(r.domains), r.max_skew, None if same else counted, r.min_domains, r.name
            )
        )
    gangs = [Gang(live(r.members), r.minimum, r.name) for r in rules.gangs]
    budgets = [Budget(live(b.shapes), b.allowed, b.name) for b in rules.budgets]
    return Constraints(
        tuple(limits), tuple(exclusions), tuple(affinities), tuple(spreads), tuple(gangs), tuple(budgets)
    )

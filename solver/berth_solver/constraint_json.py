"""The constraints of a JSON line: which pods each names, and the domains of nodes it speaks of.

Reading is in two steps, because which constraints name a pod decides its class: `Roles` tells for each pod in which lists
it is, and once the classes are known `build_constraints` writes the constraints in terms of classes and node indices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from berth_solver.problem import (
    NO_DOMAIN,
    Affinity,
    Budget,
    Constraints,
    Exclusion,
    Gang,
    Limit,
    ProblemError,
    Spread,
)
from berth_solver.wire import Domains, Names, WireBudget, WireConstraints, WireGang, WireLimit, WireSpread

_Wire = TypeVar("_Wire")


class ConstraintError(ProblemError):
    """A constraint names a pod or node that does not exist, or a node twice; the message begins with its field."""


class Roles:
    """Which lists of which constraints name a pod. Two pods in the same lists are alike to every constraint."""

    def __init__(self, pods: dict[str, int]) -> None:
        self.pods = pods
        self.members: list[list[int]] = []
        """Pods of each role, in the order of the constraints."""
        self.of_budgets: set[int] = set()
        """Roles that only matter to pods that can leave their node."""
        self.of_pod: dict[int, tuple[int, ...]] = {}

    def assign(self, wire: WireConstraints) -> None:
        """Raises ConstraintError."""
        self._each("limits", wire.limits)
        for k, exclusion in enumerate(wire.exclusions):
            self._add(f"exclusions[{k}].pods", exclusion.pods)
            self._add(f"exclusions[{k}].others", exclusion.others)
        for k, affinity in enumerate(wire.affinities):
            self._add(f"affinities[{k}].pods", affinity.pods)
            self._add(f"affinities[{k}].others", affinity.others)
        self._each("spreads", wire.spreads)
        self._each("gangs", wire.gangs)
        self.of_budgets = set(range(len(self.members), len(self.members) + len(wire.budgets)))
        self._each("budgets", wire.budgets)

    def _each(self, kind: str, constraints: Sequence[WireLimit | WireSpread | WireGang | WireBudget]) -> None:
        for k, constraint in enumerate(constraints):
            self._add(f"{kind}[{k}].pods", constraint.pods)

    def _add(self, field: str, names: Names) -> None:
        role = len(self.members)
        members = []
        for name in dict.fromkeys(names):
            pod = self.pods.get(name)
            if pod is None:
                raise ConstraintError(f"{field}: pod {name!r} does not exist")
            members.append(pod)
            self.of_pod[pod] = (*self.of_pod.get(pod, ()), role)
        self.members.append(members)


def build_constraints(
    wire: WireConstraints, members: Sequence[frozenset[int]], nodes: Mapping[str, int]
) -> Constraints:
    """`members`: the classes of each role, in the order in which `Roles.assign` walked them. Raises ConstraintError."""
    role = iter(members)
    domains = _DomainReader(nodes)
    return Constraints(
        limits=tuple(
            [
                Limit(next(role), domains.read(name, limit.domains), limit.max, name)
                for name, limit in _named("limits", wire.limits)
            ]
        ),
        exclusions=tuple(
            [
                Exclusion(next(role), next(role), domains.read(name, exclusion.domains), name)
                for name, exclusion in _named("exclusions", wire.exclusions)
            ]
        ),
        affinities=tuple(
            [
                Affinity(next(role), next(role), domains.read(name, affinity.domains), name)
                for name, affinity in _named("affinities", wire.affinities)
            ]
        ),
        spreads=tuple(
            [
                Spread(next(role), domains.read(name, spread.domains), spread.max_skew, name=name)
                for name, spread in _named("spreads", wire.spreads)
            ]
        ),
        gangs=tuple([Gang(next(role), gang.min, name) for name, gang in _named("gangs", wire.gangs)]),
        budgets=tuple([Budget(next(role), b.max_disrupted, name) for name, b in _named("budgets", wire.budgets)]),
        max_disruption=wire.max_disruption,
    )


def _named(kind: str, constraints: Sequence[_Wire]) -> Iterator[tuple[str, _Wire]]:
    """Each with its field, which is its name too."""
    return ((f"{kind}[{k}]", constraint) for k, constraint in enumerate(constraints))


class _DomainReader:
    """Lists of node names to one domain a node. Constraints over the same domains share one tuple."""

    def __init__(self, nodes: Mapping[str, int]) -> None:
        self.nodes = nodes
        self.known: dict[Domains, tuple[int, ...]] = {}

    def read(self, field: str, domains: Domains) -> tuple[int, ...]:
        known = self.known.get(domains)
        if known is not None:
            return known
        domain_of = [NO_DOMAIN] * len(self.nodes)
        for d, names in enumerate(domains):
            for name in names:
                node = self.nodes.get(name)
                if node is None:
                    raise ConstraintError(f"{field}.domains[{d}]: node {name!r} does not exist")
                if domain_of[node] not in (NO_DOMAIN, d):
                    raise ConstraintError(f"{field}.domains[{d}]: node {name!r} is in domain {domain_of[node]} already")
                domain_of[node] = d
        self.known[domains] = tuple(domain_of)
        return self.known[domains]

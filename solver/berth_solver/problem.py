"""What the solver is asked: integers and names, no Kubernetes.

Pods that nobody could tell apart form one class, and the solver only counts: `placement[c, n]` pods of class c on node n.
Two pods are of one class when priority, request, eligible nodes, preference, move cost, mobility and membership in every
constraint agree. Their owners may differ: as long as only counts matter, a pod of one owner stands for a pod of another.

**When a constraint binds.** As in Kubernetes, constraints bind pods that are newly placed or moved. A pod *stays* when it
is on the node where it stood; of a class with `standing` s and `placement` x on a node, min(s, x) stay and x - min(s, x)
are *new* there. A violation that exists already among pods that stay is nobody's fault and disturbs nobody.

- capacity: load <= capacity on every node; a node that is over its capacity at the start takes nothing new, and what
  stands there may stay.
- eligibility: a new pod is on a node of its class's `eligible`; a pod that stands elsewhere may stay.
- `Limit`, `Exclusion`, `Affinity`, `Spread`, `Gang`, `Budget`: each class below says its rule.

Domains are given as `domain_of`: one integer a node, the index of its domain, or -1 for a node in none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

NO_DOMAIN = -1

MAX_NODES = 20_000
MAX_CLASSES = 50_000
MAX_RESOURCES = 64
MAX_AMOUNT = 1 << 53
"""Largest capacity or request: what a float64 holds exactly, and 64-bit sums over a node never overflow."""
MAX_MOVE_COST = 1_000_000
"""Prices are whole numbers over 2^20 and stay below 2^40, so that sums of them fit in 64 bits."""


class ProblemError(ValueError):
    """The problem contradicts itself; the message names the node, class or constraint at fault."""


@dataclass(frozen=True, slots=True)
class PodClass:
    """A set of interchangeable pods.

    An immovable class only matters to constraints: its pods stay where they stand, none is pending, and its request is
    zero, because nodes are given with the capacity left after immovable load.
    """

    name: str
    priority: int
    request: tuple[int, ...]
    pending: int = 0
    eligible: frozenset[int] | None = None
    """Node indices; None means every node."""
    preference: tuple[tuple[int, float], ...] = ()
    """(node, 0..1), sorted by node; a node not listed counts 0."""
    move_cost: int = 1
    """What disturbing one running pod of this class costs, >= 0."""
    movable: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """`count` pods of class `pod_class` run on `node` now."""

    pod_class: int
    node: int
    count: int


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `maximum` pods of `classes` in a domain: binding in every domain that holds a new one of them."""

    classes: frozenset[int]
    domain_of: tuple[int, ...]
    maximum: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """No pod of `classes` shares a domain with a pod of `others`: no such pair (two different pods) of which one is new.

    `classes` and `others` may overlap: a set that excludes itself allows one of its pods in a domain.
    """

    classes: frozenset[int]
    others: frozenset[int]
    domain_of: tuple[int, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Affinity:
    """A new pod of `classes` shares its domain with at least one *other* pod of `others`.

    As in Kubernetes the first pod of a set that asks for itself is let in: a new pod that is itself of `others` is
    satisfied alone when no other pod of `others` is placed anywhere. A node in no domain never satisfies it.
    """

    classes: frozenset[int]
    others: frozenset[int]
    domain_of: tuple[int, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """In every domain that holds a new pod of `classes`: count(domain) - least count of any domain <= `max_skew`.

    What is counted are pods of `counted` (None: of `classes`). A new pod of `classes` may not be on a node in no domain.
    The least count is 0 while there are fewer than `min_domains` domains.
    """

    classes: frozenset[int]
    domain_of: tuple[int, ...]
    max_skew: int
    counted: frozenset[int] | None = None
    min_domains: int = 1
    name: str = ""


@dataclass(frozen=True, slots=True)
class Gang:
    """None of `classes`, or at least `minimum` of them. A gang that runs with fewer may stay so if it gets no new pod."""

    classes: frozenset[int]
    minimum: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `max_disrupted` running pods of `classes` leave their node."""

    classes: frozenset[int]
    max_disrupted: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Constraints:
    """Everything beyond capacity and eligibility. None in a cap means no cap."""

    limits: tuple[Limit, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    affinities: tuple[Affinity, ...] = ()
    spreads: tuple[Spread, ...] = ()
    gangs: tuple[Gang, ...] = ()
    budgets: tuple[Budget, ...] = ()
    max_disruption: int | None = None
    """Cap on the disruption, weighted by move cost."""
    max_evictions: int | None = None
    """Cap on running pods that end without a node (counted per class: fewer placed than stood)."""

    def __bool__(self) -> bool:
        return bool(
            self.limits or self.exclusions or self.affinities or self.spreads or self.gangs or self.budgets
            or self.max_disruption is not None or self.max_evictions is not None
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Problem:
    """Nodes, classes, where each pod stands, and what must hold. Immutable; arrays are read-only by convention.

    capacity: int64 [nodes, resources], what is left after immovable load; any unit, as long as requests share it.
    """

    resources: tuple[str, ...]
    nodes: tuple[str, ...]
    capacity: IntArray
    classes: tuple[PodClass, ...]
    standing: tuple[Standing, ...] = ()
    constraints: Constraints = field(default_factory=Constraints)

    def __post_init__(self) -> None:
        _check(self)

    @cached_property
    def requests(self) -> IntArray:
        """int64 [classes, resources]."""
        if not self.classes:
            return np.zeros((0, len(self.resources)), np.int64)
        return np.array([c.request for c in self.classes], np.int64).reshape(len(self.classes), len(self.resources))

    @cached_property
    def standing_counts(self) -> IntArray:
        """int64 [classes, nodes]: pods of each class that run on each node now."""
        counts = np.zeros((len(self.classes), len(self.nodes)), np.int64)
        if self.standing:
            at = np.array([(s.pod_class, s.node, s.count) for s in self.standing], np.int64)
            np.add.at(counts, (at[:, 0], at[:, 1]), at[:, 2])
        return counts

    @cached_property
    def totals(self) -> IntArray:
        """int64 [classes]: running plus pending pods of each class."""
        pending = np.array([c.pending for c in self.classes], np.int64)
        return np.asarray(pending + self.standing_counts.sum(axis=1), np.int64)

    @cached_property
    def priorities(self) -> tuple[int, ...]:
        """Distinct priorities, highest first; each is a tier."""
        return tuple(sorted({c.priority for c in self.classes}, reverse=True))

    @cached_property
    def eligibility(self) -> BoolArray:
        """bool [classes, nodes]: where a *new* pod of the class may go (overloaded nodes are not excluded here)."""
        table = np.ones((len(self.classes), len(self.nodes)), np.bool_)
        rows: dict[frozenset[int], BoolArray] = {}
        for c, pod_class in enumerate(self.classes):
            if pod_class.eligible is not None:
                if pod_class.eligible not in rows:
                    row = np.zeros(len(self.nodes), np.bool_)
                    row[list(pod_class.eligible)] = True
                    rows[pod_class.eligible] = row
                table[c] = rows[pod_class.eligible]
            if not pod_class.movable:
                table[c] = False
        return table

    @cached_property
    def overloaded(self) -> BoolArray:
        """bool [nodes]: over its capacity at the start, so that it takes nothing new."""
        return np.asarray((self.standing_load > self.capacity).any(axis=1), np.bool_)

    @cached_property
    def standing_load(self) -> IntArray:
        """int64 [nodes, resources]: what the standing pods request on each node."""
        load = np.zeros((len(self.nodes), len(self.resources)), np.int64)
        if self.standing:
            at = np.array([(s.pod_class, s.node, s.count) for s in self.standing], np.int64)
            np.add.at(load, at[:, 1], at[:, 2, None] * self.requests[at[:, 0]])
        return load


def _check(problem: Problem) -> None:
    nodes, classes, width = len(problem.nodes), len(problem.classes), len(problem.resources)
    if nodes > MAX_NODES or classes > MAX_CLASSES or width > MAX_RESOURCES:
        raise ProblemError(f"too large: {nodes} nodes, {classes} classes, {width} resources")
    if len(set(problem.nodes)) != nodes:
        raise ProblemError("two nodes share a name")
    if problem.capacity.shape != (nodes, width) or problem.capacity.dtype != np.int64:
        raise ProblemError(f"capacity must be int64 of shape ({nodes}, {width}), is {problem.capacity.shape}")
    if nodes and width and (problem.capacity > MAX_AMOUNT).any():
        raise ProblemError(f"a capacity exceeds {MAX_AMOUNT}")
    for pod_class in problem.classes:
        _check_class(pod_class, nodes, width)
    for s in problem.standing:
        if not (0 <= s.pod_class < classes and 0 <= s.node < nodes and s.count > 0):
            raise ProblemError(f"standing {s} names a class or node that does not exist, or no pods")
    _check_constraints(problem.constraints, nodes, classes)


def _check_class(pod_class: PodClass, nodes: int, width: int) -> None:
    name = pod_class.name
    if len(pod_class.request) != width:
        raise ProblemError(f"class {name!r} requests {len(pod_class.request)} resources of {width}")
    if any(not 0 <= amount <= MAX_AMOUNT for amount in pod_class.request):
        raise ProblemError(f"class {name!r}: a request is negative or exceeds {MAX_AMOUNT}")
    if pod_class.pending < 0 or pod_class.move_cost < 0:
        raise ProblemError(f"class {name!r}: pending and move_cost must not be negative")
    if pod_class.move_cost > MAX_MOVE_COST:
        raise ProblemError(f"class {name!r}: move_cost {pod_class.move_cost} exceeds {MAX_MOVE_COST}")
    if pod_class.eligible is not None and any(not 0 <= n < nodes for n in pod_class.eligible):
        raise ProblemError(f"class {name!r}: an eligible node does not exist")
    if any(not 0 <= n < nodes or not 0.0 <= value <= 1.0 for n, value in pod_class.preference):
        raise ProblemError(f"class {name!r}: a preference names no node or is outside 0..1")
    if not pod_class.movable and (pod_class.pending or any(pod_class.request)):
        raise ProblemError(f"class {name!r} is immovable: it has no pending pods and requests nothing")


def _check_constraints(constraints: Constraints, nodes: int, classes: int) -> None:
    sound: set[int] = set()

    def check(kind: str, name: str, members: Sequence[frozenset[int]], domain_of: tuple[int, ...] | None) -> None:
        if any(not 0 <= c < classes for group in members for c in group):
            raise ProblemError(f"{kind} {name!r} names a class that does not exist")
        # constraints share their partitions: each is looked at once
        if domain_of is None or id(domain_of) in sound:
            return
        sound.add(id(domain_of))
        if len(domain_of) != nodes or any(d < NO_DOMAIN for d in domain_of):
            raise ProblemError(f"{kind} {name!r}: domain_of must give one domain (or -1) for each node")

    for limit in constraints.limits:
        check("limit", limit.name, [limit.classes], limit.domain_of)
        _at_least("limit", limit.name, limit.maximum, 0)
    for exclusion in constraints.exclusions:
        check("exclusion", exclusion.name, [exclusion.classes, exclusion.others], exclusion.domain_of)
    for affinity in constraints.affinities:
        check("affinity", affinity.name, [affinity.classes, affinity.others], affinity.domain_of)
    for spread in constraints.spreads:
        check("spread", spread.name, [spread.classes, spread.counted or frozenset()], spread.domain_of)
        _at_least("spread", spread.name, spread.max_skew, 1)
    for gang in constraints.gangs:
        check("gang", gang.name, [gang.classes], None)
        _at_least("gang", gang.name, gang.minimum, 1)
    for budget in constraints.budgets:
        check("budget", budget.name, [budget.classes], None)
        _at_least("budget", budget.name, budget.max_disrupted, 0)
    for cap in (constraints.max_disruption, constraints.max_evictions):
        if cap is not None:
            _at_least("cap", "", cap, 0)


def _at_least(kind: str, name: str, value: int, least: int) -> None:
    if value < least:
        raise ProblemError(f"{kind} {name!r}: {value} is less than {least}")


def preference_table(problem: Problem) -> Mapping[tuple[int, int], float]:
    """(class, node) to preference 0..1, of those that are not 0."""
    return {(c, n): v for c, pod_class in enumerate(problem.classes) for n, v in pod_class.preference if v}

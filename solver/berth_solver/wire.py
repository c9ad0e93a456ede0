"""The shapes of the JSON lines: one problem a line in, one solution a line out. Nothing but types and their limits.

docs/solver.md tells what each field means; the JSON Schemas are made from these structs. Unknown fields are refused, so
that a misspelt constraint is an error and not a constraint that silently does not hold. `gc=False`: these values hold no
cycles, and without it the collector walks tens of thousands of pods several times while a line is read.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from berth_solver.problem import MAX_AMOUNT

MAX_PRIORITY = 1 << 31
MAX_MOVE_COST = 1_000_000
"""Disruption is a sum of move costs over all pods: this keeps it exact in 64 bits and in a JSON number."""
MAX_COUNT = 1 << 31
"""Largest `max`, `min`, `max_skew`, `max_disrupted`: anything above is no limit at all."""

Amount = Annotated[int, msgspec.Meta(ge=0, le=MAX_AMOUNT, description="in any unit that requests and capacities share")]
Amounts = Annotated[tuple[Amount, ...], msgspec.Meta(description="one amount for each of the problem's resources")]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
PositiveCount = Annotated[int, msgspec.Meta(ge=1, le=MAX_COUNT)]
Priority = Annotated[int, msgspec.Meta(ge=-MAX_PRIORITY, le=MAX_PRIORITY, description="higher is more important")]
Names = tuple[str, ...]
Domains = Annotated[
    tuple[Names, ...], msgspec.Meta(description="each domain as a list of node names; no node is in two of them")
]


class WireNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    name: str
    capacity: Amounts


class WirePod(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One pod. Without `node` it is pending. Pods that differ in name and group only are interchangeable."""

    name: str
    priority: Priority
    request: Amounts
    group: str = ""
    node: str | None = None
    eligible: Names | None = None
    """Nodes where it may be placed anew; without it, every node."""
    movable: bool = True
    """A running pod that is not movable is weight on its node. Of a pending pod it says nothing."""
    move_cost: Annotated[int, msgspec.Meta(ge=0, le=MAX_MOVE_COST)] = 1
    preference: dict[str, Share] = {}
    """Node name to 0..1; a node not listed counts 0."""


class WireLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    pods: Names
    domains: Domains
    max: Count


class WireExclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    pods: Names
    others: Names
    domains: Domains


class WireAffinity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    pods: Names
    others: Names
    domains: Domains


class WireSpread(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    pods: Names
    domains: Domains
    max_skew: PositiveCount


class WireGang(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    pods: Names
    min: PositiveCount


class WireBudget(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    pods: Names
    max_disrupted: Count


class WireConstraints(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    limits: tuple[WireLimit, ...] = ()
    exclusions: tuple[WireExclusion, ...] = ()
    affinities: tuple[WireAffinity, ...] = ()
    spreads: tuple[WireSpread, ...] = ()
    gangs: tuple[WireGang, ...] = ()
    budgets: tuple[WireBudget, ...] = ()
    max_disruption: Annotated[int, msgspec.Meta(ge=0, le=1 << 53)] | None = None


class WireProblem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    id: str | int
    resources: Names
    nodes: tuple[WireNode, ...]
    pods: tuple[WirePod, ...]
    constraints: WireConstraints = WireConstraints()


CertificateName = Literal["Optimal", "Bounded"]


class WireTier(msgspec.Struct, frozen=True, gc=False):
    """`bound` is the most that can be placed of this priority, given the counts reported above it."""

    priority: int
    pods: int
    placed: int
    bound: int
    certificate: CertificateName


class WireDisruption(msgspec.Struct, frozen=True, gc=False):
    """Running pods not left on their node, weighted by move cost; `bound` is the least possible given the counts."""

    value: float | int
    bound: float | int
    certificate: CertificateName


class WireSolution(msgspec.Struct, frozen=True, gc=False):
    id: str | int
    tiers: tuple[WireTier, ...]
    """Highest priority first."""
    disruption: WireDisruption
    assignment: dict[str, str | None]
    """Every pod of the problem, in its order."""
    first_improvement_seconds: float | None
    elapsed_seconds: float


class WireError(msgspec.Struct, frozen=True, gc=False):
    """What stands in place of a solution when a line cannot be read."""

    id: str | int | None
    error: str

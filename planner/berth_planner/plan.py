"""A plan: a solution in Kubernetes terms, in an order in which it can be carried out safely.

Controllers recreate an evicted pod under another name, so a plan counts placements per (workload, node) and names only
the pods it evicts. A *move* is an eviction whose replacement has a node waiting for it; an *eviction* has none. Waves are
carried out one after the other, and each prefix of them leaves the cluster no worse by tier.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from berth_cluster.snapshot import WorkloadKey


class Placement(msgspec.Struct, frozen=True):
    """`count` pods of a workload (one priority, one effective request) are to run on `node`: pending ones, or replacements."""

    workload: WorkloadKey
    priority: int
    node: str
    count: int
    requests: tuple[tuple[str, int], ...]
    pods: tuple[str, ...] = ()
    """namespace/name of the pods meant, as far as they have names: pending ones."""


class Eviction(msgspec.Struct, frozen=True):
    """One running pod that leaves its node. `target`: where its replacement goes; None when it has no place."""

    pod: str
    """namespace/name."""
    uid: str
    workload: WorkloadKey
    priority: int
    node: str
    target: str | None
    move_cost: int
    requests: tuple[tuple[str, int], ...]

    @property
    def is_move(self) -> bool:
        return self.target is not None


class Step(msgspec.Struct, frozen=True):
    """A part of a wave: evict these, wait until they are gone, then let these be placed."""

    evictions: tuple[Eviction, ...]
    placements: tuple[Placement, ...]


class Wave(msgspec.Struct, frozen=True):
    """Evict these together, wait until they are gone, then let these be placed: nothing here needs room not yet free."""

    evictions: tuple[Eviction, ...]
    placements: tuple[Placement, ...]
    gains: tuple[tuple[int, int], ...] = ()
    """(priority, pods placed more than before this wave), highest first, after its placements stand."""
    steps: tuple[Step, ...] = ()
    """The same, cut into the order that leaves the fewest pods without a place at any moment. Within a wave one should
    not stop: only at its end is the cluster known to be no worse by tier."""


class TierReport(msgspec.Struct, frozen=True):
    """A tier before and after, with what is proven: `bound` is the most that can be placed, given the tiers above."""

    priority: int
    priority_class: str
    pods: int
    placed_before: int
    placed_after: int
    bound: int
    certificate: Literal["Optimal", "Bounded"]
    evidence: str
    """The kind of evidence, in the solver's words."""


class DisruptionReport(msgspec.Struct, frozen=True):
    """Running pods that leave their node: moves and evictions, weighted by move cost, and the least that is possible."""

    moves: int
    evictions: int
    value: float
    bound: float
    certificate: Literal["Optimal", "Bounded"]
    evidence: str


class WishReport(msgspec.Struct, frozen=True):
    """What the plan does for the wishes of those pods that it places and that have any: hints, and native preferences."""

    pods: int
    fulfilled: int
    """Pods of which every wish is satisfied fully."""
    value: float
    """Sum of their scores, each from 0 to 1: strong wishes count before plain ones, those before weak ones."""
    bound: float
    """Most that this sum could be: each pod on its best node, or less where more is proven."""
    certificate: Literal["Optimal", "Bounded"]
    evidence: str


class Plan(msgspec.Struct, frozen=True):
    """What to do, in which order, why it is best or how far it can be from it, and what it was computed on."""

    tiers: tuple[TierReport, ...]
    disruption: DisruptionReport
    waves: tuple[Wave, ...]
    nodes_in_use_before: int
    nodes_in_use_after: int
    elapsed_seconds: float
    first_improvement_seconds: float | None
    verified: bool
    notes: tuple[str, ...] = ()
    wishes: WishReport | None = None
    """None where no pod that it places has a hint, or a preference beside such pods."""

    @property
    def moves(self) -> tuple[Eviction, ...]:
        return tuple(e for wave in self.waves for e in wave.evictions if e.is_move)

    @property
    def evictions(self) -> tuple[Eviction, ...]:
        return tuple(e for wave in self.waves for e in wave.evictions if not e.is_move)

    @property
    def placements(self) -> tuple[Placement, ...]:
        return tuple(p for wave in self.waves for p in wave.placements)

    @property
    def is_empty(self) -> bool:
        return not self.waves

"""What the solver answers: counts per class and node, and for each stage a value, a proven bound and the evidence.

A stage is `OPTIMAL` when its value equals its bound; the bound of a tier holds given the counts reported for the tiers
above it, the bound of the disruption given all counts, and so on down the stages.

**Evidence** is what lets `verify` recompute the bound with code of its own:

- `trivial`: the bound needs no argument (every pod of the tier is placed; no disruption below zero).
- `capacity`: dual prices of a relaxation that only knows each node's capacity. `resource_prices[g][r]` for the nodes of
  price group g (`price_group[n]`), `tier_prices` for the tiers already decided.
- `patterns`: dual prices of the Dantzig-Wolfe relaxation, integers over `scale`: `class_prices[c]` for each pod of class c
  used, `tier_prices[t]` for each pod of tier t placed. The bound follows by filling each node best at these prices. Of the
  nodes in use, and of a disruption that rests on their number, the price of using a node comes off each filling.
- `exhausted`: an exact solver searched the whole space; `note` says which model. Verified only by solving again.
- `leftover`: if every pod of this tier and those above were placed, so little room would be left over that some node with
  at most the average number of pods would be full to within it, and no set of pods fills a node so. One pod stays outside.
- `gang`: the gangs named in `note` cannot reach their minimum (argument inside: class bounds), so the rest is the bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from berth_solver.problem import IntArray


class Certificate(StrEnum):
    OPTIMAL = "Optimal"
    BOUNDED = "Bounded"


EvidenceKind = Literal["trivial", "capacity", "patterns", "exhausted", "gang", "leftover", "none"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Which argument gives the bound, with its dual prices. See the module's text for each kind."""

    kind: EvidenceKind
    class_prices: tuple[int, ...] = ()
    """One a class, >= 0, in 1/scale."""
    tier_prices: tuple[tuple[int, int], ...] = ()
    """(priority, price in 1/scale) of the tiers whose count is fixed; any sign."""
    resource_prices: tuple[tuple[float, ...], ...] = ()
    """[price group][resource], >= 0, taken as exact binary fractions."""
    price_group: tuple[int, ...] = ()
    """Price group of each node."""
    scale: int = 1
    note: str = ""
    parts: tuple[Evidence, ...] = ()
    """Evidence that this one rests on (a gang's class bounds)."""
    node_price: int = 0
    """What using a node costs, in 1/scale, >= 0: of a disruption that is bounded by the number of nodes in use."""


@dataclass(frozen=True, slots=True)
class TierResult:
    """One priority: pods in all, pods placed, and the most that can be placed given the tiers above."""

    priority: int
    pods: int
    placed: int
    bound: int
    evidence: Evidence

    @property
    def certificate(self) -> Certificate:
        return Certificate.OPTIMAL if self.placed == self.bound else Certificate.BOUNDED


@dataclass(frozen=True, slots=True)
class StageResult:
    """A stage after the counts. Disruption and nodes in use are minimised (bound <= value), preference is maximised."""

    value: float
    bound: float
    evidence: Evidence

    @property
    def certificate(self) -> Certificate:
        return Certificate.OPTIMAL if abs(self.value - self.bound) < 1e-9 else Certificate.BOUNDED


@dataclass(frozen=True, slots=True)
class Improvement:
    """When the incumbent became better: seconds since the start, placed per tier (highest first), disruption."""

    seconds: float
    placed: tuple[int, ...]
    disruption: int


@dataclass(frozen=True, eq=False)
class Solution:
    """placement: int64 [classes, nodes]. Times in seconds of the clock handed in."""

    placement: IntArray
    tiers: tuple[TierResult, ...]
    disruption: StageResult
    preference: StageResult
    nodes_in_use: StageResult | None = None
    """Only when consolidation was asked for."""
    improvements: tuple[Improvement, ...] = field(default=())
    elapsed_seconds: float = 0.0
    notes: tuple[str, ...] = ()
    """Sentences for the person who reads the answer: stages cut short, constraints that bind."""

    @property
    def first_improvement_seconds(self) -> float | None:
        """None when the standing placement was never improved."""
        return self.improvements[0].seconds if self.improvements else None

    @property
    def counts_proven(self) -> bool:
        return all(t.certificate is Certificate.OPTIMAL for t in self.tiers)

    @property
    def fully_proven(self) -> bool:
        return self.counts_proven and self.disruption.certificate is Certificate.OPTIMAL

"""Pods placed against pods moved: what each further move buys.

The same problem is solved under growing caps on the running pods that may leave their node: none, a few, twice as many,
up to as many as the plan without a cap takes. Each point is a verified placement; its counts are proven or not, as said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from berth_cluster.snapshot import Snapshot
from berth_planner.options import PlanOptions
from berth_planner.packing import Packing
from berth_planner.planning import build, plan_packing

MAX_POINTS = 8
"""Points of the curve, both ends included."""


class FrontierPoint(msgspec.Struct, frozen=True):
    """The best placement found in which at most `cap` running pods leave their node (None: no cap)."""

    cap: int | None
    placed: tuple[tuple[int, int], ...]
    """(priority, pods placed), highest first."""
    moves: int
    evictions: int
    proven: bool
    """The counts are the best possible under this cap."""
    gained: int
    """Pods placed more than now."""

    @property
    def disturbed(self) -> int:
        return self.moves + self.evictions

    @property
    def gained_per_move(self) -> float | None:
        """None when nobody is disturbed."""
        return self.gained / self.disturbed if self.disturbed else None


def frontier(snapshot: Snapshot, options: PlanOptions | None = None) -> tuple[FrontierPoint, ...]:
    """Points from no moves to as many as are of use, fewest first. The budget of time is for each point.

    A point that is no better than the one before it is left out.
    """
    options = options or PlanOptions()
    packing = build(snapshot, options)
    best = _point(packing, options, None)
    points = [_point(packing, options, cap) for cap in _caps(best.disturbed, options.caps.max_moves)]
    kept: list[FrontierPoint] = []
    for point in (*points, best):
        if not kept or _counts(point) > _counts(kept[-1]):
            kept.append(point)
    return tuple(kept)


def _caps(most: int, allowed: int | None) -> Sequence[int]:
    """0, 1, 2, 4 ... below `most`, thinned out to what there are points for."""
    caps = [0]
    step = 1
    while step < most and (allowed is None or step < allowed):
        caps.append(step)
        step *= 2
    caps = [c for c in caps if c < most]
    while len(caps) > MAX_POINTS - 1:
        caps = [caps[0], *caps[2::2]] if len(caps) > 2 else caps[:1]
    return caps


def _point(packing: Packing, options: PlanOptions, cap: int | None) -> FrontierPoint:
    caps = options.caps if cap is None else replace(options.caps, max_moves=cap)
    own = replace(options, caps=caps, pending_only=options.pending_only or cap == 0)
    plan = plan_packing(packing.with_caps(caps), own).plan
    return FrontierPoint(
        cap,
        tuple((t.priority, t.placed_after) for t in plan.tiers),
        plan.disruption.moves,
        plan.disruption.evictions,
        all(t.certificate == "Optimal" for t in plan.tiers),
        sum(t.placed_after - t.placed_before for t in plan.tiers),
    )


def _counts(point: FrontierPoint) -> tuple[int, ...]:
    return tuple(placed for _, placed in point.placed)

"""Two plans side by side: what a change of the cluster is worth."""

from __future__ import annotations

import msgspec

from berth_planner.plan import Plan


class TierChange(msgspec.Struct, frozen=True):
    """A tier in two plans, as it is once each is done."""

    priority: int
    priority_class: str
    pods_before: int
    pods_after: int
    placed_before: int
    placed_after: int

    @property
    def waiting_before(self) -> int:
        return self.pods_before - self.placed_before

    @property
    def waiting_after(self) -> int:
        return self.pods_after - self.placed_after


class Comparison(msgspec.Struct, frozen=True):
    """`before`: the plan for the cluster as it is; `after`: for the changed one."""

    tiers: tuple[TierChange, ...]
    moves_before: int
    moves_after: int
    evictions_before: int
    evictions_after: int
    nodes_in_use_before: int
    nodes_in_use_after: int
    proven: bool
    """The counts of both plans are proven the best possible, so that the difference is one too."""

    @property
    def placed_more(self) -> int:
        return sum(t.placed_after - t.placed_before for t in self.tiers)

    @property
    def waiting_less(self) -> int:
        return sum(t.waiting_before - t.waiting_after for t in self.tiers)


def compare(before: Plan, after: Plan) -> Comparison:
    """The difference that a change makes, each side answered by its own plan."""
    old, new = ({t.priority: t for t in plan.tiers} for plan in (before, after))
    tiers = []
    for priority in sorted(old.keys() | new.keys(), reverse=True):
        a, b = old.get(priority), new.get(priority)
        tiers.append(
            TierChange(
                priority,
                (b.priority_class if b else "") or (a.priority_class if a else ""),
                a.pods if a else 0,
                b.pods if b else 0,
                a.placed_after if a else 0,
                b.placed_after if b else 0,
            )
        )
    return Comparison(
        tuple(tiers),
        before.disruption.moves,
        after.disruption.moves,
        before.disruption.evictions,
        after.disruption.evictions,
        before.nodes_in_use_after,
        after.nodes_in_use_after,
        all(t.certificate == "Optimal" for plan in (before, after) for t in plan.tiers),
    )

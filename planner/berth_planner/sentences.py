"""What a plan means, in plain sentences: the headline, what is proven, and why the pods that still wait do.

Only what the plan and the amounts show is claimed: a tier's certificate is the planner's, and "no node has 4 GPUs free"
is counted here from capacities and requests after the plan. Anything deeper (selectors, constraints) is `berth why`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from berth_planner.amounts import amount_text
from berth_planner.plan import DisruptionReport, Plan, TierReport

MAX_HEADLINE_TIERS = 3


class Room(NamedTuple):
    """What one schedulable node has left after the plan, by resource."""

    free: dict[str, int]


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _verb(count: int, verb: str) -> str:
    return f"{verb}s" if count == 1 else verb


def tier_name(tier: TierReport) -> str:
    return tier.priority_class or f"priority {tier.priority}"


def headline(plan: Plan) -> str:
    gains = [(tier, tier.placed_after - tier.placed_before) for tier in plan.tiers]
    more = _tally([(tier, gain) for tier, gain in gains if gain > 0], "more pod")
    fewer = _tally([(tier, -gain) for tier, gain in gains if gain < 0], "pod")
    lost = sum(-gain for _, gain in gains if gain < 0)
    way = f"{fewer} {_verb(lost, 'make')} way" if fewer else ""
    won = sum(gain for _, gain in gains if gain > 0)
    if plan.is_empty:
        waiting = sum(tier.pods - tier.placed_after for tier in plan.tiers)
        if not waiting:
            return "Every pod has its berth; nothing to do"
        if any(tier.certificate != "Optimal" for tier in plan.tiers):
            return f"{plural(waiting, 'pod')} still {_verb(waiting, 'wait')}; no better placement was found"
        return f"{plural(waiting, 'pod')} {_verb(waiting, 'wait')}, and no plan can place more"
    if more:
        return f"{more} {_verb(won, 'get')} a berth" + (f"; {way}" if way else "")
    saved = plan.nodes_in_use_before - plan.nodes_in_use_after
    if saved > 0 and not fewer:
        return f"The same pods on {plural(saved, 'node')} fewer"
    return way[:1].upper() + way[1:] if way else "The same pods, better placed"


def effort(plan: Plan) -> str:
    """`9 moves, no evictions, in 3 waves`."""
    if plan.is_empty:
        return "Nobody is disturbed"
    parts = [plural(len(plan.moves), "move") if plan.moves else "no moves"]
    parts.append(plural(len(plan.evictions), "eviction") if plan.evictions else "no evictions")
    return f"{', '.join(parts)}, in {plural(len(plan.waves), 'wave')}"


def proof(plan: Plan) -> str:
    open_tiers = [tier for tier in plan.tiers if tier.certificate != "Optimal"]
    if open_tiers:
        tier = open_tiers[0]
        return f"Not proven best: at most {tier.bound - tier.placed_after:,} more of {tier_name(tier)} may be possible"
    if plan.disruption.certificate == "Optimal":
        return "Proven best: no plan places more, none disturbs less"
    return "Proven: no plan places more. Whether one disturbs less is open"


def certificate(tier: TierReport) -> str:
    if tier.certificate == "Optimal":
        if tier.placed_after == tier.pods:
            return "All placed"
        return "Proven: no more can be placed"
    gap = tier.bound - tier.placed_after
    return f"Not proven: {gap:,} more might fit ({tier.bound:,} at most)"


def disruption(report: DisruptionReport) -> str:
    if report.certificate == "Optimal":
        return "None is needed" if not report.value else f"Cost {report.value:g}: proven the least possible"
    return f"Cost {report.value:g}: not proven the least, which is {report.bound:g} or more"


def waits_because(
    requests: Sequence[tuple[str, int]], rooms: Sequence[Room], unmodelled: Sequence[str], tier: TierReport | None
) -> str:
    """Why a pod with these requests still waits. Costs nodes x resources: call it once for each shape."""
    if unmodelled:
        return f"Not planned: {unmodelled[0]}"
    if not rooms:
        return "No node is ready and open to new pods"
    scarce = []
    for resource, wanted in requests:
        most = max(room.free.get(resource, 0) for room in rooms)
        if most < wanted and resource == "pods":
            scarce.append("no node takes another pod")
        elif most < wanted:
            left = amount_text(resource, most).removesuffix(f" {resource}") if most > 0 else "none"
            scarce.append(f"no node has {amount_text(resource, wanted)} free (most: {left})")
    proven = "; proven: no plan places more of its tier" if tier and tier.certificate == "Optimal" else ""
    if scarce:
        return f"{_joined(scarce)}{proven}".replace("no node", "No node", 1)
    roomy = sum(all(room.free.get(r, 0) >= wanted for r, wanted in requests) for room in rooms)
    if not roomy:
        return f"No node has everything it asks for free at once{proven}"
    return f"{plural(roomy, 'node')} would have room, but its selectors, taints or constraints may rule them out: `berth why`"


def _tally(counts: Sequence[tuple[TierReport, int]], noun: str) -> str:
    """`4 more pods of serving, 2 of batch and 7 of 3 other tiers`."""
    if not counts:
        return ""
    shown = len(counts) if len(counts) <= MAX_HEADLINE_TIERS else MAX_HEADLINE_TIERS - 1
    words = [f"{count:,} of {tier_name(tier)}" for tier, count in counts[1:shown]]
    if rest := counts[shown:]:
        words.append(f"{sum(count for _, count in rest):,} of {plural(len(rest), 'other tier')}")
    tier, count = counts[0]
    return _joined([f"{plural(count, noun)} of {tier_name(tier)}", *words])


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"

"""A plan that passes a limit is cut: after the last wave up to which every limit holds, or nothing of it is left.

Only at the end of a wave is the cluster known to be no worse by tier, so that only there a plan can be cut. The caps that
the solver knows (moves in all) hold already; limits per workload and per pod gained are looked at here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from berth_api.packing_policy import Budgets
from berth_operator.budgets import MovesLeft
from berth_planner.plan import Plan, TierReport, Wave

CUT_NOTE = "cut after wave {kept} of {all}: {reason}"


@dataclass(frozen=True, slots=True)
class Cut:
    plan: Plan
    reason: str
    """What would be passed by going on; empty when nothing was cut."""


def cut_to_budget(plan: Plan, left: MovesLeft, budgets: Budgets, *, gains_pods: bool = True) -> Cut:
    """gains_pods: the plan is to place pods, so that moves per pod gained are limited (a consolidation frees nodes)."""
    kept = 0
    reason = ""
    moves, gained = 0, 0
    by_workload: Counter[str] = Counter()
    for w, wave in enumerate(plan.waves):
        moves += len(wave.evictions)
        gained += sum(len(p.pods) for p in wave.placements)
        by_workload.update(str(e.workload) for e in wave.evictions)
        reason = _hard_limit(moves, by_workload, left)
        if reason:
            break
        if not gains_pods or moves <= budgets.moves_per_pod_gained * gained:
            kept = w + 1
    if kept == len(plan.waves):
        return Cut(plan, "")
    reason = reason or f"more than {budgets.moves_per_pod_gained} moves for each pod gained"
    return Cut(first_waves(plan, kept, reason), reason)


def _hard_limit(moves: int, by_workload: Counter[str], left: MovesLeft) -> str:
    if moves > left.in_plan:
        return f"{moves} moves, and {left.in_plan} are left under the policy"
    for workload, count in by_workload.items():
        if count > left.of(workload):
            return f"{count} moves of {workload}, of which {left.of(workload)} may move within the hour"
    return ""


def first_waves(plan: Plan, count: int, reason: str) -> Plan:
    """The plan up to a wave. What is proven about the counts stays: bounds are bounds; the disruption's no longer is one."""
    waves = plan.waves[:count]
    evicted = [e for wave in waves for e in wave.evictions]
    moved = sum(e.is_move for e in evicted)
    disruption = msgspec.structs.replace(
        plan.disruption,
        moves=moved,
        evictions=len(evicted) - moved,
        value=float(sum(e.move_cost for e in evicted)),
        bound=0.0,
        certificate="Bounded" if evicted else "Optimal",
        evidence="none",
    )
    return msgspec.structs.replace(
        plan,
        waves=waves,
        tiers=tuple(_tier(tier, waves) for tier in plan.tiers),
        disruption=disruption,
        notes=(*plan.notes, CUT_NOTE.format(kept=count, all=len(plan.waves), reason=reason)),
    )


def _tier(tier: TierReport, waves: Sequence[Wave]) -> TierReport:
    gained = sum(gain for wave in waves for priority, gain in wave.gains if priority == tier.priority)
    after = tier.placed_before + gained
    return msgspec.structs.replace(
        tier, placed_after=after, certificate="Optimal" if after >= tier.bound else "Bounded"
    )


def pods_served(plan: Plan) -> tuple[str, ...]:
    """namespace/name of the waiting pods that it places."""
    return tuple(name for wave in plan.waves for placement in wave.placements for name in placement.pods)

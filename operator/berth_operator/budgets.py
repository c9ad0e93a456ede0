"""How many moves are left: derived from what finished and running plans say they evicted, so that it holds across restarts.

Every eviction that the API server accepted stands as a record with its time in the status of a PackingPlan. Counting those
of the last hour needs no memory of its own; that is why plans with records younger than `WINDOW` are never collected
(`retention`). Moves of an approved plan that is not finished count as spent before they happen: what it still may evict
belongs to it. Cost: one pass over the plans that stand in the cluster, fifty or so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from berth_api.packing_plan import PackingPlan, WorkloadRef
from berth_api.packing_policy import Budgets

WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class MovesLeft:
    """What a new plan under this policy may still move: in all, and of each workload (namespace/kind/name)."""

    in_plan: int
    spent_in_hour: int
    of_workload: int
    """Limit for a workload that has had none."""
    spent_by_workload: Mapping[str, int]

    def of(self, workload: str) -> int:
        return max(self.of_workload - self.spent_by_workload.get(workload, 0), 0)

    @property
    def spent_workloads(self) -> frozenset[str]:
        """Workloads of which nothing may move now."""
        return frozenset(w for w in self.spent_by_workload if self.of(w) == 0)


def workload_name(workload: WorkloadRef) -> str:
    """As `EvictionRecord.workload` has it."""
    return f"{workload.namespace}/{workload.kind}/{workload.name}"


def moves_left(plans: Iterable[PackingPlan], policy: str, budgets: Budgets, now: datetime) -> MovesLeft:
    """Per policy: each has its own hour. The limit of a workload counts evictions under every policy."""
    in_hour = 0
    by_workload: Counter[str] = Counter()
    for plan in plans:
        recent = [r.workload for r in plan.status.evictions if now - r.at < WINDOW]
        recent += _still_to_come(plan, now)
        by_workload.update(recent)
        if plan.spec.policy == policy:
            in_hour += len(recent)
    left = max(min(budgets.moves_per_plan, budgets.moves_per_hour - in_hour), 0)
    return MovesLeft(left, in_hour, budgets.moves_per_workload, by_workload)


def moves_in_last_hour(plans: Iterable[PackingPlan], now: datetime) -> int:
    return sum(now - r.at < WINDOW for plan in plans for r in plan.status.evictions)


def next_refill(plans: Iterable[PackingPlan], policy: str, now: datetime) -> datetime | None:
    """When the oldest move of the hour stops counting."""
    times = [r.at for p in plans if p.spec.policy == policy for r in p.status.evictions if now - r.at < WINDOW]
    return min(times) + WINDOW if times else None


def _still_to_come(plan: PackingPlan, now: datetime) -> list[str]:
    if not plan.spec.approved or plan.is_finished or now >= plan.spec.deadline:
        return []
    done = {r.uid for r in plan.status.evictions}
    return [workload_name(e.workload) for e in plan.spec.evictions if e.uid not in done]

"""Which finished plans have been kept long enough. Pure.

A policy keeps so many of its plans and no longer than so many hours; but a plan with an eviction of the last hour stays,
whatever the policy says, for the limits on moves are counted from these records (`budgets`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from berth_api.packing_plan import PackingPlan
from berth_api.packing_policy import PackingPolicySpec
from berth_operator.budgets import WINDOW

_DEFAULTS = PackingPolicySpec()
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def superfluous_plans(
    plans: Iterable[PackingPlan], policies: Mapping[str, PackingPolicySpec], now: datetime
) -> list[PackingPlan]:
    """Finished plans to delete, oldest first. Plans of a policy that is gone are kept by the built-in defaults."""
    by_policy: dict[str, list[PackingPlan]] = defaultdict(list)
    for plan in plans:
        if plan.is_finished:
            by_policy[plan.spec.policy].append(plan)
    found = []
    for name, finished in by_policy.items():
        spec = policies.get(name, _DEFAULTS)
        finished.sort(key=_created, reverse=True)
        oldest = now - timedelta(hours=spec.keep_plans_hours)
        for position, plan in enumerate(finished):
            too_many, too_old = position >= spec.keep_plans, _created(plan) < oldest
            if (too_many or too_old) and not any(now - r.at < WINDOW for r in plan.status.evictions):
                found.append(plan)
    return sorted(found, key=_created)


def _created(plan: PackingPlan) -> datetime:
    return plan.metadata.creation_timestamp or _EARLIEST

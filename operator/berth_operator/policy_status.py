"""What a PackingPolicy's status says: whether an older one overrides it, how many moves it made, its last plan. Pure but `write`."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime

from berth_api.packing_plan import PackingPlan
from berth_api.packing_policy import PackingPolicy, PackingPolicyStatus
from berth_api.resource import GROUP, VERSION, Condition, with_condition
from berth_cluster.connection import Connection
from berth_operator.budgets import WINDOW
from berth_operator.quiet_hours import unknown_time_zones

POLICIES_PATH = f"/apis/{GROUP}/{VERSION}/packingpolicies"
CONFLICT_CONDITION = "Conflict"
VALID_CONDITION = "Valid"

logger = logging.getLogger(__name__)


def policy_status(
    policy: PackingPolicy, conflicts: Mapping[str, str], plans: Iterable[PackingPlan], now: datetime
) -> PackingPolicyStatus:
    """The status as it should be; equal to what stands when nothing changed."""
    own = [plan for plan in plans if plan.spec.policy == policy.metadata.name]
    latest = max(own, key=lambda p: (p.metadata.creation_timestamp or now, p.metadata.name), default=None)
    older = conflicts.get(policy.metadata.name)
    conflict = _condition(
        policy,
        CONFLICT_CONDITION,
        older is not None,
        "OlderPolicyWins" if older else "NoOverlap",
        f"its scope overlaps with that of the older policy {older}, which holds there" if older else "",
        now,
    )
    zones = unknown_time_zones(policy.spec.budgets.quiet_hours)
    valid = _condition(
        policy,
        VALID_CONDITION,
        not zones,
        "UnknownTimeZone" if zones else "Valid",
        f"time zone {zones[0]} is unknown here and counts as UTC" if zones else "",
        now,
    )
    return PackingPolicyStatus(
        observed_generation=policy.metadata.generation,
        conditions=with_condition(with_condition(policy.status.conditions, conflict), valid),
        moves_last_hour=sum(now - r.at < WINDOW for plan in own for r in plan.status.evictions),
        last_plan=latest.metadata.name if latest is not None else policy.status.last_plan,
    )


async def write_policy_status(connection: Connection, policy: PackingPolicy, status: PackingPolicyStatus) -> None:
    """Raises ApiError."""
    await connection.request(
        "PATCH",
        f"{POLICIES_PATH}/{policy.metadata.name}/status",
        body={"status": status.to_json()},
        content_type="application/merge-patch+json",
    )


def _condition(policy: PackingPolicy, type_: str, holds: bool, reason: str, message: str, now: datetime) -> Condition:
    return Condition(
        type=type_,
        status="True" if holds else "False",
        reason=reason,
        message=message,
        last_transition_time=now,
        observed_generation=policy.metadata.generation,
    )

"""`PackingPolicy`: what the planning loop may do by itself, to whom, and how much of it.

Without any policy the defaults of this module hold: plans are made and carried out for pods that cannot be placed, nothing
is consolidated, budgets are small. Of two policies whose scopes overlap the older one wins; the other gets `Conflict=True`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from berth_api.hint_policy import Hints
from berth_api.resource import ApiModel, Condition, Resource

MAX_MOVES_PER_PLAN = 1_000
_EARLIEST = datetime.min.replace(tzinfo=UTC)


class Mode(StrEnum):
    AUTOMATIC = "Automatic"  # plans are carried out as soon as they are verified
    MANUAL = "Manual"  # a person approves each plan
    DRY_RUN = "DryRun"  # plans are written and never carried out


class QuietHours(ApiModel):
    """A daily time in which no plan begins. `from` later than `to` reaches over midnight."""

    from_: str = Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="HH:MM")
    to: str = Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="HH:MM")
    days: list[Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]] = Field(
        default=[], max_length=7, description="Days on which it begins; none: every day."
    )
    time_zone: str = Field(default="UTC", max_length=64, description="IANA name, such as Europe/Madrid.")


class Budgets(ApiModel):
    """Limits on evictions of ours; a plan that would pass one is cut down or not made. They hold across restarts."""

    moves_per_plan: int = Field(default=50, ge=0, le=MAX_MOVES_PER_PLAN)
    """Most evictions of one plan; those of an hour are the limit where they are fewer."""
    moves_per_hour: int = Field(default=100, ge=0, le=10_000)
    """Most evictions in an hour, all plans together."""
    moves_per_workload: int = Field(default=10, ge=0, le=1_000, description="Evictions of one workload in an hour.")
    moves_per_pod_gained: int = Field(default=10, ge=1, le=1_000)
    """Most evictions for each pod that the plan places more than before."""
    quiet_hours: list[QuietHours] = Field(default=[], max_length=16)
    """Times in which no plan begins."""


class Triggers(ApiModel):
    unschedulable: bool = Field(default=True, description="Plan when pods cannot be placed.")
    period_seconds: int | None = Field(default=None, ge=60, le=86_400, description="Also plan this often.")


class Consolidation(ApiModel):
    enabled: bool = Field(default=False, description="Empty nodes by moving their pods together.")
    period_seconds: int = Field(default=3_600, ge=60, le=604_800)
    """How often to look whether fewer nodes would do."""
    min_nodes_freed: int = Field(default=1, ge=1, le=1_000, description="Do nothing for less.")


class Scope(ApiModel):
    """Which waiting pods the policy is for and whose pods it may move. Empty: all that use the scheduler `berth`."""

    namespaces: list[str] = Field(default=[], max_length=256, description="Names; none: all.")
    min_priority: int | None = Field(default=None, description="Only pods of at least this priority.")
    max_priority: int | None = Field(default=None, description="Only pods of at most this priority.")
    node_selector: dict[str, str] = Field(default={}, description="Labels of the nodes whose pods may be moved.")

    def covers(self, namespace: str, priority: int) -> bool:
        """Whether a pod of this namespace and priority is in the scope."""
        return (
            (not self.namespaces or namespace in self.namespaces)
            and (self.min_priority is None or priority >= self.min_priority)
            and (self.max_priority is None or priority <= self.max_priority)
        )


class PackingPolicySpec(ApiModel):
    """What the planning loop may do by itself."""

    mode: Mode = Mode.AUTOMATIC
    """Automatic: verified plans are carried out. Manual: a person approves each. DryRun: plans are only written."""
    scope: Scope = Scope()
    """Which pods the policy is for."""
    budgets: Budgets = Budgets()
    """How much may be disturbed."""
    time_budget_seconds: float = Field(default=5.0, ge=0.1, le=300, description="For solving one plan.")
    patience_seconds: float = Field(
        default=30.0,
        ge=1,
        le=3_600,
        description="After so long without a plan a waiting pod is served by ordinary preemption, its room reserved.",
    )
    triggers: Triggers = Triggers()
    """When plans are made for pods that cannot be placed."""
    consolidation: Consolidation = Consolidation()
    """Whether nodes are emptied."""
    plan_deadline_seconds: int = Field(
        default=600,
        ge=30,
        le=86_400,
        description="A plan ends this long after it was made; 15 minutes later where it moves replicas of LLMServices, which load first.",
    )
    rest_seconds: int = Field(
        default=3_600, ge=0, le=604_800, description="A moved pod's replacement is left alone so long."
    )
    gang_hold_seconds: int = Field(
        default=600,
        ge=0,
        le=86_400,
        description="Members of a gang wait so long for room for all; then they go one by one.",
    )
    move_standalone_pods: bool = Field(
        default=False, description="Evict pods that no controller recreates: they are gone then."
    )
    hints: Hints = Hints()
    """What placement wishes in plain language may do."""
    keep_plans: int = Field(default=50, ge=1, le=1_000, description="Finished plans kept.")
    keep_plans_hours: int = Field(default=168, ge=1, le=8_760)
    """Finished plans are kept so long."""


class PackingPolicyStatus(ApiModel):
    """What was done under the policy; written by the leader."""

    observed_generation: int = 0
    """Generation of the spec that this status speaks of."""
    conditions: list[Condition] = Field(default=[], max_length=16)
    """Conflict: an older policy covers the same pods and wins."""
    moves_last_hour: int = 0
    """Evictions under this policy in the last hour."""
    last_plan: str = Field(default="", max_length=253)
    """Name of the plan made last."""


def oldest_first(policies: Iterable[PackingPolicy]) -> list[PackingPolicy]:
    """The order in which policies win where their scopes overlap."""
    return sorted(policies, key=lambda p: (p.metadata.creation_timestamp or _EARLIEST, p.metadata.name))


class PackingPolicy(Resource):
    kind: Literal["PackingPolicy"] = "PackingPolicy"
    spec: PackingPolicySpec = PackingPolicySpec()
    """What may be done."""
    status: PackingPolicyStatus = PackingPolicyStatus()
    """What was done; written by the leader."""

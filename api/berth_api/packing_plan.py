"""`PackingPlan`: a plan as it stands in the cluster, where a person can read, approve and cancel it.

The leader writes it and carries it out; extenders read from it which room is kept for whom. Of the spec only `approved` and
`cancelled` may change (a CEL rule of the CRD), so that what was proven is what is carried out.

A plan is *active* from the moment that its status says `Approved` until it says `Finished` or its deadline has passed:
while it is active its placements are reservations. Pods made by controllers have no stable names, so a placement counts:
`count` pods of one workload and one request are to arrive on `node`, beyond the `standing` ones that were there already and
stay. Everything that an extender or a new leader needs to go on is in this object and in the pods that stand in the cluster.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from berth_api.resource import ApiModel, Condition, Resource, find_condition


class Trigger(StrEnum):
    """Why a plan was made."""

    UNSCHEDULABLE = "Unschedulable"  # pods wait
    PERIOD = "Period"  # the policy's period came round
    CONSOLIDATION = "Consolidation"  # fewer nodes can hold the same pods
    PERSON = "Person"  # `kubectl berth plan --apply`
    FALLBACK = "Fallback"  # patience ended: the stock scheduler's choice of victims, with the freed room reserved


class PlanCondition(StrEnum):
    """Condition types of a plan. Each is absent until it is first known."""

    APPROVED = "Approved"  # True: the leader took it up; extenders keep its room from here on
    RESERVED = "Reserved"  # True: every live extender has said that it keeps the room
    EXECUTING = "Executing"  # True while its waves are walked
    FINISHED = "Finished"  # True once and for all; its reason is an Outcome


class Outcome(StrEnum):
    """Reason of `Finished`: how it ended. All but Completed release what is left of the reservations at once."""

    COMPLETED = "Completed"  # every placement arrived
    PARTLY_COMPLETED = "PartlyCompleted"  # replacements that never came (owner scaled down or paused) were left behind
    CANCELLED = "Cancelled"  # spec.cancelled
    EXPIRED = "Expired"  # never approved, or the world moved before it was
    CLUSTER_CHANGED = "ClusterChanged"  # a node, pod or owner that it counts on is gone or different
    OVERTAKEN = "Overtaken"  # somebody else took the room, or a pod of higher priority arrived
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    BUDGET_EXHAUSTED = "BudgetExhausted"  # a policy's limit on moves
    EVICTION_BLOCKED = "EvictionBlocked"  # a PodDisruptionBudget said no until the deadline
    REPLACEMENT_NOT_READY = "ReplacementNotReady"  # a service's new replica did not answer in time; the old one stays
    NO_EXTENDER = "NoExtender"  # no live extender: nothing would steer the replacements
    SUPERSEDED = "Superseded"  # a newer plan replaces it before it began


class WorkloadRef(ApiModel):
    """The top owner of pods; kind Pod for a bare pod."""

    namespace: str = Field(max_length=63)
    """Namespace of the owner."""
    kind: str = Field(max_length=63)
    """Kind of the owner."""
    name: str = Field(max_length=253)
    """Name of the owner."""
    uid: str = Field(default="", max_length=64)
    """uid of the owner; empty where it is not known."""


class PlannedPlacement(ApiModel):
    """`count` pods of a workload are to arrive on `node`: waiting ones, or replacements of evicted ones."""

    workload: WorkloadRef
    priority: int = Field(description="Value of the pods' priority.")
    node: str = Field(max_length=253)
    """Node where they are to arrive."""
    count: int = Field(ge=1, le=10_000)
    """How many pods are to arrive there."""
    standing: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="Pods of this workload and request that were on the node when the plan was made and that stay there.",
    )
    requests: dict[str, int] = Field(
        description="Effective request of one pod: cpu in millicores, memory in bytes, everything else counted.",
    )
    pods: list[str] = Field(default=[], max_length=10_000, description="namespace/name of the waiting pods meant.")


class PlannedEviction(ApiModel):
    """One running pod that is evicted. Without a target its replacement has no place in this plan."""

    pod: str = Field(max_length=317, description="namespace/name")
    uid: str = Field(max_length=64)
    """uid of the pod: another pod of that name is left alone."""
    workload: WorkloadRef
    priority: int
    """Value of the pod's priority."""
    node: str = Field(max_length=253)
    """Node that it leaves."""
    target: str | None = Field(default=None, max_length=253, description="Node where its replacement goes.")
    move_cost: int = 1
    """What moving it costs, from berth.dev/move-cost; 1 unless said."""
    requests: dict[str, int] = Field(description="Effective request, units as in placements.")


class PlannedStep(ApiModel):
    """Evict these, wait until they are gone, then these are placed."""

    evictions: list[PlannedEviction] = Field(default=[], max_length=1_000)
    """Evicted together, through the Eviction API."""
    placements: list[PlannedPlacement] = Field(default=[], max_length=1_000)
    """Placed when those are gone."""


class PlannedWave(ApiModel):
    """Steps that belong together: at the end of a wave, and only there, the cluster is known to be no worse by tier."""

    steps: list[PlannedStep] = Field(max_length=1_000)
    """One after the other."""


class TierCertificate(ApiModel):
    """A tier before and after. `bound`: the most pods of it that can be placed, given the tiers above."""

    priority: int
    """Value of the priority."""
    priority_class: str = ""
    """Name of a PriorityClass of that value."""
    pods: int
    """Pods of that priority, running and waiting."""
    placed_before: int
    """How many of them had a node."""
    placed_after: int
    """How many have one when the plan is done."""
    bound: int
    """The most of them that any placement can hold, given the tiers above."""
    certificate: Literal["Optimal", "Bounded"]
    """Optimal: the bound is reached. Bounded: at most the difference is missing."""
    evidence: str = Field(default="", max_length=64)
    """What the bound rests on, in the solver's words."""


class DisruptionCertificate(ApiModel):
    moves: int
    """Evictions whose replacement has a node waiting for it."""
    evictions: int
    """Evictions whose replacement has none."""
    value: float = Field(description="Moves and evictions weighted by their cost.")
    bound: float = Field(description="The least that any way to these counts must cost.")
    certificate: Literal["Optimal", "Bounded"]
    """Optimal: no way to these counts costs less. Bounded: at most the difference could be saved."""
    evidence: str = Field(default="", max_length=64)
    """What the bound rests on, in the solver's words."""


class PlanCertificate(ApiModel):
    """What is proven about the plan, and that code which shares nothing with the search has checked it."""

    tiers: list[TierCertificate] = Field(max_length=1_000)
    """From the highest priority down."""
    disruption: DisruptionCertificate
    """What reaching these counts costs."""
    verified: bool
    """Code that shares nothing with the search has checked the plan."""
    solve_seconds: float
    """How long the search took."""


class PlanSnapshot(ApiModel):
    """What the plan was computed on."""

    taken: datetime
    """When the cluster stood like this."""
    resource_versions: dict[str, str] = Field(default={}, description="Kind to the resourceVersion of its list.")
    fingerprint: str = Field(
        default="", max_length=64, description="Hash of what the plan depends on; unlike versions it ignores noise."
    )


class PackingPlanSpec(ApiModel):
    """What was proven. Only `approved` and `cancelled` may change."""

    policy: str = Field(
        default="", max_length=253, description="PackingPolicy it was made under; empty: built-in defaults."
    )
    trigger: Trigger
    """Why the plan was made."""
    summary: str = Field(max_length=1_024, description="What it does and what is proven, in a sentence for people.")
    approved: bool = Field(default=False, description="Set to true to have the plan carried out.")
    cancelled: bool = Field(default=False, description="Set to true to stop the plan; what is under way is finished.")
    deadline: datetime = Field(
        description="At this moment the plan ends, whatever is left of it, and keeps no room any more."
    )
    certificate: PlanCertificate
    """What is proven about the plan."""
    snapshot: PlanSnapshot
    """What the plan was computed on."""
    waves: list[PlannedWave] = Field(max_length=1_000)
    """Carried out one after the other; one may stop after each."""

    @property
    def evictions(self) -> tuple[PlannedEviction, ...]:
        return tuple(e for wave in self.waves for step in wave.steps for e in step.evictions)

    @property
    def placements(self) -> tuple[PlannedPlacement, ...]:
        return tuple(p for wave in self.waves for step in wave.steps for p in step.placements)


class StepStatus(ApiModel):
    """Outcome of one step; wave and step count from 0."""

    wave: int
    """Counted from 0."""
    step: int
    """Within its wave, counted from 0."""
    state: Literal["Pending", "Evicting", "Placing", "Done", "Failed", "Skipped"]
    """How far it is."""
    evicted: int = 0
    """Pods of it that are gone."""
    placed: int = 0
    """Pods of it that have arrived."""
    reason: str = Field(default="", max_length=64)
    """Reason code where something went otherwise than planned."""
    message: str = Field(default="", max_length=1_024)
    """The same in a sentence."""
    started: datetime | None = None
    """When its first eviction or placement began."""
    finished: datetime | None = None
    """When it was done, skipped or given up."""


class EvictionRecord(ApiModel):
    """An eviction of ours that the API server accepted: what budgets count and what a new leader goes on from."""

    pod: str = Field(max_length=317)
    """namespace/name"""
    uid: str = Field(max_length=64)
    """uid of the pod."""
    workload: str = Field(max_length=400, description="namespace/kind/name")
    at: datetime
    """When it was asked for."""


class PackingPlanStatus(ApiModel):
    """How far the plan has been carried out; written by the leader."""

    observed_generation: int = 0
    """Generation of the spec that this status speaks of."""
    phase: str = Field(
        default="", max_length=32, description="For people: Proposed, Reserving, Executing, or the outcome."
    )
    conditions: list[Condition] = Field(default=[], max_length=16)
    """Approved, Reserved, Executing, Finished; the reason of Finished says how it ended."""
    steps: list[StepStatus] = Field(default=[], max_length=1_000)
    """Outcome of each step."""
    evictions: list[EvictionRecord] = Field(default=[], max_length=1_000)
    """What was evicted; budgets count these."""
    pods_planned: int = 0
    """Pods to be placed."""
    pods_placed: int = 0
    """Pods that have arrived."""
    moves_planned: int = 0
    """Pods to be evicted."""
    moves_done: int = 0
    """Pods evicted so far."""
    progress: str = Field(default="", max_length=64, description="For people: `placed 2/3, moved 1/1`.")
    message: str = Field(default="", max_length=1_024)
    """How it stands, in a sentence."""


class PackingPlan(Resource):
    kind: Literal["PackingPlan"] = "PackingPlan"
    spec: PackingPlanSpec
    """What was proven. Only approved and cancelled may change."""
    status: PackingPlanStatus = PackingPlanStatus()
    """How far it has been carried out; written by the leader."""

    @property
    def is_approved(self) -> bool:
        """The leader has taken it up."""
        found = find_condition(self.status.conditions, PlanCondition.APPROVED)
        return found is not None and found.status == "True"

    @property
    def is_reserved(self) -> bool:
        found = find_condition(self.status.conditions, PlanCondition.RESERVED)
        return found is not None and found.status == "True"

    @property
    def is_finished(self) -> bool:
        found = find_condition(self.status.conditions, PlanCondition.FINISHED)
        return found is not None and found.status == "True"

    def is_active(self, now: datetime) -> bool:
        """Its placements are reservations now."""
        return self.is_approved and not self.is_finished and now < self.spec.deadline

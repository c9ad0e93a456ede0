"""Annotations, labels and names that Berth shares with the world. DESIGN.md, "Contracts"."""

from __future__ import annotations

from pydantic import Field

from berth_api.resource import ApiModel

SCHEDULER = "berth"

ALLOCATION_HINT = "berth.dev/allocation-hint"
HINT_ALIASES = ("allocation_hint", "allocation-hint")
DO_NOT_MOVE = "berth.dev/do-not-move"
MOVE_COST = "berth.dev/move-cost"
GANG = "berth.dev/gang"
GANG_MIN = "berth.dev/gang-min"

WHY = "berth.dev/why"
"""Written by the leader on waiting pods, only on change: JSON of `Why`."""
MOVED_AT = "berth.dev/moved-at"
RELIEVED_BY = "berth.dev/relieved-by"
"""Written by the leader on a replica of an LLMService that leaves once its replacement answers: the plan's uid; empty when it was
taken back. Void when that plan has ended. With it goes the lowest deletion cost, so that the ReplicaSet takes this one away."""
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
LOWEST_DELETION_COST = str(-(2**31))
SCALE_UP_DELAY = "cluster-autoscaler.kubernetes.io/pod-scale-up-delay"

OPERATOR_LEASE = "berth-operator"
SCHEDULER_LEASE = "berth-scheduler"
EXTENDER_LEASE_PREFIX = "berth-extender-"
COMPONENT_LABEL = "app.kubernetes.io/component"
EXTENDER_COMPONENT = "extender"
ACKNOWLEDGED_PLANS = "berth.dev/plans"
"""On an extender's Lease: JSON list of the uids of the active plans whose room it keeps."""
CALLS_ANSWERED = "berth.dev/calls"
"""On an extender's Lease: how many calls of kube-scheduler it has answered since it started; whose rises is asked."""

SERVICE_LABEL = "berth.dev/llm-service"
"""On all that an LLMService owns, its pods too: the service's name."""
MODEL_LABEL = "berth.dev/model"
"""On pods: which model they serve, or keep for others. A digest's first 40 digits, or a hash of the URI."""
WAKE = "berth.dev/wake"
"""On an LLMService that sleeps, by the gateway: when somebody asked for it last."""

HINT_ANSWERS = "berth-hints"
"""ConfigMap of the system namespace: what a language model made of hints, and what was spent on it today."""

SYSTEM_NAMESPACE = "berth-system"


class Why(ApiModel):
    """Why a pod waits. `plan`: the PackingPlan that serves it; `position`: its wave there, from 1."""

    code: str
    message: str = Field(max_length=1_024)
    plan: str | None = None
    position: int | None = None

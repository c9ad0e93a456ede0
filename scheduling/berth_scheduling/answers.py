"""What the verbs answer; `outcome` names the way that was taken, for metrics."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How a filter or preempt answer came about."""

    ALL = "all"  # nothing stood in the way of any node
    NARROWED = "narrowed"  # the best of them
    SOME = "some"  # some are kept for others
    PLANNED = "planned"  # the node that a plan keeps for this pod
    OVERTAKES = "overtakes"  # it fits nowhere but on room kept for pods of lower priority
    KEPT = "kept"  # all that is offered is kept for others
    WAITING_FOR_GANG = "waiting_for_gang"
    HINT_ENFORCED = "hint_enforced"  # a strong wish that is enforced rules all that is offered out

    NEVER_PREEMPTS = "never_preempts"  # preemptionPolicy Never
    LEFT_TO_PLAN = "left_to_plan"  # the leader will act
    OFFERED = "offered"  # candidates as kube-scheduler offered them
    REDUCED = "reduced"  # without those whose freed room is kept for others
    NONE_LEFT = "none_left"  # every candidate's freed room is kept for others


class FilterAnswer(msgspec.Struct, frozen=True):
    nodes: list[str]
    failed: dict[str, str]
    """Node to reason; preemption may look at these. Nothing that we reject is helped by it, so it is always empty."""
    unresolvable: dict[str, str]
    outcome: Outcome


class PreemptAnswer(msgspec.Struct, frozen=True):
    nodes: dict[str, list[str]]
    """Node to the uids of its victims."""
    outcome: Outcome

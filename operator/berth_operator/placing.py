"""Seeing the pods of one step arrive: waking those that wait, and saying when there is no more use in waiting.

A pod whose room is free is kube-scheduler's to place; one that our filter had rejected is woken for it. A replacement that
is bound elsewhere, or that its owner does not make, is not waited for: the plan goes on without it. When somebody else has
taken the room, or the node is not what it was, the plan ends.
"""

from __future__ import annotations

from berth_api.annotations import Why
from berth_api.packing_plan import Outcome, PlannedPlacement
from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod
from berth_operator.execution_actions import Wake
from berth_operator.execution_turn import GRACE_SECONDS, Turn
from berth_operator.plan_progress import PLACED_ELSEWHERE, REPLACEMENT_NEVER_CAME
from berth_operator.plan_validity import OF_THE_NODE, TAKEN
from berth_operator.telling import read_why
from berth_scheduling.kept_room import GroupKey

REPLACEMENT_SECONDS = 30.0
"""An owner that has made no replacement by then will not: it is paused, or wants fewer pods."""
REPLACEMENT_AGAIN_SECONDS = 5.0
"""The same, for a group of which a replacement has failed to come before."""
PLACE_SECONDS = 120.0
"""A pod with free room that its scheduler has not placed by then is kept out by something that Berth does not see."""
DRAIN_SECONDS = 60.0
"""How long a cancelled plan sees to pods that it has evicted."""
WAKE_SECONDS = 2.0
"""Between two attempts to wake a pod."""

Ended = tuple[str, str]
"""Reason and message; both empty when all of the step's pods have arrived."""


def place(turn: Turn, s: int) -> Ended | None:
    """How step s ended; None while its pods are waited for, or when the plan has ended."""
    reasons: list[Ended] = []
    open_placements = 0
    used: dict[GroupKey, int] = {}
    explained: dict[GroupKey, int] = {}
    step, groups, arrived = turn.arrivals.steps[s], turn.arrivals.groups[s], turn.arrivals.arrived[s]
    for i, (placement, group, there) in enumerate(zip(step.placements, groups, arrived, strict=True)):
        missing = placement.count - there
        if not missing:
            continue
        begin = used.get(group, 0)
        pods = turn.arrivals.waiting[group][begin : begin + missing]
        used[group] = begin + missing
        if pods:
            if _await(turn, s, i, placement, pods):
                open_placements += 1
            if turn.draft.is_finished:
                return None
            continue
        elsewhere = turn.arrivals.elsewhere(group) - _explained(turn, s, group) - explained.get(group, 0)
        if elsewhere >= missing:
            explained[group] = explained.get(group, 0) + missing
            reasons.append((PLACED_ELSEWHERE, f"{_pods_of(placement, missing)} went to other nodes"))
        elif turn.lasts(f"absent {s} {i}") < _patience(turn, s, group):
            turn.say(f"waits for {_pods_of(placement, missing)} to be made by its owner")
            open_placements += 1
        else:
            reasons.append((REPLACEMENT_NEVER_CAME, f"{_pods_of(placement, missing)} did not come"))
    if open_placements:
        return None
    return max(reasons, key=lambda r: r[0] == REPLACEMENT_NEVER_CAME, default=("", ""))


def _await(turn: Turn, s: int, i: int, placement: PlannedPlacement, pods: list[Pod]) -> bool:
    """Whether these pods are still to be waited for; ends the plan when they cannot come any more."""
    pod, node = pods[0], placement.node
    against = turn.paper.against(pod, node)
    if against is None:
        _wake(turn, s, node, pods)
        turn.say(f"waits for {pod.key} to be placed on {node}")
    elif turn.paper_without_leaving.against(pod, node) is None:
        turn.say(f"waits for pods that are leaving {node}")
        return True
    if turn.plan.spec.cancelled:
        return against is None and turn.lasts("drained") < DRAIN_SECONDS
    if against in OF_THE_NODE or against in TAKEN:
        outcome = Outcome.CLUSTER_CHANGED if against in OF_THE_NODE else Outcome.OVERTAKEN
        message = f"{pod.key} cannot go to {node} any more: {against.value}{_taken_by(turn, node)}"
        turn.say(message)
        if turn.lasts(f"obstacle {s} {i}") >= GRACE_SECONDS:
            turn.finish(outcome, message)
    elif turn.lasts(f"placing {s} {i} {placement.count - len(pods)}") >= PLACE_SECONDS:
        told = f": {pod.unschedulable_message}" if pod.unschedulable_message else ""
        turn.finish(Outcome.CLUSTER_CHANGED, f"{pod.key} was not placed on {node} for {PLACE_SECONDS:.0f} s{told}")
    return True


def _wake(turn: Turn, s: int, node: str, pods: list[Pod]) -> None:
    """At once when a pod has not been told yet, and again when it still waits; each time with a text that is new."""
    name = turn.plan.metadata.name
    for pod in pods:
        if not pod.unschedulable:
            continue
        told = read_why(pod.why)
        awake = told is not None and told.code == Reason.FITS_NOW and told.plan == name
        if awake and turn.lasts(f"asleep {pod.uid} {pod.why}") < WAKE_SECONDS:
            continue
        message = f"Its place on {node} is free and kept for it ({turn.view.now:%H:%M:%S} UTC)."
        position = turn.places[s][0] + 1
        why = Why(code=Reason.FITS_NOW, message=message, plan=name, position=position)
        turn.actions.append(Wake(pod.namespace, pod.name, pod.uid, why))


def _patience(turn: Turn, s: int, group: GroupKey) -> float:
    failed = any(
        turn.draft.reason(*turn.places[t]) == REPLACEMENT_NEVER_CAME and group in turn.arrivals.groups[t]
        for t in range(s)
    )
    return REPLACEMENT_AGAIN_SECONDS if failed else REPLACEMENT_SECONDS


def _explained(turn: Turn, s: int, group: GroupKey) -> int:
    """Newcomers elsewhere that earlier steps have already given up waiting for."""
    return sum(
        turn.arrivals.missing_of(t, group) for t in range(s) if turn.draft.reason(*turn.places[t]) == PLACED_ELSEWHERE
    )


def _taken_by(turn: Turn, node: str) -> str:
    """Who came to the node after the plan, as far as it is no pod of the plan."""
    created = turn.plan.metadata.creation_timestamp
    if created is None:
        return ""
    stamp = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    for pod in turn.view.snapshot.pods:
        if pod.node == node and pod.created >= stamp and turn.arrivals.group_of_pod(pod) is None:
            return f" (its room was taken by {pod.key})"
    return ""


def _pods_of(placement: PlannedPlacement, count: int) -> str:
    workload = placement.workload
    return f"{count} pod{'s' if count > 1 else ''} of {workload.kind} {workload.namespace}/{workload.name}"

"""Seeing the pods of one step arrive: waking those that wait, and saying when there is no more use in waiting.

A pod whose room is free is kube-scheduler's to place; one that our filter had rejected is woken for it. A replacement that
is bound elsewhere, or that its owner does not make, is not waited for: the plan goes on without it. When somebody else has
taken the room, or the node is not what it was, the plan ends.
"""

from __future__ import annotations

from berth_api.annotations import Why
from berth_api.packing_plan import Outcome
from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod
from berth_operator.execution_actions import Wake
from berth_operator.execution_turn import GRACE_SECONDS, Turn
from berth_operator.plan_progress import PLACED_ELSEWHERE, REPLACEMENT_NEVER_CAME
from berth_operator.plan_validity import OF_THE_NODE, TAKEN
from berth_operator.telling import read_why
from berth_scheduling.kept_room import GroupKey, Owner

REPLACEMENT_SECONDS = 75.0
"""An owner that has made no replacement by then will not: it is paused, or wants fewer pods. Controllers themselves come
back up to 60 s late when the API server was away several times (client-go: 30 s, and as much again by chance)."""
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
    waits = False
    for group in dict.fromkeys(turn.arrivals.groups[s]):
        short = turn.arrivals.shortfall(s, group)
        pods = turn.arrivals.waiting[group][:short]
        if not short:
            continue
        who = f"{short} pod{'s' if short > 1 else ''} of {group.owner[1]} {group.owner[0]}/{group.owner[2]}"
        if pods:
            waits |= see_placed(turn, s, group, pods)
            if turn.draft.is_finished:
                return None
        elif turn.plan.spec.cancelled and group.owner not in _evicted_owners(turn):
            continue  # none of its pods went, so none comes
        elif turn.arrivals.elsewhere(group) >= short:
            reasons.append((PLACED_ELSEWHERE, f"{who} went to other nodes"))
        elif turn.lasts(f"absent {s} {group.owner}") < _patience(turn, s, group):
            turn.say(f"waits for {who} to be made by its owner")
            waits = True
        else:
            reasons.append((REPLACEMENT_NEVER_CAME, f"{who} did not come"))
    if waits:
        return None
    return max(reasons, key=lambda r: r[0] == REPLACEMENT_NEVER_CAME, default=("", ""))


def see_placed(turn: Turn, s: int, group: GroupKey, pods: list[Pod]) -> bool:
    """Whether these pods are still to be waited for; ends the plan when they cannot come any more."""
    pod = pods[0]
    places = [placement.node for placement in turn.arrivals.open_places(s, group)]
    node = next((n for n in places if turn.paper.against(pod, n) is None), places[0])
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
        if turn.lasts(f"obstacle {s} {group.owner}") >= GRACE_SECONDS:
            turn.finish(outcome, message)
    elif turn.lasts(f"placing {s} {group.owner} {len(places)}") >= PLACE_SECONDS:
        told = f": {pod.unschedulable_message}" if pod.unschedulable_message else ""
        turn.finish(Outcome.CLUSTER_CHANGED, f"{pod.key} was not placed on {node} for {PLACE_SECONDS:.0f} s{told}")
    return True


def _wake(turn: Turn, s: int, node: str, pods: list[Pod]) -> None:
    """At once those that our filter rejected last, for nothing else wakes them; others, which the end of a pod wakes, when
    they still wait after a while. Each time with a text that is new: the same would change nothing."""
    name = turn.plan.metadata.name
    for pod in pods:
        if not pod.unschedulable:
            continue
        told = read_why(pod.why)
        woken = told is not None and told.code == Reason.FITS_NOW and told.plan == name
        at_once = _rejected_by_us(pod, name) and not woken
        if not at_once and turn.lasts(f"asleep {pod.uid} {pod.why}") < WAKE_SECONDS:
            continue
        message = f"Its place on {node} is free and kept for it ({turn.view.now:%H:%M:%S} UTC)."
        position = turn.places[s][0] + 1
        why = Why(code=Reason.FITS_NOW, message=message, plan=name, position=position)
        turn.actions.append(Wake(pod.namespace, pod.name, pod.uid, why))


def _rejected_by_us(pod: Pod, plan: str) -> bool:
    """kube-scheduler quotes our filter's texts: `kept for plan NAME`, `waiting for gang NAME`."""
    return f"plan {plan}" in pod.unschedulable_message or "waiting for gang" in pod.unschedulable_message


def _evicted_owners(turn: Turn) -> set[Owner]:
    return {
        (e.workload.namespace, e.workload.kind, e.workload.name)
        for e in turn.plan.spec.evictions
        if e.uid in turn.draft.records and e.uid not in turn.arrivals.standing
    }


def _patience(turn: Turn, s: int, group: GroupKey) -> float:
    failed = any(
        turn.draft.reason(*turn.places[t]) == REPLACEMENT_NEVER_CAME and group in turn.arrivals.groups[t]
        for t in range(s)
    )
    return REPLACEMENT_AGAIN_SECONDS if failed else REPLACEMENT_SECONDS


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

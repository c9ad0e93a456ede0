"""Whether the steps of a plan that are still to come would work on the cluster as it stands now.

They are carried out on paper, in order, with kube-scheduler's filters (`kube_filter`): what is evicted must still stand
where the plan thinks and may be evicted; what is placed must be let in when its turn comes. The first step that does not
work ends the walk: those after it rest on it. An obstacle *passes* when only pods that are going away anyway are in the
way. Cost: 30 ms at 30,000 pods, and a filter call a placement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import msgspec

from berth_api.packing_plan import Outcome, PlannedPlacement
from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod, PodSpec, Snapshot, WorkloadKey
from berth_operator.arrivals import Arrivals
from berth_planner.kube_filter import Cluster
from berth_scheduling.kept_room import GroupKey

OF_THE_NODE = frozenset(
    (
        Reason.UNKNOWN_NODE,
        Reason.NODE_NOT_READY,
        Reason.UNSCHEDULABLE,
        Reason.UNTOLERATED_TAINT,
        Reason.NODE_SELECTOR_MISMATCH,
        Reason.VOLUME_ZONE_CONFLICT,
    )
)
TAKEN = frozenset((Reason.INSUFFICIENT_RESOURCE, Reason.TOO_MANY_PODS, Reason.PORT_CONFLICT))
"""Reasons that other pods are; what remains are rules between pods, which may hold again in a moment."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    outcome: Outcome
    """How the plan ends if it stays."""
    message: str
    passes: bool = False


MayEvict = Callable[[Pod], str]
"""Empty, or why not."""


def obstacles(
    arrivals: Arrivals,
    snapshot: Snapshot,
    steps: Iterable[int],
    may_evict: MayEvict,
    given_up: Mapping[GroupKey, int] = MappingProxyType({}),
) -> list[Obstacle]:
    """What would keep these steps, carried out in this order from now on, from working. given_up: pods of a group that
    earlier steps no longer wait for."""
    steps = list(steps)
    found = _evictions_in_doubt(arrivals, steps, may_evict)
    if found:
        return found
    found = Paper(arrivals, snapshot, leaving=True, given_up=given_up).walk(steps)
    if not found:
        return []
    lasting = Paper(arrivals, snapshot, leaving=False, given_up=given_up).walk(steps)
    return lasting or [replace(obstacle, passes=True) for obstacle in found]


def _evictions_in_doubt(arrivals: Arrivals, steps: list[int], may_evict: MayEvict) -> list[Obstacle]:
    found = []
    for s in steps:
        for eviction in arrivals.steps[s].evictions:
            pod = arrivals.standing.get(eviction.uid)
            if pod is None:
                continue
            if pod.node != eviction.node:
                found.append(Obstacle(Outcome.CLUSTER_CHANGED, f"{eviction.pod} is not on {eviction.node}"))
            elif because := may_evict(pod):
                found.append(Obstacle(Outcome.CLUSTER_CHANGED, f"{eviction.pod} must not be evicted: {because}"))
    return found


class Paper:
    """The cluster as it stands, to try things on. leaving: terminating pods still hold their room."""

    def __init__(
        self,
        arrivals: Arrivals,
        snapshot: Snapshot,
        *,
        leaving: bool,
        given_up: Mapping[GroupKey, int] = MappingProxyType({}),
    ) -> None:
        self._arrivals = arrivals
        pods = snapshot.pods if leaving else [p for p in snapshot.pods if not p.terminating]
        self._cluster = Cluster(snapshot.nodes, pods)
        self._given_up = given_up
        self._used: dict[GroupKey, int] = {}
        self._open: dict[GroupKey, list[PlannedPlacement]] = {}
        """Places of the steps walked so far that nobody has taken."""
        self._walked: dict[GroupKey, int] = {}
        """The last step whose places are among them."""
        self._placed: Counter[GroupKey] = Counter()

    def walk(self, steps: list[int]) -> list[Obstacle]:
        """What keeps the first step that would not work from working."""
        for s in steps:
            step = self._arrivals.steps[s]
            for eviction in step.evictions:
                pod = self._arrivals.standing.get(eviction.uid)
                if pod is not None and pod.node is not None:
                    self._cluster.remove(pod, pod.node)
            found = self._place(s)
            if found:
                return found
        return []

    def against(self, pod: Pod, node: str) -> Reason | None:
        """What keeps the pod off the node at this moment."""
        there = self._cluster.nodes.get(node)
        return Reason.UNKNOWN_NODE if there is None else self._cluster.against(pod, there)

    def takes(self, pod: Pod, node: str) -> bool:
        """Whether another pod like this one is let in beside it; it counts as placed then."""
        name = f"{pod.name}-replacement"
        other = msgspec.structs.replace(pod, name=name, uid=name, node=None, terminating=False)
        if self.against(other, node) is not None:
            return False
        self._cluster.place(other, node)
        return True

    def _place(self, s: int) -> list[Obstacle]:
        arrivals = self._arrivals
        left: list[tuple[Pod, GroupKey]] = []
        for group in dict.fromkeys(arrivals.groups[s]):
            places = self._open.setdefault(group, [])
            places += arrivals.open_places(s, group, after=self._walked.get(group, -1))
            self._walked[group] = s
            due = arrivals.shortfall(s, group) - self._placed[group] - self._given_up.get(group, 0)
            left += [(self._next_pod(group, places[0]), group) for _ in range(min(due, len(places)))]
        progress = True
        while left and progress:
            progress = False
            for pod, group in list(left):
                place = next((p for p in self._open[group] if self.against(pod, p.node) is None), None)
                if place is not None:
                    self._cluster.place(pod, place.node)
                    self._open[group].remove(place)
                    self._placed[group] += 1
                    left.remove((pod, group))
                    progress = True
        return [self._obstacle(pod, self._open[group][-1]) for pod, group in left]

    def _next_pod(self, group: GroupKey, placement: PlannedPlacement) -> Pod:
        """The next pod of the group to be placed: one that waits, else a copy of one that stands, else its request alone."""
        number = self._used[group] = self._used.get(group, 0) + 1
        waiting = self._arrivals.waiting[group]
        if number <= len(waiting):
            return waiting[number - 1]
        template = self._template(group) or _bare(placement)
        name = f"{placement.workload.name}-replacement-{number}"
        return msgspec.structs.replace(template, name=name, uid=name, node=None, terminating=False)

    def _template(self, group: GroupKey) -> Pod | None:
        arrivals = self._arrivals
        return next(iter(arrivals.to_evict[group] or arrivals.waiting[group] or arrivals.bound[group]), None)

    def _obstacle(self, pod: Pod, placement: PlannedPlacement) -> Obstacle:
        reason = self.against(pod, placement.node)
        assert reason is not None
        outcome = Outcome.CLUSTER_CHANGED if reason in OF_THE_NODE else Outcome.OVERTAKEN
        workload = placement.workload
        who = f"{workload.kind} {workload.namespace}/{workload.name}"
        return Obstacle(outcome, f"a pod of {who} cannot go to {placement.node} any more: {reason.value}")


def _bare(placement: PlannedPlacement) -> Pod:
    """A pod of which nothing is known but its request; rules that it may carry are left to kube-scheduler."""
    workload = placement.workload
    key = WorkloadKey(workload.namespace, workload.kind, workload.name, workload.uid)
    spec = PodSpec(requests=tuple(sorted(placement.requests.items())))
    return Pod(workload.namespace, workload.name, "", spec, placement.priority, key, "Pending")

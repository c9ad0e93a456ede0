"""Which of the planned pods have arrived, derived from the pods that stand: nothing is remembered, so that nothing is lost.

Controllers give replacements new names, so pods are counted by *group*: one workload, one effective request. On a node,

    arrived = clamp(pods of the group bound there - standing, 0, planned)

where terminating pods and those that the plan evicts do not count; extenders count by the same rule what is still to come
(`kept_room`). Placements of one group on one node in several steps add up, and the earliest are filled first.

A *newcomer* is a pod of a planned group that was created after the plan, or that the plan names as waiting. One that is
bound where the plan has no (more) place for its group has landed elsewhere. Creation times of pods and plan come from the
same API server, whole seconds; only this distinction rests on them. Cost: one pass over the pods, 20 ms for 30,000.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime

from berth_api.packing_plan import PackingPlan, PlannedPlacement
from berth_cluster.snapshot import Pod, Snapshot
from berth_scheduling.kept_room import GroupKey, Owner, kept_requests
from berth_scheduling.room import Requests


def group_of(placement: PlannedPlacement) -> GroupKey:
    workload = placement.workload
    requests = kept_requests(placement.requests.items())
    return GroupKey((workload.namespace, workload.kind, workload.name), workload.uid, requests)


class Arrivals:
    """Everything about a plan's pods at one moment. Steps are numbered through, from 0, over all waves."""

    def __init__(self, plan: PackingPlan, snapshot: Snapshot) -> None:
        self.steps = [step for wave in plan.spec.waves for step in wave.steps]
        self.groups = [[group_of(p) for p in step.placements] for step in self.steps]
        self._leaving = {e.uid for step in self.steps for e in step.evictions}
        self._named = {name for step in self.steps for p in step.placements for name in p.pods}
        self._since = plan.metadata.creation_timestamp
        self._known: dict[tuple[Owner, Requests], list[GroupKey]] = defaultdict(list)
        for group in {group for groups in self.groups for group in groups}:
            self._known[group.owner, group.requests].append(group)
        self._owners = {owner for owner, _ in self._known}

        self.standing: dict[str, Pod] = {}
        """Uid to pods that the plan evicts and that are not gone yet."""
        self.to_evict: dict[GroupKey, list[Pod]] = defaultdict(list)
        """The same, as far as they are of a planned group."""
        self.bound: dict[GroupKey, list[Pod]] = defaultdict(list)
        """Bound pods of a group that stay."""
        self.named: dict[str, Pod] = {}
        """Pods that the plan names as waiting, as they are now: waiting or bound."""
        self.waiting: dict[GroupKey, list[Pod]] = defaultdict(list)
        """Pods of a group that wait for a node: named ones first, then the oldest."""
        self._sort_pods(snapshot)
        self.arrived = self._arrived()
        """arrived[step][i]: how many of placement i have arrived."""
        self._total: Counter[GroupKey] = Counter()
        self._places: dict[GroupKey, list[tuple[int, PlannedPlacement, int]]] = defaultdict(list)
        """Step, placement and how many have arrived there."""
        for s, (step, groups, arrived) in enumerate(zip(self.steps, self.groups, self.arrived, strict=True)):
            for placement, group, there in zip(step.placements, groups, arrived, strict=True):
                self._total[group] += there
                self._places[group].append((s, placement, there))

    def missing(self, step: int) -> int:
        """Places of this step that are open."""
        return sum(p.count for p in self.steps[step].placements) - sum(self.arrived[step])

    def shortfall(self, step: int, group: GroupKey) -> int:
        """How many pods of the group fewer have arrived, anywhere in the plan, than are to by the end of this step. A pod
        that took a place meant for a later step is no loss: the later one takes the place that it left open."""
        planned = sum(placement.count for t, placement, _ in self._places[group] if t <= step)
        return max(planned - self._total[group], 0)

    def open_places(self, step: int, group: GroupKey, *, after: int = -1) -> list[PlannedPlacement]:
        """Placements of the group up to this step, after that one, once for each pod that has not arrived there."""
        return [
            placement
            for t, placement, there in self._places[group]
            if after < t <= step
            for _ in range(placement.count - there)
        ]

    @property
    def placed(self) -> int:
        return sum(map(sum, self.arrived))

    @property
    def planned(self) -> int:
        return sum(p.count for step in self.steps for p in step.placements)

    def elsewhere(self, group: GroupKey) -> int:
        """Newcomers of the group that are bound where the plan has no place for them."""
        planned = self._planned(group)
        here = Counter(pod.node for pod in self.newcomers(group))
        return sum(max(count - planned.get(node or "", 0), 0) for node, count in here.items())

    def newcomers(self, group: GroupKey) -> list[Pod]:
        return [pod for pod in self.bound[group] if self._is_new(pod)]

    def replacements(self, group: GroupKey) -> list[Pod]:
        """Newcomers that are not the waiting pods named by the plan; those on planned nodes first."""
        planned = self._planned(group)
        found = [pod for pod in self.bound[group] if self.is_unnamed_newcomer(pod)]
        return sorted(found, key=lambda pod: (pod.node not in planned, pod.created, pod.key))

    def is_unnamed_newcomer(self, pod: Pod) -> bool:
        """Made since the plan was, and none of the waiting pods that it names."""
        return pod.key not in self._named and self._is_new(pod)

    def _planned(self, group: GroupKey) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for _, placement, _ in self._places[group]:
            counts[placement.node] += placement.count
        return counts

    def _is_new(self, pod: Pod) -> bool:
        if pod.key in self._named or self._since is None:
            return True
        created = parsed(pod.created)
        return created is None or created >= self._since

    def _sort_pods(self, snapshot: Snapshot) -> None:
        for pod in snapshot.pods:
            if pod.uid in self._leaving:
                self.standing[pod.uid] = pod
                group = self.group_of_pod(pod)
                if group is not None:
                    self.to_evict[group].append(pod)
                continue
            workload = pod.workload
            if (workload.namespace, workload.kind, workload.name) not in self._owners or pod.terminating:
                continue
            if pod.key in self._named:
                self.named[pod.key] = pod
            group = self.group_of_pod(pod)
            if group is None:
                continue
            if pod.node is not None:
                self.bound[group].append(pod)
            elif pod.is_pending:
                self.waiting[group].append(pod)
        for pods in self.waiting.values():
            pods.sort(key=lambda pod: (pod.key not in self._named, pod.created, pod.key))

    def group_of_pod(self, pod: Pod) -> GroupKey | None:
        """The planned group that the pod belongs to, if any."""
        requests = kept_requests(pod.spec.requests)
        owner = (pod.workload.namespace, pod.workload.kind, pod.workload.name)
        uid = pod.workload.uid
        groups = self._known.get((owner, requests), ())
        return next((g for g in groups if not g.uid or not uid or g.uid == uid), None)

    def _arrived(self) -> list[list[int]]:
        left: dict[tuple[GroupKey, str], int] = {}
        found: list[list[int]] = []
        for step, groups in zip(self.steps, self.groups, strict=True):
            row = []
            for placement, group in zip(step.placements, groups, strict=True):
                place = (group, placement.node)
                if place not in left:
                    here = sum(pod.node == placement.node for pod in self.bound[group])
                    left[place] = max(here - placement.standing, 0)
                taken = min(left[place], placement.count)
                left[place] -= taken
                row.append(taken)
            found.append(row)
        return found


def parsed(text: str) -> datetime | None:
    """RFC 3339; None for what is no time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

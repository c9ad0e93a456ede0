"""Pods that are useless apart: who belongs together, and how many of them are the least.

In this order: `scheduling.k8s.io` (a PodGroup by spec.schedulingGroup; in 1.35 a group in a Workload by spec.workloadRef),
`berth.dev/gang` with `berth.dev/gang-min`, the PodGroups of scheduler-plugins, Volcano and KAI, and the labels of a
LeaderWorkerSet. A declared minimum stands as it is; where only membership is known (no gang-min, a group that is not in
the input, a LeaderWorkerSet, whose controller makes workers as it goes) it is the pods that are there, at most the
group's size: a pod must not wait for one that nobody has made yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from berth_api.reasons import Reason
from berth_cluster.findings import Findings
from berth_cluster.objects import PodGroup, Workload
from berth_cluster.owners import GROUP_NAME_LABEL
from berth_cluster.pod_objects import PodAnnotations, SchedulingGroup, WorkloadRef
from berth_cluster.snapshot import Gang, Labels

GROUP_INDEX_LABEL = "leaderworkerset.sigs.k8s.io/group-index"
FOREIGN_GROUPS = frozenset(("scheduling.x-k8s.io", "scheduling.volcano.sh", "scheduling.run.ai"))
"""API groups whose PodGroup states spec.minMember."""
MOST_DIGITS = 7
"""Of the number of a gang's pods."""
_PLUGINS_LABEL = "scheduling.x-k8s.io/pod-group"
_ABSENT = (b"", b"null", b"{}")


class Membership(msgspec.Struct, frozen=True):
    """key: the gang, if any. declared: its minimum, if declared. at_most: of the members found, otherwise."""

    key: str = ""
    declared: int | None = None
    at_most: int | None = None
    unmodelled: str = ""
    claims: bool = False
    """The group asks for devices by resource claims."""


ALONE = Membership()


class Groups:
    """Pod groups of a dump, by namespace and name."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], PodGroup] = {}
        self._foreign: dict[tuple[str, str], int | None] = {}
        self._workloads: dict[tuple[str, str, str], int | None] = {}

    def add_group(self, group: PodGroup) -> None:
        self._groups[group.metadata.namespace or "default", group.metadata.name] = group

    def add_foreign_group(self, group: PodGroup) -> None:
        self._foreign[group.metadata.namespace or "default", group.metadata.name] = group.spec.min_member

    def remove(self, place: tuple[str, str], foreign: bool) -> None:
        if foreign:
            self._foreign.pop(place, None)
        else:
            self._groups.pop(place, None)

    def add_workload(self, workload: Workload) -> None:
        for group in workload.spec.pod_groups or ():
            gang = group.policy.gang if group.policy else None
            place = (workload.metadata.namespace or "default", workload.metadata.name, group.name)
            self._workloads[place] = gang.min_count if gang else None

    def membership(
        self,
        namespace: str,
        group: SchedulingGroup | None,
        workload: WorkloadRef | None,
        annotations: PodAnnotations,
        labels: Labels,
        findings: Findings,
    ) -> Membership:
        if group is not None and group.pod_group_name:
            return self._of_pod_group(namespace, group.pod_group_name)
        if workload is not None:
            return self._of_workload(namespace, workload)
        if annotations.gang:
            return _annotated(namespace, annotations, findings)
        foreign = labels.get(_PLUGINS_LABEL) or annotations.volcano_group or annotations.kai_group
        if foreign:
            minimum = self._foreign.get((namespace, foreign))
            return Membership(f"{namespace}/{foreign}", declared=max(minimum, 1) if minimum is not None else None)
        name, index = labels.get(GROUP_NAME_LABEL), labels.get(GROUP_INDEX_LABEL)
        if name and index is not None:
            size = annotations.group_size or ""
            return Membership(f"{namespace}/{name}/{index}", at_most=int(size) if _is_count(size) else None)
        return ALONE

    def _of_pod_group(self, namespace: str, name: str) -> Membership:
        group = self._groups.get((namespace, name))
        if group is None:
            return Membership(unmodelled="names a PodGroup that is not in the input; add podgroups to it")
        if bytes(group.spec.scheduling_constraints) not in _ABSENT:
            return Membership(unmodelled="belongs to a PodGroup with topology constraints of its own")
        gang = group.spec.scheduling_policy.gang if group.spec.scheduling_policy else None
        claims = bool(group.spec.resource_claims)
        if gang is None:
            return Membership(claims=claims)
        return Membership(f"{namespace}/{name}", declared=max(gang.min_count, 1), claims=claims)

    def _of_workload(self, namespace: str, ref: WorkloadRef) -> Membership:
        place = (namespace, ref.name, ref.pod_group)
        if place not in self._workloads:
            return Membership(unmodelled="names a group of a Workload that is not in the input; add workloads to it")
        minimum = self._workloads[place]
        if minimum is None:
            return ALONE
        replica = f"/{ref.pod_group_replica_key}" if ref.pod_group_replica_key else ""
        return Membership(f"{namespace}/{ref.name}/{ref.pod_group}{replica}", declared=max(minimum, 1))


def _is_count(text: str) -> bool:
    """A tenant's text: a number of thousands of digits is none."""
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


def _annotated(namespace: str, annotations: PodAnnotations, findings: Findings) -> Membership:
    key, text = f"{namespace}/{annotations.gang}", annotations.gang_min
    if text is None:
        return Membership(key)
    if not (_is_count(text) and int(text) > 0):
        findings.add(
            Reason.BAD_FIELD, "berth.dev/gang-min is not a whole number from 1; every pod of the gang counts", key
        )
        return Membership(key)
    return Membership(key, declared=int(text))


def minimums(members: Iterable[Membership]) -> dict[str, Gang]:
    """One gang a key. Where pods of one gang declare different minimums the largest holds."""
    found = Counter[str]()
    declared: dict[str, int] = {}
    caps: dict[str, int] = {}
    for member in members:
        found[member.key] += 1
        if member.declared is not None:
            declared[member.key] = max(member.declared, declared.get(member.key, 0))
        if member.at_most is not None:
            caps[member.key] = max(member.at_most, caps.get(member.key, 0))
    return {
        key: Gang(key, declared.get(key) or min(count, caps.get(key, count)) or 1)
        for key, count in found.items()
        if key
    }

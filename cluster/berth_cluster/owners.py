"""From a pod's controller up to the workload that a person knows: ReplicaSet to Deployment, Job to CronJob, and so on.

Each step follows the ownerReference with `controller: true`, through whatever objects the dump holds, of kinds known or
not. Where an owner is not in the dump the last name known is the workload; only a ReplicaSet of a Deployment is seen
through without it, by the pod-template-hash label that its name ends with.

Of an owner's annotations only an allocation hint is kept: it is the hint of its pods that have none themselves.
"""

from __future__ import annotations

from berth_cluster.objects import FailurePolicy, FailureRule, Job, Meta, OwnerReference
from berth_cluster.snapshot import Labels, WorkloadKey

MAX_DEPTH = 16
"""Owners above owners; the deepest known chain (a LeaderWorkerSet's worker) has 4."""

GROUP_NAME_LABEL = "leaderworkerset.sigs.k8s.io/name"
_TEMPLATE_HASH = "pod-template-hash"
_BATCH = "batch/"
MAX_HINT = 4096
"""Characters of a hint that are kept."""

_KILLED_EXIT_CODES = (137, 143)
"""What a container reports that was ended by SIGKILL or SIGTERM, as an eviction does."""


Place = tuple[str, str, str]
"""Namespace, kind, name."""


class Owners:
    """The objects that can own others, and the uids by which they are known."""

    def __init__(self) -> None:
        self._owner_of: dict[Place, OwnerReference | None] = {}
        self._uids: dict[Place, str] = {}
        self._hints: dict[Place, str] = {}
        """Of the owners that have one; a character more than counts where it is too long."""
        self._survivors: set[tuple[str, str]] = set()
        self._tops: dict[Place, Place] = {}

    def add(self, kind: str, item: Meta) -> bool:
        """Whether anything that pods see of it is new."""
        meta = item.metadata
        place = (meta.namespace or "", kind, meta.name)
        job = place[0], place[2]
        hint = meta.annotations.given_hint[: MAX_HINT + 1] if meta.annotations is not None else ""
        survives = isinstance(item, Job) and recreates_evicted(item.spec.pod_failure_policy)
        if (
            place in self._owner_of
            and self._owner_of[place] == meta.controller
            and self._uids.get(place, "") == (meta.uid or self._uids.get(place, ""))
            and self._hints.get(place, "") == hint
            and (kind != "Job" or (job in self._survivors) == survives)
        ):
            return False
        self._owner_of[place] = meta.controller
        if meta.uid:
            self._uids[place] = meta.uid
        if hint:
            self._hints[place] = hint
        else:
            self._hints.pop(place, None)
        if survives:
            self._survivors.add(job)
        elif kind == "Job":
            self._survivors.discard(job)
        self._tops.clear()
        return True

    def remove(self, place: Place) -> bool:
        """Gone from the cluster; whether it was known. Pods that it owned are on their way out, or orphaned."""
        known = place in self._owner_of
        self._owner_of.pop(place, None)
        self._hints.pop(place, None)
        self.forget(place)
        if place[1] == "Job":
            self._survivors.discard((place[0], place[2]))
        self._tops.clear()
        return known

    def forget(self, place: Place) -> None:
        """No pod refers to it any more: what was only known by reference goes."""
        if place not in self._owner_of:
            self._uids.pop(place, None)
            self._tops.pop(place, None)

    def owner_of(self, place: Place) -> OwnerReference | None:
        return self._owner_of.get(place)

    def hint_of(self, workload: WorkloadKey) -> str:
        """What stands on the workload itself; longer than `MAX_HINT` where that is too long."""
        return self._hints.get((workload.namespace, workload.kind, workload.name), "")

    def places(self, kind: str) -> list[Place]:
        return [place for place in self._owner_of if place[1] == kind]

    def job_recreates(self, namespace: str, job: OwnerReference) -> bool:
        """Whether the Job is known and its podFailurePolicy ignores evictions."""
        return job.api_version.startswith(_BATCH) and (namespace, job.name) in self._survivors

    def workload(
        self, namespace: str, pod: str, pod_uid: str, labels: Labels, owner: OwnerReference | None
    ) -> WorkloadKey:
        """The top owner of a pod; the pod itself when no controller owns it."""
        group = labels.get(GROUP_NAME_LABEL)
        if owner is None or owner.kind == "Node":
            return WorkloadKey(namespace, "Pod", pod, pod_uid)
        if group:  # its workers hang below a leader pod; the label is shorter and always there
            kind, name = "LeaderWorkerSet", group
        else:
            _, kind, name = self._top(namespace, owner, labels)
        return WorkloadKey(namespace, kind, name, self._uids.get((namespace, kind, name), ""))

    def _top(self, namespace: str, owner: OwnerReference, labels: Labels) -> Place:
        place = (namespace, owner.kind, owner.name)
        self._refer(place, owner.uid)
        if place not in self._owner_of and owner.kind == "ReplicaSet":
            suffix = "-" + labels.get(_TEMPLATE_HASH, "")
            if len(suffix) > 1 and owner.name.endswith(suffix) and len(owner.name) > len(suffix):
                return self._climb((namespace, "Deployment", owner.name.removesuffix(suffix)))
        return self._climb(place)

    def _refer(self, place: Place, uid: str) -> None:
        """A reference tells the uid of an owner that is not known itself; the newest reference counts."""
        if uid and not (place in self._owner_of and place in self._uids):
            self._uids[place] = uid

    def _climb(self, start: Place) -> Place:
        top = self._tops.get(start)
        if top is None:
            top = start
            for _ in range(MAX_DEPTH):
                above = self._owner_of.get(top)
                if above is None or above.kind == "Node":
                    break
                top = (start[0], above.kind, above.name)
                self._refer(top, above.uid)
            self._tops[start] = top
        return top


def recreates_evicted(policy: FailurePolicy | None) -> bool:
    """Whether an eviction does not count as a failure: the first rule that matches an evicted pod says Ignore."""
    for rule in (policy.rules if policy else None) or ():
        if _ignores_eviction(rule):
            return True
        if _matches_eviction(rule):
            return False
    return False


def _ignores_eviction(rule: FailureRule) -> bool:
    return rule.action == "Ignore" and _has_disruption(rule)


def _matches_eviction(rule: FailureRule) -> bool:
    codes = rule.on_exit_codes
    if codes is None:
        return _has_disruption(rule)
    listed = codes.values or ()
    return any((code in listed) == (codes.operator == "In") for code in _KILLED_EXIT_CODES)


def _has_disruption(rule: FailureRule) -> bool:
    return any(c.type == "DisruptionTarget" and c.status in ("", "True") for c in rule.on_pod_conditions or ())

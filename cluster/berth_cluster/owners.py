"""From a pod's controller up to the workload that a person knows: ReplicaSet to Deployment, Job to CronJob, and so on.

Each step follows the ownerReference with `controller: true`, through whatever objects the dump holds, of kinds known or
not. Where an owner is not in the dump the last name known is the workload; only a ReplicaSet of a Deployment is seen
through without it, by the pod-template-hash label that its name ends with.
"""

from __future__ import annotations

from berth_cluster.objects import FailurePolicy, FailureRule, Job, Meta, OwnerReference
from berth_cluster.snapshot import Labels, WorkloadKey

MAX_DEPTH = 16
"""Owners above owners; the deepest known chain (a LeaderWorkerSet's worker) has 4."""

GROUP_NAME_LABEL = "leaderworkerset.sigs.k8s.io/name"
_TEMPLATE_HASH = "pod-template-hash"
_BATCH = "batch/"
_KILLED_EXIT_CODES = (137, 143)
"""What a container reports that was ended by SIGKILL or SIGTERM, as an eviction does."""


class Owners:
    """The objects of a dump that can own others, and the uids by which they are known."""

    def __init__(self) -> None:
        self._owner_of: dict[tuple[str, str, str], OwnerReference | None] = {}
        self._uids: dict[tuple[str, str, str], str] = {}
        self._survivors: set[tuple[str, str]] = set()
        self._tops: dict[tuple[str, str, str], tuple[str, str]] = {}

    def add(self, kind: str, item: Meta) -> None:
        meta = item.metadata
        place = (meta.namespace or "", kind, meta.name)
        self._owner_of[place] = meta.controller
        if meta.uid:
            self._uids[place] = meta.uid
        if isinstance(item, Job) and recreates_evicted(item.spec.pod_failure_policy):
            self._survivors.add((meta.namespace or "", meta.name))

    def job_recreates(self, namespace: str, job: OwnerReference) -> bool:
        """Whether the Job is in the dump and its podFailurePolicy ignores evictions."""
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
            kind, name = self._top(namespace, owner, labels)
        return WorkloadKey(namespace, kind, name, self._uids.get((namespace, kind, name), ""))

    def _top(self, namespace: str, owner: OwnerReference, labels: Labels) -> tuple[str, str]:
        place = (namespace, owner.kind, owner.name)
        if owner.uid:
            self._uids.setdefault(place, owner.uid)
        if place not in self._owner_of and owner.kind == "ReplicaSet":
            suffix = "-" + labels.get(_TEMPLATE_HASH, "")
            if len(suffix) > 1 and owner.name.endswith(suffix) and len(owner.name) > len(suffix):
                return self._climb(namespace, "Deployment", owner.name.removesuffix(suffix))
        return self._climb(namespace, owner.kind, owner.name)

    def _climb(self, namespace: str, kind: str, name: str) -> tuple[str, str]:
        start = (namespace, kind, name)
        top = self._tops.get(start)
        if top is None:
            for _ in range(MAX_DEPTH):
                above = self._owner_of.get((namespace, kind, name))
                if above is None or above.kind == "Node":
                    break
                kind, name = above.kind, above.name
                if above.uid:
                    self._uids.setdefault((namespace, kind, name), above.uid)
            top = self._tops[start] = (kind, name)
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

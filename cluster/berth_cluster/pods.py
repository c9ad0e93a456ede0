"""One pod as it stands in JSON to one pod of the snapshot, in two steps.

`record` keeps what the pod says by itself, small and with its template shared (`pod_templates`); `resolve` joins in what it
refers to: owners, volumes, groups, namespaces. A dump takes both steps at once. A cache keeps the records and takes the
second step again when what a pod refers to changes or becomes known late.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Raw

from berth_api.reasons import Reason
from berth_cluster.errors import FieldError
from berth_cluster.findings import Findings
from berth_cluster.gangs import Groups, Membership
from berth_cluster.mobility import immovable_reasons, move_cost
from berth_cluster.objects import OwnerReference, WirePriorityClass
from berth_cluster.owners import MAX_HINT, Owners
from berth_cluster.pod_objects import (
    PodAnnotations,
    PodCondition,
    SchedulingGroup,
    WireAffinity,
    WirePod,
    WirePodSpec,
    WorkloadRef,
)
from berth_cluster.pod_templates import Template, Templates
from berth_cluster.recent import Recent
from berth_cluster.snapshot import Labels, Pod, PodSpec, PodTerm, WorkloadKey
from berth_cluster.terms import pod_term
from berth_cluster.volumes import Volumes, VolumeUse, volume_uses

DEFAULT_NAMESPACE = "default"

SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}

_FINISHED = ("Succeeded", "Failed")
_NO_ANNOTATIONS = PodAnnotations()
_UNMODELLED = "a pod {}; such pods are neither planned nor moved"
_CLAIMS = "asks for devices by resource claims, which Berth does not model"
_UNRESOLVED = "selects namespaces by label, and the input has no namespaces; add namespaces to it"

OWNERS = 16_384
"""References to owners kept in each generation, so that pods of one owner share one."""
SPECS_OF_TEMPLATE = 256
"""What one template may be finished to before its memory starts anew: volumes of a StatefulSet differ from pod to pod."""

Phase = Literal["Pending", "Running", "Unknown"]
PreemptionPolicy = Literal["PreemptLowerPriority", "Never"]


class Context(msgspec.Struct, frozen=True):
    """What a pod refers to: everything in the dump but nodes and pods."""

    owners: Owners
    volumes: Volumes
    groups: Groups
    namespaces: Mapping[str, Labels]
    classes: Mapping[str, WirePriorityClass]
    findings: Findings


class PodRecord(msgspec.Struct, frozen=True, gc=False):
    """What a pod says by itself, apart from everything that it refers to."""

    namespace: str
    name: str
    uid: str
    version: str
    template: Template
    phase: Phase
    node: str | None
    scheduler: str
    priority: int
    priority_class: str
    preemption_policy: PreemptionPolicy
    gated: bool
    nominated_node: str | None
    terminating: bool
    owner: OwnerReference | None
    restart_policy: str
    annotations: PodAnnotations
    group: SchedulingGroup | None
    workload_ref: WorkloadRef | None
    volumes: tuple[VolumeUse, ...]
    claims: bool
    """Asks for devices by resource claims."""
    created: str
    unschedulable: PodCondition | None


class PodReader:
    """Reads pods. Holds only caches."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._default_class = next((c for _, c in sorted(context.classes.items()) if c.global_default), None)
        self._templates = Templates()
        self._owners: Recent[OwnerReference, OwnerReference] = Recent(OWNERS)
        self._distinct: weakref.WeakKeyDictionary[PodSpec, weakref.ref[PodSpec]] = weakref.WeakKeyDictionary()
        self._namespaces_seen = 0

    def namespaces_changed(self) -> None:
        """Terms that select namespaces by label must be resolved anew."""
        self._namespaces_seen += 1

    def read(self, wire: WirePod) -> tuple[Pod, Membership] | None:
        """The pod and what gang it belongs to (the caller, who sees all pods, fills that in). None: it has finished.

        Raises FieldError.
        """
        record = self.record(wire)
        return None if record is None else self.resolve(record)

    def record(self, wire: WirePod) -> PodRecord | None:
        """None: it has finished. Raises FieldError."""
        meta, given, status = wire.metadata, wire.spec, wire.status
        phase = _phase(wire)
        if phase is None:
            return None
        namespace = sys.intern(meta.namespace or DEFAULT_NAMESPACE)
        node = sys.intern(given.node_name) if given.node_name else None
        priority, policy = self._priority(given, namespace, meta.name)
        annotations = meta.annotations
        return PodRecord(
            namespace=namespace,
            name=meta.name,
            uid=meta.uid or "",
            version=meta.resource_version or "",
            template=self._templates.of(wire),
            phase=phase,
            node=node,
            scheduler=sys.intern(given.scheduler_name or "default-scheduler"),
            priority=priority,
            priority_class=sys.intern(given.priority_class_name or ""),
            preemption_policy=policy,
            gated=bool(given.scheduling_gates) and node is None,
            nominated_node=status.nominated_node_name or None,
            terminating=meta.deletion_timestamp is not None,
            owner=self._shared(meta.controller),
            restart_policy=sys.intern(given.restart_policy or "Always"),
            annotations=_NO_ANNOTATIONS if annotations is None or annotations == _NO_ANNOTATIONS else annotations,
            group=given.scheduling_group,
            workload_ref=given.workload_ref,
            volumes=volume_uses(given.volumes) if given.volumes else (),
            claims=bool(given.resource_claims) or _is_given(status.extended_resource_claim_status),
            created=meta.creation_timestamp or "",
            unschedulable=_unschedulable(status.conditions) if node is None else None,
        )

    def resolve(self, record: PodRecord) -> tuple[Pod, Membership]:
        """The pod as things stand now, and what gang it belongs to. Raises FieldError."""
        context = self._context
        namespace, annotations, labels = record.namespace, record.annotations, record.template.labels
        membership = context.groups.membership(
            namespace, record.group, record.workload_ref, annotations, labels, context.findings
        )
        claims = record.claims or membership.claims
        spec = self._spec(record, membership, claims)
        immovable = immovable_reasons(
            annotations, namespace, record.owner, context.owners, record.restart_policy, record.terminating
        )
        if claims:
            immovable += (Reason.RESOURCE_CLAIMS,)
        if len(spec.unmodelled) > claims:
            immovable += (Reason.UNKNOWN_FEATURE,)
        cost, complaint = move_cost(annotations)
        if complaint:
            context.findings.add(Reason.BAD_FIELD, complaint, f"Pod {namespace}/{record.name}")
        for sentence in spec.unmodelled:
            reason = Reason.RESOURCE_CLAIMS if sentence is _CLAIMS else Reason.UNKNOWN_FEATURE
            context.findings.add(reason, _UNMODELLED.format(sentence), f"Pod {namespace}/{record.name}")
        refused = record.unschedulable
        workload = context.owners.workload(namespace, record.name, record.uid, labels, record.owner)
        pod = Pod(
            namespace=namespace,
            name=record.name,
            uid=record.uid,
            spec=spec,
            priority=record.priority,
            workload=workload,
            phase=record.phase,
            node=record.node,
            scheduler=record.scheduler,
            priority_class=record.priority_class,
            preemption_policy=record.preemption_policy,
            gated=record.gated,
            nominated_node=record.nominated_node,
            terminating=record.terminating,
            immovable=immovable,
            move_cost=cost,
            created=record.created,
            hint=self._hint(annotations, record, workload),
            unschedulable=refused is not None,
            unschedulable_message=(refused.message or "") if refused else "",
            unschedulable_since=(refused.last_transition_time or "") if refused else "",
            why=annotations.why or "",
            moved_at=annotations.moved_at or "",
            relieved_by=annotations.relieved_by or "",
            deletion_cost=annotations.deletion_cost or "",
            resource_version=record.version,
        )
        return pod, membership

    def _shared(self, owner: OwnerReference | None) -> OwnerReference | None:
        if owner is None:
            return None
        found = self._owners.get(owner)
        if found is None:
            self._owners.put(owner, owner)
            return owner
        return found

    def _hint(self, annotations: PodAnnotations, record: PodRecord, workload: WorkloadKey) -> str:
        """The pod's own, usually from its template; else what stands on its top owner."""
        hint, example = annotations.given_hint, f"Pod {record.namespace}/{record.name}"
        if not hint and record.owner is not None:
            hint, example = (
                self._context.owners.hint_of(workload),
                f"{workload.kind} {record.namespace}/{workload.name}",
            )
        if len(hint) > MAX_HINT:
            message = f"an allocation hint is longer than {MAX_HINT} characters; the rest is not read"
            self._context.findings.add(Reason.TOO_LARGE, message, example)
        return hint[:MAX_HINT]

    def _spec(self, record: PodRecord, membership: Membership, claims: bool) -> PodSpec:
        """The shared spec: one object for all pods that are equal in it, as long as one of them is alive."""
        template, namespace = record.template, record.namespace
        affinity = template.affinity
        volumes = self._context.volumes.facts(namespace, record.name, record.node is not None, record.volumes)
        key = (
            volumes, claims, membership.unmodelled, namespace if affinity.pods else "",
            self._namespaces_seen if affinity.selects_namespaces else 0,
        )  # fmt: skip
        spec = template.specs.get(key)
        if spec is not None:
            return spec
        unmodelled = (
            *((_CLAIMS,) if claims else ()),
            *((membership.unmodelled,) if membership.unmodelled else ()),
            *((_UNRESOLVED,) if affinity.selects_namespaces and not self._context.namespaces else ()),
            *volumes.unmodelled,
        )
        attracts, repels = self._pod_terms(affinity.pods, namespace, template.labels)
        spec = PodSpec(
            requests=template.requests,
            labels=template.pairs,
            node_selector=template.node_selector,
            node_affinity=affinity.nodes,
            preferred_nodes=affinity.preferred,
            tolerations=template.tolerations,
            affinity=attracts,
            anti_affinity=repels,
            spread=template.spread,
            ports=template.ports,
            volume_nodes=volumes.nodes,
            soft_preferences=affinity.prefers_pods or template.soft_spread,
            unmodelled=unmodelled,
        )
        same = self._distinct.get(spec)
        spec = (same and same()) or spec
        self._distinct[spec] = weakref.ref(spec)
        if len(template.specs) >= SPECS_OF_TEMPLATE:
            template.specs.clear()
        template.specs[key] = spec
        return spec

    def _pod_terms(
        self, given: WireAffinity | None, namespace: str, labels: Labels
    ) -> tuple[tuple[PodTerm, ...], tuple[PodTerm, ...]]:
        if given is None:
            return (), ()
        known = self._context.namespaces
        attracts, repels = (
            tuple(
                pod_term(term, f"spec.affinity.{name}.required[{i}]", namespace, labels, known)
                for i, term in enumerate((part.required if part else None) or ())
            )
            for name, part in (("podAffinity", given.pod_affinity), ("podAntiAffinity", given.pod_anti_affinity))
        )
        return attracts, repels

    def _priority(self, given: WirePodSpec, namespace: str, name: str) -> tuple[int, PreemptionPolicy]:
        """As admission fills it in: the number in the pod, else its class's, else the default class's, else 0."""
        classes = self._context.classes
        named = classes.get(given.priority_class_name) if given.priority_class_name else self._default_class
        if given.priority is not None:
            priority = given.priority
        elif named is not None:
            priority = named.value
        else:
            priority = SYSTEM_CLASSES.get(given.priority_class_name or "", 0)
            if given.priority_class_name and not priority:
                message = "a pod has no priority but a PriorityClass that is not in the input; counted as 0"
                self._context.findings.add(Reason.BAD_FIELD, message, f"Pod {namespace}/{name}")
        policy = given.preemption_policy or (named.preemption_policy if named else None) or "PreemptLowerPriority"
        if policy == "Never":
            return priority, "Never"
        if policy != "PreemptLowerPriority":
            raise FieldError("spec.preemptionPolicy", f"{policy!r} is neither PreemptLowerPriority nor Never")
        return priority, "PreemptLowerPriority"


def _phase(wire: WirePod) -> Phase | None:
    match wire.status.phase:
        case "Pending":
            return "Pending"
        case "Running":
            return "Running"
        case "Unknown":
            return "Unknown"
        case None | "":
            return "Running" if wire.spec.node_name else "Pending"
        case phase if phase in _FINISHED:
            return None
        case phase:
            raise FieldError("status.phase", f"{phase!r} is not a phase of a pod")


def _unschedulable(conditions: tuple[PodCondition, ...] | None) -> PodCondition | None:
    for condition in conditions or ():
        if condition.type == "PodScheduled":
            return condition if condition.status == "False" and condition.reason == "Unschedulable" else None
    return None


def _is_given(raw: Raw) -> bool:
    return bytes(raw) not in (b"", b"null", b"{}")

"""One pod of a dump to one pod of the snapshot.

What pods of a template share is converted once: the undecoded texts of its parts, together, are the key of the finished
`PodSpec`, so that 30,000 pods of 500 templates cost 30,000 look-ups and 500 conversions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Raw

from berth_api.reasons import Reason
from berth_cluster.decoding import Once
from berth_cluster.errors import FieldError
from berth_cluster.findings import Findings
from berth_cluster.gangs import Groups, Membership
from berth_cluster.mobility import immovable_reasons, move_cost
from berth_cluster.objects import WirePriorityClass
from berth_cluster.owners import Owners
from berth_cluster.pod_objects import (
    PodAnnotations,
    WireAffinity,
    WirePod,
    WirePodSpec,
    WireSpread,
    WireToleration,
)
from berth_cluster.ports import host_ports, ports_key
from berth_cluster.requests import RequestShape, effective_requests, request_shape
from berth_cluster.snapshot import Labels, NodeTerm, Pod, PodSpec, PodTerm, PreferredNodeTerm, Toleration
from berth_cluster.terms import needs_namespaces, node_terms, pod_term, preferred_terms, spread_term, tolerations
from berth_cluster.volumes import Volumes

DEFAULT_NAMESPACE = "default"
MAX_HINT = 4096
"""Characters of a hint that are kept."""

SYSTEM_CLASSES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}

_FINISHED = ("Succeeded", "Failed")
_NO_ANNOTATIONS = PodAnnotations()
_UNMODELLED = "a pod {}; such pods are neither planned nor moved"
_CLAIMS = "asks for devices by resource claims, which Berth does not model"
_UNRESOLVED = "selects namespaces by label, and the input has no namespaces; add namespaces to it"

Phase = Literal["Pending", "Running", "Unknown"]
PreemptionPolicy = Literal["PreemptLowerPriority", "Never"]
_Pairs = tuple[tuple[str, str], ...]


class Context(msgspec.Struct, frozen=True):
    """What a pod refers to: everything in the dump but nodes and pods."""

    owners: Owners
    volumes: Volumes
    groups: Groups
    namespaces: Mapping[str, Labels]
    classes: Mapping[str, WirePriorityClass]
    findings: Findings


class _Affinity(msgspec.Struct, frozen=True):
    nodes: tuple[NodeTerm, ...] | None = None
    preferred: tuple[PreferredNodeTerm, ...] = ()
    pods: WireAffinity | None = None
    """Kept as it was where terms between pods depend on the pod's own namespace and labels."""
    unresolved: bool = False
    prefers_pods: bool = False


class PodReader:
    """Reads the pods of one dump. Holds only caches."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._default_class = next((c for _, c in sorted(context.classes.items()) if c.global_default), None)
        self._labels: Once[dict[str, str], tuple[_Pairs, Labels]] = Once(
            dict[str, str], "metadata.labels", _labels, ((), {})
        )
        self._selector: Once[dict[str, str], _Pairs] = Once(dict[str, str], "spec.nodeSelector", _pairs, ())
        self._tolerations: Once[tuple[WireToleration, ...], tuple[Toleration, ...]] = Once(
            tuple[WireToleration, ...], "spec.tolerations", tolerations, ()
        )
        self._affinity = Once(WireAffinity, "spec.affinity", self._affinity_terms, _Affinity())
        self._spread: Once[tuple[WireSpread, ...], tuple[WireSpread, ...]] = Once(
            tuple[WireSpread, ...], "spec.topologySpreadConstraints", lambda given, _: given, ()
        )
        self._requests: dict[RequestShape, tuple[tuple[str, int], ...]] = {}
        self._specs: dict[tuple[object, ...], PodSpec] = {}
        self._distinct: dict[PodSpec, PodSpec] = {}

    def read(self, wire: WirePod) -> tuple[Pod, Membership] | None:
        """The pod and what gang it belongs to (the caller, who sees all pods, fills that in). None: it has finished.

        Raises FieldError.
        """
        meta, given = wire.metadata, wire.spec
        phase = _phase(wire)
        if phase is None:
            return None
        context = self._context
        namespace = meta.namespace or DEFAULT_NAMESPACE
        annotations = meta.annotations or _NO_ANNOTATIONS
        _, labels = self._labels(meta.labels)
        node = given.node_name or None
        terminating = meta.deletion_timestamp is not None
        owner = meta.controller
        membership = context.groups.membership(
            namespace, given.scheduling_group, given.workload_ref, annotations, labels, context.findings
        )
        spec, claims = self._spec(wire, namespace, membership)
        immovable = immovable_reasons(
            annotations, namespace, owner, context.owners, given.restart_policy or "Always", terminating
        )
        if claims:
            immovable += (Reason.RESOURCE_CLAIMS,)
        if len(spec.unmodelled) > claims:
            immovable += (Reason.UNKNOWN_FEATURE,)
        cost, complaint = move_cost(annotations)
        if complaint:
            context.findings.add(Reason.BAD_FIELD, complaint, f"Pod {namespace}/{meta.name}")
        for sentence in spec.unmodelled:
            reason = Reason.RESOURCE_CLAIMS if sentence is _CLAIMS else Reason.UNKNOWN_FEATURE
            context.findings.add(reason, _UNMODELLED.format(sentence), f"Pod {namespace}/{meta.name}")
        priority, policy = self._priority(given, f"Pod {namespace}/{meta.name}")
        pod = Pod(
            namespace=namespace,
            name=meta.name,
            uid=meta.uid or "",
            spec=spec,
            priority=priority,
            workload=context.owners.workload(namespace, meta.name, meta.uid or "", labels, owner),
            phase=phase,
            node=node,
            scheduler=given.scheduler_name or "default-scheduler",
            priority_class=given.priority_class_name or "",
            preemption_policy=policy,
            gated=bool(given.scheduling_gates) and node is None,
            nominated_node=wire.status.nominated_node_name or None,
            terminating=terminating,
            immovable=immovable,
            move_cost=cost,
            created=meta.creation_timestamp or "",
            hint=self._hint(annotations, f"Pod {namespace}/{meta.name}"),
        )
        return pod, membership

    def _hint(self, annotations: PodAnnotations, example: str) -> str:
        hint = annotations.hint or annotations.hint_old_alias or annotations.hint_alias or ""
        if len(hint) > MAX_HINT:
            message = f"an allocation hint is longer than {MAX_HINT} characters; the rest is not read"
            self._context.findings.add(Reason.TOO_LARGE, message, example)
        return hint[:MAX_HINT]

    def _spec(self, wire: WirePod, namespace: str, membership: Membership) -> tuple[PodSpec, bool]:
        """The shared spec, and whether the pod asks for resource claims."""
        given = wire.spec
        shape = request_shape(wire)
        claims = (
            bool(given.resource_claims) or membership.claims or _is_given(wire.status.extended_resource_claim_status)
        )
        volumes = self._context.volumes.facts(
            namespace, wire.metadata.name, given.node_name is not None, given.volumes or ()
        )
        ports = ports_key(given)
        key = (
            bytes(wire.metadata.labels), bytes(given.node_selector), bytes(given.affinity), bytes(given.tolerations),
            bytes(given.topology_spread_constraints), shape, volumes, ports, claims, membership.unmodelled,
            namespace if given.affinity else "",
        )  # fmt: skip
        spec = self._specs.get(key)
        if spec is not None:
            return spec, claims
        pairs, labels = self._labels(wire.metadata.labels)
        affinity = self._affinity(given.affinity)
        unmodelled = (
            *((_CLAIMS,) if claims else ()),
            *((membership.unmodelled,) if membership.unmodelled else ()),
            *((_UNRESOLVED,) if affinity.unresolved else ()),
            *volumes.unmodelled,
        )
        attracts, repels = self._pod_terms(affinity.pods, namespace, labels)
        spreads = self._spread(given.topology_spread_constraints)
        spec = PodSpec(
            requests=self._effective(shape),
            labels=pairs,
            node_selector=self._selector(given.node_selector),
            node_affinity=affinity.nodes,
            preferred_nodes=affinity.preferred,
            tolerations=self._tolerations(given.tolerations),
            affinity=attracts,
            anti_affinity=repels,
            spread=tuple(
                term
                for i, s in enumerate(spreads)
                if (term := spread_term(s, f"spec.topologySpreadConstraints[{i}]", labels)) is not None
            ),
            ports=host_ports(ports, bool(given.host_network)),
            volume_nodes=volumes.nodes,
            soft_preferences=affinity.prefers_pods or any(s.when_unsatisfiable == "ScheduleAnyway" for s in spreads),
            unmodelled=unmodelled,
        )
        spec = self._specs[key] = self._distinct.setdefault(spec, spec)
        return spec, claims

    def _effective(self, shape: RequestShape) -> tuple[tuple[str, int], ...]:
        found = self._requests.get(shape)
        if found is None:
            found = self._requests[shape] = effective_requests(shape)
        return found

    def _affinity_terms(self, given: WireAffinity, path: str) -> _Affinity:
        nodes = given.node_affinity
        terms = [
            *((given.pod_affinity and given.pod_affinity.required) or ()),
            *((given.pod_anti_affinity and given.pod_anti_affinity.required) or ()),
        ]
        return _Affinity(
            nodes=node_terms(nodes.required, f"{path}.nodeAffinity.required") if nodes else None,
            preferred=preferred_terms(nodes.preferred, f"{path}.nodeAffinity.preferred") if nodes else (),
            pods=given if terms else None,
            unresolved=not self._context.namespaces and any(needs_namespaces(t) for t in terms),
            prefers_pods=any(part and part.preferred for part in (given.pod_affinity, given.pod_anti_affinity)),
        )

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

    def _priority(self, given: WirePodSpec, example: str) -> tuple[int, PreemptionPolicy]:
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
                self._context.findings.add(Reason.BAD_FIELD, message, example)
        policy = given.preemption_policy or (named.preemption_policy if named else None) or "PreemptLowerPriority"
        if policy == "Never":
            return priority, "Never"
        if policy != "PreemptLowerPriority":
            raise FieldError("spec.preemptionPolicy", f"{policy!r} is neither PreemptLowerPriority nor Never")
        return priority, "PreemptLowerPriority"


def _pairs(given: dict[str, str], _: str) -> _Pairs:
    return tuple(sorted(given.items()))


def _labels(given: dict[str, str], path: str) -> tuple[_Pairs, Labels]:
    return _pairs(given, path), given


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


def _is_given(raw: Raw) -> bool:
    return bytes(raw) not in (b"", b"null", b"{}")

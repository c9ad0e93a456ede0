"""The parts of Kubernetes objects that scheduling looks at, as they stand in JSON.

Decoding is a single pass that skips every other field, so that a pod of 6 KB costs microseconds. Parts with an inner
structure that pods of one template share word for word (affinity, tolerations, resources, labels ...) stay undecoded
bytes here: the reader decodes each distinct one once. Every field may be absent or null, as in manifests.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, field

ABSENT = Raw(b"")


class Wire(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Unknown fields are skipped. gc=False: these values hold no cycles, and tens of thousands of them are alive."""


class TypeMeta(Wire, frozen=True):
    api_version: str | None = None
    kind: str | None = None


class ListDocument(TypeMeta, frozen=True):
    items: list[Raw] | None = None


class OwnerReference(Wire, frozen=True):
    kind: str = ""
    name: str = ""
    uid: str = ""
    api_version: str = ""
    controller: bool | None = None


class HintAnnotations(Wire, frozen=True):
    """Where a hint may stand, on a pod or on its owner; an object's other annotations (often kilobytes) are skipped."""

    hint: str | None = field(default=None, name="berth.dev/allocation-hint")
    hint_alias: str | None = field(default=None, name="allocation-hint")
    hint_old_alias: str | None = field(default=None, name="allocation_hint")

    @property
    def given_hint(self) -> str:
        return self.hint or self.hint_old_alias or self.hint_alias or ""


class ObjectMeta(Wire, frozen=True):
    name: str = ""
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: HintAnnotations | None = None
    owner_references: tuple[OwnerReference, ...] | None = None

    @property
    def controller(self) -> OwnerReference | None:
        return next((owner for owner in self.owner_references or () if owner.controller), None)


class Meta(Wire, frozen=True):
    """Any object: enough to know its name and its owner."""

    metadata: ObjectMeta = ObjectMeta()


class LeaseMeta(Wire, frozen=True):
    """As ObjectMeta, with annotations, which say what a holder has acknowledged."""

    name: str = ""
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class NameMeta(Wire, frozen=True):
    name: str = ""
    namespace: str | None = None


class Named(Wire, frozen=True):
    """The name alone: readable still where the rest of an object is not."""

    metadata: NameMeta = NameMeta()


# Nodes


class WireTaint(Wire, frozen=True):
    key: str = ""
    value: str | None = None
    effect: str = ""


class NodeSpec(Wire, frozen=True):
    taints: tuple[WireTaint, ...] | None = None
    unschedulable: bool | None = None


class NodeAnnotations(HintAnnotations, frozen=True):
    models: str | None = field(default=None, name="berth.dev/models")


class NodeMeta(ObjectMeta, frozen=True):
    annotations: NodeAnnotations | None = None


class Condition(Wire, frozen=True):
    type: str = ""
    status: str = ""
    reason: str | None = None


Amounts = dict[str, str | int | float]


class NodeStatus(Wire, frozen=True):
    allocatable: Amounts | None = None
    capacity: Amounts | None = None
    conditions: tuple[Condition, ...] | None = None


class WireNode(Meta, frozen=True):
    metadata: NodeMeta = NodeMeta()
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


# Selectors


class Expression(Wire, frozen=True):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class WireSelector(Wire, frozen=True):
    match_labels: dict[str, str] | None = None
    match_expressions: tuple[Expression, ...] | None = None


class WireNodeTerm(Wire, frozen=True):
    match_expressions: tuple[Expression, ...] | None = None
    match_fields: tuple[Expression, ...] | None = None


class WirePreferredNodeTerm(Wire, frozen=True):
    weight: int = 0
    preference: WireNodeTerm = WireNodeTerm()


class WireNodeSelector(Wire, frozen=True):
    node_selector_terms: tuple[WireNodeTerm, ...] | None = None


class WireNodeAffinity(Wire, frozen=True):
    required: WireNodeSelector | None = field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")
    preferred: tuple[WirePreferredNodeTerm, ...] | None = field(
        default=None, name="preferredDuringSchedulingIgnoredDuringExecution"
    )


# What pods refer to


class ClaimSpec(Wire, frozen=True):
    volume_name: str | None = None
    storage_class_name: str | None = None
    access_modes: tuple[str, ...] | None = None


class VolumeClaim(Meta, frozen=True):
    spec: ClaimSpec = ClaimSpec()


class VolumeAffinity(Wire, frozen=True):
    required: WireNodeSelector | None = None


class NodeFolder(Wire, frozen=True):
    path: str = ""


class VolumeSpec(Wire, frozen=True):
    node_affinity: VolumeAffinity | None = None
    host_path: NodeFolder | None = None
    local: NodeFolder | None = None


class PersistentVolume(Meta, frozen=True):
    spec: VolumeSpec = VolumeSpec()


class TopologyTerm(Wire, frozen=True):
    match_label_expressions: tuple[Expression, ...] | None = None


class StorageClass(Meta, frozen=True):
    volume_binding_mode: str | None = None
    allowed_topologies: tuple[TopologyTerm, ...] | None = None


class BudgetSpec(Wire, frozen=True):
    selector: WireSelector | None = None


class BudgetStatus(Wire, frozen=True):
    disruptions_allowed: int | None = None
    observed_generation: int | None = None


class WireBudget(Meta, frozen=True):
    spec: BudgetSpec = BudgetSpec()
    status: BudgetStatus | None = None


class WirePriorityClass(Meta, frozen=True):
    value: int = 0
    global_default: bool | None = None
    preemption_policy: str | None = None


class ExitCodes(Wire, frozen=True):
    operator: str = ""
    values: tuple[int, ...] | None = None


class FailureRule(Wire, frozen=True):
    action: str = ""
    on_exit_codes: ExitCodes | None = None
    on_pod_conditions: tuple[Condition, ...] | None = None


class FailurePolicy(Wire, frozen=True):
    rules: tuple[FailureRule, ...] | None = None


class JobSpec(Wire, frozen=True):
    pod_failure_policy: FailurePolicy | None = None


class Job(Meta, frozen=True):
    spec: JobSpec = JobSpec()


class GangPolicy(Wire, frozen=True):
    min_count: int = 0


class GroupPolicy(Wire, frozen=True):
    gang: GangPolicy | None = None


class PodGroupSpec(Wire, frozen=True):
    scheduling_policy: GroupPolicy | None = None
    scheduling_constraints: Raw = ABSENT
    resource_claims: tuple[Raw, ...] | None = None
    min_member: int | None = None
    """What the groups of other schedulers call it."""


class PodGroup(Meta, frozen=True):
    """scheduling.k8s.io from 1.36 on, and its namesakes of scheduler-plugins, Volcano and KAI."""

    spec: PodGroupSpec = PodGroupSpec()


class WorkloadGroup(Wire, frozen=True):
    name: str = ""
    policy: GroupPolicy | None = None


class WorkloadSpec(Wire, frozen=True):
    pod_groups: tuple[WorkloadGroup, ...] | None = None


class Workload(Meta, frozen=True):
    """scheduling.k8s.io/v1alpha1 (1.35), where the groups stand inside the Workload."""

    spec: WorkloadSpec = WorkloadSpec()

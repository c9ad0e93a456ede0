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


class ObjectMeta(Wire, frozen=True):
    name: str = ""
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    owner_references: tuple[OwnerReference, ...] | None = None

    @property
    def controller(self) -> OwnerReference | None:
        return next((owner for owner in self.owner_references or () if owner.controller), None)


class Meta(Wire, frozen=True):
    """Any object: enough to know its name and its owner."""

    metadata: ObjectMeta = ObjectMeta()


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
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


# Pods


class PodAnnotations(Wire, frozen=True):
    """Only those that mean something here; a pod's others (often kilobytes) are skipped."""

    hint: str | None = field(default=None, name="berth.dev/allocation-hint")
    hint_alias: str | None = field(default=None, name="allocation-hint")
    hint_old_alias: str | None = field(default=None, name="allocation_hint")
    do_not_move: str | None = field(default=None, name="berth.dev/do-not-move")
    move_cost: str | None = field(default=None, name="berth.dev/move-cost")
    gang: str | None = field(default=None, name="berth.dev/gang")
    gang_min: str | None = field(default=None, name="berth.dev/gang-min")
    safe_to_evict: str | None = field(default=None, name="cluster-autoscaler.kubernetes.io/safe-to-evict")
    do_not_disrupt: str | None = field(default=None, name="karpenter.sh/do-not-disrupt")
    deletion_cost: str | None = field(default=None, name="controller.kubernetes.io/pod-deletion-cost")
    mirror: str | None = field(default=None, name="kubernetes.io/config.mirror")
    group_size: str | None = field(default=None, name="leaderworkerset.sigs.k8s.io/size")


class PodMeta(Wire, frozen=True):
    """As ObjectMeta, with labels undecoded and annotations picked."""

    name: str = ""
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: Raw = ABSENT
    annotations: PodAnnotations | None = None
    owner_references: tuple[OwnerReference, ...] | None = None

    @property
    def controller(self) -> OwnerReference | None:
        return next((owner for owner in self.owner_references or () if owner.controller), None)


class Container(Wire, frozen=True):
    name: str = ""
    resources: Raw = ABSENT
    ports: Raw = ABSENT
    restart_policy: str | None = None


class ClaimVolume(Wire, frozen=True):
    claim_name: str = ""


class Volume(Wire, frozen=True):
    """Of the kinds of volume, those that can bind a pod to a place. Configuration and scratch space are skipped."""

    name: str = ""
    persistent_volume_claim: ClaimVolume | None = None
    ephemeral: Raw = ABSENT
    gce_persistent_disk: Raw = field(default=ABSENT, name="gcePersistentDisk")
    aws_elastic_block_store: Raw = ABSENT
    azure_disk: Raw = ABSENT
    cinder: Raw = ABSENT
    iscsi: Raw = ABSENT
    rbd: Raw = ABSENT


class SchedulingGroup(Wire, frozen=True):
    pod_group_name: str | None = None


class WorkloadRef(Wire, frozen=True):
    name: str = ""
    pod_group: str = ""
    pod_group_replica_key: str | None = None


class WirePodSpec(Wire, frozen=True):
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    overhead: Raw = ABSENT
    resources: Raw = ABSENT
    node_name: str | None = None
    node_selector: Raw = ABSENT
    affinity: Raw = ABSENT
    tolerations: Raw = ABSENT
    topology_spread_constraints: Raw = ABSENT
    scheduler_name: str | None = None
    priority: int | None = None
    priority_class_name: str | None = None
    preemption_policy: str | None = None
    restart_policy: str | None = None
    scheduling_gates: tuple[Raw, ...] | None = None
    volumes: tuple[Volume, ...] | None = None
    host_network: bool | None = None
    resource_claims: tuple[Raw, ...] | None = None
    scheduling_group: SchedulingGroup | None = None
    workload_ref: WorkloadRef | None = None


class ContainerStatus(Wire, frozen=True):
    name: str = ""
    resources: Raw = ABSENT
    allocated_resources: Raw = ABSENT


class WirePodStatus(Wire, frozen=True):
    phase: str | None = None
    nominated_node_name: str | None = None
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None
    extended_resource_claim_status: Raw = ABSENT


class WirePod(Wire, frozen=True):
    metadata: PodMeta = PodMeta()
    spec: WirePodSpec = WirePodSpec()
    status: WirePodStatus = WirePodStatus()


class ContainerPort(Wire, frozen=True):
    container_port: int = 0
    host_port: int | None = None
    protocol: str | None = None
    host_ip: str | None = field(default=None, name="hostIP")


class ResourceRequirements(Wire, frozen=True):
    requests: Amounts | None = None
    limits: Amounts | None = None


# Selectors and terms


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


class WirePodTerm(Wire, frozen=True):
    label_selector: WireSelector | None = None
    topology_key: str = ""
    namespaces: tuple[str, ...] | None = None
    namespace_selector: WireSelector | None = None
    match_label_keys: tuple[str, ...] | None = None
    mismatch_label_keys: tuple[str, ...] | None = None


class WirePodAffinity(Wire, frozen=True):
    required: tuple[WirePodTerm, ...] | None = field(
        default=None, name="requiredDuringSchedulingIgnoredDuringExecution"
    )


class WireAffinity(Wire, frozen=True):
    node_affinity: WireNodeAffinity | None = None
    pod_affinity: WirePodAffinity | None = None
    pod_anti_affinity: WirePodAffinity | None = None


class WireToleration(Wire, frozen=True):
    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class WireSpread(Wire, frozen=True):
    max_skew: int = 1
    topology_key: str = ""
    when_unsatisfiable: str = "DoNotSchedule"
    label_selector: WireSelector | None = None
    min_domains: int | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None
    match_label_keys: tuple[str, ...] | None = None


# Everything else


class ClaimSpec(Wire, frozen=True):
    volume_name: str | None = None
    storage_class_name: str | None = None
    access_modes: tuple[str, ...] | None = None


class VolumeClaim(Meta, frozen=True):
    spec: ClaimSpec = ClaimSpec()


class VolumeAffinity(Wire, frozen=True):
    required: WireNodeSelector | None = None


class VolumeSpec(Wire, frozen=True):
    node_affinity: VolumeAffinity | None = None


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


class PodGroup(Meta, frozen=True):
    """scheduling.k8s.io from 1.36 on."""

    spec: PodGroupSpec = PodGroupSpec()


class WorkloadGroup(Wire, frozen=True):
    name: str = ""
    policy: GroupPolicy | None = None


class WorkloadSpec(Wire, frozen=True):
    pod_groups: tuple[WorkloadGroup, ...] | None = None


class Workload(Meta, frozen=True):
    """scheduling.k8s.io/v1alpha1 (1.35), where the groups stand inside the Workload."""

    spec: WorkloadSpec = WorkloadSpec()

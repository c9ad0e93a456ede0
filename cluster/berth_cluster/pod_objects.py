"""A pod as it stands in JSON: the parts of it that scheduling looks at. See `objects` for how and why."""

from __future__ import annotations

from msgspec import Raw, field

from berth_cluster.objects import (
    ABSENT,
    Amounts,
    Condition,
    HintAnnotations,
    OwnerReference,
    Wire,
    WireNodeAffinity,
    WireSelector,
)


class PodAnnotations(HintAnnotations, frozen=True):
    """Only those that mean something here; a pod's others (often kilobytes) are skipped."""

    do_not_move: str | None = field(default=None, name="berth.dev/do-not-move")
    move_cost: str | None = field(default=None, name="berth.dev/move-cost")
    gang: str | None = field(default=None, name="berth.dev/gang")
    gang_min: str | None = field(default=None, name="berth.dev/gang-min")
    safe_to_evict: str | None = field(default=None, name="cluster-autoscaler.kubernetes.io/safe-to-evict")
    do_not_disrupt: str | None = field(default=None, name="karpenter.sh/do-not-disrupt")
    deletion_cost: str | None = field(default=None, name="controller.kubernetes.io/pod-deletion-cost")
    mirror: str | None = field(default=None, name="kubernetes.io/config.mirror")
    volcano_group: str | None = field(default=None, name="scheduling.k8s.io/group-name")
    kai_group: str | None = field(default=None, name="pod-group-name")
    group_size: str | None = field(default=None, name="leaderworkerset.sigs.k8s.io/size")
    why: str | None = field(default=None, name="berth.dev/why")
    moved_at: str | None = field(default=None, name="berth.dev/moved-at")
    relieved_by: str | None = field(default=None, name="berth.dev/relieved-by")


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


class PodCondition(Condition, frozen=True):
    message: str | None = None
    last_transition_time: str | None = None


class WirePodStatus(Wire, frozen=True):
    phase: str | None = None
    nominated_node_name: str | None = None
    conditions: tuple[PodCondition, ...] | None = None
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


# Terms


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
    preferred: tuple[Raw, ...] | None = field(default=None, name="preferredDuringSchedulingIgnoredDuringExecution")


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

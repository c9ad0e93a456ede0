"""An immutable picture of nodes, pods and workloads at one moment: what every decision is made on.

It keeps of each Kubernetes object what scheduling looks at, already in integers and names: amounts are whole numbers in
the unit of the resource (cpu in millicores, everything else in units, memory in bytes), effective requests are counted as
kube-scheduler counts them. Selectors and terms stay in Kubernetes' own shape, small and hashable, so that pods from one
template share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

import msgspec

from berth_api.node_models import Models
from berth_api.reasons import Reason

Resources = Mapping[str, int]
"""Resource name to amount: cpu in millicores, memory and ephemeral-storage in bytes, others counted; `pods` counts pods."""

Labels = Mapping[str, str]

EMPTY: Mapping[str, str] = MappingProxyType({})


class Operator(StrEnum):
    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    GT = "Gt"
    LT = "Lt"


class Requirement(msgspec.Struct, frozen=True):
    """key op values. `field`: matched against metadata.name (matchFields) instead of labels."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()
    field: bool = False


class NodeTerm(msgspec.Struct, frozen=True):
    """All requirements hold (AND). A term without requirements matches no node."""

    requirements: tuple[Requirement, ...]


class PreferredNodeTerm(msgspec.Struct, frozen=True):
    weight: int
    term: NodeTerm


class Toleration(msgspec.Struct, frozen=True):
    """operator Exists, Equal, Lt or Gt; an empty key with Exists tolerates everything; an empty effect every effect."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""


class Taint(msgspec.Struct, frozen=True):
    key: str
    value: str
    effect: str


class LabelSelector(msgspec.Struct, frozen=True):
    """matchLabels folded into requirements. No requirements matches everything."""

    requirements: tuple[Requirement, ...] = ()


class PodTerm(msgspec.Struct, frozen=True):
    """A required pod (anti-)affinity term, its namespaces resolved. selector None matches no pod."""

    selector: LabelSelector | None
    topology_key: str
    namespaces: frozenset[str] | None
    """None: all namespaces."""


class SpreadTerm(msgspec.Struct, frozen=True):
    """A topologySpreadConstraint with whenUnsatisfiable DoNotSchedule, matchLabelKeys already folded into the selector."""

    max_skew: int
    topology_key: str
    selector: LabelSelector | None
    min_domains: int = 1
    honor_node_affinity: bool = True
    honor_taints: bool = False


class HostPort(msgspec.Struct, frozen=True):
    port: int
    protocol: str = "TCP"
    ip: str = "0.0.0.0"  # noqa: S104 (the wildcard that Kubernetes means, not an address that we bind)


class WorkloadKey(msgspec.Struct, frozen=True, order=True, gc=False):
    """The top owner: kind Pod for a bare pod."""

    namespace: str
    kind: str
    name: str
    uid: str = ""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.kind}/{self.name}"


class PodSpec(msgspec.Struct, frozen=True, weakref=True):
    """What pods of one template have in common; pods with equal specs share one object, so identity is a fast test."""

    requests: tuple[tuple[str, int], ...]
    """Effective requests, sorted by name, `pods` included (1)."""
    labels: tuple[tuple[str, str], ...] = ()
    node_selector: tuple[tuple[str, str], ...] = ()
    node_affinity: tuple[NodeTerm, ...] | None = None
    """Required terms (OR); None when there are none."""
    preferred_nodes: tuple[PreferredNodeTerm, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    affinity: tuple[PodTerm, ...] = ()
    anti_affinity: tuple[PodTerm, ...] = ()
    spread: tuple[SpreadTerm, ...] = ()
    ports: tuple[HostPort, ...] = ()
    volume_nodes: tuple[tuple[NodeTerm, ...], ...] = ()
    """Node affinity of each bound volume; all of them must match."""
    soft_preferences: bool = False
    """It has preferences that only kube-scheduler weighs: preferred pod (anti-)affinity, or ScheduleAnyway spread."""
    unmodelled: tuple[str, ...] = ()
    """What the pod asks for that Berth does not model, one sentence each; such a pod is immovable, and never planned."""


class Gang(msgspec.Struct, frozen=True):
    """Pods that are useless apart: fewer than `minimum` of them and none should run."""

    key: str
    minimum: int


class Pod(msgspec.Struct, frozen=True, gc=False):
    namespace: str
    name: str
    uid: str
    spec: PodSpec
    priority: int
    workload: WorkloadKey
    phase: Literal["Pending", "Running", "Unknown"]
    node: str | None = None
    """Name of the node it is bound to."""
    scheduler: str = "default-scheduler"
    priority_class: str = ""
    preemption_policy: Literal["PreemptLowerPriority", "Never"] = "PreemptLowerPriority"
    gated: bool = False
    nominated_node: str | None = None
    terminating: bool = False
    immovable: tuple[Reason, ...] = ()
    """Why it must not be moved; empty means that a controller recreates it and nothing forbids it."""
    move_cost: int = 1
    gang: Gang | None = None
    created: str = ""
    """RFC 3339, as in the dump."""
    hint: str = ""
    unschedulable: bool = False
    """Its scheduler has tried and found no node (PodScheduled=False, reason Unschedulable)."""
    unschedulable_message: str = ""
    unschedulable_since: str = ""
    """RFC 3339, by the scheduler's clock."""
    why: str = ""
    """The annotation berth.dev/why as it stands."""
    moved_at: str = ""
    """The annotation berth.dev/moved-at: when it arrived as the replacement of an evicted pod; RFC 3339."""
    relieved_by: str = ""
    """The annotation berth.dev/relieved-by: uid of the plan for which it leaves once its replacement answers."""
    deletion_cost: str = ""
    """The annotation controller.kubernetes.io/pod-deletion-cost as it stands."""
    resource_version: str = ""

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def is_movable(self) -> bool:
        return not self.immovable

    @property
    def is_pending(self) -> bool:
        """Waits for a node: not bound, not gated, not going away."""
        return self.node is None and not self.gated and not self.terminating


class Node(msgspec.Struct, frozen=True, gc=False):
    name: str
    allocatable: tuple[tuple[str, int], ...]
    """Sorted by resource, `pods` included."""
    labels: Labels = EMPTY
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    ready: bool = True
    models: Models = ()
    """That lie there, with their bytes."""

    @property
    def amounts(self) -> dict[str, int]:
        return dict(self.allocatable)


class DisruptionBudget(msgspec.Struct, frozen=True):
    """A PodDisruptionBudget: the pods it selects, and how many more may be disrupted now."""

    namespace: str
    name: str
    selector: LabelSelector | None
    disruptions_allowed: int


class InputWarning(msgspec.Struct, frozen=True):
    """Something odd in the input that was handled: code, sentence, how often, and an example object."""

    reason: Reason
    message: str
    count: int = 1
    example: str = ""


class Snapshot(msgspec.Struct, frozen=True):
    """Nodes in name order, pods in (namespace, name) order. Finished pods (Succeeded, Failed) are not in it."""

    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    budgets: tuple[DisruptionBudget, ...] = ()
    namespaces: Mapping[str, Labels] = MappingProxyType({})
    priority_classes: Mapping[str, int] = MappingProxyType({})
    warnings: tuple[InputWarning, ...] = ()
    taken: str = ""
    """When, RFC 3339, if known."""

"""Where the objects of a live cluster go, a store for each kind; pods have `pod_index` to themselves.

Each store keeps what matters of its objects, and tells the pods that refer to them when that has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from berth_cluster.budgets import BudgetIndex, read_budget
from berth_cluster.custom_objects import WireCustom
from berth_cluster.findings import Findings
from berth_cluster.gangs import Groups
from berth_cluster.leases import Lease, WireLease, read_lease
from berth_cluster.nodes import read_node
from berth_cluster.objects import (
    Meta,
    PersistentVolume,
    PodGroup,
    StorageClass,
    VolumeClaim,
    WireBudget,
    WireNode,
    WirePriorityClass,
)
from berth_cluster.ordered import Ordered
from berth_cluster.owner_index import OwnerIndex
from berth_cluster.pod_index import PodIndex
from berth_cluster.reflector import Place
from berth_cluster.snapshot import DisruptionBudget, Labels, Node
from berth_cluster.volumes import Volumes

_POLICY_VERSION = "v1"
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"


class NodeStore:
    def __init__(self, nodes: dict[str, Node], findings: Findings) -> None:
        self.ordered: Ordered[str, Node] = Ordered()
        self.pods: PodIndex | None = None
        self.changed: Callable[[Node | None, Node | None], None] = lambda _old, _new: None
        self._nodes = nodes
        self._findings = findings

    def put(self, wire: WireNode) -> None:
        node = read_node(wire, self._findings)
        old = self._nodes.get(node.name)
        if old == node:
            return  # a heartbeat
        self._nodes[node.name] = node
        self.ordered.put(node.name, node)
        if old is None and self.pods is not None:
            self.pods.node_changed(node.name)
        self.changed(old, node)

    def remove(self, place: Place) -> None:
        old = self._nodes.pop(place[1], None)
        if old is None:
            return
        self.ordered.remove(old.name)
        if self.pods is not None:
            self.pods.node_changed(old.name)
        self.changed(old, None)

    def places(self) -> Sequence[Place]:
        return [("", name) for name in self._nodes]


class OwnerStore:
    """Of one kind: ReplicaSets, Jobs ..."""

    def __init__(self, kind: str, owners: OwnerIndex, pods: PodIndex) -> None:
        self._kind = kind
        self._owners = owners
        self._pods = pods

    def put(self, wire: Meta) -> None:
        self._pods.refresh(self._owners.put(self._kind, wire))

    def remove(self, place: Place) -> None:
        self._owners.remove((place[0], self._kind, place[1]))

    def places(self) -> Sequence[Place]:
        return self._owners.places(self._kind)


class NamespaceStore:
    def __init__(self, namespaces: dict[str, Labels], pods: PodIndex) -> None:
        self.is_changed = True
        """Since whoever takes snapshots last set it to False."""
        self._namespaces = namespaces
        self._pods = pods

    def put(self, wire: Meta) -> None:
        name = wire.metadata.name
        labels = {_NAMESPACE_LABEL: name, **(wire.metadata.labels or {})}
        if self._namespaces.get(name) != labels:
            self._namespaces[name] = labels
            self._tell()

    def remove(self, place: Place) -> None:
        if self._namespaces.pop(place[1], None) is not None:
            self._tell()

    def places(self) -> Sequence[Place]:
        return [("", name) for name in self._namespaces]

    def _tell(self) -> None:
        self.is_changed = True
        self._pods.namespaces_changed()


class ClassStore:
    """PriorityClasses. Pods carry their priority themselves: admission has filled it in."""

    def __init__(self, classes: dict[str, WirePriorityClass]) -> None:
        self.is_changed = True
        self._classes = classes

    def put(self, wire: WirePriorityClass) -> None:
        self._classes[wire.metadata.name] = wire
        self.is_changed = True

    def remove(self, place: Place) -> None:
        self.is_changed = self._classes.pop(place[1], None) is not None or self.is_changed

    def places(self) -> Sequence[Place]:
        return [("", name) for name in self._classes]


class BudgetStore:
    def __init__(self, index: BudgetIndex, findings: Findings, pods: PodIndex) -> None:
        self.ordered: Ordered[Place, DisruptionBudget] = Ordered()
        self._index = index
        self._budgets: dict[Place, DisruptionBudget] = {}
        self._findings = findings
        self._pods = pods

    def put(self, wire: WireBudget) -> None:
        namespace = wire.metadata.namespace or ""
        place = (namespace, wire.metadata.name)
        budget = read_budget(wire, _POLICY_VERSION, namespace, self._findings)
        old = self._budgets.get(place)
        if old == budget:
            return
        self._budgets[place] = budget
        self.ordered.put(place, budget)
        if old is None:
            self._index.put(budget)
            self._pods.budget_changed(namespace, [budget.selector])
        elif old.selector != budget.selector:
            self._index.remove(old)
            self._index.put(budget)
            self._pods.budget_changed(namespace, [old.selector, budget.selector])

    def remove(self, place: Place) -> None:
        budget = self._budgets.pop(place, None)
        if budget is not None:
            self.ordered.remove(place)
            self._index.remove(budget)
            self._pods.budget_changed(place[0], [budget.selector])

    def places(self) -> Sequence[Place]:
        return tuple(self._budgets)


class ClaimStore:
    def __init__(self, volumes: Volumes, pods: PodIndex) -> None:
        self._volumes = volumes
        self._pods = pods

    def put(self, wire: VolumeClaim) -> None:
        if self._volumes.add_claim(wire):
            self._pods.refresh(self._pods.users_of((wire.metadata.namespace or "", wire.metadata.name)))

    def remove(self, place: Place) -> None:
        if self._volumes.remove_claim(place):
            self._pods.refresh(self._pods.users_of(place))

    def places(self) -> Sequence[Place]:
        return tuple(self._volumes.claims)


class VolumeStore:
    def __init__(self, volumes: Volumes, pods: PodIndex) -> None:
        self._volumes = volumes
        self._pods = pods

    def put(self, wire: PersistentVolume) -> None:
        if self._volumes.add_volume(wire):
            self._tell(wire.metadata.name)

    def remove(self, place: Place) -> None:
        if self._volumes.remove_volume(place[1]):
            self._tell(place[1])

    def places(self) -> Sequence[Place]:
        return [("", name) for name in self._volumes.volumes]

    def _tell(self, volume: str) -> None:
        for place in self._volumes.claims_of(volume):
            self._pods.refresh(self._pods.users_of(place))


class StorageClassStore:
    def __init__(self, volumes: Volumes, pods: PodIndex) -> None:
        self._volumes = volumes
        self._pods = pods

    def put(self, wire: StorageClass) -> None:
        if self._volumes.add_class(wire):
            self._pods.refresh(self._pods.users_of_claims())

    def remove(self, place: Place) -> None:
        if self._volumes.remove_class(place[1]):
            self._pods.refresh(self._pods.users_of_claims())

    def places(self) -> Sequence[Place]:
        return [("", name) for name in self._volumes.classes]


class GroupStore:
    """PodGroups of one API group; `foreign`: of another scheduler's."""

    def __init__(self, groups: Groups, foreign: bool, pods: PodIndex) -> None:
        self._groups = groups
        self._foreign = foreign
        self._pods = pods
        self._places: dict[Place, None] = {}

    def put(self, wire: PodGroup) -> None:
        place = (wire.metadata.namespace or "", wire.metadata.name)
        self._places[place] = None
        if self._foreign:
            self._groups.add_foreign_group(wire)
        else:
            self._groups.add_group(wire)
        self._pods.refresh(self._pods.grouped(place[0]))

    def remove(self, place: Place) -> None:
        if place in self._places:
            del self._places[place]
            self._groups.remove(place, self._foreign)
            self._pods.refresh(self._pods.grouped(place[0]))

    def places(self) -> Sequence[Place]:
        return tuple(self._places)


class LeaseStore:
    """Of one namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self.leases: dict[str, Lease] = {}
        self.changed: Callable[[Lease | None, Lease | None], None] = lambda _old, _new: None

    def put(self, wire: WireLease) -> None:
        lease = read_lease(wire)
        old = self.leases.get(lease.name)
        self.leases[lease.name] = lease
        if old != lease:
            self.changed(old, lease)

    def remove(self, place: Place) -> None:
        old = self.leases.pop(place[1], None)
        if old is not None:
            self.changed(old, None)

    def places(self) -> Sequence[Place]:
        return [(self._namespace, name) for name in self.leases]


Custom = TypeVar("Custom")


class CustomStore(Generic[Custom]):
    """Plans or policies, by name."""

    def __init__(self, read: Callable[[WireCustom, Custom | None], Custom]) -> None:
        self.objects: dict[str, Custom] = {}
        self.changed: Callable[[Custom | None, Custom | None], None] = lambda _old, _new: None
        self._read = read

    def put(self, wire: WireCustom) -> None:
        name = wire.metadata.name
        old = self.objects.get(name)
        new = self._read(wire, old)
        self.objects[name] = new
        if old != new:
            self.changed(old, new)

    def remove(self, place: Place) -> None:
        old = self.objects.pop(place[1], None)
        if old is not None:
            self.changed(old, None)

    def places(self) -> Sequence[Place]:
        return [("", name) for name in self.objects]

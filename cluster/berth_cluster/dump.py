"""`kubectl get ... -o json` to a snapshot: the way in for every cluster that Berth only hears about.

    snapshot = read_dumps([Path("dump.json")])

Files are read once and in any order: first everything that others refer to (owners, volumes, classes, groups) is
decoded, pods are kept as slices of the file and decoded last. Peak memory is about the files themselves plus the
snapshot. What is odd but harmless becomes a warning of the snapshot, what would make the answer wrong a `DumpError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec
from msgspec import Raw

from berth_api.reasons import Reason
from berth_cluster.budgets import Coverage, read_budget
from berth_cluster.decoding import MALFORMED, field_error
from berth_cluster.documents import Item, items_of
from berth_cluster.errors import DumpError, FieldError
from berth_cluster.findings import Findings
from berth_cluster.gangs import FOREIGN_GROUPS, Groups, Membership, minimums
from berth_cluster.nodes import read_node
from berth_cluster.objects import (
    Job,
    Meta,
    Named,
    PersistentVolume,
    PodGroup,
    StorageClass,
    VolumeClaim,
    WireBudget,
    WireNode,
    WirePriorityClass,
    Workload,
)
from berth_cluster.owners import Owners
from berth_cluster.pod_objects import WirePod
from berth_cluster.pods import DEFAULT_NAMESPACE, Context, PodReader
from berth_cluster.snapshot import DisruptionBudget, Labels, Node, Pod, Snapshot
from berth_cluster.volumes import Volumes

MAX_NODES = 20_000
MAX_PODS = 300_000
"""Twice what Kubernetes itself promises to hold (5,000 nodes, 150,000 pods)."""

_OWNER_KINDS = frozenset(
    ("ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "CronJob", "LeaderWorkerSet", "ReplicationController")
)
_OURS = "berth.dev"
_NAMESPACE_LABEL = "kubernetes.io/metadata.name"

T = TypeVar("T", bound=Meta | WirePod)


def read_dumps(sources: Sequence[Path | BinaryIO]) -> Snapshot:
    """The snapshot that the files describe together, whatever their order. Raises DumpError."""
    reader = _DumpReader()
    for item in items_of(sources):
        reader.take(item)
    return reader.snapshot()


class _DumpReader:
    def __init__(self) -> None:
        self._findings = Findings()
        self._owners = Owners()
        self._volumes = Volumes()
        self._groups = Groups()
        self._namespaces: dict[str, Labels] = {}
        self._classes: dict[str, WirePriorityClass] = {}
        self._nodes: dict[str, Node] = {}
        self._budgets: dict[tuple[str, str], DisruptionBudget] = {}
        self._pods: list[Item] = []
        self._seen: dict[tuple[str, str, str, str], tuple[Item, str, int]] = {}

    def take(self, item: Item) -> None:
        """Decodes one object, pods excepted."""
        match item.group, item.kind:
            case "", "Pod":
                if len(self._pods) == MAX_PODS:
                    raise DumpError(
                        Reason.TOO_LARGE, item.file, "", "", f"more than {MAX_PODS} pods; plan namespaces apart"
                    )
                self._pods.append(item)
            case "", "Node":
                if node := self._decode(item, WireNode):
                    self._node(item, node)
            case "", "Namespace":
                if namespace := self._decode(item, Meta):
                    name = namespace.metadata.name
                    self._namespaces[name] = {_NAMESPACE_LABEL: name, **(namespace.metadata.labels or {})}
            case "", "PersistentVolumeClaim":
                if claim := self._decode(item, VolumeClaim):
                    self._volumes.add_claim(claim)
            case "", "PersistentVolume":
                if volume := self._decode(item, PersistentVolume):
                    self._volumes.add_volume(volume)
            case "storage.k8s.io", "StorageClass":
                if storage_class := self._decode(item, StorageClass):
                    self._volumes.add_class(storage_class)
            case "policy", "PodDisruptionBudget":
                if budget := self._decode(item, WireBudget):
                    self._budget(item, budget)
            case "scheduling.k8s.io", "PriorityClass":
                if priority_class := self._decode(item, WirePriorityClass):
                    self._classes[priority_class.metadata.name] = priority_class
            case "scheduling.k8s.io", "PodGroup":
                if group := self._decode(item, PodGroup):
                    self._groups.add_group(group)
            case group_of, "PodGroup" if group_of in FOREIGN_GROUPS:
                if group := self._decode(item, PodGroup):
                    self._groups.add_foreign_group(group)
            case "scheduling.k8s.io", "Workload":
                if workload := self._decode(item, Workload):
                    self._groups.add_workload(workload)
            case "batch", "Job":
                if job := self._decode(item, Job):
                    self._owners.add(item.kind, job)
            case _, kind:
                # any object may stand between a pod and its top owner
                if kind not in _OWNER_KINDS and item.group != _OURS:
                    self._findings.add(Reason.WRONG_KIND, f"objects of kind {kind} are not looked at")
                if owner := self._decode(item, Meta):
                    self._owners.add(kind, owner)

    def snapshot(self) -> Snapshot:
        if not self._nodes:
            self._findings.add(Reason.EMPTY_CLUSTER, "the input has no nodes; add nodes to it")
        return Snapshot(
            nodes=tuple(self._nodes[name] for name in sorted(self._nodes)),
            pods=self._read_pods(),
            budgets=tuple(self._budgets[key] for key in sorted(self._budgets)),
            namespaces=dict(sorted(self._namespaces.items())),
            priority_classes={name: c.value for name, c in sorted(self._classes.items())},
            warnings=self._findings.warnings(),
        )

    def _node(self, item: Item, wire: WireNode) -> None:
        try:
            self._nodes[wire.metadata.name] = read_node(wire, self._findings)
        except FieldError as error:
            raise _located(item, error) from error
        if len(self._nodes) > MAX_NODES:
            raise DumpError(Reason.TOO_LARGE, item.file, "", "", f"more than {MAX_NODES} nodes; plan node pools apart")

    def _budget(self, item: Item, wire: WireBudget) -> None:
        namespace = wire.metadata.namespace or DEFAULT_NAMESPACE
        try:
            budget = read_budget(wire, item.version, namespace, self._findings)
        except FieldError as error:
            raise _located(item, error) from error
        self._budgets[namespace, budget.name] = budget

    def _read_pods(self) -> tuple[Pod, ...]:
        context = Context(self._owners, self._volumes, self._groups, self._namespaces, self._classes, self._findings)
        reader = PodReader(context)
        pods: dict[tuple[str, str], tuple[Pod, Membership] | None] = {}
        for item in self._pods:
            if wire := self._decode(item, WirePod):
                try:
                    pods[wire.metadata.namespace or DEFAULT_NAMESPACE, wire.metadata.name] = reader.read(wire)
                except FieldError as error:
                    raise _located(item, error) from error
        gangs = minimums(found[1] for found in pods.values() if found is not None)
        coverage = Coverage(self._budgets.values())
        kept = []
        for key in sorted(pods):
            found = pods[key]
            if found is None:
                continue
            pod, membership = found
            if pod.node is not None and pod.node not in self._nodes:
                self._findings.add(
                    Reason.UNKNOWN_NODE, "a pod is bound to a node that is not in the input; it is left out", pod.key
                )
                continue
            if gang := gangs.get(membership.key):
                pod = msgspec.structs.replace(pod, gang=gang)
            if coverage.count(pod) > 1:
                pod = msgspec.structs.replace(pod, immovable=(*pod.immovable, Reason.MANY_BUDGETS))
            kept.append(pod)
        return tuple(kept)

    def _decode(self, item: Item, wire: type[T]) -> T | None:
        """The object; None when an equal or newer copy of it has been read already."""
        try:
            decoded: T = _decoder(wire)(item.raw)
        except MALFORMED as error:
            raise _located(item, field_error(error)) from error
        meta = decoded.metadata
        if not meta.name:
            if wire is Meta and item.kind not in _OWNER_KINDS:
                return None  # a kubeconfig, a Status: nothing that could own a pod
            raise _located(item, FieldError("metadata.name", "is missing"))
        stated = meta.resource_version or ""
        version = int(stated) if stated.isdecimal() else 0
        key = (item.group, item.kind, meta.namespace or "", meta.name)
        before = self._seen.get(key)
        if before is not None:
            earlier, uid, earlier_version = before
            if not (uid and uid == meta.uid) and bytes(earlier.raw) != bytes(item.raw):
                files = earlier.file if earlier.file == item.file else f"{earlier.file} and {item.file}"
                raise _located(
                    item, FieldError("metadata.name", f"stands for two objects (in {files})", Reason.DUPLICATE_NAME)
                )
            self._findings.add(
                Reason.DUPLICATE_NAME, "an object is in the input more than once; its newest copy counts", _name(item)
            )
            if version <= earlier_version:
                return None
        self._seen[key] = (item, meta.uid or "", version)
        return decoded


_decode_name = msgspec.json.Decoder(Named).decode
_decoders: dict[type[msgspec.Struct], msgspec.json.Decoder[Any]] = {}


def _decoder(wire: type[T]) -> Callable[[Raw], T]:
    if wire not in _decoders:
        _decoders[wire] = msgspec.json.Decoder(wire)
    decode: Callable[[Raw], T] = _decoders[wire].decode
    return decode


def _located(item: Item, error: FieldError) -> DumpError:
    return DumpError(error.reason, item.file, _name(item), error.field, error.message)


def _name(item: Item) -> str:
    """Kind and name, as far as the object can be read at all."""
    try:
        meta = _decode_name(item.raw).metadata
    except MALFORMED:
        return item.kind
    return f"{item.kind} {meta.namespace}/{meta.name}" if meta.namespace else f"{item.kind} {meta.name}".strip()

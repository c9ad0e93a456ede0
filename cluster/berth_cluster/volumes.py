"""What a pod's volumes say about nodes: bound ones live somewhere, unbound ones may be waiting for something else.

A bound claim pins the pod to its volume's node affinity and zone labels (VolumeBinding, VolumeZone). A claim that waits
for its first consumer leaves the node open, within its class's allowed topologies. All else that is not bound keeps
kube-scheduler from placing the pod, and nothing here can change that: it is unmodelled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec import Raw

from berth_cluster.objects import ABSENT, PersistentVolume, StorageClass, VolumeClaim
from berth_cluster.pod_objects import Volume
from berth_cluster.snapshot import NodeTerm, Operator, Requirement
from berth_cluster.terms import node_terms, requirement

_ZONE_LABELS = (
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
)
_ZONE_SEPARATOR = "__"
_ONE_POD = "ReadWriteOncePod"
_ABSENT = (b"", b"null")


class VolumeUse(msgspec.Struct, frozen=True):
    """A volume of a pod that may bind it to a place: one of the three."""

    claim: str = ""
    made_for: str = ""
    """Name of the volume whose claim is made for the pod alone."""
    disk: bool = False


class VolumeFacts(msgspec.Struct, frozen=True):
    """Node terms, one tuple a volume (any of its terms, all of the tuples), and what is not modelled."""

    nodes: tuple[tuple[NodeTerm, ...], ...] = ()
    unmodelled: tuple[str, ...] = ()


NO_VOLUMES = VolumeFacts()


class Volumes:
    """Claims, volumes and storage classes. `ignored`: nobody looks at them, and pods' volumes say nothing then."""

    def __init__(self, ignored: bool = False) -> None:
        self._ignored = ignored
        self._claims: dict[tuple[str, str], VolumeClaim] = {}
        self._volumes: dict[str, PersistentVolume] = {}
        self._classes: dict[str, StorageClass] = {}
        self._bound: dict[str, set[tuple[str, str]]] = {}
        """Claims by the name of the volume that they are bound to."""

    def add_claim(self, claim: VolumeClaim) -> bool:
        """Each `add` says whether anything that pods see of it is new."""
        place = (claim.metadata.namespace or "default", claim.metadata.name)
        before = self._claims.get(place)
        self._claims[place] = claim
        if before is not None and before.spec.volume_name != claim.spec.volume_name:
            self._unbind(place, before)
        if claim.spec.volume_name:
            self._bound.setdefault(claim.spec.volume_name, set()).add(place)
        return before is None or before.spec != claim.spec

    def add_volume(self, volume: PersistentVolume) -> bool:
        before = self._volumes.get(volume.metadata.name)
        self._volumes[volume.metadata.name] = volume
        return before is None or (before.spec, before.metadata.labels) != (volume.spec, volume.metadata.labels)

    def add_class(self, storage_class: StorageClass) -> bool:
        before = self._classes.get(storage_class.metadata.name)
        self._classes[storage_class.metadata.name] = storage_class
        return before is None or (before.volume_binding_mode, before.allowed_topologies) != (
            storage_class.volume_binding_mode,
            storage_class.allowed_topologies,
        )

    def remove_claim(self, place: tuple[str, str]) -> bool:
        """Each `remove` says whether it was known."""
        claim = self._claims.pop(place, None)
        if claim is not None:
            self._unbind(place, claim)
        return claim is not None

    def remove_volume(self, name: str) -> bool:
        return self._volumes.pop(name, None) is not None

    def remove_class(self, name: str) -> bool:
        return self._classes.pop(name, None) is not None

    def claims_of(self, volume: str) -> tuple[tuple[str, str], ...]:
        return tuple(self._bound.get(volume, ()))

    def lies_on_node(self, namespace: str, claim: str) -> bool:
        """The claim is bound to a folder of the node itself (hostPath, local): what is in it is there and nowhere else."""
        found = self._claims.get((namespace, claim))
        volume = None if found is None else self._volumes.get(found.spec.volume_name or "")
        return volume is not None and (volume.spec.host_path is not None or volume.spec.local is not None)

    def _unbind(self, place: tuple[str, str], claim: VolumeClaim) -> None:
        claims = self._bound.get(claim.spec.volume_name or "")
        if claims is not None:
            claims.discard(place)
            if not claims:
                del self._bound[claim.spec.volume_name or ""]

    @property
    def claims(self) -> Mapping[tuple[str, str], VolumeClaim]:
        return self._claims

    @property
    def volumes(self) -> Mapping[str, PersistentVolume]:
        return self._volumes

    @property
    def classes(self) -> Mapping[str, StorageClass]:
        return self._classes

    def facts(self, namespace: str, pod: str, bound: bool, volumes: Sequence[VolumeUse]) -> VolumeFacts:
        """bound: the pod stands on a node, so claims made for it alone would be made anew for its replacement."""
        if not volumes or self._ignored:
            return NO_VOLUMES
        nodes: list[tuple[NodeTerm, ...]] = []
        unmodelled: list[str] = []
        for volume in volumes:
            if volume.claim:
                self._claim(namespace, volume.claim, nodes, unmodelled)
            elif volume.made_for:
                made = claim_made(pod, volume.made_for)
                if (namespace, made) in self._claims and not bound:
                    self._claim(namespace, made, nodes, unmodelled)
            else:
                unmodelled.append("mounts a cloud disk directly, without a claim, which may be attached elsewhere")
        if not (nodes or unmodelled):
            return NO_VOLUMES
        return VolumeFacts(tuple(dict.fromkeys(nodes)), tuple(dict.fromkeys(unmodelled)))

    def _claim(self, namespace: str, name: str, nodes: list[tuple[NodeTerm, ...]], unmodelled: list[str]) -> None:
        claim = self._claims.get((namespace, name))
        if claim is None:
            unmodelled.append(
                "mounts a PersistentVolumeClaim that is not in the input; add persistentvolumeclaims to it"
            )
            return
        if _ONE_POD in (claim.spec.access_modes or ()):
            unmodelled.append("mounts a ReadWriteOncePod volume, which one pod at a time may use")
        if claim.spec.volume_name:
            volume = self._volumes.get(claim.spec.volume_name)
            if volume is None:
                unmodelled.append("mounts a PersistentVolume that is not in the input; add persistentvolumes to it")
            else:
                nodes.extend(_volume_terms(volume))
            return
        storage_class = self._classes.get(claim.spec.storage_class_name or "")
        if storage_class is None:
            unmodelled.append("mounts an unbound claim of a StorageClass not in the input; add storageclasses to it")
        elif storage_class.volume_binding_mode != "WaitForFirstConsumer":
            unmodelled.append("mounts a claim that must be bound before the pod can be placed")
        elif storage_class.allowed_topologies:
            nodes.append(_allowed(storage_class))


def claim_made(pod: str, volume: str) -> str:
    """Name of the claim that is made for an ephemeral volume."""
    return f"{pod}-{volume}"


def volume_uses(volumes: Iterable[Volume]) -> tuple[VolumeUse, ...]:
    """Those that matter; the others are configuration and scratch space."""
    found = []
    for volume in volumes:
        if volume.persistent_volume_claim is not None:
            found.append(VolumeUse(claim=volume.persistent_volume_claim.claim_name or "?"))
        elif not _is_absent(volume.ephemeral):
            found.append(VolumeUse(made_for=volume.name or "?"))
        elif _is_in_tree(volume):
            found.append(VolumeUse(disk=True))
    return tuple(found)


def _volume_terms(volume: PersistentVolume) -> Iterable[tuple[NodeTerm, ...]]:
    affinity = volume.spec.node_affinity
    terms = node_terms(affinity.required if affinity else None, "spec.nodeAffinity.required")
    if terms is not None:
        yield terms
    labels = volume.metadata.labels or {}
    zones = tuple(
        Requirement(key, Operator.IN, tuple(sorted(labels[key].split(_ZONE_SEPARATOR))))
        for key in _ZONE_LABELS
        if key in labels
    )
    if zones:
        yield (NodeTerm(zones),)


def _allowed(storage_class: StorageClass) -> tuple[NodeTerm, ...]:
    return tuple(
        NodeTerm(
            tuple(
                requirement(msgspec.structs.replace(e, operator="In"), f"allowedTopologies[{i}]")
                for e in term.match_label_expressions or ()
            )
        )
        for i, term in enumerate(storage_class.allowed_topologies or ())
    )


def _is_in_tree(volume: Volume) -> bool:
    return not (
        _is_absent(volume.gce_persistent_disk)
        and _is_absent(volume.aws_elastic_block_store)
        and _is_absent(volume.azure_disk)
        and _is_absent(volume.cinder)
        and _is_absent(volume.iscsi)
        and _is_absent(volume.rbd)
    )


def _is_absent(raw: Raw) -> bool:
    return raw is ABSENT or bytes(raw) in _ABSENT

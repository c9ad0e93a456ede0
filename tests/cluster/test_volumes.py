"""Volumes: what is bound pins the pod, what waits for the pod leaves it free, all else is said."""

from __future__ import annotations

from typing import Any

import pytest

from berth_cluster.snapshot import NodeTerm, Operator, Requirement

from .builders import PodThing, Thing, pod, read_pod

ZONE = "topology.kubernetes.io/zone"


def claim(name: str, volume: str | None = None, **spec: Any) -> Thing:
    return Thing("v1", "PersistentVolumeClaim", name, "default", spec={"volumeName": volume, **spec})


def volume(name: str, zone: str | None = None, labels: dict[str, str] | None = None) -> Thing:
    term = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]}
    affinity = {"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}} if zone else {}
    return Thing("v1", "PersistentVolume", name, spec=affinity).labelled(labels or {})


def storage_class(mode: str | None, **fields: Any) -> Thing:
    return Thing("storage.k8s.io/v1", "StorageClass", "disk", volumeBindingMode=mode, **fields)


def mounts(*claims: str) -> PodThing:
    volumes = [{"name": f"v{i}", "persistentVolumeClaim": {"claimName": c}} for i, c in enumerate(claims)]
    return pod("p").owned_by("StatefulSet", "db").spec(volumes=[{"name": "tmp", "emptyDir": {}}, *volumes])


def in_zone(*zones: str) -> tuple[NodeTerm, ...]:
    return (NodeTerm((Requirement(ZONE, Operator.IN, zones),)),)


def test_bound_volumes_pin_the_pod_each_of_them() -> None:
    found = read_pod(mounts("a", "b"), claim("a", "va"), claim("b", "vb"), volume("va", "z1"), volume("vb", "z2"))
    assert found.spec.volume_nodes == (in_zone("z1"), in_zone("z2"))
    assert found.is_movable


def test_a_volume_that_is_everywhere_pins_nobody() -> None:
    assert read_pod(mounts("a"), claim("a", "va"), volume("va")).spec.volume_nodes == ()


def test_zone_labels_pin_too_and_may_name_several() -> None:
    found = read_pod(mounts("a"), claim("a", "va"), volume("va", labels={ZONE: "z2__z1"}))
    assert found.spec.volume_nodes == (in_zone("z1", "z2"),)


def test_a_claim_that_waits_for_its_pod_leaves_the_node_open() -> None:
    waiting = claim("a", storageClassName="disk")
    assert read_pod(mounts("a"), waiting, storage_class("WaitForFirstConsumer")).spec.volume_nodes == ()
    topologies = [{"matchLabelExpressions": [{"key": ZONE, "values": ["z1"]}]}]
    found = read_pod(mounts("a"), waiting, storage_class("WaitForFirstConsumer", allowedTopologies=topologies))
    assert found.spec.volume_nodes == (in_zone("z1"),)
    assert found.spec.unmodelled == ()


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([], "persistentvolumeclaims"),
        ([claim("a", "va")], "persistentvolumes"),
        ([claim("a", storageClassName="disk")], "storageclasses"),
        ([claim("a", storageClassName="disk"), storage_class("Immediate")], "must be bound"),
        ([claim("a", storageClassName="disk"), storage_class(None)], "must be bound"),
        ([claim("a", "va", accessModes=["ReadWriteOncePod"]), volume("va")], "ReadWriteOncePod"),
    ],
)
def test_what_cannot_be_known_keeps_the_pod_where_it_is(others: list[Thing], words: str) -> None:
    found = read_pod(mounts("a"), *others)
    assert words in found.spec.unmodelled[0]
    assert found.immovable == ("UnknownFeature",)


def test_a_claim_of_another_namespace_is_another_claim() -> None:
    elsewhere = Thing("v1", "PersistentVolumeClaim", "a", "other", spec={"volumeName": "va"})
    assert read_pod(mounts("a"), elsewhere, volume("va")).spec.unmodelled


def test_an_ephemeral_volume_is_made_anew_wherever_its_pod_goes() -> None:
    scratch = (
        pod("p").owned_by("ReplicaSet", "r").spec(volumes=[{"name": "s", "ephemeral": {"volumeClaimTemplate": {}}}])
    )
    others = (claim("p-s", "vs"), volume("vs", "z1"))
    assert read_pod(scratch, *others).spec.volume_nodes == (in_zone("z1"),)  # already made while the pod waits
    running = read_pod(scratch.on("n1"), *others)
    assert (running.spec.volume_nodes, running.is_movable) == ((), True)


def test_a_disk_mounted_without_a_claim_is_not_modelled() -> None:
    found = read_pod(pod("p").spec(volumes=[{"name": "d", "gcePersistentDisk": {"pdName": "x"}}]))
    assert "cloud disk" in found.spec.unmodelled[0]

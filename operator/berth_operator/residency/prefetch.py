"""A model on nodes before anybody serves it: the objects that a cluster's owner applies. Pure.

A DaemonSet, in a namespace of its own, fetches one model into a folder of each node (hostPath, which `restricted` and `baseline`
forbid) and then holds it there. Services read it through a claim in their own namespace, bound to a PersistentVolume that is that
folder: with neither node affinity nor network behind it, each pod finds the folder of the node that it stands on, and no pod of a
`restricted` namespace needs a hostPath.

**The folder belongs to root, and the fetch runs as root without any capability**: pods of `restricted` namespaces must not be root,
so they read models there, and cannot change what others will read.

One DaemonSet a model: each has its own progress and its own failures, and deleting it gives its model up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from berth_api.annotations import MODEL_LABEL
from berth_operator.residency.copies import CACHE_VOLUME, DIGITS
from berth_operator.serving.names import FETCH_CONTAINER

Manifest = dict[str, Any]

NAMESPACE = "berth-prefetch"
FOLDER = "/var/lib/berth/models"
CLAIM = "berth-models"
MOUNT = "/var/cache/berth"
NAME_DIGITS = 12
CAPACITY = "1Ti"
"""Of the volume. Nothing measures it: a hostPath is as large as the node's disk."""

SECURITY: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsUser": 0,
    "seccompProfile": {"type": "RuntimeDefault"},
}


class Prefetch(msgspec.Struct, frozen=True):
    """What to fetch, and where to."""

    uri: str
    digest: str
    image: str
    namespace: str = NAMESPACE
    folder: str = FOLDER
    node_selector: Mapping[str, str] = {}
    secret: str | None = None
    """With the credentials, in that namespace."""
    service_account: str | None = None


def build_prefetch(asked: Prefetch) -> list[Manifest]:
    """The namespace and the DaemonSet."""
    model = asked.digest.removeprefix("sha256:")
    labels = {"app.kubernetes.io/name": "berth-prefetch", MODEL_LABEL: model[:DIGITS]}
    pod: Manifest = {
        "automountServiceAccountToken": False,
        "nodeSelector": dict(asked.node_selector),
        "tolerations": [{"operator": "Exists", "effect": "NoSchedule"}],
        "terminationGracePeriodSeconds": 5,
        "initContainers": [_container(asked, FETCH_CONTAINER, [], "500m", "128Mi", "512Mi")],
        "containers": [_container(asked, "hold", ["--hold"], "1m", "64Mi", "128Mi")],
        "volumes": [{"name": CACHE_VOLUME, "hostPath": {"path": asked.folder, "type": "DirectoryOrCreate"}}],
    }
    if asked.service_account is not None:
        pod["serviceAccountName"] = asked.service_account
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": asked.namespace,
                "labels": {"pod-security.kubernetes.io/enforce": "privileged"},
            },
        },
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {
                "name": f"prefetch-{model[:NAME_DIGITS]}",
                "namespace": asked.namespace,
                "labels": labels,
            },
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {k: v for k, v in pod.items() if v != {}}},
            },
        },
    ]


def build_claim(namespace: str, folder: str = FOLDER) -> list[Manifest]:
    """What services of a namespace read the folder through: `spec.model.cache.claimName`."""
    volume = f"{CLAIM}-{namespace}"
    size = {"storage": CAPACITY}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": volume},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "capacity": size,
                "claimRef": {"namespace": namespace, "name": CLAIM},
                "hostPath": {"path": folder, "type": "DirectoryOrCreate"},
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "",
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": CLAIM, "namespace": namespace},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "resources": {"requests": size},
                "storageClassName": "",
                "volumeName": volume,
            },
        },
    ]


def _container(asked: Prefetch, name: str, more: list[str], cpu: str, memory: str, most_memory: str) -> Manifest:
    found: Manifest = {
        "name": name,
        "image": asked.image,
        "args": [asked.uri, "--cache", MOUNT, "--digest", asked.digest, *more],
        "volumeMounts": [{"name": CACHE_VOLUME, "mountPath": MOUNT}],
        "securityContext": SECURITY,
        "resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": most_memory}},
    }
    if asked.secret is not None:
        found["envFrom"] = [{"secretRef": {"name": asked.secret}}]
    return found

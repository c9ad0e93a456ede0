"""Nodes, pods and their owners as the API takes them, made in a line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

KubernetesObject: TypeAlias = dict[str, Any]
"""JSON of one object: here, at the edge of the API, a dict is what it is."""

FAKE_NODE = "kwok.x-k8s.io/node"
STARTS_AFTER = "e2e.berth.dev/starts-after"
TERMINATES_AFTER = "e2e.berth.dev/terminates-after"
COMPLETES_AFTER = "e2e.berth.dev/completes-after"
"""On a pod of a fake node, a duration like "3s": see stages.yaml. Without: Running at once, gone at once, never complete."""
GPU = "nvidia.com/gpu"
IMAGE = "fake"


def node(
    name: str,
    *,
    gpus: int = 0,
    cpu: str = "64",
    memory: str = "512Gi",
    pods: int = 110,
    labels: Mapping[str, str] | None = None,
    taints: list[dict[str, str]] | None = None,
) -> KubernetesObject:
    """A fake node, ready within a moment of its creation."""
    room = {"cpu": cpu, "memory": memory, "pods": str(pods), "ephemeral-storage": "1Ti"}
    if gpus:
        room[GPU] = str(gpus)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {FAKE_NODE: "fake", "node.alpha.kubernetes.io/ttl": "0"},
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "type": "kwok",
                **(labels or {}),
            },
        },
        "spec": {"taints": taints or []},
        "status": {"allocatable": room, "capacity": room},
    }


def pod_spec(
    *,
    gpus: int = 0,
    cpu: str = "100m",
    memory: str = "128Mi",
    scheduler: str | None = None,
    priority_class: str | None = None,
    node_name: str | None = None,
    image: str = IMAGE,
    grace_seconds: int | None = None,
    container: Mapping[str, Any] | None = None,
    **fields: Any,
) -> KubernetesObject:
    """`container`: further fields of the one container; `fields`: of the spec; as the API names them."""
    requests: dict[str, str] = {"cpu": cpu, "memory": memory}
    limits = {GPU: str(gpus)} if gpus else {}
    spec: KubernetesObject = {
        "containers": [
            {
                "name": "main",
                "image": image,
                "resources": {"requests": requests | limits, "limits": limits},
                **(container or {}),
            }
        ],
        **fields,
    }
    if scheduler is not None:
        spec["schedulerName"] = scheduler
    if priority_class is not None:
        spec["priorityClassName"] = priority_class
    if node_name is not None:
        spec["nodeName"] = node_name
    if grace_seconds is not None:
        spec["terminationGracePeriodSeconds"] = grace_seconds
    return spec


def pod(
    name: str,
    *,
    namespace: str = "default",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> KubernetesObject:
    """`spec`: see pod_spec."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": dict(labels or {}),
            "annotations": dict(annotations or {}),
        },
        "spec": pod_spec(**spec),
    }


def replica_set(
    name: str,
    replicas: int,
    *,
    namespace: str = "default",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> KubernetesObject:
    """`labels` and `annotations` of its pods, which also carry app=NAME. `spec`: see pod_spec."""
    return _workload("ReplicaSet", name, replicas, namespace, labels, annotations, spec)


def deployment(
    name: str,
    replicas: int,
    *,
    namespace: str = "default",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> KubernetesObject:
    return _workload("Deployment", name, replicas, namespace, labels, annotations, spec)


def _workload(
    kind: str,
    name: str,
    replicas: int,
    namespace: str,
    labels: Mapping[str, str] | None,
    annotations: Mapping[str, str] | None,
    spec: dict[str, Any],
) -> KubernetesObject:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name, **(labels or {})}, "annotations": dict(annotations or {})},
                "spec": pod_spec(**spec),
            },
        },
    }


def priority_class(name: str, value: int, *, preemption: bool = True) -> KubernetesObject:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
        "preemptionPolicy": "PreemptLowerPriority" if preemption else "Never",
    }


def disruption_budget(
    name: str,
    app: str,
    *,
    namespace: str = "default",
    min_available: int | None = None,
    max_unavailable: int | None = None,
) -> KubernetesObject:
    """Over the pods labelled app=`app`."""
    limit: KubernetesObject = {} if min_available is None else {"minAvailable": min_available}
    if max_unavailable is not None:
        limit["maxUnavailable"] = max_unavailable
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": app}}, **limit},
    }


def namespace(name: str) -> KubernetesObject:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}

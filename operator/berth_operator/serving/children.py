"""What a service needs in the cluster, as manifests. Pure: the same service gives the same bytes.

All belong to the service (ownerReferences), so that deleting it deletes them; no finalizer. One name for all, the service's; the
headless Service is `<name>-pods`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from berth_api.llm_service import LLMService
from berth_api.resource import API_VERSION
from berth_operator.serving.engines import PORT, engine_of
from berth_operator.serving.names import labels, selector

Manifest = dict[str, Any]
HTTP_PORT = 80
HISTORY = 3
"""Old ReplicaSets kept for rolling back."""
UNBOUNDED = 2_147_483_647
"""Seconds: the operator tells itself whether a rollout goes on, the Deployment's own deadline would only say less."""


class Room(msgspec.Struct, frozen=True):
    """What the cluster allows just now."""

    for_surge: bool = False
    """A replica more than asked for has room."""
    pod_monitors: bool = False


def build_children(service: LLMService, replicas: int | None, template: Manifest, room: Room) -> list[Manifest]:
    """replicas: None where an autoscaler of the cluster decides; template: of the pods. In the order in which they are applied."""
    port = engine_of(service, "").port
    made = [
        build_service_account(service),
        build_network_policy(service, port),
        build_deployment(service, replicas, template, room),
        build_service(service),
        build_headless_service(service),
        build_budget(service),
    ]
    if room.pod_monitors:
        made.append(build_pod_monitor(service))
    return made


def build_deployment(service: LLMService, replicas: int | None, template: Manifest, room: Room) -> Manifest:
    spec: dict[str, Any] = {
        "selector": {"matchLabels": selector(service.metadata.name)},
        "revisionHistoryLimit": HISTORY,
        "progressDeadlineSeconds": UNBOUNDED,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": _rolling(service, room)},
        "template": template,
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return manifest(service, "apps/v1", "Deployment", service.metadata.name, spec)


def _rolling(service: LLMService, room: Room) -> dict[str, int]:
    """One pod at a time, either the new one first or, where there is no room for two, the old one out first."""
    wanted = service.spec.rollout
    surges = wanted == "Surge" or (wanted == "Auto" and room.for_surge)
    return {"maxSurge": 1, "maxUnavailable": 0} if surges else {"maxSurge": 0, "maxUnavailable": 1}


def build_service(service: LLMService) -> Manifest:
    spec = {
        "type": "ClusterIP",
        "selector": selector(service.metadata.name),
        "ports": [{"name": "http", "port": HTTP_PORT, "targetPort": "http", "protocol": "TCP"}],
    }
    return manifest(service, "v1", "Service", service.metadata.name, spec)


def build_headless_service(service: LLMService) -> Manifest:
    """Every pod by its own address, also while it loads or drains: for gateways, and for people who look."""
    spec = {
        "type": "ClusterIP",
        "clusterIP": "None",
        "publishNotReadyAddresses": True,
        "selector": selector(service.metadata.name),
        "ports": [{"name": "http", "port": PORT, "targetPort": "http", "protocol": "TCP"}],
    }
    return manifest(service, "v1", "Service", f"{service.metadata.name}-pods", spec)


def build_budget(service: LLMService) -> Manifest:
    """At most one replica is evicted at a time, and one that is not ready blocks no drain."""
    spec = {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": selector(service.metadata.name)},
    }
    return manifest(service, "policy/v1", "PodDisruptionBudget", service.metadata.name, spec)


def build_service_account(service: LLMService) -> Manifest:
    """Without a token: pods ask the API server nothing. Clouds that give roles to accounts read its annotations, which people add."""
    return {
        **manifest(service, "v1", "ServiceAccount", service.metadata.name, None),
        "automountServiceAccountToken": False,
    }


def build_network_policy(service: LLMService, port: int) -> Manifest:
    """In: the engine's port, nothing else. Out: as the namespace has it, for weights may come from anywhere."""
    spec = {
        "podSelector": {"matchLabels": selector(service.metadata.name)},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"protocol": "TCP", "port": port}]}],
    }
    return manifest(service, "networking.k8s.io/v1", "NetworkPolicy", service.metadata.name, spec)


def build_pod_monitor(service: LLMService) -> Manifest:
    path = engine_of(service, "").metrics_path
    spec = {
        "selector": {"matchLabels": selector(service.metadata.name)},
        "podMetricsEndpoints": [{"port": "http", "path": path}],
    }
    return manifest(service, "monitoring.coreos.com/v1", "PodMonitor", service.metadata.name, spec)


def manifest(service: LLMService, version: str, kind: str, name: str, spec: dict[str, Any] | None) -> Manifest:
    meta = service.metadata
    made: Manifest = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": meta.namespace,
            "labels": labels(meta.name),
            "ownerReferences": [
                {
                    "apiVersion": API_VERSION,
                    "kind": "LLMService",
                    "name": meta.name,
                    "uid": meta.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
    }
    if spec is not None:
        made["spec"] = spec
    return made

"""The pods of a service: one engine container, its weights, and nothing that `restricted` Pod Security forbids. Pure.

What people want beyond the fields goes into `spec.podTemplate`, which is laid over the rest the way `kubectl` merges: maps key by
key, lists of named things by name, other lists replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from berth_api.annotations import ALLOCATION_HINT, MODEL_LABEL
from berth_api.llm_service import LLMService
from berth_operator.serving.engines import engine_of
from berth_operator.serving.names import ENGINE_CONTAINER, REVISION_LABEL, labels
from berth_operator.serving.weights import weights_of

ENDPOINT_SECONDS = 5
"""Between a pod's leaving the endpoints and its engine's being told: proxies need that long to notice."""
LAST_SECONDS = 10
"""For the last bytes, after the engine's own drain."""
USER = 65532
"""Of every container: nobody's, and not root."""
DIGITS = 40
GPU_PRODUCT = "nvidia.com/gpu.product"

SECURITY: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}


class Images(msgspec.Struct, frozen=True):
    """Of this release."""

    engine: str = "ghcr.io/berth-dev/berth-engine:0.1.0"
    vllm: str = "vllm/vllm-openai:v0.33.0"
    fetch: str = "ghcr.io/berth-dev/berth-fetch:0.1.0"


def build_pod_template(service: LLMService, images: Images) -> dict[str, Any]:
    """With its revision as a label: the hash of all the rest."""
    spec = service.spec
    weights = weights_of(service, images.fetch, SECURITY)
    engine = engine_of(service, weights.path)
    resources = spec.resources
    asked = {name: value for name, value in (("cpu", resources.cpu), ("memory", resources.memory)) if value is not None}
    devices = {spec.engine.gpu_resource: str(resources.gpus)} if resources.gpus else {}
    limits = {**devices, **({"memory": resources.memory} if resources.memory is not None else {})}
    container: dict[str, Any] = {
        "name": ENGINE_CONTAINER,
        "image": spec.engine.image or (images.vllm if spec.engine.kind == "vllm" else images.engine),
        "args": engine.args,
        "env": [
            {"name": "HOME", "value": "/tmp"},  # noqa: S108  (an emptyDir of the pod's own)
            {"name": "BERTH_MODEL_PATH", "value": weights.path},
            *(variable.to_json() for variable in spec.engine.env),
        ],
        "ports": [{"name": "http", "containerPort": engine.port, "protocol": "TCP"}],
        "resources": {key: value for key, value in (("requests", {**asked, **devices}), ("limits", limits)) if value},
        "lifecycle": {"preStop": engine.before_stop(ENDPOINT_SECONDS)},
        "securityContext": SECURITY,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
            {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108
            *weights.mounts,
        ],
        **engine.probes(),
    }
    if engine.command:
        container["command"] = engine.command
    place = spec.placement
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "serviceAccountName": service.metadata.name,
        "schedulerName": place.scheduler_name,
        "terminationGracePeriodSeconds": ENDPOINT_SECONDS + spec.drain_seconds + LAST_SECONDS,
        "securityContext": {"fsGroup": USER, "fsGroupChangePolicy": "OnRootMismatch"},
        "containers": [container],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            {"name": "shm", "emptyDir": {"medium": "Memory"}},
            *weights.volumes,
        ],
    }
    optional = {
        "initContainers": weights.init_containers,
        "priorityClassName": spec.priority,
        "affinity": place.affinity,
        "nodeSelector": {**_gpu_model(service), **place.node_selector},
        "tolerations": place.tolerations,
        "topologySpreadConstraints": place.topology_spread_constraints,
    }
    pod |= {key: value for key, value in optional.items() if value}
    annotations = {ALLOCATION_HINT: place.hint} if place.hint else {}
    template: dict[str, Any] = {
        "metadata": {
            "labels": {**labels(service.metadata.name), MODEL_LABEL: model_label(service)},
            "annotations": annotations,
        },
        "spec": pod,
    }
    if spec.pod_template:
        template = merged(template, spec.pod_template)
    template["metadata"]["labels"][REVISION_LABEL] = revision(template)
    return template


def _gpu_model(service: LLMService) -> dict[str, str]:
    model = service.spec.resources.gpu_model
    return {} if model is None else {GPU_PRODUCT: model}


def model_label(service: LLMService) -> str:
    """The same for services of the same weights."""
    digest = service.spec.model.digest
    if digest is not None:
        return digest.removeprefix("sha256:")[:DIGITS]
    return blake2b(service.spec.model.uri.encode(), digest_size=DIGITS // 2).hexdigest()


def revision(template: Mapping[str, Any]) -> str:
    return blake2b(msgspec.json.encode(template, order="deterministic"), digest_size=8).hexdigest()


def merged(below: Any, above: Any) -> Any:
    """above laid over below: maps key by key (null takes a key away), lists of named things by name, all else replaced."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        found = {key: value for key, value in below.items() if key not in above}
        for key, value in above.items():
            if value is not None:
                found[key] = merged(below[key], value) if key in below else value
        return found
    if isinstance(below, list) and isinstance(above, list) and _named(below) and _named(above):
        over = {one["name"]: one for one in above}
        kept = [merged(one, over.pop(one["name"])) if one["name"] in over else one for one in below]
        return [*kept, *over.values()]
    return above


def _named(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, Mapping) and "name" in value for value in values)

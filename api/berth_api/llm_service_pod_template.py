"""`LLMService.spec.podTemplate`: a fragment of a pod template, laid over the one that Berth makes.

Its schema names only what the rules must see (`llm_service_rules`); the rest is the pod's own and handed on. In Python it is a dict.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import WithJsonSchema

_MAX_NAME = 63
_REST: dict[str, Any] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _marker(description: str) -> dict[str, Any]:
    return {**_REST, "description": description}


def _words(description: str) -> dict[str, Any]:
    return {"type": "string", "maxLength": 253, "description": description}


def _labels(description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": 4_096},
        "description": description,
    }


def _containers(own: str) -> dict[str, Any]:
    return {
        "type": "array",
        "maxItems": 16,
        "description": f"`{own}` gets what is given here; others are added and need an image.",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "items": {
            **_REST,
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "maxLength": _MAX_NAME, "description": f"Name; `{own}` is Berth's own."},
                "image": {"type": "string", "maxLength": 512, "description": "Image, of containers that are added."},
                "command": {
                    "type": "array",
                    "maxItems": 64,
                    "items": {"type": "string", "maxLength": 4_096},
                    "description": "Of containers that are added.",
                },
                "args": {
                    "type": "array",
                    "maxItems": 128,
                    "items": {"type": "string", "maxLength": 4_096},
                    "description": "Of containers that are added.",
                },
                "readinessProbe": _marker("Of containers that are added."),
            },
        },
    }


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "metadata": {
            "type": "object",
            "description": "Labels and annotations of the pods.",
            "properties": {
                "labels": _labels("More labels; those of berth.dev are Berth's."),
                "annotations": _labels("More annotations; the hint belongs into spec.placement.hint."),
            },
        },
        "spec": {
            **_REST,
            "description": "Fields of a PodSpec, merged as kubectl merges: maps key by key, lists of named things by name.",
            "properties": {
                "containers": _containers("engine"),
                "initContainers": _containers("berth-fetch"),
                "hostNetwork": {"type": "boolean", "description": "Refused: replicas would fight over the port."},
                "hostPID": {"type": "boolean", "description": "Refused."},
                "hostIPC": {"type": "boolean", "description": "Refused: shared memory is there already."},
                "nodeName": _words("Refused: it goes past the scheduler."),
                "priorityClassName": _words("Refused: spec.priority."),
                "schedulerName": _words("Refused: spec.placement.schedulerName."),
                "terminationGracePeriodSeconds": {
                    "type": "integer",
                    "format": "int64",
                    "description": "Refused: spec.drainSeconds.",
                },
            },
        },
    },
}

PodTemplate = Annotated[dict[str, Any], WithJsonSchema(SCHEMA)]

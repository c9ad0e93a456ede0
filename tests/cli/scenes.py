"""Dumps for the command's tests, a line or two each. Plain Kubernetes JSON, as kubectl prints it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Object = dict[str, Any]


def node(name: str, *, gpus: int = 8, **spec: Any) -> Object:
    amounts = {"cpu": "64", "memory": "512Gi", "pods": "110", "nvidia.com/gpu": str(gpus)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": spec,
        "status": {"allocatable": amounts, "conditions": [{"type": "Ready", "status": "True"}]},
    }


def pod(
    name: str, *, gpus: int, on: str | None = None, priority: int = 0, app: str = "", namespace: str = "llm"
) -> Object:
    """Of a Deployment named `app`, or bare."""
    metadata: Object = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{name}",
        "labels": {"app": app or name, "pod-template-hash": "1"},
    }
    if app:
        metadata["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{app}-1", "uid": f"rs-{app}", "controller": True}
        ]
    requests = {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": str(gpus)}
    spec: Object = {"priority": priority, "containers": [{"name": "c", "resources": {"requests": requests}}]}
    if on:
        spec["nodeName"] = on
    status = {"phase": "Running" if on else "Pending"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def fragmented() -> list[Object]:
    """Two half-full nodes, and an urgent pod that needs a whole one: one move makes room."""
    return [
        node("a"),
        node("b"),
        pod("left", gpus=4, on="a", app="batch"),
        pod("right", gpus=4, on="b", app="batch"),
        pod("urgent", gpus=8, priority=1000, app="chat"),
    ]


def dump(path: Path, *objects: Object) -> Path:
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))
    return path

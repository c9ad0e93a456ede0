"""Kubernetes objects as the API server writes them, a line each:

read(node("n1").has(cpu="4"), pod("web").asks(cpu="500m").on("n1").owned_by("ReplicaSet", "web-7d9c"))
"""

from __future__ import annotations

import io
import json
from typing import Any, Self

from berth_cluster.dump import read_dumps
from berth_cluster.snapshot import Node, Pod, Snapshot

Json = dict[str, Any]


class Thing:
    """Any object; `body` is its JSON."""

    def __init__(self, api_version: str, kind: str, name: str, namespace: str | None = None, **fields: Any) -> None:
        metadata: Json = {"name": name} | ({"namespace": namespace} if namespace else {})
        self.body: Json = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}

    def meta(self, **fields: Any) -> Self:
        self.body["metadata"].update(fields)
        return self

    def spec(self, **fields: Any) -> Self:
        self.body.setdefault("spec", {}).update(fields)
        return self

    def status(self, **fields: Any) -> Self:
        self.body.setdefault("status", {}).update(fields)
        return self

    def labelled(self, labels: dict[str, str]) -> Self:
        self.body["metadata"].setdefault("labels", {}).update(labels)
        return self

    def annotated(self, annotations: dict[str, str]) -> Self:
        self.body["metadata"].setdefault("annotations", {}).update(annotations)
        return self

    def owned_by(self, kind: str, name: str, api_version: str = "apps/v1", **fields: Any) -> Self:
        owner = {
            "apiVersion": api_version,
            "kind": kind,
            "name": name,
            "uid": f"uid-{name}",
            "controller": True,
        } | fields
        self.body["metadata"].setdefault("ownerReferences", []).append(owner)
        return self


class NodeThing(Thing):
    def has(self, *, pods: str = "110", gpu: str | None = None, **amounts: str) -> Self:
        return self.status(allocatable={"pods": pods, **amounts, **({"nvidia.com/gpu": gpu} if gpu else {})})

    def tainted(self, key: str, value: str = "", effect: str = "NoSchedule") -> Self:
        self.body["spec"].setdefault("taints", []).append({"key": key, "value": value, "effect": effect})
        return self


class PodThing(Thing):
    def asks(self, *, limits: Json | None = None, **requests: str) -> Self:
        resources = {"requests": requests} | ({"limits": limits} if limits else {})
        return self.containers({"resources": resources})

    def containers(self, *containers: Json) -> Self:
        return self.spec(containers=[{"name": f"c{i}", **c} for i, c in enumerate(containers)])

    def on(self, node_name: str) -> Self:
        return self.spec(nodeName=node_name).status(phase="Running")

    def repels(self, key: str = "kubernetes.io/hostname", **term: Any) -> Self:
        required = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": key, **term}]}
        return self.spec(affinity={"podAntiAffinity": required})


def node(name: str) -> NodeThing:
    """4 cores, 16 Gi, ready."""
    ready = [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "True"}]
    return NodeThing("v1", "Node", name, spec={}, status={"conditions": ready}).has(cpu="4", memory="16Gi")


def pod(name: str, namespace: str = "default") -> PodThing:
    """Waiting for a node, asks for a tenth of a core."""
    return PodThing("v1", "Pod", name, namespace, spec={}, status={"phase": "Pending"}).asks(cpu="100m")


def budget(name: str, selector: Json | None, allowed: int, namespace: str = "default") -> Thing:
    body = Thing("policy/v1", "PodDisruptionBudget", name, namespace, spec={"selector": selector})
    return body.status(disruptionsAllowed=allowed)


def a_list(*things: Thing) -> bytes:
    return json.dumps({"apiVersion": "v1", "items": [t.body for t in things], "kind": "List"}).encode()


def read_bytes(*files: bytes) -> Snapshot:
    return read_dumps([io.BytesIO(file) for file in files])


def read(*things: Thing) -> Snapshot:
    return read_bytes(a_list(*things))


def read_pod(thing: PodThing, *others: Thing) -> Pod:
    """The pod as the snapshot has it, beside the other objects and the nodes n1 and n2."""
    snapshot = read(node("n1"), node("n2"), *others, thing)
    name = thing.body["metadata"]["name"]
    return next(p for p in snapshot.pods if p.name == name)


def read_node(thing: NodeThing) -> Node:
    return read(thing).nodes[0]

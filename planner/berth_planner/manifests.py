"""Manifests as they would be applied: each workload becomes the pods that its controller would make.

What comes out are objects as in a dump, so that everything about them is read as everything else is.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

DEFAULT_NAMESPACE = "default"

MAX_ADDED_PODS = 100_000

PASSED_ON = frozenset({"Pod", "Node", "PriorityClass", "PodDisruptionBudget", "Namespace", "PodGroup"})
"""Kinds that are taken as they are."""

Manifest = Mapping[str, Any]


class ManifestError(ValueError):
    """A manifest that what-if cannot add; the message names the object and what to do."""


def objects_of(manifests: Iterable[Manifest], taken: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Nodes, pods and the rest that the manifests stand for. taken: namespace/name of pods that exist."""
    made: list[dict[str, Any]] = []
    names = set(taken)
    pods = 0
    for manifest in _flat(manifests):
        kind = manifest["kind"]
        if kind in PASSED_ON:
            made.append(copy.deepcopy(dict(manifest)))
            pods += kind == "Pod"
            continue
        count, template = _template(manifest)
        pods += count
        if pods > MAX_ADDED_PODS:
            raise ManifestError(f"{_where(manifest)}: more than {MAX_ADDED_PODS} pods; ask for fewer replicas")
        meta = dict(manifest["metadata"])
        meta["namespace"] = meta.get("namespace") or DEFAULT_NAMESPACE  # as its pods have it: it is their owner
        made.append({"apiVersion": manifest.get("apiVersion", ""), "kind": manifest["kind"], "metadata": meta})
        made.extend(_pods(manifest, template, count, names))
    return made


def _flat(manifests: Iterable[Manifest]) -> Iterable[Manifest]:
    for manifest in manifests:
        if not isinstance(manifest, Mapping) or not manifest.get("kind"):
            raise ManifestError("a document is no Kubernetes object: it has no kind")
        if str(manifest["kind"]).endswith("List") and "items" in manifest:
            yield from _flat(manifest["items"] or ())
            continue
        if not (manifest.get("metadata") or {}).get("name"):
            raise ManifestError(f"a {manifest['kind']} has no metadata.name")
        yield manifest


def _template(manifest: Manifest) -> tuple[int, Mapping[str, Any]]:
    spec = manifest.get("spec") or {}
    match manifest["kind"]:
        case "Deployment" | "ReplicaSet" | "StatefulSet" | "ReplicationController":
            count = spec.get("replicas", 1)
        case "Job":
            parallelism, completions = spec.get("parallelism", 1), spec.get("completions")
            count = parallelism if completions is None else min(parallelism, completions)
        case kind:
            known = "Deployment, ReplicaSet, StatefulSet, Job, Pod or Node"
            raise ManifestError(f"{_where(manifest)}: objects of kind {kind} cannot be added; give a {known}")
    template = spec.get("template")
    if not isinstance(count, int) or count < 0:
        raise ManifestError(f"{_where(manifest)}: the number of replicas must be a whole number, not {count!r}")
    if not isinstance(template, Mapping) or not isinstance(template.get("spec"), Mapping):
        raise ManifestError(f"{_where(manifest)}: spec.template.spec is missing")
    return count, template


def _pods(manifest: Manifest, template: Mapping[str, Any], count: int, names: set[str]) -> Sequence[dict[str, Any]]:
    """As the controller would make them, named apart from every pod that exists."""
    meta = manifest["metadata"]
    namespace = meta.get("namespace") or DEFAULT_NAMESPACE
    owner = {
        "apiVersion": manifest.get("apiVersion", ""),
        "kind": manifest["kind"],
        "name": meta["name"],
        "uid": meta.get("uid") or f"what-if-{manifest['kind']}-{namespace}-{meta['name']}",
        "controller": True,
    }
    made: list[dict[str, Any]] = []
    number = 0
    while len(made) < count:
        name = f"{meta['name']}-what-if-{number}"
        number += 1
        if f"{namespace}/{name}" in names:
            continue
        names.add(f"{namespace}/{name}")
        pod_meta = dict(template.get("metadata") or {}) | {
            "name": name,
            "namespace": namespace,
            "uid": f"what-if-{namespace}-{name}",
            "ownerReferences": [owner],
        }
        made.append({"apiVersion": "v1", "kind": "Pod", "metadata": pod_meta, "spec": template["spec"], "status": {}})
    return made


def _where(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"

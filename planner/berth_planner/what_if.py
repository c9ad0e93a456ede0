"""What if: the same cluster with nodes added, gone or cordoned, pods added, priorities changed.

Each change is a function from snapshot to snapshot; the planner answers for the changed one as for any, and `compare`
says what the change is worth.

    changed = add_nodes(snapshot, like="gpu-7", count=2)
    difference = compare(make_plan(snapshot), make_plan(changed))
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from berth_api.reasons import Reason
from berth_cluster.dump import read_dumps
from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_planner.manifests import Manifest, objects_of
from berth_planner.packing import belongs_to_node

HOSTNAME = "kubernetes.io/hostname"

MAX_ADDED_NODES = 5_000
NAMED_CHOICES = 5
"""Names offered when one is unknown."""


class WhatIfError(ValueError):
    """A change that cannot be made to this cluster; the message names what is missing and what there is."""


def add_nodes(snapshot: Snapshot, *, like: str, count: int) -> Snapshot:
    """`count` nodes of the shape of an existing one: ready, open, empty but for its DaemonSets' pods."""
    if not 1 <= count <= MAX_ADDED_NODES:
        raise WhatIfError(f"{count} nodes cannot be added: give a number from 1 to {MAX_ADDED_NODES}")
    model = _nodes_named(snapshot, [like])[0]
    taken = {n.name for n in snapshot.nodes}
    daemons = [p for p in snapshot.pods if p.node == like and belongs_to_node(p) and not p.terminating]
    nodes: list[Node] = []
    pods: list[Pod] = []
    number = 0
    while len(nodes) < count:
        number += 1
        name = f"{like}-what-if-{number}"
        if name in taken:
            continue
        labels = {k: name if k == HOSTNAME or v == like else v for k, v in model.labels.items()}
        nodes.append(
            replace(model, name=name, labels=labels, unschedulable=False, ready=True, taints=_open_taints(model))
        )
        pods += [replace(p, name=f"{p.name}-{name}", uid=f"{p.uid}-{name}", node=name) for p in daemons]
    return _sorted(replace(snapshot, nodes=(*snapshot.nodes, *nodes), pods=(*snapshot.pods, *pods)))


def remove_nodes(snapshot: Snapshot, names: Collection[str]) -> Snapshot:
    """Without these nodes. What ran there waits again if something recreates it: not bare pods, nor the node's own."""
    gone = {n.name for n in _nodes_named(snapshot, names)}
    pods: list[Pod] = []
    for pod in snapshot.pods:
        if pod.node not in gone:
            pods.append(pod)
        elif not (pod.terminating or belongs_to_node(pod) or Reason.NO_CONTROLLER in pod.immovable):
            pods.append(replace(pod, node=None, phase="Pending"))
    nodes = tuple(n for n in snapshot.nodes if n.name not in gone)
    return replace(snapshot, nodes=nodes, pods=tuple(pods))


def cordon(snapshot: Snapshot, names: Collection[str], *, undo: bool = False) -> Snapshot:
    """No new pods on these nodes; those that run there may stay. undo: uncordon."""
    chosen = {n.name for n in _nodes_named(snapshot, names)}

    def changed(node: Node) -> Node:
        return replace(node, unschedulable=not undo, taints=_open_taints(node) if undo else node.taints)

    return replace(snapshot, nodes=tuple(changed(n) if n.name in chosen else n for n in snapshot.nodes))


def add_manifests(snapshot: Snapshot, manifests: Iterable[Manifest]) -> Snapshot:
    """With the nodes and pods that these documents stand for (Deployment, ReplicaSet, StatefulSet, Job, Pod, Node, List).

    Raises ManifestError, and DumpError for fields that cannot be read. What an object of the same name says is replaced.
    """
    objects = objects_of(manifests, frozenset(p.key for p in snapshot.pods))
    given = {(o["kind"], o["metadata"]["name"]) for o in objects}
    body = msgspec.json.encode({"kind": "List", "apiVersion": "v1", "items": [*_context(snapshot, given), *objects]})
    added = read_dumps([io.BytesIO(body)])
    pods = {p.key: p for p in snapshot.pods} | {p.key: p for p in added.pods}
    nodes = {n.name: n for n in snapshot.nodes} | {n.name: n for n in added.nodes}
    budgets = {(b.namespace, b.name): b for b in (*snapshot.budgets, *added.budgets)}
    return _sorted(
        replace(
            snapshot,
            pods=tuple(pods.values()),
            nodes=tuple(nodes.values()),
            budgets=tuple(budgets.values()),
            namespaces={**added.namespaces, **snapshot.namespaces},
            priority_classes={**snapshot.priority_classes, **added.priority_classes},
            warnings=(*snapshot.warnings, *(w for w in added.warnings if w.reason is not Reason.EMPTY_CLUSTER)),
        )
    )


def _context(snapshot: Snapshot, given: Collection[tuple[str, str]]) -> Sequence[Mapping[str, Any]]:
    """What the added objects refer to: priority classes and namespaces that the cluster has."""
    classes = [
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}
        for name, value in snapshot.priority_classes.items()
        if ("PriorityClass", name) not in given
    ]
    namespaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}
        for name, labels in snapshot.namespaces.items()
        if ("Namespace", name) not in given
    ]
    return [*classes, *namespaces]


def set_workload_priority(snapshot: Snapshot, workload: str, priority: int) -> Snapshot:
    """All pods of a workload at another priority. workload: name, kind/name or namespace/kind/name; kinds in any case."""
    wanted = workload.lower().split("/")
    matching = {
        p.workload for p in snapshot.pods if _names(p.workload.namespace, p.workload.kind, p.workload.name, wanted)
    }
    if not matching:
        choices = sorted({str(p.workload) for p in snapshot.pods})
        raise WhatIfError(f"no workload {workload!r}; there are {_choices(choices)}")
    if len(matching) > 1:
        named = _choices(sorted(map(str, matching)))
        raise WhatIfError(f"{workload!r} could be any of {named}: give namespace/kind/name")
    pods = (replace(p, priority=priority, priority_class="") if p.workload in matching else p for p in snapshot.pods)
    return replace(snapshot, pods=tuple(pods))


def set_class_priority(snapshot: Snapshot, priority_class: str, priority: int) -> Snapshot:
    """A PriorityClass at another value, and with it the pods that name it."""
    used = {p.priority_class for p in snapshot.pods}
    if priority_class not in snapshot.priority_classes and priority_class not in used:
        choices = sorted({*snapshot.priority_classes, *used} - {""})
        raise WhatIfError(f"no PriorityClass {priority_class!r}; there are {_choices(choices)}")
    pods = (replace(p, priority=priority) if p.priority_class == priority_class else p for p in snapshot.pods)
    classes = {**snapshot.priority_classes, priority_class: priority}
    return replace(snapshot, pods=tuple(pods), priority_classes=classes)


def _names(namespace: str, kind: str, name: str, wanted: Sequence[str]) -> bool:
    full = [namespace.lower(), kind.lower(), name.lower()]
    short = {"deploy": "deployment", "sts": "statefulset", "rs": "replicaset", "po": "pod"}
    asked = [*wanted[:-2], short.get(wanted[-2], wanted[-2]), wanted[-1]] if len(wanted) > 1 else list(wanted)
    return len(asked) <= len(full) and full[len(full) - len(asked) :] == asked


def _nodes_named(snapshot: Snapshot, names: Collection[str]) -> list[Node]:
    by_name = {n.name: n for n in snapshot.nodes}
    missing = [name for name in names if name not in by_name]
    if missing:
        raise WhatIfError(f"no node {missing[0]!r}; there are {_choices(sorted(by_name))}")
    return [by_name[name] for name in names]


def _choices(names: Sequence[str]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - NAMED_CHOICES} more" if len(names) > NAMED_CHOICES else ""
    return ", ".join(names[:NAMED_CHOICES]) + more


def _open_taints(node: Node) -> tuple[Any, ...]:
    return tuple(t for t in node.taints if not t.key.startswith("node.kubernetes.io/"))


def _sorted(snapshot: Snapshot) -> Snapshot:
    return replace(
        snapshot,
        nodes=tuple(sorted(snapshot.nodes, key=lambda n: n.name)),
        pods=tuple(sorted(snapshot.pods, key=lambda p: (p.namespace, p.name))),
    )

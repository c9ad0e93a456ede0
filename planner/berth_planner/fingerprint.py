"""A hash of what a plan depends on: equal before and after, the world has not moved in a way that matters to it.

It covers the nodes that the plan touches (room, labels, taints, in service or not), the pods that stand on them (who, how
large, leaving or not, movable or not) and whether the waiting pods that it names still wait. Not the rest of the cluster:
rules that reach further, such as spread over zones, are looked at again before a plan is carried out. Unlike
resourceVersions it ignores heartbeats and status noise. Cost: one pass over the pods.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from hashlib import blake2b

from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_planner.plan import Plan

DIGEST_BYTES = 16


def fingerprint(plan: Plan, snapshot: Snapshot) -> str:
    """Hex digest, 32 characters."""
    touched = {e.node for wave in plan.waves for e in wave.evictions}
    touched |= {p.node for wave in plan.waves for p in wave.placements}
    named = {name for wave in plan.waves for p in wave.placements for name in p.pods}
    return fingerprint_of(touched, named, snapshot)


def fingerprint_of(touched: AbstractSet[str], named: AbstractSet[str], snapshot: Snapshot) -> str:
    """The same by what a plan touches: names of nodes, and namespace/name of the waiting pods that it places."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    for line in _lines(touched, named, snapshot):
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _lines(touched: AbstractSet[str], named: AbstractSet[str], snapshot: Snapshot) -> Iterable[str]:
    for node in snapshot.nodes:
        if node.name in touched:
            yield _node_line(node)
    for pod in snapshot.pods:
        if pod.node in touched:
            yield _pod_line(pod)
        elif pod.node is None and pod.key in named and pod.is_pending:
            yield f"waits {pod.key} {pod.uid}"


def _node_line(node: Node) -> str:
    taints = sorted((t.key, t.value, t.effect) for t in node.taints)
    labels = sorted(node.labels.items())
    return f"node {node.name} {node.allocatable} {labels} {taints} {node.unschedulable} {node.ready}"


def _pod_line(pod: Pod) -> str:
    return f"pod {pod.key} {pod.uid} {pod.node} {pod.terminating} {pod.is_movable} {pod.spec.requests}"

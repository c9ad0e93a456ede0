"""One pod, looked at closely: the nodes that would suit it best now, by the ranking of the extender, and which of its wishes hold.

Runs in the process of `thinking`: it feeds a scheduling core of its own with the snapshot, without the pod itself, so that a running pod is
judged as if it were to be placed anew. Cost: a pass over the cluster, 1 s at 24,000 pods.
"""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np

from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_intent.sentences import phrase
from berth_planner.hint_reading import HintReading
from berth_planner.node_sets import NodeSets
from berth_planner.pod_hint import HintedPods
from berth_scheduling.ranking import MAX_RANK
from berth_scheduling.scheduler import Scheduler
from berth_ui.picture import gpus_of
from berth_ui.wire import NodeScore

SHOWN = 10


class Look(msgspec.Struct, frozen=True):
    scores: tuple[NodeScore, ...]
    """The best first."""
    fulfilled: dict[str, bool]
    """Wish in words: whether its node satisfies it. Empty for a pod that waits."""


def look_at(snapshot: Snapshot, pod: Pod) -> Look:
    used: dict[str, Counter[str]] = {node.name: Counter() for node in snapshot.nodes}
    scheduler = Scheduler()
    for node in snapshot.nodes:
        scheduler.node_changed(None, node)
    for other in snapshot.pods:
        if other.uid != pod.uid:
            scheduler.pod_changed(None, other)
            if other.node in used:
                used[other.node].update(dict(other.spec.requests))
    allowed = NodeSets(snapshot.nodes).eligible(pod.spec)
    nodes = [snapshot.nodes[int(row)] for row in np.flatnonzero(allowed)]
    open_to = {n.name: n for n in nodes if n.ready and (n.name == pod.node or _has_room(pod, n, used[n.name]))}
    waits = msgspec.structs.replace(pod, node=None, phase="Pending")
    names = scheduler.filter(waits, list(open_to)).nodes
    ranked = sorted(scheduler.prioritize(waits, names), key=lambda entry: (-entry[1], entry[0]))
    return Look(
        tuple(
            NodeScore(node=name, score=rank / MAX_RANK, because=_because(pod, open_to[name], used[name]))
            for name, rank in ranked[:SHOWN]
        ),
        _fulfilled(snapshot, pod),
    )


def _because(pod: Pod, node: Node, used: Counter[str]) -> list[str]:
    has, left = node.amounts, {}
    for name, amount in has.items():
        left[name] = amount - used[name] - dict(pod.spec.requests).get(name, 0)
    told = ["it is here"] if node.name == pod.node else []
    gpus = gpus_of(has)
    if gpus:
        told.append(f"{gpus_of(left)} of {gpus} GPUs would be left free")
    return told


def _fulfilled(snapshot: Snapshot, pod: Pod) -> dict[str, bool]:
    if not pod.hint or pod.node is None:
        return {}
    found = HintedPods(snapshot, HintReading.of_snapshot(snapshot)).explain(pod)
    if found is None:
        return {}
    hint, reading = found
    judged = next((node for node in hint.nodes if node.node == pod.node), None)
    if judged is None:
        return {}
    words = [phrase(wish) for wish in reading.counting]
    return {said: wish.satisfaction >= 1.0 for said, wish in zip(words, judged.wishes, strict=True)}


def _has_room(pod: Pod, node: Node, used: Counter[str]) -> bool:
    has = node.amounts
    return all(used[name] + amount <= has.get(name, 0) for name, amount in pod.spec.requests if amount)

"""A snapshot's nodes and pods as the page draws them. Pure: a pass over both."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from berth_api.annotations import SCHEDULER, Why
from berth_api.reasons import Reason
from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_intent.facts import GPU_RESOURCES, NodeFacts, node_facts
from berth_ui.wire import NodeView, PodView, Tier

Shape = tuple[int, int, int]
"""GPUs, millicores, bytes."""


class Painted(msgspec.Struct, frozen=True):
    """`nodes` by name, in the order of their names; `pods` by uid."""

    nodes: Mapping[str, NodeView]
    pods: Mapping[str, PodView]
    tiers: list[Tier]
    shapes: frozenset[Shape] = frozenset()
    """Sizes of pods with GPUs that run or wait."""


def paint(snapshot: Snapshot) -> Painted:
    """A cluster that stands still; one that lives is painted change by change, by `live_picture`."""
    pods = {pod.uid: pod_view(pod) for pod in snapshot.pods}
    used: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for view in pods.values():
        if view.node:
            on = used[view.node]
            on[0] += view.gpus
            on[1] += view.cpu
            on[2] += view.memory
    nodes = {}
    for node in sorted(snapshot.nodes, key=lambda node: node.name):
        gpus, cpu, memory = used.get(node.name, (0, 0, 0))
        facts = node_facts(node.name, node.labels, node.amounts)
        nodes[node.name] = node_view(node, facts, (gpus, cpu, memory, 0))
    return painted_of(nodes, pods)


def node_view(node: Node, facts: NodeFacts, used: tuple[int, int, int, int]) -> NodeView:
    """used: GPUs, millicores, bytes, and GPUs that are kept."""
    amounts = node.amounts
    return NodeView(
        name=node.name,
        zone=facts.zone,
        rack=facts.rack,
        gpu_model=facts.gpu_model,
        gpus=facts.gpus,
        cpu=amounts.get("cpu", 0),
        memory=amounts.get("memory", 0),
        gpus_used=used[0],
        cpu_used=used[1],
        memory_used=used[2],
        gpus_kept=used[3],
        ready=node.ready,
        cordoned=node.unschedulable,
        models=[name for name, _ in node.models],
    )


def pod_view(pod: Pod) -> PodView:
    requests = dict(pod.spec.requests)
    workload = pod.workload
    return PodView(
        uid=pod.uid,
        namespace=pod.namespace,
        name=pod.name,
        workload=f"{workload.kind}/{workload.name}",
        service=workload.name if workload.kind == "LLMService" else "",
        node=pod.node or "",
        gpus=gpus_of(requests),
        cpu=requests.get("cpu", 0),
        memory=requests.get("memory", 0),
        priority=pod.priority,
        priority_class=pod.priority_class,
        phase="Leaving" if pod.terminating else "Gated" if pod.gated else "Running" if pod.node else "Waiting",
        ours=pod.scheduler == SCHEDULER,
        movable=pod.is_movable,
        hinted=bool(pod.hint),
        since=(pod.unschedulable_since or pod.created) if pod.node is None else pod.created,
        reason=why_of(pod)[0] if pod.is_pending else "",
    )


def gpus_of(requests: Mapping[str, int]) -> int:
    return sum(n for name, n in requests.items() if name.endswith("/gpu") or name in GPU_RESOURCES)


def why_of(pod: Pod) -> tuple[str, str, str]:
    """Code, sentence and plan of a waiting pod, by what it was told; a tenant may have written anything there."""
    try:
        told = Why.model_validate_json(pod.why) if pod.why else None
    except ValueError:
        told = None
    if told is not None and told.code:
        return told.code, told.message, told.plan or ""
    if pod.unschedulable_message:
        return str(Reason.NO_WORD_YET), pod.unschedulable_message, ""
    return str(Reason.NO_WORD_YET), "nobody has said yet why it waits", ""


def painted_of(nodes: Mapping[str, NodeView], pods: Mapping[str, PodView]) -> Painted:
    """With what follows from them."""
    shapes = {(p.gpus, p.cpu, p.memory) for p in pods.values() if p.gpus and p.phase in ("Running", "Waiting")}
    return Painted(nodes, pods, _tiers(pods.values()), frozenset(shapes))


def _tiers(pods: Iterable[PodView]) -> list[Tier]:
    running: Counter[int] = Counter()
    waiting: Counter[int] = Counter()
    gpus: Counter[int] = Counter()
    names: dict[int, Counter[str]] = defaultdict(Counter)
    for pod in pods:
        names[pod.priority][pod.priority_class] += 1
        if pod.phase == "Waiting":
            waiting[pod.priority] += 1
        elif pod.phase == "Running":
            running[pod.priority] += 1
            gpus[pod.priority] += pod.gpus
    return [
        Tier(
            priority=priority,
            priority_class=names[priority].most_common(1)[0][0],
            running=running[priority],
            waiting=waiting[priority],
            gpus=gpus[priority],
        )
        for priority in sorted(names, reverse=True)
    ]


def oldest_wait(pods: Iterable[PodView], now: datetime) -> float:
    """Seconds; 0 when nobody waits, or nobody knows since when."""
    ages = [0.0]
    for pod in pods:
        if pod.phase == "Waiting" and pod.since:
            try:
                ages.append((now - datetime.fromisoformat(pod.since)).total_seconds())
            except (ValueError, TypeError):
                continue
    return max(ages)

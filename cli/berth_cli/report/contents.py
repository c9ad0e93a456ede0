"""What the page shows: snapshot and plan in columns, small enough to embed (about 100 bytes a pod).

Pods are rows of parallel lists; names, shapes and workloads are numbered, so that a row is mostly small integers. The state
after wave k is not stored: the page derives it from the voyages, and so do the tests. Linear in nodes and pods.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec

from berth_cli.report import sentences
from berth_cli.report.sentences import Room
from berth_cli.report.voyages import AT_ANCHOR, Voyage, voyages
from berth_cluster.snapshot import Node, Snapshot
from berth_planner.plan import Plan

MAX_SLOTS = 64
"""A counted accelerator with more than this on one node is a measure such as GPU memory, not slots."""
MAX_WAITING_ROWS = 200
MAX_WORKLOADS_A_ROW = 3
ACCELERATOR = re.compile(r"/(.*gpu|tpu|mig-.*|neuron.*|gaudi.*|i915|xe|.*npu.*|ascend.*|dcu.*|mlu.*)$", re.IGNORECASE)
GROUPINGS = (
    ("Zone", ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")),
    ("Rack", ("topology.kubernetes.io/rack", "cloud.google.com/gce-topology-block", "topology.k8s.aws/network-node-layer-3", "rack")),
    ("GPU model", ("nvidia.com/gpu.product", "cloud.google.com/gke-accelerator", "amd.com/gpu.product-name")),
    ("Instance type", ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")),
)  # fmt: skip
UNLABELLED = "(none)"

IMMOVABLE, GATED, TERMINATING = 1, 2, 4
CORDONED, NOT_READY = 1, 2


class TierRow(msgspec.Struct, frozen=True):
    """A priority; `planned` is false for one that only pods out of the plan's reach have."""

    priority: int
    name: str
    pods: int
    before: int
    after: int
    proven: bool
    certificate: str
    evidence: str
    planned: bool


class Grouping(msgspec.Struct, frozen=True):
    """Nodes by the value of a label: `of[n]` indexes `values`."""

    name: str
    values: list[str]
    of: list[int]


class NodeColumns(msgspec.Struct, frozen=True):
    """`frame[n]` indexes frames: lists of (resource, amount) that nodes share; `marks` are bits, CORDONED and NOT_READY."""

    name: list[str]
    frame: list[int]
    marks: list[int]
    frames: list[list[tuple[int, int]]]
    groupings: list[Grouping]


class PodColumns(msgspec.Struct, frozen=True):
    """`node` is where it stands before the plan (AT_ANCHOR: waits); `why` indexes the reasons it must not move, -1 none."""

    namespace: list[int]
    name: list[str]
    workload: list[int]
    shape: list[int]
    tier: list[int]
    node: list[int]
    marks: list[int]
    why: list[int]
    namespaces: list[str]
    workloads: list[tuple[str, str, str]]
    shapes: list[list[tuple[int, int]]]
    reasons: list[str]


class WaveRow(msgspec.Struct, frozen=True):
    moves: int
    evictions: int
    placed: int
    gains: list[tuple[int, int]]
    """(tier, pods)."""


class WaitingRow(msgspec.Struct, frozen=True):
    """`count` pods of a tier and shape that wait after the plan; `evicted` of them ran before it.

    `workloads` names the first MAX_WORKLOADS_A_ROW of theirs, `others` counts the rest.
    """

    workloads: list[int]
    others: int
    tier: int
    shape: int
    count: int
    evicted: int
    why: str


class Contents(msgspec.Struct, frozen=True):
    """Everything the page knows."""

    title: str
    generated: str
    taken: str
    headline: str
    effort: str
    proof: str
    proven: bool
    verified: bool
    disruption: str
    elapsed_seconds: float
    nodes_in_use: tuple[int, int]
    resources: list[str]
    slots: list[int]
    """Resources that are counted accelerators, drawn as slots."""
    tiers: list[TierRow]
    nodes: NodeColumns
    pods: PodColumns
    waves: list[WaveRow]
    voyages: list[tuple[int, int, int, int, int, int]]
    """(pod, wave it leaves or 0, node or AT_ANCHOR, wave it lands or 0, step of leaving, step of landing)."""
    waiting: list[WaitingRow]
    waiting_left_out: int
    notes: list[str]


K = TypeVar("K", bound=Hashable)


class _Numbers(dict[K, int], Generic[K]):
    """Numbers things in the order they are first seen."""

    def __missing__(self, key: K) -> int:
        self[key] = number = len(self)
        return number


def contents(snapshot: Snapshot, plan: Plan, *, title: str, generated: str) -> Contents:
    """Raises PlanMismatchError when the plan does not belong to the snapshot."""
    routes = voyages(snapshot, plan)
    resources: _Numbers[str] = _Numbers()
    nodes = _node_columns(snapshot.nodes, resources)
    tier_of = _tiers(snapshot, plan)
    pods = _pod_columns(snapshot, resources, tier_of)
    waiting = _waiting(snapshot, plan, routes, pods)
    return Contents(
        title=title,
        generated=generated,
        taken=snapshot.taken,
        headline=sentences.headline(plan),
        effort=sentences.effort(plan),
        proof=sentences.proof(plan),
        proven=all(tier.certificate == "Optimal" for tier in plan.tiers) and plan.disruption.certificate == "Optimal",
        verified=plan.verified,
        disruption=sentences.disruption(plan.disruption),
        elapsed_seconds=plan.elapsed_seconds,
        nodes_in_use=(plan.nodes_in_use_before, plan.nodes_in_use_after),
        resources=list(resources),
        slots=_slots(snapshot.nodes, resources),
        tiers=_tier_rows(snapshot, plan, tier_of),
        nodes=nodes,
        pods=pods,
        waves=[
            WaveRow(
                moves=sum(e.is_move for e in wave.evictions),
                evictions=sum(not e.is_move for e in wave.evictions),
                placed=sum(p.count for p in wave.placements),
                gains=[(tier_of[priority], gain) for priority, gain in wave.gains if gain],
            )
            for wave in plan.waves
        ],
        voyages=[(v.pod, v.leaves, v.node, v.lands, v.leave_step, v.land_step) for v in routes],
        waiting=waiting[:MAX_WAITING_ROWS],
        waiting_left_out=sum(row.count for row in waiting[MAX_WAITING_ROWS:]),
        notes=[*plan.notes, *(f"{w.message} ({w.count:,} x, e.g. {w.example})" for w in snapshot.warnings)],
    )


def _tiers(snapshot: Snapshot, plan: Plan) -> dict[int, int]:
    """Priority to the tier's index, highest first."""
    priorities = {pod.priority for pod in snapshot.pods} | {tier.priority for tier in plan.tiers}
    return {priority: i for i, priority in enumerate(sorted(priorities, reverse=True))}


def _tier_rows(snapshot: Snapshot, plan: Plan, tier_of: dict[int, int]) -> list[TierRow]:
    reports = {tier.priority: tier for tier in plan.tiers}
    names = {value: name for name, value in snapshot.priority_classes.items()}
    names |= {pod.priority: pod.priority_class for pod in snapshot.pods if pod.priority_class}
    pods = Counter(pod.priority for pod in snapshot.pods)
    placed = Counter(pod.priority for pod in snapshot.pods if pod.node is not None)
    rows = []
    for priority in tier_of:
        tier = reports.get(priority)
        if tier is None:
            rows.append(
                TierRow(
                    priority, names.get(priority, ""), pods[priority], placed[priority], placed[priority],
                    True, "Not planned: stays as it is", "", False,
                )
            )  # fmt: skip
            continue
        rows.append(
            TierRow(
                priority, tier.priority_class or names.get(priority, ""), tier.pods, tier.placed_before, tier.placed_after,
                tier.certificate == "Optimal", sentences.certificate(tier), tier.evidence, True,
            )
        )  # fmt: skip
    return rows


def _node_columns(nodes: Sequence[Node], resources: _Numbers[str]) -> NodeColumns:
    frames: _Numbers[tuple[tuple[str, int], ...]] = _Numbers()
    columns = NodeColumns(
        name=[node.name for node in nodes],
        frame=[frames[node.allocatable] for node in nodes],
        marks=[CORDONED * node.unschedulable | NOT_READY * (not node.ready) for node in nodes],
        frames=[],
        groupings=[g for name, keys in GROUPINGS if (g := _grouping(name, keys, nodes))],
    )
    columns.frames.extend(_amounts(frame, resources) for frame in frames)
    return columns


def _grouping(name: str, keys: Sequence[str], nodes: Sequence[Node]) -> Grouping | None:
    """None when the label tells no nodes apart."""
    values = [next((node.labels[key] for key in keys if key in node.labels), UNLABELLED) for node in nodes]
    distinct = sorted(set(values), key=lambda value: (value == UNLABELLED, value))
    if len(distinct) < 2:
        return None
    number = {value: i for i, value in enumerate(distinct)}
    return Grouping(name, distinct, [number[value] for value in values])


def _amounts(amounts: Iterable[tuple[str, int]], resources: _Numbers[str]) -> list[tuple[int, int]]:
    return [(resources[resource], amount) for resource, amount in amounts if amount]


def _slots(nodes: Sequence[Node], resources: _Numbers[str]) -> list[int]:
    most: Counter[str] = Counter()
    for node in nodes:
        for resource, amount in node.allocatable:
            most[resource] = max(most[resource], amount)
    return [i for resource, i in resources.items() if ACCELERATOR.search(resource) and 0 < most[resource] <= MAX_SLOTS]


def _pod_columns(snapshot: Snapshot, resources: _Numbers[str], tier_of: dict[int, int]) -> PodColumns:
    namespaces: _Numbers[str] = _Numbers()
    workloads: _Numbers[tuple[str, str, str]] = _Numbers()
    shapes: _Numbers[tuple[tuple[str, int], ...]] = _Numbers()
    reasons: _Numbers[str] = _Numbers()
    columns = PodColumns([], [], [], [], [], [], [], [], [], [], [], [])
    node_of = {node.name: i for i, node in enumerate(snapshot.nodes)}
    for pod in snapshot.pods:
        columns.namespace.append(namespaces[pod.namespace])
        columns.name.append(pod.name)
        columns.workload.append(workloads[pod.workload.namespace, pod.workload.kind, pod.workload.name])
        columns.shape.append(shapes[pod.spec.requests])
        columns.node.append(AT_ANCHOR if pod.node is None else node_of.get(pod.node, AT_ANCHOR))
        columns.tier.append(tier_of[pod.priority])
        columns.marks.append(IMMOVABLE * (not pod.is_movable) | GATED * pod.gated | TERMINATING * pod.terminating)
        columns.why.append(reasons[", ".join(pod.immovable)] if pod.immovable else -1)
    columns.namespaces.extend(namespaces)
    columns.workloads.extend(workloads)
    columns.shapes.extend(_amounts(shape, resources) for shape in shapes)
    columns.reasons.extend(reasons)
    return columns


class _Queue(NamedTuple):
    """What makes pods wait for the same reason, as far as this page can tell."""

    tier: int
    shape: int
    unmodelled: tuple[str, ...]


def _waiting(snapshot: Snapshot, plan: Plan, routes: Sequence[Voyage], pods: PodColumns) -> list[WaitingRow]:
    """Who waits after the plan: highest tier first, then most pods."""
    after = list(pods.node)
    for voyage in routes:
        after[voyage.pod] = voyage.node
    rooms = _rooms(snapshot, after)
    reports = {tier.priority: tier for tier in plan.tiers}
    queues: dict[_Queue, list[int]] = {}
    for i, pod in enumerate(snapshot.pods):
        if after[i] == AT_ANCHOR and not pod.gated and not pod.terminating:
            queues.setdefault(_Queue(pods.tier[i], pods.shape[i], pod.spec.unmodelled), []).append(i)
    rows = []
    for queue, members in sorted(queues.items(), key=lambda item: (item[0].tier, -len(item[1]), item[0])):
        workloads = [workload for workload, _ in Counter(pods.workload[i] for i in members).most_common()]
        pod = snapshot.pods[members[0]]
        rows.append(
            WaitingRow(
                workloads[:MAX_WORKLOADS_A_ROW],
                len(workloads[MAX_WORKLOADS_A_ROW:]),
                queue.tier,
                queue.shape,
                len(members),
                sum(snapshot.pods[i].node is not None for i in members),
                sentences.waits_because(pod.spec.requests, rooms, queue.unmodelled, reports.get(pod.priority)),
            )
        )
    return rows


def _rooms(snapshot: Snapshot, after: Sequence[int]) -> list[Room]:
    free = [dict(node.allocatable) for node in snapshot.nodes]
    for pod, node in zip(snapshot.pods, after, strict=True):
        if node != AT_ANCHOR:
            left = free[node]
            for resource, amount in pod.spec.requests:
                left[resource] = left.get(resource, 0) - amount
    return [
        Room(left) for left, node in zip(free, snapshot.nodes, strict=True) if node.ready and not node.unschedulable
    ]

"""Who waits after the plan, and why: pods of one tier and shape in one row.

What `why` found out is told where it was asked; else requests are compared with what each node has left. Costs nodes x
resources for each row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from berth_cli.report.columns import PodColumns
from berth_cli.report.voyages import AT_ANCHOR, Voyage
from berth_cluster.snapshot import Snapshot
from berth_planner import sentences
from berth_planner.explanation import Explanation
from berth_planner.plan import Plan
from berth_planner.sentences import Room

MAX_WAITING_ROWS = 200
MAX_WORKLOADS_A_ROW = 3


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


class _Queue(NamedTuple):
    """What makes pods wait for the same reason, as far as this page can tell."""

    tier: int
    shape: int
    unmodelled: tuple[str, ...]
    explained: int
    """Index of its explanation, -1 without one."""


def waiting_rows(
    snapshot: Snapshot, plan: Plan, routes: Sequence[Voyage], pods: PodColumns, explanations: Sequence[Explanation]
) -> list[WaitingRow]:
    """Who waits after the plan: highest tier first, then most pods."""
    after = list(pods.node)
    for voyage in routes:
        after[voyage.pod] = voyage.node
    rooms = _rooms(snapshot, after)
    reports = {tier.priority: tier for tier in plan.tiers}
    explained = {key: i for i, explanation in enumerate(explanations) for key in explanation.pods}
    queues: dict[_Queue, list[int]] = {}
    for i, pod in enumerate(snapshot.pods):
        if after[i] == AT_ANCHOR and not pod.gated and not pod.terminating:
            queue = _Queue(pods.tier[i], pods.shape[i], pod.spec.unmodelled, explained.get(pod.key, -1))
            queues.setdefault(queue, []).append(i)
    rows = []
    for queue, members in sorted(queues.items(), key=lambda item: (item[0].tier, -len(item[1]), item[0])):
        workloads = [workload for workload, _ in Counter(pods.workload[i] for i in members).most_common()]
        pod = snapshot.pods[members[0]]
        if queue.explained >= 0:
            explanation = explanations[queue.explained]
            why = f"{explanation.message} {explanation.smallest_change}".rstrip()
        else:
            why = sentences.waits_because(pod.spec.requests, rooms, queue.unmodelled, reports.get(pod.priority))
        rows.append(
            WaitingRow(
                workloads[:MAX_WORKLOADS_A_ROW],
                len(workloads[MAX_WORKLOADS_A_ROW:]),
                queue.tier,
                queue.shape,
                len(members),
                sum(snapshot.pods[i].node is not None for i in members),
                why,
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

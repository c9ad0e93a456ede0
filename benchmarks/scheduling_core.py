"""How long the scheduling core takes to decide, without HTTP: filter and prioritize, at 1,000 and 5,000 nodes.

    python benchmarks/scheduling_core.py [--seed 1] [--rounds 400] [--json FILE]

Each round asks about one pod, as kube-scheduler does, with fresh strings (as they come out of a decoder) in an order that
differs a little from the last, and then tells that the pod was bound. Times are the processor's, so that neighbours on the
machine weigh less. Four situations: nothing reserved; a plan that keeps room on a tenth of the nodes; a pod that the plan is
for; and a pod whose nodes are not narrowed.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from berth_api.packing_plan import (
    DisruptionCertificate,
    PackingPlan,
    PackingPlanSpec,
    PackingPlanStatus,
    PlanCertificate,
    PlanCondition,
    PlannedPlacement,
    PlannedStep,
    PlannedWave,
    PlanSnapshot,
    Trigger,
    WorkloadRef,
)
from berth_api.resource import Condition, Metadata
from berth_cluster.snapshot import Node, Pod, PodSpec, WorkloadKey
from berth_scheduling.scheduler import Scheduler

T = TypeVar("T")

SIZES = (1_000, 5_000)
SHAPES = tuple(
    tuple(sorted({"cpu": cpu * 1000, "memory": cpu << 32, "nvidia.com/gpu": gpu, "pods": 1}.items()))
    for cpu, gpu in ((1, 1), (2, 1), (4, 2), (8, 4), (16, 8), (2, 2), (1, 4), (12, 8))
)
KEPT = SHAPES[3]


def a_node(number: int) -> Node:
    amounts = {"cpu": 96_000, "memory": 768 << 30, "nvidia.com/gpu": 8, "pods": 110}
    return Node(f"node-{number:05d}.cluster.example", tuple(sorted(amounts.items())))


def a_pod(number: int, workload: str, requests: tuple[tuple[str, int], ...], spread: bool = False) -> Pod:
    spec = PodSpec(requests, soft_preferences=spread)
    return Pod("default", f"{workload}-{number}", f"uid-{number}", spec, 0, WorkloadKey("default", "Deployment", workload), "Pending", scheduler="berth")  # fmt: skip


def a_plan(nodes: list[Node]) -> PackingPlan:
    now = datetime.now(UTC)
    placements = [
        PlannedPlacement(
            workload=WorkloadRef(namespace="default", kind="Deployment", name="kept"),
            priority=100,
            node=node.name,
            count=1,
            requests=dict(KEPT),
        )
        for node in nodes
    ]
    disruption = DisruptionCertificate(moves=0, evictions=0, value=0, bound=0, certificate="Optimal")
    return PackingPlan(
        metadata=Metadata(name="plan", uid="plan"),
        spec=PackingPlanSpec(
            trigger=Trigger.PERSON,
            summary="benchmark",
            deadline=now + timedelta(hours=1),
            certificate=PlanCertificate(tiers=[], disruption=disruption, verified=True, solve_seconds=0),
            snapshot=PlanSnapshot(taken=now),
            waves=[PlannedWave(steps=[PlannedStep(placements=placements)])],
        ),
        status=PackingPlanStatus(
            conditions=[Condition(type=PlanCondition.APPROVED, status="True", reason="B", last_transition_time=now)]
        ),
    )


def measure(size: int, rounds: int, seed: int, *, kept: bool, workload: str, spread: bool) -> dict[str, float]:
    """Microseconds: p50 and p99 of filter, and of prioritize on what filter returned."""
    rng = random.Random(seed)
    scheduler = Scheduler()
    nodes = [a_node(i) for i in range(size)]
    for node in nodes:
        scheduler.node_changed(None, node)
    for number in range(size):
        running = a_pod(10**9 + number, "running", rng.choice(SHAPES))
        scheduler.pod_changed(None, msgspec.structs.replace(running, node=nodes[number].name, phase="Running"))
    if kept:
        scheduler.plan_changed(None, a_plan(nodes[::10]))
    order = [node.name for node in nodes]
    filtered: list[float] = []
    ranked: list[float] = []
    gc.collect()
    gc.freeze()
    for number in range(rounds):
        at = rng.randrange(size - 10)
        order[at : at + 10] = rng.sample(order[at : at + 10], 10)
        names: list[str] = msgspec.json.decode(msgspec.json.encode(order), type=list[str])
        pod = a_pod(number, workload, KEPT if workload == "kept" else rng.choice(SHAPES), spread)
        seconds, answer = timed(lambda p=pod, n=names: scheduler.filter(p, n))  # type: ignore[misc]
        filtered.append(seconds)
        if not answer.nodes:
            continue
        best = answer.nodes[0]
        if len(answer.nodes) > 1:
            seconds, ranks = timed(lambda p=pod, n=answer.nodes: scheduler.prioritize(p, n))  # type: ignore[misc]
            ranked.append(seconds)
            best = max(ranks, key=lambda pair: pair[1])[0]
        scheduler.pod_changed(pod, msgspec.structs.replace(pod, node=best, phase="Running"))
    return {"filter_p50": at_share(filtered, 0.5), "filter_p99": at_share(filtered, 0.99), "prioritize_p50": at_share(ranked, 0.5), "prioritize_p99": at_share(ranked, 0.99)}  # fmt: skip


def timed(act: Callable[[], T]) -> tuple[float, T]:
    start = time.thread_time()
    result = act()
    return time.thread_time() - start, result


def at_share(seconds: list[float], share: float) -> float:
    """Microseconds."""
    if not seconds:
        return 0.0
    return round(sorted(seconds)[min(int(len(seconds) * share), len(seconds) - 1)] * 1e6, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    results = []
    print(f"{'nodes':>6} {'situation':<24} {'filter p50/p99 us':>20} {'prioritize p50/p99 us':>24}")
    for size in SIZES:
        for situation, kept, workload, spread in (
            ("nothing kept", False, "free", False),
            ("a tenth kept for others", True, "free", False),
            ("a tenth kept for it", True, "kept", False),
            ("not narrowed", False, "free", True),
        ):
            found = measure(size, given.rounds, given.seed, kept=kept, workload=workload, spread=spread)
            results.append({"nodes": size, "situation": situation, **found})
            print(
                f"{size:>6} {situation:<24} {found['filter_p50']:>9} / {found['filter_p99']:>8}"
                f" {found['prioritize_p50']:>11} / {found['prioritize_p99']:>10}"
            )
    if given.json:
        given.json.write_text(
            json.dumps({"seed": given.seed, "rounds": given.rounds, "microseconds": results}, indent=1)
        )


if __name__ == "__main__":
    main()

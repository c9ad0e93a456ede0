"""How long hints take in the request path: filter with a hint of three wishes, at 1,000 and 5,000 nodes, without HTTP and JSON.

    python benchmarks/hint_scoring.py [--seed 1] [--rounds 400] [--json FILE]

Each round asks about one pod of one of 20 workloads and then tells that it was bound; one pod in ten that runs goes away in
between, and every fiftieth round a node's labels change, so that counts, columns and judgements are as little at rest as in a
cluster. Compared with the same pods without a hint. Times are the processor's. `first` is the first call of all,
its hint seen for the first time and parsed.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from benchmarks.scheduling_core import at_share, timed
from berth_cluster.snapshot import Node, Pod, PodSpec, WorkloadKey
from berth_intent.scoring import keys
from berth_scheduling.scheduler import Scheduler

SIZES = (1_000, 5_000)
WORKLOADS = 20
HINT = "spread us over zones, ideally on H100s, and never next to batch-etl"
MODELS = ("NVIDIA-H100-80GB-HBM3", "NVIDIA-A100-SXM4-80GB", "Tesla-T4", "")
SHAPES = tuple(
    tuple(sorted({"cpu": cpu * 1000, "memory": cpu << 32, "nvidia.com/gpu": gpu, "pods": 1}.items()))
    for cpu, gpu in ((1, 1), (2, 1), (4, 2), (8, 4))
)


def a_node(number: int) -> Node:
    amounts = {"cpu": 96_000, "memory": 768 << 30, "nvidia.com/gpu": 8, "pods": 110}
    labels = {
        "topology.kubernetes.io/region": f"region-{number % 2}",
        "topology.kubernetes.io/zone": f"region-{number % 2}-{'abc'[number % 3]}",
        "topology.kubernetes.io/rack": f"rack-{number // 16}",
        "nvidia.com/gpu.product": MODELS[number % 5 % 4],
    }
    return Node(f"node-{number:05d}.cluster.example", tuple(sorted(amounts.items())), labels=labels)


def a_pod(number: int, workload: str, rng: random.Random, hint: str) -> Pod:
    key = WorkloadKey("default", "Deployment", workload, f"uid-{workload}")
    return Pod("default", f"{workload}-{number}", f"uid-{number}", PodSpec(rng.choice(SHAPES)), 0, key, "Pending", scheduler="berth", hint=hint)  # fmt: skip


def measure(size: int, rounds: int, seed: int, hint: str) -> dict[str, float]:
    """Microseconds: filter that narrows to the best node, prioritize over all nodes, and the first call of all."""
    rng = random.Random(seed)
    scheduler = Scheduler()
    nodes = [a_node(i) for i in range(size)]
    for node in nodes:
        scheduler.node_changed(None, node)
    standing: list[Pod] = []
    for number in range(2 * size):
        workload = "batch-etl" if number % 20 == 0 else f"service-{number % WORKLOADS}"
        pod = replace(a_pod(10**9 + number, workload, rng, ""), node=rng.choice(nodes).name, phase="Running")
        scheduler.pod_changed(None, pod)
        standing.append(pod)
    scheduler.expire()
    names = [node.name for node in nodes]
    filtered: list[float] = []
    ranked: list[float] = []
    gc.collect()
    gc.freeze()
    for number in range(rounds):
        pod = a_pod(number, f"service-{number % WORKLOADS}", rng, hint)
        scheduler.pod_changed(None, pod)
        seconds, ranks = timed(lambda p=pod: scheduler.prioritize(p, names))  # type: ignore[misc]
        ranked.append(seconds)
        seconds, answer = timed(lambda p=pod: scheduler.filter(p, names))  # type: ignore[misc]
        filtered.append(seconds)
        assert dict(ranks)[answer.nodes[0]] >= 9
        bound = replace(pod, node=answer.nodes[0], phase="Running")
        scheduler.pod_changed(pod, bound)
        standing.append(bound)
        if number % 10 == 0:
            scheduler.pod_changed(standing.pop(rng.randrange(len(standing))), None)
        if number % 50 == 49:
            at = rng.randrange(size)
            changed = replace(nodes[at], labels={**nodes[at].labels, "changed": str(number)})
            scheduler.node_changed(nodes[at], changed)
            nodes[at] = changed
        scheduler.expire()
    return {
        "filter_p50": at_share(filtered[1:], 0.5),
        "filter_p99": at_share(filtered[1:], 0.99),
        "prioritize_p50": at_share(ranked[1:], 0.5),
        "prioritize_p99": at_share(ranked[1:], 0.99),
        "first": round(ranked[0] * 1e6, 1),
    }


def scoring_alone(size: int, rounds: int, seed: int) -> dict[str, float]:
    """Microseconds of the one scoring function over all nodes, one pod more standing each time."""
    rng = random.Random(seed)
    scheduler = Scheduler()
    for i in range(size):
        scheduler.node_changed(None, a_node(i))
    hints = scheduler._hints
    for number in range(300):
        workload = "batch-etl" if number % 3 == 0 else "service-1"
        pod = replace(a_pod(number, workload, rng, ""), node=a_node(rng.randrange(size)).name, phase="Running")
        scheduler.pod_changed(None, pod)
    asked = a_pod(10**6, "service-1", rng, HINT)
    reading = hints.reading(asked)
    assert reading is not None
    assert len(reading.counting) == 3
    rows = np.arange(1, size + 1)
    taken: list[float] = []
    for number in range(rounds):
        pod = replace(a_pod(10**7 + number, "service-1", rng, ""), node=a_node(number % size).name, phase="Running")
        scheduler.pod_changed(None, pod)
        seconds, _ = timed(lambda: keys(reading.counting, hints.places, hints.present(asked), rows))
        taken.append(seconds)
    return {"scoring_p50": at_share(taken[1:], 0.5), "scoring_p99": at_share(taken[1:], 0.99)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    results = []
    print(f"{'nodes':>6} {'hint':<14} {'filter p50/p99 us':>20} {'prioritize p50/p99 us':>24} {'first us':>10}")
    for size in SIZES:
        for situation, hint in (("none", ""), ("three wishes", HINT)):
            found = measure(size, given.rounds, given.seed, hint)
            results.append({"nodes": size, "hint": situation, **found})
            print(
                f"{size:>6} {situation:<14} {found['filter_p50']:>9} / {found['filter_p99']:>8}"
                f" {found['prioritize_p50']:>11} / {found['prioritize_p99']:>10} {found['first']:>10}"
            )
        alone = scoring_alone(size, given.rounds, given.seed)
        results.append({"nodes": size, "hint": "scoring alone", **alone})
        print(f"{size:>6} {'scoring alone':<14} {alone['scoring_p50']:>9} / {alone['scoring_p99']:>8}")
    if given.json:
        given.json.write_text(
            json.dumps({"seed": given.seed, "rounds": given.rounds, "microseconds": results}, indent=1)
        )


if __name__ == "__main__":
    main()

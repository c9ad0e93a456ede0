"""`python -m benchmarks.openb_arrivals --openb DIR`: how many of openb's GPUs each policy fills, pods arriving one by one.

Paired: a seed's arrivals are the same for all policies. Writes openb-arrivals.json and prints the table.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import msgspec

from benchmarks.openb_trace import Trace, read_trace
from berth_planner import baselines
from berth_planner.arrivals import Arriving, Packed, Policy, Site, arrive
from berth_planner.single_moves import SingleMoves

SEEDS = 10
Make = Callable[[Site, Trace, random.Random], Policy]

POLICIES: dict[str, Make] = {
    "Random": lambda site, trace, draw: baselines.Random(draw),
    "kube-scheduler": lambda site, trace, draw: baselines.LeastAllocated(),
    "dot-product": lambda site, trace, draw: baselines.DotProduct(),
    "BestFit": lambda site, trace, draw: baselines.BestFit(),
    "FGD": lambda site, trace, draw: baselines.FragmentationGradientDescent(site, trace.kinds, trace.counts),
    "Berth": lambda site, trace, draw: Packed(site),
    "kube-scheduler and moves": lambda site, trace, draw: baselines.LeastAllocated(),
    "Berth and moves": lambda site, trace, draw: Packed(site),
}
REPACKING = frozenset({"kube-scheduler and moves", "Berth and moves"})
"""For a pod with GPUs that fits nowhere, one pod is moved where that makes room."""
RANDOM_TIES = frozenset({"Random", "kube-scheduler", "kube-scheduler and moves"})
"""The others take the first of equal nodes: FGD's published figures come out so, and 3 points less with random ties."""


class Result(msgspec.Struct, frozen=True):
    policy: str
    seed: int
    allocated: float
    """Percent of all GPUs, at the end."""
    at_full_demand: float
    """When as many GPUs had been asked for as there are."""
    placed: int
    turned_away: int
    seconds: float
    moves: int = 0


def measure(folder: Path, name: str, seed: int) -> Result:
    trace = read_trace(folder)
    site = trace.site()
    order = trace.arrivals(seed)
    draw = random.Random(seed)
    begun = time.perf_counter()
    run = Arriving(site, trace.kinds, POLICIES[name](site, trace, draw), draw if name in RANDOM_TIES else None)
    repacker = SingleMoves(run) if name in REPACKING else None
    outcome = arrive(run, order, repacker)
    took = time.perf_counter() - begun
    at_full = 100 * outcome.course[99]
    moves = repacker.moves if repacker is not None else 0
    return Result(name, seed, 100 * outcome.allocated, at_full, outcome.placed, outcome.turned_away, took, moves)


def table(results: list[Result]) -> str:
    """One line a policy: mean, least and most, and beside FGD seed by seed."""
    by_policy = {name: [r for r in results if r.policy == name] for name in POLICIES}
    reference = {r.seed: r.allocated for r in by_policy["FGD"]}
    lines = [
        "| policy | GPUs allocated, mean | least | most | at 100 % asked | pods placed | moves | above FGD in | s a run |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, found in by_policy.items():
        if found:
            shares = [r.allocated for r in found]
            wins = sum(r.allocated > reference.get(r.seed, 101) for r in found)
            cells = [
                name,
                f"{statistics.mean(shares):.2f} %",
                f"{min(shares):.2f}",
                f"{max(shares):.2f}",
                f"{statistics.mean(r.at_full_demand for r in found):.2f} %",
                f"{statistics.mean(r.placed for r in found):.0f}",
                f"{statistics.mean(r.moves for r in found):.0f}",
                "" if name == "FGD" else f"{wins} of {len(found)}",
                f"{statistics.mean(r.seconds for r in found):.0f}",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--openb", type=Path, required=True, help="folder of openb's two CSV files")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--policy", action="append", choices=list(POLICIES), help="may be given again; default: all")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    chosen = parser.parse_args(arguments)
    seeds = range(chosen.first_seed, chosen.first_seed + chosen.seeds)
    tasks = [(name, seed) for seed in seeds for name in chosen.policy or POLICIES]
    results: list[Result] = []
    with ProcessPoolExecutor(chosen.workers) as pool:
        for result in pool.map(measure, [chosen.openb] * len(tasks), *zip(*tasks, strict=True)):
            results.append(result)
            said = f"{result.policy} seed {result.seed}: {result.allocated:.2f} %, {result.seconds:.0f} s"
            print(said, file=sys.stderr, flush=True)
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "openb-arrivals.json").write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    print(table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())

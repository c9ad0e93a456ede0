"""Urgent requests on a busy engine: Berth's policy beside four others, same books, same simulated GPU.

`python -m benchmarks.engine --seed 2026 --out out/engine.json`; `--quick` for a short one; `--device H100`.

The paper's protocol (QLLM, arXiv 2503.09304): a fifth of the requests is urgent, Poisson arrivals, batch 32. Lengths are drawn
from lognormals with ShareGPT's means as cited from PagedAttention, SOSP 2023 (161 prompt and 338 answer tokens); their
spreads (1.2 and 0.9 in the logarithm) are ours. A second mix is heavy on prompts (mean 1,500, answers 60; urgent ones as before).
Time is the cost model of engine/berth_engine/cost.py: nothing here ran on a GPU.

A rate is sustained if no more than a twentieth of the requests wait for their first slice when the last one comes. Loads: 70 and
90 % of what continuous batching in order of arrival sustains, and 120 %.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.seeds import stream

# the engine is a distribution of its own; its policies and its simulation need no more than Python
sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from berth_engine.batch import Chunk, Pass
from berth_engine.cost import A100, H100, MIXTRAL_INT8, OLMOE, Device, ModelShape, knee, slice_seconds
from berth_engine.kv_cache import BlockPool
from berth_engine.policies.fcfs_batches import FcfsBatches
from berth_engine.policies.fcfs_continuous import FcfsContinuous
from berth_engine.policies.iteration_priority import IterationPriority
from berth_engine.policies.qllm import Qllm
from berth_engine.request import Finish, Request, Sampling
from berth_engine.roster import Roster
from berth_engine.scheduler import Limits, Preemptive
from berth_engine.simulate import Arrival, Run, simulate

BATCH = 32
GPU_MEMORY = 80e9
PATIENCE = 10.0
LONGEST = 4096
QUEUE = 0.05  # share of the requests that may wait at the end of a sustained run
VLLM_BUDGET = 2048  # max_num_batched_tokens, vLLM's default for online serving


def arrivals(rate: float, count: int, urgent: float, mix: str, draw: random.Random) -> list[Arrival]:
    """Requests of one mix at so many a second."""

    def length(mean: float, spread: float) -> int:
        return max(1, min(LONGEST, round(draw.lognormvariate(math.log(mean) - spread * spread / 2, spread))))

    now, coming = 0.0, []
    for _ in range(count):
        now += draw.expovariate(rate)
        is_urgent = draw.random() < urgent
        prompt, answer = length(161.31, 1.2), length(337.99, 0.9)
        if mix == "prefill-heavy" and not is_urgent:
            prompt, answer = length(1500, 0.6), length(60, 0.9)
        coming.append(Arrival(now, prompt, answer, int(is_urgent)))
    return coming


def served(policy: Any, coming: list[Arrival], model: ModelShape, device: Device, budget: int) -> Run:
    """One run with what memory leaves beside the weights."""
    weights = model.layers * model.experts * model.expert * model.weight_bytes
    weights += 2 * (model.layers * model.attention + 2 * model.head)
    blocks = int((GPU_MEMORY * 0.9 - weights) / (16 * model.layers * model.kv_bytes))
    limits = Limits(BATCH, budget, min(budget, knee(model, device)), PATIENCE)
    return simulate(policy(limits), coming, model, device, blocks=blocks, host_blocks=blocks)


def sustained(policy: Any, model: ModelShape, device: Device, budget: int, mix: str, count: int, seed: int) -> float:
    """Requests a second that a policy keeps up with, by bisection."""
    low, high = 0.1, 200.0
    while high / low > 1.05:
        rate = math.sqrt(low * high)
        coming = arrivals(rate, count, 0.2, mix, stream(seed, "sustained", mix))
        run = served(policy, coming, model, device, budget)
        last = coming[-1].at
        if sum(outcome.arrival.at + outcome.wait > last for outcome in run.outcomes) <= QUEUE * count:
            low = rate
        else:
            high = rate
    return low


def decode_iteration(model: ModelShape, device: Device) -> float:
    """Seconds of one pass of a full batch of decodes at ShareGPT's mean context."""
    request = Request("r", [0] * 500)
    chunks = [Chunk(request, 499, 1) for _ in range(BATCH)]
    return sum(slice_seconds(model, device, Pass(list(chunks), layer=layer)) for layer in range(model.layers))


def figures(run: Run, slo: float) -> dict[str, float]:
    urgent = sorted(outcome.first_token for outcome in run.outcomes if outcome.arrival.priority)
    waits = sorted(outcome.wait for outcome in run.outcomes if outcome.arrival.priority)
    other = [outcome.turnaround for outcome in run.outcomes if not outcome.arrival.priority]
    return {
        "urgent_ttft_mean": statistics.mean(urgent),
        "urgent_ttft_p50": statistics.median(urgent),
        "urgent_ttft_p99": urgent[int(0.99 * len(urgent))],
        "urgent_wait_p50": statistics.median(waits),
        "urgent_wait_p99": waits[int(0.99 * len(waits))],
        "slo": sum(value <= slo for value in urgent) / len(urgent),
        "best_effort_turnaround": statistics.mean(other),
        "tokens_per_second": run.tokens_per_second,
        "preemptions": run.counts.preemptions,
    }


def scheduler_seconds(requests: int, seed: int) -> float:
    """Real seconds of the scheduler a slice, books included, with so many requests in the engine."""
    draw = stream(seed, "scheduler")
    roster, policy = Roster(BlockPool(40_000, 0), 32), Preemptive(Limits(requests, 2048))
    for place in range(requests):
        prompt = [draw.randrange(32_000) for _ in range(draw.randrange(20, 600))]
        roster.enqueue(Request(str(place), prompt, Sampling(max_tokens=200), draw.choice([0, 0, 0, 0, 1])))
    spent, slices = 0.0, 0
    while roster.waiting or roster.admitted:
        begin = time.perf_counter()
        running = policy.next_pass(roster, slices * 0.003)
        assert running is not None
        if roster.slice_done():
            for request in roster.close(running, {chunk.request.id: 7 for chunk in running.chunks}, slices * 0.003):
                if len(request.output) >= 200:
                    roster.leave(request, Finish.LENGTH, slices * 0.003)
        spent += time.perf_counter() - begin
        slices += 1
    return spent / slices


def show(console: Console, title: str, rows: dict[str, dict[str, float]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in (
        "policy",
        "urgent TTFT mean",
        "p50",
        "p99",
        "wait p99",
        "in SLO",
        "best-effort turnaround",
        "tokens/s",
    ):
        table.add_column(column, justify="left" if column == "policy" else "right")
    for name, row in rows.items():
        table.add_row(
            name, *(f"{1000 * row[key]:,.0f} ms" for key in ("urgent_ttft_mean", "urgent_ttft_p50", "urgent_ttft_p99", "urgent_wait_p99")),
            f"{row['slo']:.1%}", f"{row['best_effort_turnaround']:.2f} s", f"{row['tokens_per_second']:.0f}",
        )  # fmt: skip
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--count", type=int, default=600, help="requests a run")
    parser.add_argument("--device", choices=["A100", "H100"], default="A100", help="the GPU that is simulated")
    parser.add_argument("--quick", action="store_true", help="Mixtral alone, 150 requests a run")
    parser.add_argument("--out", type=Path, default=Path("out/engine.json"))
    asked = parser.parse_args()
    device = {"A100": A100, "H100": H100}[asked.device]
    count = 150 if asked.quick else asked.count
    console = Console(width=140)
    runs: dict[str, Any] = {}
    for model in (MIXTRAL_INT8,) if asked.quick else (MIXTRAL_INT8, OLMOE):
        slo = 10 * decode_iteration(model, device)
        budget = 2 * max(knee(model, device), BATCH)
        policies: dict[str, tuple[Callable[[Limits], Any], int]] = {
            "fcfs-batches": (FcfsBatches, budget),
            "fcfs-continuous": (FcfsContinuous, budget),
            "iteration-priority": (IterationPriority, budget),
            f"iteration-priority, {VLLM_BUDGET} tokens": (IterationPriority, VLLM_BUDGET),
            "qllm": (Qllm, budget),
            "preemptive": (Preemptive, budget),
        }
        for mix in ("sharegpt", "prefill-heavy"):
            most = sustained(FcfsContinuous, model, device, budget, mix, count, asked.seed)
            batches = sustained(FcfsBatches, model, device, budget, mix, count, asked.seed)
            for load in (0.7, 0.9, 1.2):
                coming = arrivals(load * most, count, 0.2, mix, stream(asked.seed, model.name, mix, str(load)))
                rows = {
                    name: figures(served(policy, coming, model, device, size), slo)
                    for name, (policy, size) in policies.items()
                }
                title = (
                    f"{model.name} on {device.name}, {mix}: {load * most:.2f} requests/s, {load:.0%} of what continuous batching "
                    f"sustains ({most / batches:.1f}x of what batches to completion do); budget {budget} tokens; SLO {slo:.3f} s"
                )
                show(console, title, rows)
                runs[f"{model.name}, {mix}, {load}"] = {
                    "rate": load * most,
                    "budget": budget,
                    "slo": slo,
                    "policies": rows,
                }
        for share in (0.05, 0.5):
            coming = arrivals(
                0.9 * most, count, share, "prefill-heavy", stream(asked.seed, model.name, "share", str(share))
            )
            rows = {
                name: figures(served(policy, coming, model, device, size), slo)
                for name, (policy, size) in policies.items()
            }
            show(console, f"{model.name}, prefill-heavy, {share:.0%} urgent", rows)
            runs[f"{model.name}, share {share}"] = {"rate": 0.9 * most, "budget": budget, "slo": slo, "policies": rows}
    each = scheduler_seconds(256, asked.seed)
    console.print(f"the scheduler's own time, 256 requests, this machine: {each * 1e6:.0f} us a slice")
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(
        json.dumps({"seed": asked.seed, "count": count, "scheduler_seconds": each, "runs": runs}, indent=1)
    )
    console.print(f"written to {asked.out}")


if __name__ == "__main__":
    main()

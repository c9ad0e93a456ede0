"""What comes to the engine in its benchmark, and how much of it can be sustained.

The paper's protocol (QLLM, arXiv 2503.09304): a fifth of the requests is urgent, Poisson arrivals, batch 32. Lengths are drawn
from lognormals with ShareGPT's means as cited from PagedAttention, SOSP 2023 (161 prompt and 338 answer tokens); their
spreads (1.2 and 0.9 in the logarithm) are ours. A second mix is heavy on prompts (mean 1,500, answers 60; urgent ones as before).
Bursts: arrivals come at two and a half times the rate for 5 s on average, then none for 7.5 s.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.seeds import stream

# the engine is a distribution of its own; its policies and its simulation need no more than Python
sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from berth_engine.batch import Chunk, Pass
from berth_engine.cost import Device, ModelShape, knee, slice_seconds
from berth_engine.policies.fcfs_batches import FcfsBatches
from berth_engine.policies.fcfs_continuous import FcfsContinuous
from berth_engine.policies.iteration_priority import IterationPriority
from berth_engine.policies.qllm import Qllm
from berth_engine.request import Request
from berth_engine.scheduler import Limits, Preemptive
from berth_engine.simulate import Arrival, Run, simulate

BATCH = 32
GPU_MEMORY = 80e9
PATIENCE = 10.0
LONGEST = 4096
QUEUE = 0.05  # share of the requests that may wait at the end of a sustained run
VLLM_BUDGET = 2048  # max_num_batched_tokens, vLLM's default for online serving
URGENT = 0.2
BURST, PAUSE = 5.0, 7.5  # seconds on average
SHAREGPT, PREFILL_HEAVY = "sharegpt", "prefill-heavy"

Policies = dict[str, tuple[Callable[[Limits], Any], int]]
"""By name: the policy and its token budget."""


@dataclass(frozen=True, slots=True)
class Coming:
    """How requests come. scale: of lengths, for models too small for real ones."""

    mix: str
    urgent: float = URGENT
    bursts: bool = False
    scale: float = 1.0


def arrivals(rate: float, count: int, coming: Coming, draw: random.Random) -> list[Arrival]:
    """Requests at so many a second on average."""

    def length(mean: float, spread: float) -> int:
        mean *= coming.scale
        return max(1, min(LONGEST, round(draw.lognormvariate(math.log(mean) - spread * spread / 2, spread))))

    now, found = 0.0, []
    left = draw.expovariate(1 / BURST)  # of the burst
    for _ in range(count):
        wait = draw.expovariate(rate * (BURST + PAUSE) / BURST if coming.bursts else rate)
        while coming.bursts and wait > left:
            now += left + draw.expovariate(1 / PAUSE)
            wait, left = wait - left, draw.expovariate(1 / BURST)
        now, left = now + wait, left - wait
        is_urgent = draw.random() < coming.urgent
        prompt, answer = length(161.31, 1.2), length(337.99, 0.9)
        if coming.mix == PREFILL_HEAVY and not is_urgent:
            prompt, answer = length(1500, 0.6), length(60, 0.9)
        found.append(Arrival(now, prompt, answer, int(is_urgent)))
    return found


def policies(budget: int) -> Policies:
    """Berth's last."""
    return {
        "fcfs-batches": (FcfsBatches, budget),
        "fcfs-continuous": (FcfsContinuous, budget),
        "iteration-priority": (IterationPriority, budget),
        f"iteration-priority, {VLLM_BUDGET} tokens": (IterationPriority, VLLM_BUDGET),
        "qllm": (Qllm, budget),
        "preemptive": (Preemptive, budget),
    }


def served(policy: Any, coming: list[Arrival], model: ModelShape, device: Device, budget: int) -> Run:
    """One run with what memory leaves beside the weights."""
    weights = model.layers * model.experts * model.expert * model.weight_bytes
    weights += 2 * (model.layers * model.attention + 2 * model.head)
    blocks = int((GPU_MEMORY * 0.9 - weights) / (16 * model.layers * model.kv_bytes))
    limits = Limits(BATCH, budget, min(budget, knee(model, device)), PATIENCE)
    return simulate(policy(limits), coming, model, device, blocks=blocks, host_blocks=blocks)


def keeps_up(run: Run) -> bool:
    """No more than a twentieth of the requests wait for their first slice when the last one comes."""
    last = run.outcomes[-1].arrival.at
    return sum(outcome.arrival.at + outcome.wait > last for outcome in run.outcomes) <= QUEUE * len(run.outcomes)


def has_throughput(run: Run) -> bool:
    """Nine tenths of the answers' tokens that come are given in the time in which they come."""
    last = run.outcomes[-1].arrival.at
    wanted = sum(outcome.arrival.answer for outcome in run.outcomes)
    in_time = 0.0
    for outcome in run.outcomes:
        begin, end = outcome.arrival.at + outcome.first_token, outcome.arrival.at + outcome.turnaround
        share = 1.0 if end <= last else max(0.0, (last - begin) / (end - begin)) if end > begin else 0.0
        in_time += share * outcome.arrival.answer
    return in_time >= 0.9 * wanted


def highest_rate(
    holds: Callable[[Run], bool], policy: Any, model: ModelShape, device: Device, budget: int, coming: Coming, count: int, seed: int
) -> float:  # fmt: skip
    """Requests a second up to which something holds of a policy's runs, by bisection, within 5 %."""
    low, high = 0.1, 200.0
    while high / low > 1.05:
        rate = math.sqrt(low * high)
        if holds(
            served(policy, arrivals(rate, count, coming, stream(seed, "highest", coming.mix)), model, device, budget)
        ):
            low = rate
        else:
            high = rate
    return low


def decode_iteration(model: ModelShape, device: Device) -> float:
    """Seconds of one pass of a full batch of decodes at ShareGPT's mean context."""
    request = Request("r", [0] * 500)
    chunks = [Chunk(request, 499, 1) for _ in range(BATCH)]
    return sum(slice_seconds(model, device, Pass(list(chunks), layer=layer)) for layer in range(model.layers))

"""The engine's benchmark with real compute: `make engine`, then `python -m benchmarks.engine --real`, which runs this where torch is.

The real engine, its policies and its runner on a built-in model with random weights, lengths an eighth of those of
benchmarks/engine_load.py, arrivals in real time. First the rate that continuous batching keeps up with is looked for with everything
there at once; then each policy gets the same arrivals at 70 and 90 % of it. On shared machines single figures mean little: each
policy runs `--rounds` times in turns, and medians are told.

`--device cuda` is the same protocol on a GPU, with `--model FOLDER` for a real model and `--scale 1` for real lengths. It has
not been run on one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.engine_load import BATCH, PATIENCE, PREFILL_HEAVY, Coming, arrivals, policies
from benchmarks.seeds import stream

# isort: split
import torch

from berth_engine.attention import PagedCache
from berth_engine.engine import Engine, Event
from berth_engine.kv_cache import BlockPool
from berth_engine.models import Loaded, load
from berth_engine.policies.qllm import Qllm
from berth_engine.request import Request, Sampling
from berth_engine.runner import Runner
from berth_engine.scheduler import Limits
from berth_engine.simulate import Arrival

SCALE = 0.125
BUDGET, SHARED = 256, 64
BLOCK, BLOCKS = 16, 4_000
CAPACITY = 4  # times the requests of a run come at once to find the rate
LOADS = (0.7, 0.9)
Row = dict[str, float]


def serve(loaded: Loaded, policy: Any, coming: list[Arrival], seed: int) -> Row:
    """Serve the arrivals in real time."""
    weights = next(loaded.model.parameters())
    cache = PagedCache(
        loaded.layers, BLOCKS, BLOCKS, BLOCK, loaded.kv_heads, loaded.head_dim, weights.dtype, weights.device
    )
    draw = stream(seed, "prompts")
    requests = [
        Request(
            str(place),
            [draw.randrange(3, loaded.vocabulary) for _ in range(arrival.prompt)],
            Sampling(max_tokens=arrival.answer, ignore_eos=True),
            arrival.priority,
        )
        for place, arrival in enumerate(coming)
    ]
    runner = Runner(loaded.model, cache)
    if isinstance(policy, Qllm):
        policy.on_merge = runner.merge
    begin = time.perf_counter()
    pool = BlockPool(BLOCKS, BLOCKS, BLOCK, share=False)
    engine = Engine(runner, policy, pool, clock=lambda: time.perf_counter() - begin)
    ended: list[Event] = []
    at = 0
    while at < len(requests) or not engine.idle:
        while at < len(requests) and coming[at].at <= engine.clock():
            engine.submit(requests[at], lambda event: ended.append(event) if event.finish else None)
            at += 1
        if not engine.step() and at < len(requests):
            time.sleep(max(0.0, min(0.001, coming[at].at - engine.clock())))
    seconds = engine.clock()
    assert len(ended) == len(requests)
    late = [_since(request.first_token, arrival) for request, arrival in zip(requests, coming, strict=True)]
    urgent = sorted(value for value, arrival in zip(late, coming, strict=True) if arrival.priority)
    waits = sorted(_since(r.started, a) for r, a in zip(requests, coming, strict=True) if a.priority)
    others = [_since(r.finished, a) for r, a in zip(requests, coming, strict=True) if not a.priority]
    return {
        "urgent_ttft_mean": statistics.mean(urgent),
        "urgent_ttft_p99": urgent[int(0.99 * len(urgent))],
        "urgent_wait_p50": statistics.median(waits),
        "best_effort_turnaround": statistics.mean(others),
        "tokens_per_second": sum(arrival.answer for arrival in coming) / seconds,
        "preemptions": engine.roster.counts.preemptions,
        "half": sorted(_since(request.finished, coming[0]) for request in requests)[len(requests) // 2],
    }


def _since(when: float | None, arrival: Arrival) -> float:
    assert when is not None
    return when - arrival.at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--count", type=int, default=80, help="requests a run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="tiny-mixtral", help="a built-in name or a folder")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--scale", type=float, default=SCALE, help="of lengths")
    parser.add_argument("--out", type=Path, default=Path("out/engine-real.json"))
    asked = parser.parse_args()
    torch.set_num_threads(1)  # or two of them wait for each other on busy machines
    loaded = load(asked.model, device=asked.device)
    coming = Coming(PREFILL_HEAVY, scale=asked.scale)
    limits = Limits(BATCH, BUDGET, SHARED, PATIENCE)
    chosen = {name: build for name, (build, budget) in policies(BUDGET).items() if budget == BUDGET}
    everything = [
        Arrival(0.0, one.prompt, one.answer, place % 2)
        for place, one in enumerate(arrivals(1.0, CAPACITY * asked.count, coming, stream(asked.seed, "capacity")))
    ]
    serve(loaded, chosen["fcfs-continuous"](limits), everything[:8], asked.seed)  # warm
    # until half of them have ended the batch is full; the longest answers at the end would tell of themselves alone
    half = serve(loaded, chosen["fcfs-continuous"](limits), everything, asked.seed)["half"]
    most = len(everything) / 2 / half
    print(f"{asked.model} on {asked.device}: continuous batching does {most:.2f} requests/s; lengths x {asked.scale}")
    report: dict[str, Any] = {"seed": asked.seed, "count": asked.count, "rate": most, "runs": {}}
    for share in LOADS:
        rows: dict[str, list[Row]] = {name: [] for name in chosen}
        for number in range(asked.rounds):
            come = arrivals(share * most, asked.count, coming, stream(asked.seed, "real", str(share), str(number)))
            for name, build in chosen.items():
                rows[name].append(serve(loaded, build(limits), come, asked.seed))
        medians = {
            name: {key: statistics.median(row[key] for row in each) for key in each[0]} for name, each in rows.items()
        }
        report["runs"][str(share)] = medians
        print(f"\n{share:.0%} of it, medians of {asked.rounds} rounds")
        print(
            f"{'policy':<20}{'urgent TTFT':>14}{'p99':>12}{'wait p50':>12}{'turnaround':>14}{'tokens/s':>10}{'preemptions':>13}"
        )
        for name, row in medians.items():
            times = [f"{1000 * row[key]:,.1f} ms" for key in ("urgent_ttft_mean", "urgent_ttft_p99", "urgent_wait_p50")]
            print(
                f"{name:<20}{times[0]:>14}{times[1]:>12}{times[2]:>12}{row['best_effort_turnaround']:>12.2f} s"
                f"{row['tokens_per_second']:>10.0f}{row['preemptions']:>13.0f}"
            )
        sys.stdout.flush()
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(report, indent=1))
    print(f"written to {asked.out}")


if __name__ == "__main__":
    main()

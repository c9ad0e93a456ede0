"""Urgent requests on a busy engine: Berth's policy beside four others, same books, same simulated GPU.

`python -m benchmarks.engine --seed 2026 --out out/engine.json`; `--quick` for a short one; `--device H100`. What comes:
benchmarks/engine_load.py. Time is the cost model of engine/berth_engine/cost.py: nothing here ran on a GPU. With real compute:
engine/measure_real.py, which `--real` runs in the engine's environment.

Loads: 70, 90 and 120 % of what continuous batching in order of arrival keeps up with; 5 and 50 % urgent ones; bursts; and the
highest rate at which continuous batching still gives nine tenths of the tokens in time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.engine_figures import Figures, Lived, beside, figures, show
from benchmarks.engine_load import (
    BATCH,
    PREFILL_HEAVY,
    SHAREGPT,
    Coming,
    arrivals,
    decode_iteration,
    has_throughput,
    highest_rate,
    keeps_up,
    policies,
    served,
)
from benchmarks.seeds import stream

# isort: split
from berth_engine.cost import A100, H100, MIXTRAL_INT8, OLMOE, Device, ModelShape, knee
from berth_engine.kv_cache import BlockPool
from berth_engine.policies.fcfs_batches import FcfsBatches
from berth_engine.policies.fcfs_continuous import FcfsContinuous
from berth_engine.request import Finish, Request, Sampling
from berth_engine.roster import Roster
from berth_engine.scheduler import Limits, Preemptive
from berth_engine.simulate import Arrival

LOADS = (0.7, 0.9, 1.2)
OURS = "preemptive"


class Grid:
    """All runs of one model on one device."""

    def __init__(self, model: ModelShape, device: Device, count: int, seed: int, console: Console) -> None:
        self.model, self.device, self.count, self.seed, self.console = model, device, count, seed, console
        self.budget = 2 * max(knee(model, device), BATCH)
        self.slo = 10 * decode_iteration(model, device)
        self.runs: dict[str, dict[str, Figures]] = {}
        self.rates: dict[str, float] = {}

    def fill(self) -> None:
        for mix in (SHAREGPT, PREFILL_HEAVY):
            most = self._highest(keeps_up, FcfsContinuous, Coming(mix))
            batches = self._highest(keeps_up, FcfsBatches, Coming(mix))
            self.console.print(
                f"{self.model.name} on {self.device.name}, {mix}: continuous batching keeps up with {most:.2f} requests/s, "
                f"batches to completion with {batches:.2f}; budget {self.budget} tokens"
            )
            for load in LOADS:
                self._run(f"{mix}, {load:.0%}", load * most, Coming(mix))
            self._run(f"{mix}, bursts, 70%", 0.7 * most, Coming(mix, bursts=True))
        for share in (0.05, 0.5):
            self._run(f"{PREFILL_HEAVY}, {share:.0%} urgent, 90%", 0.9 * most, Coming(PREFILL_HEAVY, urgent=share))
        rate = self._highest(has_throughput, FcfsContinuous, Coming(SHAREGPT))
        self._run(f"{SHAREGPT}, where FCFS has 90% throughput", rate, Coming(SHAREGPT))

    def _highest(self, holds: Any, policy: Any, coming: Coming) -> float:
        return highest_rate(holds, policy, self.model, self.device, self.budget, coming, self.count, self.seed)

    def _run(self, name: str, rate: float, coming: Coming) -> None:
        come = arrivals(rate, self.count, coming, stream(self.seed, self.model.name, name))
        title = f"{self.model.name}, {name}"
        self.rates[title] = rate
        self.runs[title] = {
            policy: self._figures(build, come, budget) for policy, (build, budget) in policies(self.budget).items()
        }
        show(self.console, f"{title}: {rate:.2f} requests/s", self.runs[title], self.slo)

    def _figures(self, policy: Any, come: list[Arrival], budget: int) -> Figures:
        run = served(policy, come, self.model, self.device, budget)
        lived = [Lived(o.arrival.priority > 0, o.wait, o.first_token, o.turnaround) for o in run.outcomes]
        return figures(lived, self.slo, run.tokens_per_second, run.counts.preemptions)


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


def real(options: list[str]) -> int:
    """With real compute, in the environment that has torch."""
    root = Path(__file__).parents[1]
    python = root / ".venv-engine" / "bin" / "python"
    if not python.exists():
        print("the engine's environment is missing: make engine", file=sys.stderr)
        return 2
    return subprocess.run([python, root / "engine" / "measure_real.py", *options], cwd=root, check=False).returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--count", type=int, default=600, help="requests a run")
    parser.add_argument("--device", choices=["A100", "H100"], default="A100", help="the GPU that is simulated")
    parser.add_argument("--quick", action="store_true", help="Mixtral alone, 150 requests a run")
    parser.add_argument("--real", action="store_true", help="real compute; its own options: --real --help")
    parser.add_argument("--out", type=Path, default=Path("out/engine.json"))
    if "--real" in sys.argv[1:]:
        sys.exit(real([option for option in sys.argv[1:] if option != "--real"]))
    asked, rest = parser.parse_known_args()
    if rest:
        parser.error(f"unrecognized: {' '.join(rest)}")
    device = {"A100": A100, "H100": H100}[asked.device]
    count = 150 if asked.quick else asked.count
    console = Console(width=150)
    grids = [
        Grid(model, device, count, asked.seed, console)
        for model in ((MIXTRAL_INT8,) if asked.quick else (MIXTRAL_INT8, OLMOE))
    ]
    for grid in grids:
        grid.fill()
    runs = {title: rows for grid in grids for title, rows in grid.runs.items()}
    beside(console, runs, OURS)
    each = scheduler_seconds(256, asked.seed)
    console.print(f"the scheduler's own time, 256 requests, this machine: {each * 1e6:.0f} us a slice")
    rates = {title: rate for grid in grids for title, rate in grid.rates.items()}
    report = {"seed": asked.seed, "count": count, "scheduler_seconds": each, "rates": rates, "runs": runs}
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(report, indent=1))
    console.print(f"written to {asked.out}")


if __name__ == "__main__":
    main()

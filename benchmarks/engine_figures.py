"""What is told of one run of the engine's benchmark, and how it is shown."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Lived:
    """One request: seconds from arrival to its first slice, first token and last."""

    urgent: bool
    wait: float
    first_token: float
    turnaround: float


Figures = dict[str, float]


def figures(lived: Sequence[Lived], slo: float, tokens_per_second: float, preemptions: int) -> Figures:
    urgent = sorted(one.first_token for one in lived if one.urgent)
    waits = sorted(one.wait for one in lived if one.urgent)
    other = [one.turnaround for one in lived if not one.urgent]
    return {
        "urgent_ttft_mean": statistics.mean(urgent),
        "urgent_ttft_p50": statistics.median(urgent),
        "urgent_ttft_p99": urgent[int(0.99 * len(urgent))],
        "urgent_wait_p50": statistics.median(waits),
        "urgent_wait_p99": waits[int(0.99 * len(waits))],
        "slo": sum(value <= slo for value in urgent) / len(urgent),
        "best_effort_turnaround": statistics.mean(other),
        "tokens_per_second": tokens_per_second,
        "preemptions": preemptions,
    }


def show(console: Console, title: str, rows: Mapping[str, Figures], slo: float) -> None:
    table = Table(title=title, title_justify="left", caption=f"SLO {slo:.3f} s", caption_justify="left")
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
        times = (row[key] for key in ("urgent_ttft_mean", "urgent_ttft_p50", "urgent_ttft_p99", "urgent_wait_p99"))
        table.add_row(
            name,
            *(f"{1000 * seconds:,.0f} ms" for seconds in times),
            f"{row['slo']:.1%}",
            f"{row['best_effort_turnaround']:.2f} s",
            f"{row['tokens_per_second']:.0f}",
        )
    console.print(table)


def beside(console: Console, runs: Mapping[str, Mapping[str, Figures]], ours: str) -> None:
    """All runs at a glance: others' mean urgent TTFT as multiples of ours, and ours beside continuous batching."""
    table = Table(
        title="urgent TTFT, mean, as a multiple of Berth's; then Berth beside continuous batching", title_justify="left"
    )
    others = [name for name in next(iter(runs.values())) if name != ours]
    for column in ("run", "Berth", *others, "turnaround", "tokens/s", "in SLO"):
        table.add_column(column, justify="left" if column == "run" else "right")
    for title, rows in runs.items():
        own, base = rows[ours], rows["fcfs-continuous"]
        table.add_row(
            title,
            f"{1000 * own['urgent_ttft_mean']:,.0f} ms",
            *(f"{rows[name]['urgent_ttft_mean'] / own['urgent_ttft_mean']:,.1f}x" for name in others),
            f"{own['best_effort_turnaround'] / base['best_effort_turnaround']:.2f}x",
            f"{own['tokens_per_second'] / base['tokens_per_second']:.2f}x",
            f"{own['slo']:.1%}",
        )
    console.print(table)

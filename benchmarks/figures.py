"""What each figure of a report means: measurements in, judgements and numbers out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.record import Answer, Measurement, Report

OVERSHOOT_ALLOWANCE = (0.05, 0.010)
"""What a strict deadline may be missed by: 5 % of the budget plus 10 ms."""


def improved(m: Measurement, answer: Answer) -> bool:
    """Lexicographically more pods placed, highest priority first, than stood."""
    return answer.placed > m.standing


def certified(m: Measurement, answer: Answer) -> bool:
    """What stood is already the best, proven."""
    return answer.placed == m.standing and answer.counts_proven


def published(m: Measurement, answer: Answer) -> Answer:
    """The paper's model as published: a plan with an unanswered stage is thrown away."""
    if answer.accepted or answer.placed == m.standing:
        return answer
    return Answer(m.standing, False, False, 0, 0, answer.seconds, status=answer.status, accepted=False)


def category(m: Measurement, answer: Answer) -> str:
    """The paper's categories (its `combine_results.py`), in its words."""
    if improved(m, answer):
        return "better & optimal" if answer.fully_proven else "better"
    return "KWOK optimal" if answer.placed == m.standing and answer.fully_proven else "failure"


def quantile(values: Sequence[float], q: float) -> float | None:
    return float(np.quantile(values, q, method="higher")) if values else None


def overshoots(measurements: Sequence[Measurement], answer_of: Callable[[Measurement], Answer]) -> list[float]:
    return [max(0.0, answer_of(m).seconds - m.budget) for m in measurements]


def groups(report: Report) -> list[tuple[str, list[Measurement]]]:
    """All instances, then by each axis of the grid that varies."""
    found: list[tuple[str, list[Measurement]]] = [("all", list(report.measurements))]
    axes: list[tuple[str, Callable[[Measurement], float]]] = [
        ("nodes", lambda m: m.nodes),
        ("pods per node", lambda m: m.pods_per_node),
        ("priorities", lambda m: m.priorities),
        ("usage", lambda m: m.usage),
        ("budget", lambda m: m.budget),
    ]
    for label, axis in axes:
        values = sorted({axis(m) for m in report.measurements})
        if len(values) > 1:
            found += [(f"{label} {v:g}", [m for m in report.measurements if axis(m) == v]) for v in values]
    return found


def count_gap(answer: Answer) -> int:
    """Pods that the first open tier may still be short of."""
    return next((b - p for b, p in zip(answer.bounds, answer.placed, strict=True) if b > p), 0)


def faults(report: Report) -> list[str]:
    """What must never happen: invalid placements, misreported values, refuted proofs."""
    return [f"{m.cell} seed {m.seed} budget {m.budget:g}: {f}" for m in report.measurements for f in m.faults]


def losses(report: Report) -> list[str]:
    """Instances on which the paper's model found better counts, or the same with fewer moves."""
    found = []
    for m in report.measurements:
        if m.paper is not None and m.berth.placed <= m.paper.placed:
            where = f"{m.cell} seed {m.seed} budget {m.budget:g}"
            if m.berth.placed < m.paper.placed:
                found.append(f"{where}: placed {m.berth.placed}, the paper's model {m.paper.placed}")
            elif m.berth.disturbed > m.paper.disturbed:
                found.append(f"{where}: {m.berth.disturbed} moves, the paper's model {m.paper.disturbed}")
    return found


def late(report: Report) -> list[str]:
    """Runs of ours that overran the deadline by more than the allowance."""
    share, constant = OVERSHOOT_ALLOWANCE
    return [
        f"{m.cell} seed {m.seed} budget {m.budget:g}: {m.berth.seconds - m.budget:.3f} s over"
        for m in report.measurements
        if m.berth.seconds > m.budget * (1 + share) + constant
    ]

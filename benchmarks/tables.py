"""Markdown tables from the JSON of a run: `python -m benchmarks.tables out/bench/*.json`.

Each suite has its own columns; all figures are computed here from the measurements, none is stored.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.figures import (
    category,
    certified,
    count_gap,
    faults,
    groups,
    improved,
    late,
    losses,
    overshoots,
    published,
    quantile,
)
from benchmarks.record import Answer, Measurement, Report, read_report

NONE = "-"
BERTH = "Berth"


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else NONE


def seconds(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.2f} s"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _summary_row(
    name: str, measurements: Sequence[Measurement], solver: str, answer_of: Callable[[Measurement], Answer]
) -> list[str]:
    answers = [(m, answer_of(m)) for m in measurements]
    n = len(answers)
    gained = sum(sum(a.placed) - sum(m.standing) for m, a in answers)
    disturbed = sum(a.disturbed for _, a in answers)
    firsts = [a.first_improvement for _, a in answers if a.first_improvement is not None]
    elapsed = [a.seconds for _, a in answers]
    over = overshoots(measurements, answer_of)
    return [
        name,
        solver,
        str(n),
        percent(sum(improved(m, a) or certified(m, a) for m, a in answers), n),
        percent(sum(a.counts_proven for _, a in answers), n),
        percent(sum(a.fully_proven for _, a in answers), n),
        NONE if solver != BERTH else percent(sum(bool(a.recomputed) for _, a in answers), n),
        str(gained),
        str(disturbed),
        f"{gained / disturbed:.2f}" if disturbed else NONE,
        f"{seconds(quantile(firsts, 0.5))} / {seconds(quantile(firsts, 0.95))}",
        f"{seconds(quantile(elapsed, 0.5))} / {seconds(quantile(elapsed, 0.99))}",
        f"{seconds(quantile(over, 0.99))} / {seconds(max(over, default=0.0))}",
    ]


SUMMARY_HEADER = (
    "instances", "solver", "n", "improved or certified %", "counts proven %", "counts and moves proven %", "proofs recomputed %", "net pods gained",
    "moved or evicted", "pods gained per move", "first improvement p50 / p95", "elapsed p50 / p99", "over the budget p99 / max",
)  # fmt: skip


def _berth(m: Measurement) -> Answer:
    return m.berth


def _kept(m: Measurement) -> Answer:
    assert m.paper is not None
    return m.paper


def _published(m: Measurement) -> Answer:
    return published(m, _kept(m))


def summary(report: Report) -> str:
    """Where the paper's model ran, its rows stand below ours."""
    rows = []
    for name, members in groups(report):
        rows.append(_summary_row(name, members, BERTH, _berth))
        paired = [m for m in members if m.paper is not None]
        if paired:
            rows.append(_summary_row(name, paired, "paper's model, incumbent kept", _kept))
            if name == "all":
                rows.append(_summary_row(name, paired, "paper's model, as published", _published))
    return markdown(SUMMARY_HEADER, rows)


def comparison(report: Report) -> str:
    """Berth against the paper's model (incumbent kept) on the same instances."""
    header = (
        "instances", "n", "better counts", "worse counts", "equal counts, fewer moves", "equal counts, more moves",
    )  # fmt: skip
    rows = []
    for label, members in groups(report):
        pairs = [(m.berth, m.paper) for m in members if m.paper is not None]
        if not pairs:
            continue
        equal = [(b, p) for b, p in pairs if b.placed == p.placed]
        rows.append(
            [
                label,
                str(len(pairs)),
                str(sum(b.placed > p.placed for b, p in pairs)),
                str(sum(b.placed < p.placed for b, p in pairs)),
                str(sum(b.disturbed < p.disturbed for b, p in equal)),
                str(sum(b.disturbed > p.disturbed for b, p in equal)),
            ]
        )
    return markdown(header, rows)


def categories(report: Report) -> str:
    """The paper's five categories, percent of the seeds that had something pending, per number of priorities."""
    names = ("KWOK optimal", "better & optimal", "better", "failure")
    rows = []
    for k in sorted({m.priorities for m in report.measurements}):
        members = [m for m in report.measurements if m.priorities == k and m.paper is not None]
        tried = sum(m.attempts for m in members)
        for solver, answer_of in (
            ("Berth", _berth),
            ("paper's, incumbent kept", _kept),
            ("paper's, as published", _published),
        ):
            found = [category(m, answer_of(m)) for m in members]
            rows.append(
                [str(k), solver, str(len(members)), percent(tried - len(members), tried)]
                + [percent(found.count(name), len(members)) for name in names]
            )
    return markdown(("priorities", "solver", "n", "no calls, % of seeds tried", *names), rows)


def gaps(report: Report) -> str:
    """How far from a proof our open instances end: in counts (first tier that is open), else in moves."""
    rows = []
    for label, members in groups(report):
        counts = [count_gap(m.berth) for m in members if not m.berth.counts_proven]
        moves = [
            m.berth.disturbed - (m.berth.disruption_bound or 0)
            for m in members
            if m.berth.counts_proven and not m.berth.fully_proven
        ]
        rows.append([label, str(len(members)), _sizes(counts), _sizes(moves)])
    header = ("instances", "n", "counts open: by 1 / 2 / 3 or more pods", "moves open: by 1 / 2 / 3 or more")
    return markdown(header, rows)


def _sizes(found: Sequence[float]) -> str:
    return f"{sum(g <= 1 for g in found)} / {sum(1 < g <= 2 for g in found)} / {sum(g > 2 for g in found)}"


def each(report: Report) -> str:
    """One row an instance and budget."""
    header = (
        "instance", "budget", "pods", "pending", "placed of it", "counts", "moved or evicted", "elapsed", "last improvement",
    )  # fmt: skip
    rows = []
    for m in report.measurements:
        b = m.berth
        gained = sum(b.placed) - sum(m.standing)
        counts = "proven" if b.counts_proven else f"at most {sum(b.bounds) - sum(m.standing):+d}"
        rows.append(
            [
                m.cell, f"{m.budget:g} s", str(m.pods), str(m.pending), f"{gained} ({percent(gained, m.pending)} %)", counts,
                _moves(b), seconds(b.seconds), seconds(b.last_improvement),
            ]
        )  # fmt: skip
    return markdown(header, rows)


def gangs(report: Report) -> str:
    header = ("instance", "a placement exists", "answer", "moved or evicted", "elapsed", "last improvement")
    rows = []
    for m in report.measurements:
        b = m.berth
        if b.placed[-1] > m.standing[-1]:
            answer = f"{b.placed[-1]} pods placed"
        else:
            answer = "cannot be placed, proven" if b.counts_proven else "not placed, not proven"
        rows.append(
            [m.cell, "yes" if m.fits else "no", answer, _moves(b), seconds(b.seconds), seconds(b.last_improvement)]
        )
    return markdown(header, rows)


def consolidations(report: Report) -> str:
    header = ("instance", "pods", "nodes in use before", "after", "at least", "moved", "elapsed", "last improvement")
    rows = []
    for m in report.measurements:
        b = m.berth
        after = NONE if b.nodes_in_use is None else str(b.nodes_in_use)
        bound = NONE if b.nodes_bound is None else f"{b.nodes_bound:g}"
        rows.append(
            [
                m.cell, str(m.pods), str(m.nodes_in_use), after, bound, str(b.disturbed), seconds(b.seconds),
                seconds(b.last_improvement),
            ]
        )  # fmt: skip
    return markdown(header, rows)


def _moves(answer: Answer) -> str:
    if answer.fully_proven:
        return f"{answer.disturbed}, proven least"
    if answer.disruption_bound is None or not answer.counts_proven:
        return str(answer.disturbed)
    return f"{answer.disturbed}, at least {answer.disruption_bound:g}"


def commands(report: Report) -> str:
    rows = [[f"`{c.command}`", str(c.exit_code), " / ".join(seconds(s) for s in c.seconds)] for c in report.commands]
    return markdown(("command", "exit code", "runs, the first cold"), rows)


def memory(report: Report) -> str:
    rows = [
        [r.cell, str(r.pods), f"{r.after_imports:.0f}", f"{r.before_solving:.0f}", f"{r.peak:.0f}", seconds(r.seconds)]
        for r in report.memory
    ]
    header = (
        "instance",
        "pods",
        "MiB after imports",
        "with the instance",
        "peak",
        "solved in (kernels' first use included)",
    )
    return markdown(header, rows)


TABLES: dict[str, tuple[Callable[[Report], str], ...]] = {
    "paper-1s": (summary, comparison, categories, gaps),
    "paper-10s": (summary, comparison, categories, gaps),
    "scale": (summary, each),
    "gpu": (summary, each),
    "gang": (gangs,),
    "consolidate": (consolidations,),
}
ORDER = (*TABLES, "openb", "memory")
BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def render(report: Report) -> str:
    """The whole report of a suite as markdown."""
    machine = report.machine
    parts = [
        f"### {report.suite}",
        f"Base seed {report.base_seed}, {report.workers} threads a solver; {machine.cores} cores of {machine.cpu}, "
        f"load average {machine.load_average:g} at the start.",
    ]
    if report.measurements:
        parts += [table(report) for table in TABLES.get(report.suite, ())]
    if report.without_instance:
        parts.append("Nothing was left pending, whatever the seed: " + ", ".join(report.without_instance) + ".")
    if report.commands:
        parts.append(commands(report))
    if report.memory:
        parts.append(memory(report))
    for title, lines in (("Faults", faults(report)), ("Losses", losses(report)), ("Late", late(report))):
        if lines:
            parts.append(f"{title}:\n\n" + "\n".join(f"- {line}" for line in lines))
    return "\n\n".join(parts) + "\n"


def put_between_marks(text: str, tables: str) -> str:
    """The document with what stands between its two marks replaced by the tables."""
    begin, end = text.index(BEGIN), text.index(END)
    return f"{text[:begin]}{BEGIN}\n\n{tables}\n{text[end:]}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tables", description="Markdown tables from JSON reports."
    )
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument(
        "--into", type=Path, help="write them between the marks of this document instead of printing them"
    )
    chosen = parser.parse_args(arguments)
    found = [read_report(path) for path in chosen.reports]
    tables = "\n".join(render(r) for r in sorted(found, key=lambda r: ORDER.index(r.suite)))
    if chosen.into is None:
        print(tables)
    else:
        chosen.into.write_text(put_between_marks(chosen.into.read_text(), tables))


if __name__ == "__main__":
    main()

"""`python -m benchmarks.run`: runs suites, prints their tables, writes their JSON.

The exit code is 1 when an answer was invalid, misreported, or its proof refuted; slow or worse answers are reported, not failed,
since they depend on the machine.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from msgspec.structs import replace

from benchmarks.figures import faults
from benchmarks.gang_instances import gang_instance
from benchmarks.gpu_instances import GpuCell, gpu_instance
from benchmarks.measure import Task, measure
from benchmarks.memory import measure_memory
from benchmarks.openb import measure_openb
from benchmarks.paper_instances import Cell, find
from benchmarks.record import Machine, Measurement, Report, this_machine
from benchmarks.seeds import fresh_base_seed
from benchmarks.suites import NOT_QUICK, SOLVER_SUITES, NoInstance, Selection
from benchmarks.tables import render

SUITES = (*SOLVER_SUITES, "openb", "memory")
WARM_UP_SEED = 1


def main(arguments: list[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    suites = chosen.suite or list(SUITES)
    if chosen.quick and not chosen.suite:
        suites = [s for s in suites if s not in NOT_QUICK]
    if chosen.openb is None and "openb" in suites:
        _say("openb: left out, since --openb DIR does not say where its CSV files are")
        suites.remove("openb")
    base_seed = fresh_base_seed() if chosen.seed is None else chosen.seed
    selection = Selection(base_seed, chosen.seeds, chosen.quick, chosen.cells)
    _say(f"base seed {base_seed} (repeat with --seed {base_seed})")
    if chosen.write_instances:
        return _write_instances([s for s in suites if s in SOLVER_SUITES], selection, chosen.write_instances)
    machine = this_machine()
    if set(suites) & set(SOLVER_SUITES):
        _warm_up(chosen.workers)
    broken = False
    for suite in suites:
        report = _run(suite, selection, chosen.workers, machine, chosen.openb)
        path = report.write(chosen.out)
        print(render(report), flush=True)
        _say(f"{suite}: written to {path}")
        broken = broken or bool(faults(report)) or any(c.exit_code for c in report.commands)
    return int(broken)


def _run(suite: str, selection: Selection, workers: int, machine: Machine, openb: Path | None) -> Report:
    report = Report(suite, selection.base_seed, workers, machine)
    if suite == "memory":
        return replace(report, memory=(measure_memory(selection.base_seed, workers),))
    if suite == "openb":
        assert openb is not None
        return replace(report, commands=measure_openb(openb))
    measurements: list[Measurement] = []
    without: set[str] = set()
    began = time.monotonic()
    for i, task in enumerate(SOLVER_SUITES[suite](selection)):
        if isinstance(task, NoInstance):
            without.add(task.cell)
            continue
        done = measure(task, workers, berth_first=i % 2 == 0)
        measurements.append(done)
        _say(f"{suite} {i + 1} {time.monotonic() - began:.0f}s {_line(done)}")
        for fault in done.faults:
            _say(f"  FAULT {fault}")
    return replace(report, measurements=tuple(measurements), without_instance=tuple(sorted(without)))


def _write_instances(suites: list[str], selection: Selection, path: Path) -> int:
    """Each instance once, whatever the number of budgets it is solved under."""
    written: set[str] = set()
    with path.open("wb") as file:
        for suite in suites:
            for task in SOLVER_SUITES[suite](selection):
                if isinstance(task, Task) and task.instance.name not in written:
                    written.add(task.instance.name)
                    file.write(task.instance.json_line() + b"\n")
    _say(f"{len(written)} instances written to {path}")
    return 0


def _warm_up(workers: int) -> None:
    """Compile kernels and load libraries before anything is timed: small instances of each kind, once."""
    small = find(Cell(8, 4, 2, 1.00), WARM_UP_SEED).instance
    assert small is not None
    tasks = [
        Task("warm-up", small, 1.0, 8, 2, 1.00, with_paper=True),
        Task("warm-up", gpu_instance(GpuCell(20, 2, 1.00), WARM_UP_SEED), 1.0, 20, 2, 1.00),
        Task("warm-up", gang_instance("short", WARM_UP_SEED), 1.0, 500, 3, 1.00),
        Task("warm-up", small, 1.0, 8, 2, 1.00, consolidate=True),
    ]
    for task in tasks:
        measure(task, workers, berth_first=True)


def _line(m: Measurement) -> str:
    b = m.berth
    proof = "full" if b.fully_proven else "counts" if b.counts_proven else "open"
    paper = "" if m.paper is None else f" | paper {sum(m.paper.placed) - sum(m.standing):+d} {m.paper.status}"
    return f"{m.cell} seed {m.seed} {sum(b.placed) - sum(m.standing):+d} {proof} {b.seconds:.2f}s{paper}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--suite", action="append", choices=SUITES, help="may be given several times; default: all")
    parser.add_argument("--all", action="store_true", help="all suites (the default, said aloud)")
    parser.add_argument("--quick", action="store_true", help="a sub-grid of under two minutes, for CI")
    parser.add_argument("--seeds", type=int, default=1, help="instances a cell (default 1)")
    parser.add_argument("--seed", type=int, help="base seed; drawn and printed when not given")
    parser.add_argument(
        "--cells", default="*", metavar="PATTERN", help="only cells of this name, such as 'nodes32-*-util105'"
    )
    parser.add_argument("--workers", type=int, default=2, help="threads a solver (default 2)")
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="where the JSON goes (default out/bench)")
    parser.add_argument("--openb", type=Path, help="folder with the openb CSV files; without it that suite is left out")
    parser.add_argument(
        "--write-instances",
        type=Path,
        metavar="FILE",
        help="solve nothing, write the instances as lines for `berth solve`",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

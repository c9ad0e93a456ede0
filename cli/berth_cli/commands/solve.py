"""`berth solve`: the solver as a filter, one JSON problem a line in and one solution a line out.

The process stays resident: kernels are compiled (or loaded from numba's cache) once, before the first problem is read, and
each answer is flushed as soon as it is there, so that another program can talk to it through a pair of pipes. A line that
cannot be read is answered by an error line in its place; the others are solved all the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from berth_cli import options
from berth_cli.exits import DEBUG_VARIABLE, CommandError, Exit
from berth_cli.printable import printable

if TYPE_CHECKING:
    from berth_solver.options import Options
    from berth_solver.problem_json import ReadProblem
    from berth_solver.solution import Solution

EXAMPLES = """
Examples:
  berth solve --budget 1s problems.jsonl > solutions.jsonl
  generate | berth solve --budget 500ms - | consume
  berth solve --verify problems.jsonl | jq -c '[.id, .tiers[].placed]'

Exit codes: 0 all solved, 1 with --verify an answer did not hold, 2 a line was no problem, 70 a bug met on the way.
"""

STANDARD_INPUT = "-"
LEAST_SOLVE_SECONDS = 0.001
"""What is left to the search when reading a line used up its budget: the standing placement is still refilled."""


def solve(
    problems: Annotated[
        list[str] | None, typer.Argument(metavar="FILE", help="Problems, one a line (JSON Lines). - is standard input.")
    ] = None,
    budget: options.Budget = 1.0,
    seed: options.Seed = 0,
    threads: options.Threads = 2,
    pending_only: options.PendingOnly = False,
    consolidate: Annotated[
        bool,
        typer.Option(
            "--consolidate", help="Then use the fewest nodes, before counting moves.", rich_help_panel=options.SOLVING
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Check each answer with independent code; exit 1 if one fails.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
) -> None:
    """Solve packing problems: one JSON problem a line in, one solution a line out.

    The format is described in docs/solver.md and by docs/problem.schema.json and docs/solution.schema.json. The budget
    covers each problem from the moment its line is read. Answers come in the order of the problems, each as soon as it is
    there. A line that is no problem is answered by {"id", "error"}, and the exit code at the end is 2.
    """
    if not problems:
        if sys.stdin.isatty():
            raise CommandError("no problems given", hint="Name a file of JSON lines, or - for standard input.")
        problems = [STANDARD_INPUT]
    files = [STANDARD_INPUT if name == STANDARD_INPUT else _readable(name) for name in problems]

    from berth_cli.warm import warm_up
    from berth_solver.options import Options

    warm_up()
    search = Options(budget=budget, seed=seed, threads=threads, pending_only=pending_only, consolidate=consolidate)
    tally = _Tally()
    for name in files:
        with _open(name) as file:
            for number, line in _lines(file):
                sys.stdout.buffer.write(_answer(line, f"{name}:{number}", search, verify, tally))
                sys.stdout.buffer.flush()
    if tally.bugs:
        typer.echo(f"{tally.bugs} of {tally.lines} problems met a bug in Berth; {DEBUG_VARIABLE}=1 shows it", err=True)
        raise typer.Exit(Exit.BUG)
    if tally.bad:
        typer.echo(
            printable(f"{tally.bad} of {tally.lines} lines could not be read; the first: {tally.first_error}"), err=True
        )
        if tally.bad == tally.lines:
            typer.echo(
                "One problem is one line. A problem printed over several lines: jq -c . FILE | berth solve -", err=True
            )
        raise typer.Exit(Exit.BAD_INPUT)
    if tally.refuted:
        raise typer.Exit(Exit.NO)


class _Tally:
    """What the end of the command needs to know about the lines."""

    def __init__(self) -> None:
        self.lines = 0
        self.bad = 0
        self.first_error = ""
        self.refuted = 0
        self.bugs = 0


def _answer(line: bytes, where: str, search: Options, verify: bool, tally: _Tally) -> bytes:
    """The answer's line, newline included."""
    from berth_solver.problem_json import LineError, read_problem
    from berth_solver.solution_json import write_error, write_solution
    from berth_solver.solve import solve as run

    start = search.clock()
    tally.lines += 1
    try:
        read = read_problem(line)
    except LineError as error:
        tally.bad += 1
        tally.first_error = tally.first_error or f"{where}: {error}"
        return write_error(error)
    reading = search.clock() - start
    left = max(search.budget - reading, LEAST_SOLVE_SECONDS)
    try:
        solution = run(read.problem, replace(search, budget=left))
    except Exception as error:  # a resident filter answers the other lines all the same
        if os.environ.get(DEBUG_VARIABLE):
            raise
        tally.bugs += 1
        return write_error(LineError(read.id, f"a bug in Berth: {type(error).__name__}: {error}"))
    if verify and not _holds(read, solution, where):
        tally.refuted += 1
    return write_solution(read, solution, reading_seconds=reading)


def _holds(read: ReadProblem, solution: Solution, where: str) -> bool:
    from berth_solver.verify import verify as check

    verification = check(read.problem, solution)
    for violation in verification.violations:
        typer.echo(printable(f"{where}: {read.id}: {violation.message}"), err=True)
    return not verification.violations


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(file, 1):
        if line.strip():
            yield number, line


def _readable(name: str) -> str:
    path = Path(name)
    if path.is_dir():
        raise CommandError(f"{name}: is a folder, not a file of JSON lines")
    if not path.exists():
        raise CommandError(f"{name}: no such file")
    return name


def _open(name: str) -> IO[bytes]:
    if name == STANDARD_INPUT:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    try:
        return open(name, "rb")
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror or error}") from error

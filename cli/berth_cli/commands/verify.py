"""`berth verify`: does this solution, or this plan, hold what it says? Checked by code that shares nothing with the search."""

from __future__ import annotations

from collections import defaultdict, deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from berth_cli import options
from berth_cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from berth_cli.claims import Finding
    from berth_cli.terminal import Terminal

EXAMPLES = """
Examples:
  berth verify problems.jsonl solutions.jsonl
  berth verify --dump dump.json --plan plan.json --budget 10s
  berth verify --no-bounds problems.jsonl solutions.jsonl      rules and counts only, in milliseconds

Exit codes: 0 it holds, 1 something is wrong (with --strict also: a bound could not be proven again), 2 bad input.
"""


def verify(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PROBLEMS SOLUTIONS", help="Files of `berth solve`, one JSON object a line."),
    ] = None,
    dump: options.Dump = None,
    plan: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A plan of `berth plan --out`, for that dump.", rich_help_panel=options.INPUT
        ),
    ] = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    bounds: Annotated[
        bool,
        typer.Option(
            "--bounds/--no-bounds",
            help="Prove each bound anew, not only rules and counts.",
            rich_help_panel=options.SOLVING,
        ),
    ] = True,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="A bound that stays open is a failure.", rich_help_panel=options.SOLVING),
    ] = False,
    budget: options.Budget = 1.0,
    seed: options.Seed = 0,
    threads: options.Threads = 2,
    no_color: options.NoColor = False,
) -> None:
    """Check a solution or a plan, with code that shares nothing with the search.

    Each rule, each count and, for a plan, each moment of each wave. Then each bound: neither file carries the evidence, so
    the problem is solved again and what is proven then is compared with what is claimed.
    """
    from berth_cli.terminal import open_terminal

    terminal = open_terminal(no_color=no_color)
    if plan is not None:
        if files:
            raise CommandError("give either PROBLEMS SOLUTIONS or --dump with --plan")
        ended = _verify_plan(plan, dump, context, kubeconfig, bounds, budget, seed, threads, terminal)
    else:
        if len(files or ()) != 2 or dump:
            raise CommandError(
                "verify takes PROBLEMS and SOLUTIONS, or --dump with --plan",
                hint="berth verify problems.jsonl solutions.jsonl",
            )
        assert files is not None
        ended = _verify_lines(files[0], files[1], bounds, budget, seed, threads, terminal)
    if ended.wrong or (strict and ended.open):
        raise typer.Exit(Exit.NO)
    if ended.unreadable:
        raise typer.Exit(Exit.BAD_INPUT)


class _Ended:
    """How many things were wrong, how many bounds could not be proven again, how many lines held no problem."""

    def __init__(self) -> None:
        self.wrong = 0
        self.open = 0
        self.unreadable = 0


def _verify_lines(
    problems: Path, solutions: Path, bounds: bool, budget: float, seed: int, threads: int, terminal: Terminal
) -> _Ended:
    from berth_cli.claims import DisruptionClaim, TierClaim, judge
    from berth_cli.warm import warm_up
    from berth_solver.options import Options
    from berth_solver.problem_json import LineError, read_problem
    from berth_solver.solution_json import read_solution
    from berth_solver.verify import verify as check

    if bounds:
        warm_up()
    answers = _by_id(solutions)
    ended = _Ended()
    for number, line in enumerate(_lines(problems), 1):
        try:
            read = read_problem(line)
        except LineError as error:
            ended.unreadable += 1
            _say(terminal, f"{problems}:{number}: no problem: {error}", "red")
            continue
        waiting = answers[read.id]
        if not waiting:
            ended.wrong += 1
            _say(terminal, f"{read.id}: no solution in {solutions}", "red")
            continue
        try:
            solution = read_solution(read, waiting.popleft())
        except LineError as error:
            ended.wrong += 1
            _say(terminal, f"{read.id}: {error}", "red")
            continue
        said = [f"{v.code}: {v.message}" for v in check(read.problem, solution, seconds=0).violations]
        findings: tuple[Finding, ...] = ()
        if not said and bounds:
            tiers = [TierClaim(t.priority, t.pods, t.placed, t.bound) for t in solution.tiers]
            disruption = DisruptionClaim(solution.disruption.value, solution.disruption.bound)
            findings = judge(read.problem, tiers, disruption, Options(budget=budget, seed=seed, threads=threads))
        _report(terminal, f"{read.id}", said, findings, ended)
    return ended


def _verify_plan(
    path: Path,
    dump: list[Path] | None,
    context: str | None,
    kubeconfig: Path | None,
    bounds: bool,
    budget: float,
    seed: int,
    threads: int,
    terminal: Terminal,
) -> _Ended:
    from berth_cli.plan_check import check_plan, judge_plan
    from berth_cli.plan_file import read_plan
    from berth_cli.source import read_snapshot

    document = read_plan(path)
    snapshot = read_snapshot(dump, context=context, kubeconfig=kubeconfig, terminal=terminal)
    ended = _Ended()
    with terminal.progress("following the plan step by step"):
        said = check_plan(snapshot, document)
    findings: tuple[Finding, ...] = ()
    if bounds and not said:
        with terminal.progress(f"proving bounds anew for about {2 * budget:g} s"):
            findings = judge_plan(snapshot, document, budget=budget, seed=seed, threads=threads)
    _report(terminal, str(path), said, findings, ended)
    return ended


def _report(terminal: Terminal, name: str, said: list[str], findings: tuple[Finding, ...], ended: _Ended) -> None:
    from berth_cli.claims import Judgement

    wrong = said + [f"{f.stage}: {f.message}" for f in findings if f.judgement is Judgement.FALSE]
    still_open = [f"{f.stage}: {f.message}" for f in findings if f.judgement is Judgement.OPEN]
    ended.wrong += len(wrong)
    ended.open += len(still_open)
    if wrong:
        _say(terminal, f"{name}: does not hold", "red")
    elif not findings:
        _say(terminal, f"{name}: holds (rules and counts)", "green")
    elif still_open:
        _say(terminal, f"{name}: holds; {len(still_open)} of {len(findings)} bounds not proven again", "yellow")
    else:
        _say(terminal, f"{name}: holds, with every bound proven again", "green")
    for sentence in wrong + still_open:
        _say(terminal, f"  {sentence}", "")


def _say(terminal: Terminal, sentence: str, style: str) -> None:
    terminal.out.print(sentence, style=style or None, soft_wrap=True)


def _by_id(path: Path) -> dict[str | int, deque[bytes]]:
    import msgspec

    class Named(msgspec.Struct):
        id: str | int | None = None

    answers: dict[str | int, deque[bytes]] = defaultdict(deque)
    for number, line in enumerate(_lines(path), 1):
        try:
            name = msgspec.json.decode(line, type=Named).id
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CommandError(f"{path}:{number}: not a solution: {error}") from error
        if name is not None:
            answers[name].append(line)
    return answers


def _lines(path: Path) -> list[bytes]:
    try:
        return [line for line in path.read_bytes().splitlines() if line.strip()]
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from error

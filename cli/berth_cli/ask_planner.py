"""Asking the planner, with the one answer that must not pass: a plan that its own verification refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from berth_cli.exits import CommandError, Exit
from berth_cli.terminal import Terminal

if TYPE_CHECKING:
    from berth_cluster.snapshot import Snapshot
    from berth_planner.options import PlanOptions
    from berth_planner.plan import Plan
    from berth_solver.solution import Improvement

REPORT_IT = "This is a bug in Berth: please report it, with the dump if you may share it."


@contextmanager
def asking(terminal: Terminal, doing: str) -> Iterator[Callable[[str], None]]:
    """Loads the planner and shows what is being done. Raises CommandError (exit code 1) for an unsound answer."""
    with terminal.progress("loading the solver (the first time it is compiled, half a minute)"):
        from berth_cli.warm import warm_up
        from berth_planner.answers import UnsoundAnswerError

        warm_up()
    with terminal.progress(doing) as say:
        try:
            yield say
        except UnsoundAnswerError as error:
            raise CommandError(f"not verified: {error}", hint=REPORT_IT, code=Exit.NO) from error


def ask_for_plan(snapshot: Snapshot, asked: PlanOptions, terminal: Terminal, of: str = "") -> Plan:
    doing = f"solving{of} for at most {asked.budget:g} s"
    with asking(terminal, doing) as say:
        from berth_planner.planning import make_plan

        def tell(found: Improvement) -> None:
            say(
                f"{doing}: {sum(found.placed):,} pods placed, disruption {found.disruption:,}, after {found.seconds:.1f} s"
            )

        return make_plan(snapshot, replace(asked, on_improvement=tell))

"""`berth demo`: the main job on an embedded cluster, before your eyes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated

import typer

from berth_cli import options

EXAMPLES = """
Examples:
  berth demo
  berth demo --save-dump demo.json --html ''      then: berth why --dump demo.json

Exit codes: 0 fine.
"""

PAGE = "berth-demo.html"


def demo(
    html: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Where to write the picture; '' writes none.", rich_help_panel=options.OUTPUT
        ),
    ] = PAGE,
    save_dump: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the cluster as a dump.", rich_help_panel=options.OUTPUT),
    ] = None,
    budget: options.Budget = 1.0,
    seed: options.Seed = 0,
    threads: options.Threads = 2,
    no_color: options.NoColor = False,
) -> None:
    """Plan a small GPU cluster before your eyes.

    Twelve A100 nodes with 24 of 96 GPUs free, but never four on one node, while urgent pods of 8 and 4 GPUs wait. Shows
    the nodes, the plan with its proof, and the nodes afterwards; writes the same as a page.
    """
    from berth_cli.ask_planner import ask_for_plan
    from berth_cli.commands.plan import write_page
    from berth_cli.demo.cluster import demo_dump
    from berth_cli.files import check_writable, write_whole
    from berth_cli.picture import print_legend, print_picture
    from berth_cli.plan_text import Shown, print_plan
    from berth_cli.terminal import open_terminal
    from berth_cluster.dump import read_dumps
    from berth_planner.options import PlanOptions

    if save_dump is not None:
        check_writable(save_dump)
    if html:
        check_writable(Path(html), keep=(save_dump,))
    terminal = open_terminal(no_color=no_color)
    dump = demo_dump()
    if save_dump is not None:
        write_whole(save_dump, dump)
    snapshot = read_dumps([io.BytesIO(dump)])

    out = terminal.out
    out.print("A cluster with 24 free GPUs, and no room", style="bold")
    out.print()
    print_picture(out, snapshot, None, after=False)
    out.print()
    print_legend(out, snapshot)
    out.print("Waiting: 2 agent-70b of 8 GPUs, 2 vision-34b of 4 GPUs (A), and 2 embed of 1 GPU (C).")
    out.print()

    plan = ask_for_plan(snapshot, PlanOptions(budget=budget, seed=seed, threads=threads), terminal)

    out.print("The plan, and what is proven about it", style="bold")
    out.print()
    print_plan(out, plan, Shown())
    out.print()
    out.print("Before and after", style="bold")
    out.print()
    print_picture(out, snapshot, plan, after=True)
    out.print()
    if html:
        write_page(Path(html), snapshot, plan, title="Berth demo", terminal=terminal)
    out.print("Your own cluster: berth plan        From files: berth plan --dump dump.json")
